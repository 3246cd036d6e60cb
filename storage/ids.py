"""Ids made by the application: UUIDv7, so that rows of one time stand together on disk."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count

NewId = Callable[[datetime], str]
RandomBytes = Callable[[int], bytes]


def uuid7(random_bytes: RandomBytes = os.urandom) -> NewId:
    """Gives a maker of ids: 32 hex digits, a UUIDv7 (RFC 9562) of the time it is called with.

    Ids of one maker and one millisecond sort as they were made (a 32-bit counter, then 42 random bits): what
    a turn sends must go out in that order, and all of it has the same time.
    """
    made = count(int.from_bytes(random_bytes(3)))

    def new(now: datetime) -> str:
        counter = next(made) & 0xFFFF_FFFF
        high = millis(now) << 16 | 0x7000 | counter >> 20
        low = 1 << 63 | (counter & 0xF_FFFF) << 42 | int.from_bytes(random_bytes(6)) & 0x3FF_FFFF_FFFF
        return f"{high:016x}{low:016x}"

    return new


def first_id(at: datetime) -> str:
    """Less than every id made at this time or after."""
    return f"{millis(at):012x}"


def millis(at: datetime) -> int:
    """An aware time as milliseconds since 1970 UTC: how every instant is stored."""
    return int(at.timestamp() * 1000)


def instant(stored: int) -> datetime:
    """The aware UTC time of stored milliseconds."""
    return datetime.fromtimestamp(stored / 1000, UTC)
