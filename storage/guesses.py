"""Wrong codes and tokens, counted by account and hour: whoever tries too often waits for the next hour."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.database import Tx
from storage.ids import millis
from storage.tables import guesses

PER_ACCOUNT = 5  # wrong tries of one account in an hour
IN_ALL = 60  # of all accounts together: of 10,000 live codes, guessing finds less than one an hour
KEPT = timedelta(days=7)
HOUR = 3_600_000  # milliseconds

_add = insert(guesses)
_ADD = _add.on_conflict_do_update(index_elements=["channel", "account", "hour"],
                                  set_={"count": guesses.c.count + 1})
_OF = select(guesses.c.count).where(
    guesses.c.channel == bindparam("on_channel"), guesses.c.account == bindparam("of_account"),
    guesses.c.hour == bindparam("in_hour"))
_ALL = select(func.coalesce(func.sum(guesses.c.count), 0)).where(guesses.c.hour == bindparam("in_hour"))
_FORGET = delete(guesses).where(guesses.c.hour < bindparam("before"))


def hour(now: datetime) -> int:
    """The hour since 1970 in which tries are counted together."""
    return millis(now) // HOUR


def count(tx: Tx, channel: str, account: str, now: datetime) -> bool:
    """Counts a wrong try; True where that was the last one for this hour, of the account or of all."""
    tx.run(_FORGET, before=hour(now - KEPT))
    tx.run(_ADD, channel=channel, account=account, hour=hour(now), count=1)
    return spent(tx, channel, account, now) or all_spent(tx, now)


def spent(tx: Tx, channel: str, account: str, now: datetime) -> bool:
    """Whether this account has no try left in this hour."""
    row = tx.one(_OF, on_channel=channel, of_account=account, in_hour=hour(now))
    return row is not None and row[0] >= PER_ACCOUNT


def all_spent(tx: Tx, now: datetime) -> bool:
    """Whether so many wrong tries came from everywhere that no code is looked at in this hour."""
    row = tx.one(_ALL, in_hour=hour(now))
    return row is not None and int(row[0]) >= IN_ALL
