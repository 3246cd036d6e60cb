"""A photo, voice note or place sent while an own alert runs is added to it; what an open form wants goes there."""

from typing import Any

from conversations import session
from conversations.controls import plain
from conversations.engine import Part
from conversations.turn import Ask
from scheduler import adding
from scheduler.adding import Item
from storage import alert_media, alerts
from storage.accounts import OpenDraft
from storage.alerts import Alert

LONGEST = 500  # characters of a caption
MAPS = {"WGS-84": "wgs84", "GCJ-02": "gaode"}


def taken(ask: Ask, draft: OpenDraft | None) -> tuple[Part, ...] | None:
    """What is answered to a photo, voice note or place for an alert; None where this message is none, or not for one.
    """
    if not _items(ask):
        return None
    ending = alerts.find(ask.tx, ask.scope, session.alert_of(ask))  # of how it ended photos are kept with it
    if ending is None and draft and session.wants_media(ask, draft):
        return None
    alert = ending if ending and ending.running else alert_media.own(ask.tx, ask.writer.person_id)
    return _added(ask, alert, plain(ask.inbound.text)[:LONGEST]) if alert else None


def with_cry(ask: Ask) -> None:
    """What came in the same message as the word 紧急 belongs to the alert that it made."""
    alert = alert_media.own(ask.tx, ask.writer.person_id) if _items(ask) else None
    if alert:
        _added(ask, alert, "")


def map_link(place: str) -> str:
    """Where a place can be looked at; it names the place, so it is for channels in the country alone."""
    where, _, datum = place.partition(" ")
    latitude, _, longitude = where.partition(",")
    return f"https://uri.amap.com/marker?position={longitude},{latitude}&coordinate={MAPS.get(datum, 'wgs84')}"


def said(place: str) -> str:
    """A place to read: degrees, as maps take them."""
    return place.partition(" ")[0].replace(",", ", ")


def _items(ask: Ask) -> bool:
    return ask.inbound.place is not None or any(each.kind in ("photo", "voice") for each in ask.inbound.media)


def _added(ask: Ask, alert: Alert, words: str) -> tuple[Part, ...]:
    items: list[Item] = [("photo" if kind == "photo" else "voice", media, "")
                         for kind, media in session.keep_media(ask) if kind in ("photo", "voice")]
    if where := session.where(ask):
        items.append(("place", None, where))
    said: dict[str, Any] = {"number": alert.called}
    done = adding.add(ask.tx, alert, items, words, ask.writer.person_id, ask.house.policies, ask.now)
    return (("sos.more", said),) if done else (("added.full", said),)
