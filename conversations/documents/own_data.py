"""Everything kept on one elder, as a Word file for himself: his file, his visits, who cares for him, who read it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from conversations import say
from conversations.documents import own_family
from conversations.documents.file_words import field, value
from conversations.draft import REVIEW, Draft, parse_answers
from conversations.form import Form
from conversations.turn import House
from conversations.walk import reviewed
from conversations.words_book import Words
from scheduler import annex2
from storage import assignments, audit, elder_files, elders, people, visits
from storage.assignments import Carer
from storage.audit import Line
from storage.database import Tx
from storage.elder_files import Wish
from storage.elders import Elder, NewElder
from storage.scope import Scope
from storage.visits import Visit

ALL = 100_000  # of anything that one elder has
MOST_LINES = 2000  # of the audit chain, the newest
COLUMNS = ("name", "sex", "birth", "id_number", "phone", "group_name", "categories", "ability", "disability_grade",
           "registered_on", "wish")
Rows = list[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class OwnData:
    """What was read for the document. The repr names nothing of it."""

    elder: Elder
    file: NewElder
    wishes: Sequence[Wish]
    visits: Sequence[tuple[Visit, Form]]
    carers: Sequence[Carer]
    family: own_family.OfFamily
    lines: Sequence[Line]
    names: Mapping[str, str]  # of people, by id
    at: datetime  # in the wall time of the area

    def __repr__(self) -> str:
        return f"OwnData({self.elder.id})"


def gather(tx: Tx, house: House, scope: Scope, elder_id: str, now: datetime) -> OwnData | None:
    """Reads all of it; None where the elder is not in the scope. The caller has noted it on the audit chain."""
    elder = elders.find(tx, scope, elder_id)
    file = elder_files.read(tx, scope, elder_id)
    if elder is None or file is None:
        return None
    lines = audit.about(tx, elder_id, MOST_LINES)
    wishes = elder_files.wishes_of(tx, elder_id)
    acted = {entry.actor for line in lines for entry in line.entries} | {each.asked_by or "" for each in wishes}
    names = {person: found.name for person in acted if (found := people.find(tx, person))}
    made = [(visit, house.book.form(visit.form_hash)) for visit in visits.last(tx, scope, elder_id, ALL)]
    return OwnData(elder, file, wishes, made, assignments.ever(tx, scope, elder_id),
                   own_family.gather(tx, scope, elder_id), lines, names, now.astimezone(house.policy.zone))


def docx(kept: OwnData, words: Words) -> tuple[str, bytes]:
    """File name and bytes of the document."""
    from docx import Document  # late: it takes 0.2 s to import

    document = Document()
    document.add_heading(words.say("own_data.title", {"elder": kept.file.name}), level=0)
    document.add_paragraph(words.say("own_data.foreword", {"day": kept.at.date().isoformat()}))
    for heading, rows in _sections(kept, words):
        document.add_heading(heading, level=1)
        if not rows:
            document.add_paragraph(words.say("own_data.nothing"))
            continue
        table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
        for row in rows:
            for cell, text in zip(table.add_row().cells, row, strict=True):
                cell.text = "".join(char for char in text if char >= " " or char in "\n\t")
    file = BytesIO()
    document.save(file)
    name = words.say("own_data.file", {"elder": kept.file.name, "day": kept.at.date().isoformat()})
    return name, file.getvalue()


def _sections(kept: OwnData, words: Words) -> Iterator[tuple[str, Rows]]:
    def heading(name: str, **fields: Any) -> str:
        return words.say(f"own_data.{name}", fields)

    yield heading("own_file"), [
        (words.say("own_field.village"), kept.elder.village), (words.say("own_field.number"), str(kept.elder.number)),
        *_told({name: getattr(kept.file, name) for name in COLUMNS}, words),
        *_told({name: kept.file.facts[name] for name in (*annex2.FACTS, *sorted(kept.file.facts.keys() - annex2.FACTS))
                if name in kept.file.facts and name not in (annex2.HOUSEHOLD, annex2.CHILDREN)}, words)]
    yield heading("own_household"), _rows(kept.file.facts.get(annex2.HOUSEHOLD), annex2.MEMBER, words)
    if children := kept.file.facts.get(annex2.CHILDREN):
        yield heading("own_children"), _rows(children, annex2.CHILD, words)
    yield heading("own_wishes"), [
        (words.day(each.on_day), value("wish", each.wish, words), each.basis, kept.names.get(each.asked_by or "", ""))
        for each in kept.wishes]
    for visit, form in kept.visits:
        answers = parse_answers(visit.answers)
        items = [[q.id, answers[q.id].value, len(answers[q.id].media)]
                 for q in reviewed(form, Draft("", "", form.hash, REVIEW, answers)) if q.id in answers]
        yield heading("own_visit", number=visit.number, day=visit.on_day, visitor=visit.visitor or ""), [
            (line["label"], line["value"]) for line in say.lines(form, items, words, visit.elder)]
    yield heading("own_carers"), [
        (each.name, words.say(f"own_role.{each.role}"), words.day(each.from_on),
         words.day(each.until_on) if each.until_on else "") for each in kept.carers]
    yield from own_family.sections(kept.family, kept.at.tzinfo, words)
    yield heading("own_readers"), [_read(kept, line, words) for line in kept.lines]


def _read(kept: OwnData, line: Line, words: Words) -> tuple[str, ...]:
    at = line.at.astimezone(kept.at.tzinfo)
    who = dict.fromkeys(kept.names.get(entry.actor) or words.say("own_data.system") for entry in line.entries)
    did = dict.fromkeys(words.audited(entry.action, entry.fields) for entry in line.entries)
    joiner = words.say("values.joiner")
    return f"{words.day(at.date().isoformat())} {at:%H:%M}", joiner.join(who), joiner.join(did)


def _told(values: Mapping[str, Any], words: Words) -> Rows:
    return [(field(name, words), value(name, given, words)) for name, given in values.items()
            if given not in (None, "", [])]


def _rows(given: object, columns: Sequence[str], words: Words) -> Rows:
    people: Sequence[Mapping[str, Any]] = given if isinstance(given, list) else []
    rows: Rows = [tuple(field(name, words) for name in columns)] if people else []
    return rows + [tuple(value(name, each.get(name), words) for name in columns) for each in people]
