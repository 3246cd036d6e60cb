"""The file of one alert as a Word file: what it was, every step with time and person, how it ended (C12)."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from io import BytesIO

from conversations import adding
from conversations.turn import House, label
from conversations.words_book import Words
from scheduler import drills, family_calls
from storage import alert_media, alert_told, alerts, audit, elders, media, people, ties
from storage.alert_media import Added
from storage.alert_told import Told
from storage.alerts import Alert
from storage.database import Tx
from storage.scope import Scope

PHOTO_CM = 12  # how wide a photo is printed
MOST_LINES = 2000  # of the audit chain about this elder, the newest
STEPS = ("alert.", "elder.glass")  # the actions that are steps of an alert
SAID = ("found", "done", "told", "risk", "reason", *alerts.ASKED)


@dataclass(frozen=True, slots=True)
class Record:
    """What was read for the document. The repr names nothing of it."""

    alert: Alert
    elder: Mapping[str, object] = field(repr=False)
    told: Sequence[tuple[str, Told]] = field(repr=False)  # who was told, by name
    steps: Sequence[tuple[datetime, str, str, Sequence[str]]] = field(repr=False)  # when, who, what, its fields
    family: Mapping[str, str] = field(repr=False)  # names by person id, or by a contact's place in the file
    added: Sequence[tuple[Added, datetime, str, bytes]] = field(repr=False)  # when, by whom, the bytes of a photo
    at: datetime  # in the wall time of the area


def gather(tx: Tx, house: House, scope: Scope, alert_id: str, now: datetime) -> Record | None:
    """Reads all of it for a coordinator of the place; None for anybody else. The caller notes it on the chain."""
    alert = alerts.held(tx, scope, alert_id)
    if alert is None:
        return None
    elder = elders.find(tx, scope, alert.elder_id) if alert.elder_id else None
    zone = house.policy.zone
    lines = [line for subject in filter(None, (alert.id, alert.elder_id))
             for line in audit.about(tx, subject, MOST_LINES)]
    steps = []
    for line in sorted(lines, key=lambda line: line.seq):
        for entry in line.entries:
            if entry.action.startswith(STEPS) and alert.called in entry.fields:
                person = people.find(tx, entry.actor)
                steps.append((line.at.astimezone(zone), person.name if person else "", entry.action, entry.fields))
    at = now.astimezone(zone)
    told = [(person.name, each) for each in alert_told.of(tx, alert.id) if (person := people.find(tx, each.person_id))]
    return Record(alert, label(elder) if elder else {"name": ""}, told, steps, _family(tx, scope, alert, at),
                  _added(tx, alert, zone), at)


def _added(tx: Tx, alert: Alert, zone: tzinfo) -> list[tuple[Added, datetime, str, bytes]]:
    found = []
    for each in alert_media.of(tx, alert.id):
        person = people.find(tx, each.by) if each.by else None
        kept = media.body(tx, each.media_id) if each.media_id and each.kind == "photo" else None
        found.append((each, each.at.astimezone(zone), person.name if person else "", kept[1] if kept else b""))
    return found


def _family(tx: Tx, scope: Scope, alert: Alert, at: datetime) -> dict[str, str]:
    if alert.elder_id is None:
        return {}
    theirs = (people.find(tx, person) for person in ties.family(tx, alert.elder_id, at.date().isoformat()))
    return family_calls.names(tx, scope, alert) | {person.id: person.name for person in theirs if person}


def docx(kept: Record, words: Words) -> tuple[str, bytes]:
    """File name and bytes of the document."""
    from docx import Document  # late: it takes 0.2 s to import
    from docx.shared import Cm

    document, alert = Document(), kept.alert
    fields = {"number": alert.called, "drill": alert.drill, "elder": kept.elder, "what": alert.kind,
              "state": alert.state, "words": alert.words, "day": kept.at.date().isoformat()}
    document.add_heading(words.say("alert_record.title", fields), level=0)
    document.add_paragraph(words.say("alert_record.head", fields))
    steps = [(_moment(at, words), who or words.say("alert_record.clock"), _step(action, given, kept, words))
             for at, who, action, given in kept.steps]
    told = [(_moment(told.seen_at.astimezone(kept.at.tzinfo), words) if told.seen_at else "", who,
             words.say(f"reach_state.{told.state}")) for who, told in kept.told]
    said = [(words.say(f"alert_said.{name}"), _value(name, alert.outcome[name], words))
            for name in SAID if alert.outcome.get(name)]
    tables: list[tuple[str, Sequence[tuple[str, ...]]]] = [
        ("alert_record.steps", steps), ("alert_record.told", told), ("alert_record.outcome", said)]
    for heading, rows in tables:
        if rows:
            document.add_heading(words.say(heading), level=1)
            table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
            for row in rows:
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.text = "".join(char for char in text if char >= " " or char in "\n\t")
    if kept.added:
        document.add_heading(words.say("added.heading"), level=1)
    for added, at, who, photo in kept.added:
        document.add_paragraph(words.say("added.line", {
            "day": at.date().isoformat(), "time": f"{at:%H:%M}", "who": who, "step": added.kind,
            "where": adding.said(added.place)}))
        with suppress(Exception):  # what is no whole picture, of which docx raises anything, stands there by its line
            if photo:
                document.add_picture(BytesIO(photo), width=Cm(PHOTO_CM))
    file = BytesIO()
    document.save(file)
    return words.say("alert_record.file", fields), file.getvalue()


def _step(action: str, given: Sequence[str], kept: Record, words: Words) -> str:
    """What was done, and of a call or a decision to tell the family, whom it was about."""
    said, whom = words.audited(action, given), "".join(kept.family.get(each, "") for each in given)
    return words.say("alert_record.step_of", {"said": said, "name": whom}) if whom else said


def _moment(at: datetime, words: Words) -> str:
    return f"{words.full_day(at.date().isoformat())} {at:%H:%M}"


def _value(name: str, given: str, words: Words) -> str:
    if given == drills.OVER:
        return words.say("drill.by_itself")
    if name in alerts.ASKED:
        return words.say(f"followed.{given}")
    if name == "risk":
        return words.say(f"risk.{given}")
    if name == "told":
        return words.say("values.joiner").join(words.say(f"told_whom.{each}") for each in given.split())
    return given

