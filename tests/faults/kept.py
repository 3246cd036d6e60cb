"""What must hold of an installation after any fault: all that was acknowledged is kept, once, and told to nobody."""

from datetime import date
from typing import Any

from sqlalchemy import Table, select

from conversations import book
from storage import audit, outbox, visits
from storage.database import Tx
from storage.scope import Scope
from storage.tables import drafts, inbox, metadata
from storage.tables import outbox as outbox_table
from storage.tables import visits as visits_table
from tests.faults.server import ELDERS, VISITORS
from tests.faults.visitor import TYPED, Visitor


def rows(tx: Tx, but: tuple[str, ...] = ()) -> dict[str, list[Any]]:
    """All rows of every table, those named in `but` left out: to compare before and after. Of a message only that it
    is there, since it is marked as sent at any time."""
    left: list[Table] = [table for table in metadata.sorted_tables if table.name not in ("meta", *but)]
    return {table.name: sorted(map(repr, tx.all(select(table.c.id if table is outbox_table else table))))
            for table in left}


def all_is_there(tx: Tx, visitors: list[Visitor], persons: list[str], confirmed: set[str]) -> None:
    """`confirmed` are the ids of updates that the bot acknowledged; `persons` the visitors' ids in the bot."""
    taken = {key for key, in tx.all(select(inbox.c.dedupe_key))}
    assert confirmed <= taken, f"{len(confirmed - taken)} acknowledged messages are not there"

    kept = tx.all(select(
        visits_table.c.visit_id, visits_table.c.elder_id, visits_table.c.number))
    told = {visit: number for visitor in visitors for visit, number in visitor.visits.items()}
    assert {visit: number for visit, _, number in kept} == told
    assert len(kept) == len(told) >= len(visitors)

    numbers: dict[str, list[int]] = {}
    for _, elder, number in kept:
        numbers.setdefault(elder, []).append(number)
    assert all(sorted(each) == list(range(1, len(each) + 1)) for each in numbers.values()), numbers

    form = book.from_folder().current["visit"]
    tags = {visit: tag for tag, visit in tx.all(select(drafts.c.tag, drafts.c.result))}
    care = []
    for visitor, person in zip(visitors, persons, strict=True):
        scope = Scope(person, date(2026, 6, 1))
        for visit_id in visitor.visits:
            visit = visits.find(tx, scope, visit_id)
            assert visit is not None
            given = {place: option for (tag, place), option in visitor.given.items() if tag == tags[visit_id]}
            for place, option in given.items():
                question = form.questions[place]
                value = visit.answers[question.id][0]
                wanted = question.options[option].id
                assert value == ([wanted] if question.kind == "choices" else wanted), question.id
            words = visit.answers["care_given"][0]
            assert words in visitor.typed
            care.append(words)
    assert len(set(care)) == len(care)

    assert outbox.depth(tx).keys() <= {"reminder"}  # a digest has its own hour, and there are quiet hours
    assert audit.verify(tx).broken_at is None


def tells_nothing_personal(said: str, visitors: list[Visitor]) -> None:
    """Nothing that was planted stands in the log."""
    assert "serving" in said  # the log is where it is looked for
    for planted in (*VISITORS, *ELDERS, *TYPED.values(), *(words for visitor in visitors for words in visitor.typed)):
        assert planted not in said, planted
    for visitor in visitors:
        assert str(visitor.person.id) not in said
