"""One by one: what goes wrong with one of many keeps none of the others waiting (C11)."""

from collections.abc import Callable, Iterable
from typing import TypeVar

import structlog

from storage.database import Tx

T = TypeVar("T")
log = structlog.get_logger()


def each(tx: Tx, rows: Iterable[T], work: Callable[[T], None]) -> bool:
    """Does the work for each of them by itself. Of one that fails nothing is kept: it is due still, and gives True.

    Raises the first error where all failed, so that a sweep that gets no further counts as failed.
    """
    done, failed = 0, list[Exception]()
    for row in rows:
        try:
            with tx.apart():
                work(row)
            done += 1
        except Exception as error:
            log.error("one of many failed", error=type(error).__name__)
            failed.append(error)
    if failed and not done:
        raise failed[0]
    return bool(failed)
