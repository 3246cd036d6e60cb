"""The kinds of document that are made when they are sent: each reads what it needs, as its asker may still see it.

A part of an answer names a document by its kind and ids: {"kind": "visit_record", "person": …, "visit": …}. Adding
a kind is one function here and its line in `KINDS`.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from conversations.documents import qr
from conversations.message import Document
from conversations.turn import House
from conversations.words_book import Words
from storage import alert_media, files, media, visits
from storage.database import Tx
from storage.scope import Scope

Make = Callable[[Words], Document]  # takes long, and needs no database: it may run in a thread
Kind = Callable[[Tx, House, Mapping[str, Any], datetime], Make | None]


def prepare(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """Reads for a document, and gives what makes it; None where its asker may not see this (any more)."""
    return KINDS[wanted.get("kind", "visit_record")](tx, house, wanted, now)  # none: written by an older release


def _scope(house: House, wanted: Mapping[str, Any], now: datetime) -> Scope:
    return Scope(wanted["person"], now.astimezone(house.policy.zone).date())


def _file(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """A file that was made before and kept, where it may go into this chat (`chat`: channel and chat)."""
    kept = files.for_chat(tx, wanted["file"], *wanted["chat"], now=now)
    return (lambda words: Document(kept.name, kept.body)) if kept else None


def _visit_record(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """Annex 3 of one visit."""
    visit = visits.find(tx, _scope(house, wanted, now), wanted["visit"])
    if visit is None:
        return None
    form = house.book.form(visit.form_hash)

    def make(words: Words) -> Document:
        from conversations.documents.for_visit import docx  # late: python-docx takes 0.2 s to import

        return Document(*docx(visit, form, words))
    return make


def _registration_form(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """Annex 2 of one elder."""
    from conversations.documents import registration_form  # late: docxtpl takes 0.2 s to import

    scope = _scope(house, wanted, now)
    kept = registration_form.gather(tx, scope, wanted["elder"])
    if kept is None:
        return None

    def make(words: Words) -> Document:
        name = words.say("registration_form.file", {"elder": kept.file.name, "day": scope.day.isoformat()})
        return Document(name, registration_form.docx([kept], words))
    return make


def _own_data(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """Everything kept on one elder."""
    from conversations.documents import own_data

    kept = own_data.gather(tx, house, _scope(house, wanted, now), wanted["elder"], now)
    return (lambda words: Document(*own_data.docx(kept, words))) if kept else None


def _hours(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """The proof of somebody's service hours in a period."""
    from conversations.documents import hours

    kept = hours.gather(tx, _scope(house, wanted, now), wanted["of"], wanted["first"], wanted["last"])
    return (lambda words: Document(*hours.docx(kept, words))) if kept else None


def _plan(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """The next two weeks of who asks, for a calendar."""
    from conversations.documents import plan

    kept = plan.gather(tx, _scope(house, wanted, now))
    return lambda words: Document(*plan.ics(kept, wanted["person"], words, now))


def _qr(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """The QR code of a link."""
    return lambda words: Document(words.say("binding.qr_file"), qr.png(wanted["link"]))


def _alert(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """The file of one alert."""
    from conversations.documents import alert_record

    kept = alert_record.gather(tx, house, _scope(house, wanted, now), wanted["alert"], now)
    return (lambda words: Document(*alert_record.docx(kept, words))) if kept else None


def _added(tx: Tx, house: House, wanted: Mapping[str, Any], now: datetime) -> Make | None:
    """A photo or voice note that was added to an alert, as it came."""
    found = alert_media.find(tx, _scope(house, wanted, now), wanted["added"])
    kept = media.body(tx, found[1].media_id) if found and found[1].media_id else None
    if found is None or kept is None:
        return None
    number, (kind, body) = found[0].called, kept
    return lambda words: Document(words.say(f"added.file_{kind}", {"number": number}), body)


KINDS: Mapping[str, Kind] = {"file": _file, "qr": _qr, "visit_record": _visit_record, "own_data": _own_data,
                             "registration_form": _registration_form,
                             "hours": _hours, "alert_record": _alert, "alert_media": _added, "plan": _plan}
