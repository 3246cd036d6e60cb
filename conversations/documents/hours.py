"""The proof of somebody's service hours in a period, as Word. No elder stands in it."""

from dataclasses import dataclass
from datetime import date
from io import BytesIO

from conversations.words_book import Words
from storage import areas, people, visits
from storage.database import Tx
from storage.scope import Scope
from storage.visits import Spent


@dataclass(frozen=True, slots=True)
class Hours:
    """What it says; ISO days. `area` is where the person works."""

    name: str
    organisation: str
    kind: str
    area: str
    first: str
    last: str
    spent: Spent
    on_day: date


def gather(tx: Tx, scope: Scope, person_id: str, first: str, last: str) -> Hours | None:
    """Reads it; None where the scope's person is neither he himself nor coordinates where he works."""
    person = people.find(tx, person_id) if person_id == scope.person_id else people.held(tx, scope, person_id)
    area = areas.find(tx, person.area_id) if person else None
    if person is None or area is None:
        return None
    return Hours(person.name, person.organisation, person.visitor_kind or "", area.name, first, last,
                 visits.time_spent(tx, person_id, first, last), scope.day)


def docx(kept: Hours, words: Words) -> tuple[str, bytes]:
    """File name and bytes of the document."""
    from docx import Document  # late: it takes 0.2 s to import

    document = Document()
    document.add_heading(words.say("hours.title"), level=0)
    document.add_paragraph(words.say("hours.text", {
        "name": kept.name, "organisation": kept.organisation, "kind": kept.kind, "area": kept.area,
        "first": kept.first, "last": kept.last, "times": kept.spent.times, "minutes": kept.spent.minutes}))
    document.add_paragraph(words.say("hours.signed", {"day": kept.on_day.isoformat()}))
    file = BytesIO()
    document.save(file)
    return words.say("hours.file", {"name": kept.name, "first": kept.first, "last": kept.last}), file.getvalue()
