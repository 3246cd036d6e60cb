"""What every message of WeChat and WeCom has in common, as an `Inbound`."""

import hashlib
from datetime import UTC, datetime
from typing import Any

from wechatpy.messages import BaseMessage

from bot.channels.tencent.xml import dedupe_key, word
from conversations.message import Inbound, Place

_LONGEST_KEY = 200


def inbound(channel: str, given: BaseMessage, account: str, now: datetime, **more: Any) -> Inbound:
    """What somebody did in his chat; at `now` where the platform does not say when."""
    key = dedupe_key(given)
    if len(key) > _LONGEST_KEY:
        key = hashlib.sha256(key.encode()).hexdigest()
    return Inbound(channel=channel, account=account, chat=account, dedupe_key=key, at=_at(given, now), **more)


def place(given: BaseMessage) -> Place | None:
    """The platforms' own datum (GCJ-02), X the latitude; None where it is none."""
    try:
        latitude, longitude = float(word(given, "Location_X")), float(word(given, "Location_Y"))
    except ValueError:
        return None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):  # NaN is neither
        return None
    return Place(latitude, longitude, "GCJ-02")


def _at(given: BaseMessage, now: datetime) -> datetime:
    try:
        return datetime.fromtimestamp(int(word(given, "CreateTime")), UTC)
    except (ValueError, OverflowError, OSError):
        return now
