"""How often, and until when, an account may still be written to: WeChat lets five messages pass in the 48 hours after
one of his, and three in the minute after he followed, scanned, or tapped the menu or a link.

A message is counted before it leaves, so that two processes cannot both send the last one, and given back where the
platform refused it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import millis
from storage.tables import reply_windows


@dataclass(frozen=True, slots=True)
class Window:
    """What one kind of act opens: so many messages in so long a time."""

    kind: str
    messages: int
    lasts: timedelta


_open = insert(reply_windows)
_OPEN = _open.on_conflict_do_update(index_elements=["channel", "account", "kind"], set_={
    "until": _open.excluded.until, "left": _open.excluded.left})
_THIS = and_(reply_windows.c.channel == bindparam("on_channel"), reply_windows.c.account == bindparam("of_account"))
_FIRST = select(reply_windows.c.kind).where(
    _THIS, reply_windows.c.until > bindparam("at"), reply_windows.c.left > 0,
).order_by(reply_windows.c.until).limit(1).scalar_subquery()  # the one that ends first
_TAKE = update(reply_windows).where(
    _THIS, reply_windows.c.kind == _FIRST, reply_windows.c.left > 0).values(
    left=reply_windows.c.left - 1).returning(reply_windows.c.kind)
_OF_KIND = and_(_THIS, reply_windows.c.kind == bindparam("this_kind"))
_GIVE_BACK = update(reply_windows).where(_OF_KIND).values(left=reply_windows.c.left + 1)
_SHUT = delete(reply_windows).where(_THIS)
_OVER = delete(reply_windows).where(reply_windows.c.until < bindparam("at"))


def opened(tx: Tx, channel: str, account: str, window: Window, now: datetime) -> None:
    """He did something that opens a window; one of the same kind begins anew."""
    tx.run(_OPEN, channel=channel, account=account, kind=window.kind, until=millis(now + window.lasts),
           left=window.messages)


def take(tx: Tx, channel: str, account: str, now: datetime) -> str | None:
    """Counts one message, and gives the kind of window that it goes through; None where none is open."""
    for _ in range(2):  # another process may have taken the last one of the first window meanwhile
        if row := tx.one(_TAKE, on_channel=channel, of_account=account, at=millis(now)):
            return str(row[0])
    return None


def give_back(tx: Tx, channel: str, account: str, kind: str) -> None:
    """It did not leave."""
    tx.run(_GIVE_BACK, on_channel=channel, of_account=account, this_kind=kind)


def shut(tx: Tx, channel: str, account: str) -> None:
    """The platform says that nothing more may go through, whatever is counted here."""
    tx.run(_SHUT, on_channel=channel, of_account=account)


def forget(tx: Tx, now: datetime) -> None:
    """Deletes the windows that are over."""
    tx.run(_OVER, at=millis(now))
