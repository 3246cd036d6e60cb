"""Who comes in by a link or a code, and who does not: on both databases, through the router."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from conversations import binding, book, router
from conversations.message import Inbound
from conversations.turn import House
from scheduler import notices
from scheduler import policy as policies
from scheduler.notices import BoundElsewhere
from storage import accounts, guesses, invitations, outbox, people
from storage.accounts import Account
from storage.database import Store, Tx
from storage.outbox import Outgoing
from storage.scope import Scope
from storage.tables import outbox as outbox_rows
from tests.storage.ground import DAY, Ground, lay

HOUSE = House(book.from_folder(), policies.load(), links={"test": "https://t.me/bot?start="})


@dataclass
class Door:
    """The router over a store with people in it; 赵敏 coordinates the township on account `zhao`."""

    store: Store
    ground: Ground
    now: datetime
    count: int = 0
    tokens: dict[str, str] = field(default_factory=dict)

    async def says(self, account: str, text: str = "", choice: str = "", channel: str = "test") -> list[str]:
        """The kinds of what is answered."""
        self.count += 1
        self.now += timedelta(milliseconds=1)
        inbound = Inbound(channel, account, account, str(self.count), self.now, text=text, choice=choice)
        said = await self.store.run(lambda tx: router.answer(HOUSE, tx, inbound, self.now), f"{channel}:{account}")
        return [kind for kind, _ in said]

    async def invites(self, person: str, by: str | None = None) -> tuple[str, str]:
        """A token and a live code."""
        def work(tx: Tx) -> tuple[str, str]:
            token = invitations.make(tx, person, by or self.ground.coordinator, self.now)
            found = invitations.by_token(tx, token)
            assert found is not None
            return token, invitations.new_code(tx, found.id, self.ground.coordinator, self.now) or ""
        return await self.store.run(work)

    async def owner(self, account: str, channel: str = "test") -> tuple[str, str] | None:
        """Whose an account is, and its state."""
        writer = await self.store.run(lambda tx: accounts.writer(tx, channel, account))
        return (writer.person_id, writer.state) if writer else None

    async def told(self, kind: str) -> list[str]:
        """Into which chats notices of this kind go."""
        statement = select(outbox_rows.c.chat).where(
            outbox_rows.c.kind == kind, outbox_rows.c.state == "waiting").order_by(outbox_rows.c.id)
        return [chat for chat, in await self.store.read(lambda tx: tx.all(statement))]

    async def invitation(self, token: str) -> str:
        found = await self.store.read(lambda tx: invitations.by_token(tx, token))
        assert found is not None
        return found.id


@pytest.fixture
async def door(store: Store, now: datetime) -> Door:
    ground = await store.run(lay(now))
    await store.run(lambda tx: accounts.bind(tx, "test", "zhao", "zhao", ground.coordinator, now))
    return Door(store, ground, now)


async def test_of_many_who_open_one_link_at_once_one_is_bound(door: Door) -> None:
    token, _ = await door.invites(door.ground.visitor)
    said = await asyncio.gather(*(door.says(str(n), f"/start {token}") for n in range(8)))
    assert sorted(kinds[0] for kinds in said) == ["binding.invitation_used"] * 7 + ["binding.welcome"]
    bound = [owner for n in range(8) if (owner := await door.owner(str(n)))]
    assert bound == [(door.ground.visitor, "active")]
    assert await door.told("bound") == ["zhao"]


async def test_of_many_who_type_one_code_at_once_one_waits(door: Door) -> None:
    _, code = await door.invites(door.ground.visitor)
    said = await asyncio.gather(*(door.says(str(n), code) for n in range(8)))
    assert sorted(kinds[0] for kinds in said) == ["binding.code_wrong"] * 7 + ["binding.wait"]
    assert [owner for n in range(8) if (owner := await door.owner(str(n)))] == [(door.ground.visitor, "waiting")]
    assert await door.told("to_identify") == ["zhao"]


async def test_link_and_code_of_one_invitation_used_at_once_bind_one(door: Door) -> None:
    token, code = await door.invites(door.ground.visitor)
    await asyncio.gather(*(door.says(f"link{n}", f"/start {token}") for n in range(4)),
                         *(door.says(f"code{n}", code) for n in range(4)))
    owners = [await door.owner(f"{how}{n}") for how in ("link", "code") for n in range(4)]
    assert len([owner for owner in owners if owner]) == 1


async def test_yes_and_no_pressed_at_once_decide_once(door: Door) -> None:
    token, code = await door.invites(door.ground.visitor)
    await door.says("1", code)
    await door.store.run(lambda tx: accounts.bind(tx, "test", "zhao2", "zhao2", door.ground.coordinator, door.now))
    found = await door.invitation(token)
    said = await asyncio.gather(door.says("zhao", choice=f"/identify {found} yes"),
                                door.says("zhao2", choice=f"/identify {found} no"))
    owner = await door.owner("1")
    assert owner is not None
    assert owner[1] in ("active", "refused")
    # "no" is also a way back after "yes": then both were taken, one after the other
    assert ["binding.settled"] in said or (said == [["binding.confirmed"], ["binding.cut_off"]]
                                           and owner[1] == "refused")


@pytest.mark.parametrize("why", ["used", "expired", "revoked", "unknown"])
async def test_what_is_not_good_is_refused_counted_and_told_at_the_limit(door: Door, why: str) -> None:
    token, _ = await door.invites(door.ground.visitor)
    await door.invites(door.ground.other_visitor)  # somebody whose code is live, so that his coordinator is told
    found = await door.store.read(lambda tx: invitations.by_token(tx, token))
    assert found is not None
    if why == "used":
        await door.says("first", f"/start {token}")
    elif why == "revoked":
        await door.store.run(lambda tx: invitations.revoke(tx, found, "operator", door.now))
    elif why == "expired":
        door.now += timedelta(days=7, seconds=1)
        await door.invites(door.ground.other_visitor)
    else:
        token = "A" * 22
    for left in range(guesses.PER_ACCOUNT, 0, -1):
        assert await door.told("guessing") == [], left
        assert await door.says("9", f"/start {token}") == [f"binding.invitation_{why}"]
    assert await door.told("guessing") == ["zhao"]
    assert await door.says("9", f"/start {token}") == ["binding.too_many"]
    assert await door.owner("9") is None


async def test_over_the_limit_even_the_right_one_is_not_looked_at_until_the_next_hour(door: Door) -> None:
    token, code = await door.invites(door.ground.visitor)
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(guesses.PER_ACCOUNT):
        assert await door.says("9", wrong) == ["binding.code_wrong"]
    assert await door.says("9", code) == ["binding.too_many"]
    assert await door.says("9", f"/start {token}") == ["binding.too_many"]
    assert await door.says("8", "你好") == ["binding.stranger"]
    door.now += timedelta(hours=1)
    assert await door.says("9", f"/start {token}") != ["binding.too_many"]


async def test_when_codes_are_guessed_from_everywhere_links_still_open(door: Door) -> None:
    token, code = await door.invites(door.ground.visitor)
    wrong = "000000" if code != "000000" else "000001"
    for n in range(guesses.IN_ALL):
        assert await door.says(f"bot{n}", wrong) == ["binding.code_wrong"]
    assert await door.told("guessing") == ["zhao"]
    assert await door.says("9", code) == ["binding.too_many"]
    assert (await door.says("9", f"/start {token}"))[0] == "binding.welcome"


async def test_without_a_live_code_the_operators_are_told_once_an_hour(door: Door) -> None:
    def operator(tx: Tx) -> None:
        person = people.add(tx, door.ground.township.id, "管理", ("operator",), door.now)
        accounts.bind(tx, "test", "op", "op", person.id, door.now)

    await door.store.run(operator)
    for account in ("8", "9"):
        for _ in range(guesses.PER_ACCOUNT + 2):
            await door.says(account, "123456")
    assert await door.told("guessing") == ["op"]
    door.now += timedelta(hours=1)
    for _ in range(guesses.PER_ACCOUNT):
        await door.says("9", "123456")
    assert await door.told("guessing") == ["op", "op"]


async def test_an_account_in_use_takes_no_other_persons_link_and_the_link_stays_good(door: Door) -> None:
    await door.store.run(lambda tx: accounts.bind(tx, "test", "7", "7", door.ground.visitor, door.now))
    token, _ = await door.invites(door.ground.other_visitor)
    assert await door.says("7", f"/start {token}") == ["binding.somebody_elses"]
    assert await door.owner("7") == (door.ground.visitor, "active")
    assert (await door.says("8", f"/start {token}"))[0] == "binding.welcome"
    rows = await door.store.read(lambda tx: tx.all(sa.text("SELECT account, count FROM guesses")))
    assert [tuple(row) for row in rows] == [("7", 1)]


async def test_who_is_suspended_comes_in_by_no_link_and_who_has_left_gives_his_phone_to_another(door: Door) -> None:
    await door.store.run(lambda tx: accounts.bind(tx, "test", "7", "7", door.ground.visitor, door.now))
    own, _ = await door.invites(door.ground.visitor)
    other, _ = await door.invites(door.ground.other_visitor)

    visitor = door.ground.visitor
    assert await door.store.run(lambda tx: people.suspend(tx, visitor, "operator", door.now))
    assert await door.says("8", f"/start {own}") == ["binding.invitation_revoked"]
    assert await door.says("7", f"/start {other}") == ["menu.suspended"]
    assert await door.store.run(
        lambda tx: people.suspend(tx, visitor, "operator", door.now, leaves=True, shown="suspended"))
    assert (await door.says("7", f"/start {other}"))[0] == "binding.welcome"
    assert await door.owner("7") == (door.ground.other_visitor, "active")


async def test_who_waits_or_was_refused_can_do_nothing_until_a_new_link(door: Door) -> None:
    token, code = await door.invites(door.ground.visitor)
    await door.says("1", code)
    for text in ("我的老人", "你好", "123456", "/start"):
        assert await door.says("1", text) == ["binding.waiting"]
    found = await door.invitation(token)
    await door.says("zhao", choice=f"/identify {found} no")
    for text in ("我的老人", "你好", "123456", "/start"):
        assert await door.says("1", text) == ["binding.refused"]
    assert await door.says("1", f"/start {token}") == ["binding.invitation_revoked"]
    again, _ = await door.invites(door.ground.visitor)
    assert (await door.says("1", f"/start {again}"))[0] == "binding.welcome"
    assert await door.says("zhao", choice=f"/identify {found} no") == ["binding.settled"], "an old button"
    assert await door.owner("1") == (door.ground.visitor, "active")


async def test_another_villages_coordinator_confirms_revokes_and_cuts_off_nothing_here(door: Door) -> None:
    def next_door(tx: Tx) -> str:
        person = people.add(tx, door.ground.other_village.id, "何平", ("village",), door.now)
        accounts.bind(tx, "test", "he", "he", person.id, door.now)
        return person.id

    await door.store.run(next_door)
    token, code = await door.invites(door.ground.visitor)
    await door.says("1", code)
    found = await door.invitation(token)
    assert await door.says("he", choice=f"/identify {found} yes") == ["binding.settled"]
    assert await door.says("he", choice=f"/identify {found} no") == ["binding.settled"]
    assert await door.says("he", choice=f"/invite {door.ground.visitor}") == ["binding.nobody"]
    assert await door.says("he", choice=f"/invite {door.ground.township.id}") == ["binding.nobody"]
    assert await door.says("he", choice=f"/invitefamily {door.ground.elder}") == ["menu.elder_gone"]
    ref = Account("test", "1", "1", "waiting", door.now).ref
    assert await door.says("he", choice=f"/cutoff {door.ground.visitor} {ref}") == ["binding.settled"]
    assert await door.owner("1") == (door.ground.visitor, "waiting")
    second, _ = await door.invites(door.ground.visitor)
    for command in ("revoke", "newcode"):
        assert await door.says("he", choice=f"/{command} {await door.invitation(second)}") == ["binding.gone"]
    assert (await door.says("2", f"/start {second}"))[0] == "binding.welcome"


async def test_who_is_asked_is_the_inviter_while_he_may_and_else_the_nearest_coordinator(door: Door) -> None:
    ground, store = door.ground, door.store

    def asked(tx: Tx, made_by: str) -> list[str]:
        return binding.deciders(tx, ground.visitor, ground.village.id, made_by, DAY)

    assert await store.read(lambda tx: asked(tx, ground.coordinator)) == [ground.coordinator]
    assert await store.read(lambda tx: asked(tx, "operator")) == [ground.coordinator]
    near = await store.run(lambda tx: people.add(tx, ground.village.id, "周涛", ("village",), door.now).id)
    assert await store.read(lambda tx: asked(tx, "operator")) == [near]
    assert await store.read(lambda tx: asked(tx, ground.other_visitor)) == [near], "he invites nobody here any more"
    await store.run(lambda tx: people.suspend(tx, near, "operator", door.now))
    assert await store.read(lambda tx: asked(tx, near)) == [ground.coordinator]


async def test_what_waited_for_a_cut_off_account_is_not_sent_to_it(door: Door) -> None:
    token, _ = await door.invites(door.ground.visitor)
    await door.says("1", f"/start {token}")
    await door.store.run(lambda tx: outbox.add(
        tx, Outgoing(tx.new_id(door.now), "test", "1", "reminder", "visit_due", {}), door.now))
    await door.says("zhao", choice=f"/identify {await door.invitation(token)} no")
    assert await door.told("visit_due") == []
    assert await door.store.read(lambda tx: accounts.reached(tx, door.ground.visitor)) is None
    assert await door.told("bound") == ["zhao"], "its row stays, and is not wanted when it leaves"
    notice = notices.Bound(person=door.ground.coordinator, invitation=await door.invitation(token))
    assert not await door.store.read(lambda tx: notice.still_wanted(tx, DAY))


async def test_a_second_phone_is_told_on_the_first_one(door: Door) -> None:
    await door.store.run(lambda tx: accounts.bind(tx, "wechat", "7", "chat7", door.ground.visitor, door.now))
    token, _ = await door.invites(door.ground.visitor)
    door.now += timedelta(minutes=1)
    await door.says("8", f"/start {token}")
    assert await door.told(BoundElsewhere.kind) == ["chat7"]


async def test_one_person_on_two_channels_chooses_where_he_is_written_to(door: Door) -> None:
    person = door.ground.visitor
    await door.store.run(lambda tx: accounts.bind(tx, "wechat", "7", "chat7", person, door.now))
    door.now += timedelta(minutes=1)
    await door.store.run(lambda tx: accounts.bind(tx, "test", "8", "8", person, door.now))

    async def reached() -> tuple[str, str] | None:
        return await door.store.read(lambda tx: accounts.reached(tx, person))

    assert await reached() == ("test", "8")
    assert (await door.says("8", "/channels prefer wechat"))[0] == "binding.preferred"
    assert await reached() == ("wechat", "chat7")
    assert (await door.says("8", "/channels prefer wecom"))[0] == "binding.channels", "he is not there"
    mine = {each.channel: each for each in await door.store.read(lambda tx: accounts.of(tx, person))}
    assert await door.says("8", choice=f"/channels remove {mine['test'].ref}") == ["binding.remove_this"]
    assert await door.owner("8") is not None
    assert (await door.says("8", choice=f"/channels remove {mine['wechat'].ref}"))[0] == "binding.removed"
    assert await reached() == ("test", "8")
    assert await door.store.read(lambda tx: people.preferred(tx, person)) is None
    assert await door.says("8", choice=f"/channels remove {mine['test'].ref} yes") == ["binding.removed_this"]
    assert await door.owner("8") is None


async def test_nobody_removes_somebody_elses_account(door: Door) -> None:
    await door.store.run(lambda tx: accounts.bind(tx, "test", "7", "7", door.ground.visitor, door.now))
    zhao = Account("test", "zhao", "zhao", "active", door.now).ref
    assert await door.says("7", choice=f"/channels remove {zhao} yes") == ["binding.channels"]
    assert await door.owner("zhao") == (door.ground.coordinator, "active")


async def test_an_area_that_is_taken_from_the_coordinator_meanwhile_gets_nobody(door: Door) -> None:
    """The area was his when the form began: it is looked at again when it is submitted."""
    await door.says("zhao", f"邀请 {door.ground.village.name}")
    for text in ("吴刚", "2"):
        await door.says("zhao", text)

    def moved(tx: Tx) -> None:
        tx.run(sa.text("DELETE FROM posts"))
        tx.run(people._POST, person_id=door.ground.coordinator, role="village", area_id=door.ground.other_village.id)

    await door.store.run(moved)
    assert await door.says("zhao", "提交") == ["binding.not_yours"]
    names = await door.store.read(lambda tx: tx.all(sa.text("SELECT name FROM people WHERE name = '吴刚'")))
    assert names == []


async def test_a_coordinators_role_is_that_of_the_area_and_never_above_the_inviter(door: Door) -> None:
    await door.says("zhao", f"邀请 {door.ground.village.name}")
    for text in ("吴刚", "协调员", "提交"):
        await door.says("zhao", text)

    def posts(tx: Tx) -> list[tuple[str, str]]:
        person, = people.held_named(tx, Scope(door.ground.coordinator, DAY), "吴刚")
        return [(post.role, post.area) for post in people.posts_of(tx, person.id)]

    assert await door.store.read(posts) == [("village", door.ground.village.name)]
