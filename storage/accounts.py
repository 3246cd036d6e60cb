"""A person's identities on channels, and what a turn must know of who writes."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import instant, millis
from storage.tables import accounts, drafts, people

_OPEN: ColumnElement[str] = literal_column("'open'")  # written out: the partial index wants no parameter
_WRITER = (
    select(people.c.id, people.c.name, people.c.status, accounts.c.state, accounts.c.blocked_at, accounts.c.menu,
           drafts.c.id, drafts.c.tag, drafts.c.form, drafts.c.form_hash, drafts.c.body)
    .select_from(accounts.join(people, people.c.id == accounts.c.person_id).outerjoin(
        drafts, and_(drafts.c.person_id == people.c.id, drafts.c.state == _OPEN)))
    .where(accounts.c.channel == bindparam("channel"), accounts.c.account == bindparam("account"))
    .with_for_update(of=people)  # one person's turns stand in line, on PostgreSQL too, whatever the channel
)
_bind = insert(accounts)
_BIND = _bind.on_conflict_do_update(index_elements=["channel", "account"], set_={
    "person_id": _bind.excluded.person_id, "chat": _bind.excluded.chat, "bound_at": _bind.excluded.bound_at,
    "blocked_at": None, "menu": None, "state": _bind.excluded.state})
_THIS = and_(accounts.c.channel == bindparam("on_channel"), accounts.c.account == bindparam("of_account"))
_MENU = update(accounts).where(_THIS).values(menu=bindparam("tokens"))
_BLOCKED = update(accounts).where(accounts.c.channel == bindparam("on_channel"),
                                  accounts.c.chat == bindparam("in_chat")).values(blocked_at=bindparam("at"))
_WAYS = select(accounts.c.channel, accounts.c.chat).select_from(
    accounts.join(people, people.c.id == accounts.c.person_id)).where(
    people.c.id == bindparam("person"), people.c.status == "active", accounts.c.state == "active",
    accounts.c.blocked_at.is_(None)).order_by(
    case((accounts.c.channel == people.c.preferred, 0), else_=1), accounts.c.bound_at.desc())
_REACHED = _WAYS.limit(1)
_IN_CHAT = select(accounts.c.account, accounts.c.person_id).where(
    accounts.c.channel == bindparam("on_channel"), accounts.c.chat == bindparam("chat"), accounts.c.state == "active")
_CHAT = select(accounts.c.chat).where(_THIS)
_OF = select(accounts.c.channel, accounts.c.account, accounts.c.chat, accounts.c.state, accounts.c.bound_at).where(
    accounts.c.person_id == bindparam("person")).order_by(accounts.c.bound_at, accounts.c.channel, accounts.c.account)
_THEIRS = and_(_THIS, accounts.c.person_id == bindparam("person"))
_DECIDE = update(accounts).where(_THEIRS, accounts.c.state == bindparam("before")).values(
    state=bindparam("after"), menu=None)
_REMOVE = delete(accounts).where(_THEIRS)
_OF_CHANNEL = select(accounts.c.account, people.c.id, people.c.name).select_from(
    accounts.join(people, people.c.id == accounts.c.person_id)).where(
    accounts.c.channel == bindparam("channel"), accounts.c.blocked_at.is_(None),
).order_by(accounts.c.bound_at, accounts.c.account)


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """The draft a person is in, as it is kept; `body` is sealed as `drafts.body` of this id."""

    id: str
    tag: str
    form: str
    form_hash: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote, on which account, and the draft that is open. `state` is the account's: active, waiting, refused."""

    person_id: str
    name: str
    active: bool  # the person is, and so is the account
    state: str
    was_blocked: bool
    menu: bytes | None
    draft: OpenDraft | None


@dataclass(frozen=True, slots=True)
class Account:
    """One of a person's identities: where, since when, and whether it may be used (`active`)."""

    channel: str
    account: str
    chat: str
    state: str
    bound_at: datetime

    @property
    def ref(self) -> str:
        """A short name for buttons, whatever the platform's own ids look like."""
        return hashlib.sha256(f"{self.channel}:{self.account}".encode()).hexdigest()[:16]

    @property
    def tail(self) -> str:
        """The end of the account's id: enough for its owner to tell which it is."""
        return self.account[-4:]


def writer(tx: Tx, channel: str, account: str) -> Writer | None:
    """The person behind an account with the open draft: one statement, run in every turn."""
    row = tx.one(_WRITER, channel=channel, account=account)
    if row is None:
        return None
    person_id, name, status, state, blocked_at, menu, *draft = row
    active = status == "active" and state == "active"
    return Writer(person_id, name, active, state, blocked_at is not None, menu,
                  OpenDraft(*draft) if draft[0] else None)


def bind(tx: Tx, channel: str, account: str, chat: str, person_id: str, now: datetime, state: str = "active") -> None:
    """Makes this account the person's own; `waiting` until a coordinator says that it is he."""
    tx.run(_BIND, channel=channel, account=account, person_id=person_id, chat=chat, bound_at=millis(now),
           blocked_at=None, menu=None, state=state)
    tx.note(now, person_id, "account.bind", person_id, [channel])


def keep_menu(tx: Tx, channel: str, account: str, sealed: bytes | None) -> None:
    """Keeps the tokens of the buttons just shown (sealed as `accounts.menu` of `channel:account`)."""
    tx.run(_MENU, on_channel=channel, of_account=account, tokens=sealed)


def blocked(tx: Tx, channel: str, chat: str, now: datetime | None) -> None:
    """Notes that nothing reaches this chat any more, or with None that it does again."""
    tx.run(_BLOCKED, on_channel=channel, in_chat=chat, at=millis(now) if now else None)


def reached(tx: Tx, person_id: str) -> tuple[str, str] | None:
    """Channel and chat in which an active person is written to: the channel he prefers, else the one bound last."""
    row = tx.one(_REACHED, person=person_id)
    return (row[0], row[1]) if row else None


def ways(tx: Tx, person_id: str) -> list[tuple[str, str]]:
    """Every channel and chat in which an active person can be written to, that of `reached` first."""
    return [(channel, chat) for channel, chat in tx.all(_WAYS, person=person_id)]


def in_chat(tx: Tx, channel: str, chat: str) -> tuple[str, str] | None:
    """Account and person of a private chat; None where nobody is bound there (any more)."""
    row = tx.one(_IN_CHAT, on_channel=channel, chat=chat)
    return (row[0], row[1]) if row else None


def chat_of(tx: Tx, channel: str, account: str) -> str | None:
    """The private chat of an account, in any state; None where it is nobody's."""
    row = tx.one(_CHAT, on_channel=channel, of_account=account)
    return row[0] if row else None


def joined(tx: Tx, person_id: str) -> bool:
    """Whether a person can write here: an account of his is active."""
    return any(each.state == "active" for each in of(tx, person_id))


def cut_off(tx: Tx, person_id: str) -> bool:
    """Whether he joined, and yet nothing reaches him any more: he blocked the bot, or unfollowed it."""
    return joined(tx, person_id) and reached(tx, person_id) is None


def of(tx: Tx, person_id: str) -> list[Account]:
    """Every account of a person, the one bound first at the top."""
    return [Account(channel, account, chat, state, instant(at))
            for channel, account, chat, state, at in tx.all(_OF, person=person_id)]


def decide(tx: Tx, account: Account, person_id: str, state: str, by: str, now: datetime) -> bool:
    """A coordinator says whether it is he: `active` or `refused`. False where the state changed meanwhile.

    A refused account can do nothing from the next message on.
    """
    done = tx.run(_DECIDE, on_channel=account.channel, of_account=account.account, person=person_id,
                  before=account.state, after=state) == 1
    if done:
        tx.note(now, by, f"account.{state}", person_id, [account.channel])
    return done


def remove(tx: Tx, account: Account, person_id: str, now: datetime) -> bool:
    """The person gives one of his accounts up; False where it is his no more."""
    done = tx.run(_REMOVE, on_channel=account.channel, of_account=account.account, person=person_id) == 1
    if done:
        tx.note(now, person_id, "account.remove", person_id, [account.channel])
    return done


def on(tx: Tx, channel: str) -> list[tuple[str, str, str]]:
    """Account, person id and name of everybody who is reached on a channel, in the order in which they came."""
    return [(account, person, name) for account, person, name in tx.all(_OF_CHANNEL, channel=channel)]
