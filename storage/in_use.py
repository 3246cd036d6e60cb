"""Who has a database open: every store holds a shared lock, a restore wants it alone.

On SQLite that is an OS lock on a file beside the database, which stays when the database itself is replaced; on
PostgreSQL an advisory lock of each session. Both are the kernel's or the server's: a killed process holds none.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import psycopg

PATIENCE = "1s"  # a session that was closed a moment ago still holds its lock until the server has seen it
_SHARED = "SELECT pg_advisory_lock_shared(4, 0)"
_ALONE = "SELECT pg_advisory_lock(4, 0)"
_FREE = "SELECT pg_advisory_unlock(4, 0)"
RESTORING = "a backup is being restored into it: start again when that is done"
SERVED = "serve or another command has it open: stop it first"


class DatabaseInUse(Exception):
    """Others have the database open, or somebody wants it alone; the text says which."""


def share(database: Path) -> int:
    """The descriptor that holds a shared lock on a SQLite file until it is closed. Raises DatabaseInUse, OSError."""
    return _lock(database, fcntl.LOCK_SH, RESTORING)


@contextmanager
def alone(database: Path) -> Iterator[None]:
    """Nobody of ours has this SQLite file open, and nobody opens it meanwhile. Raises DatabaseInUse, OSError."""
    held = _lock(database, fcntl.LOCK_EX, SERVED)
    try:
        yield
    finally:
        os.close(held)


def _lock(database: Path, kind: int, refused: str) -> int:
    descriptor = os.open(database.with_name(f"{database.name}-lock"), os.O_RDWR | os.O_CREAT, 0o600)
    for_its_user(descriptor, database)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DatabaseInUse(refused) from None
    return descriptor


def for_its_user(descriptor: int, database: Path) -> None:
    """What root makes beside a database is its user's, as SQLite does it with a journal: else serve cannot open it."""
    if os.geteuid() == 0:
        owner = database.parent.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def share_session(connection: "psycopg.Connection[Any]") -> None:
    """This session of PostgreSQL holds the shared lock until it ends. Raises DatabaseInUse."""
    _ask(connection, _SHARED, RESTORING)


@contextmanager
def alone_session(url: str) -> Iterator[None]:
    """Nobody of ours has this PostgreSQL database open, and nobody opens it meanwhile. Raises DatabaseInUse."""
    import psycopg  # late: where SQLite is used it is not wanted

    with closing(psycopg.connect(url)) as connection:
        _ask(connection, _ALONE, SERVED)
        try:
            yield
        finally:
            with suppress(psycopg.Error):  # gone by itself
                connection.execute(_FREE)  # at once, not when the server has seen that the session is closed


def _ask(connection: "psycopg.Connection[Any]", lock: Any, refused: str) -> None:
    from psycopg.errors import LockNotAvailable

    try:
        with connection.transaction():  # which ends before the lock does: that is the session's
            connection.execute(f"SET LOCAL lock_timeout = '{PATIENCE}'")
            connection.execute(lock)
    except LockNotAvailable:
        raise DatabaseInUse(refused) from None
