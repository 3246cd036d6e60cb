"""Whose phones stand on the playground's page: everybody bound there, and the demo's village group."""

from functools import cache

from bot.channels.playground import Member, Phone
from conversations.words_book import Words
from storage import accounts, areas, meta, people, phones
from storage.areas import Area
from storage.database import Store, Tx
from storage.people import ROLES, Post

DEMO = "demo"  # the meta row of a filled demo: the id of the village whose group has a phone
NOT_IN_GROUP = ("family", "first_contact", "self")  # a village's work group speaks of other people too


def group_chat(village_id: str) -> str:
    """The chat of a village's group."""
    return f"group-{village_id}"


async def all_phones(store: Store) -> list[Phone]:
    """The phones, first bound come first, then the group. Newcomers' phones are the routes' business."""
    return await store.read(_phones)


def _phones(tx: Tx) -> list[Phone]:
    shown, posts_of = [], {}
    for account, person, name in accounts.on(tx, phones.CHANNEL):
        posts_of[account] = people.posts_of(tx, person)
        found = people.find(tx, person)
        shown.append(Phone(account, name, _subtitle(posts_of[account], found.visitor_kind if found else None)))
    village = areas.find(tx, meta.get(tx, DEMO) or "")
    if village is not None:
        members = tuple(Member(phone.id, phone.title) for phone in shown if _works_in(posts_of[phone.id], village))
        shown.append(Phone(group_chat(village.id), _words().say("phones.group", {"village": village.name}),
                           _words().say("phones.members", {"count": len(members)}), "group", members))
    return shown


def _subtitle(posts: list[Post], kind: str | None) -> str:
    """The person's highest role and its place."""
    if not posts:
        return ""
    highest = max(posts, key=lambda post: ROLES.index(post.role))
    word = f"role.{highest.role}"
    by_kind = f"visitor_kind.{kind}"
    if highest.role in ("visitor", "first_contact") and by_kind in set(_words().keys()):
        word = by_kind
    return _words().say("phones.person", {"role": _words().say(word), "area": highest.area})


def _works_in(posts: list[Post], village: Area) -> bool:
    return any(post.area_id == village.id and post.role not in NOT_IN_GROUP for post in posts)


@cache
def _words() -> Words:
    return Words()
