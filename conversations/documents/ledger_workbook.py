"""A ledger as a workbook, in the columns and words in which the importer reads it back without any change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from conversations.documents import ledger_annex, workbook
from conversations.documents.ledger_words import COLUMN_TITLES, HOUSEHOLD_TITLES, first_word
from conversations.words_book import Words
from scheduler import annex2
from storage.elder_files import Placed

_COLUMNS = (
    "number", "township", "village", "group", "name", "sex", "birth", "id_number", "phone", "emergency_name",
    "emergency_phone", "emergency2_name", "emergency2_phone", "address", "at_registered_residence", "categories",
    "disability_certificate", "disability_grade", "certificate_until", "ability", "illnesses", "economic",
    "income_source", "income", "last_visit", "visits_before", "wish", "alone", "water_safe", "electricity_safe",
    "house_safe", "household_income", "pension", "assistance", "assistance_amount", "help_unit", "help_person",
    "help_measures", "registered_on")
_FACTS = ("emergency_name", "emergency_phone", "address", "disability_certificate", "illnesses", "income_source",
          "income")


def write(placed: Sequence[Placed], words: Words) -> bytes:
    """An .xlsx of these files, in their order, and of their households on a second sheet."""
    made: list[workbook.Sheet] = [
        (words.say("workbook.ledger"), [COLUMN_TITLES[name] for name in _COLUMNS],
         (_line(each, words) for each in placed))]
    if any(map(_household, placed)):
        made.append((words.say("workbook.household"), list(HOUSEHOLD_TITLES.values()),
                     (_member(each, member) for each in placed for member in _household(each))))
    return workbook.sheets(made)


def _household(placed: Placed) -> list[dict[str, Any]]:
    return cast(list[dict[str, Any]], placed.file.facts.get(annex2.HOUSEHOLD) or [])


def _member(placed: Placed, member: Mapping[str, Any]) -> Iterator[Any]:
    """The cells of one of the household, beside his elder."""
    file = placed.file
    cells = {
        "elder_id_number": file.id_number, "township": placed.township, "village": placed.village,
        "elder_name": file.name, "elder_birth": file.birth, "elder_number": file.number, "name": member.get("name"),
        "sex": first_word("sex", member.get("sex")), "id_number": member.get("id_number"),
        "relation": first_word("relation", member.get("relation")),
        "health": first_word("health", member.get("health")),
        **{name: _yes_no(member.get(name)) for name in ("on_relief", "visits_often")},
    }
    return (cells[name] for name in HOUSEHOLD_TITLES)


def _yes_no(value: Any) -> str:
    return "" if value is None else first_word("yes_no", "yes" if value else "no")


def _line(placed: Placed, words: Words) -> Iterator[Any]:
    file, joiner = placed.file, words.say("values.joiner")
    cells: dict[str, Any] = {
        "number": file.number, "township": placed.township, "village": placed.village, "group": file.group_name,
        "name": file.name,
        "sex": first_word("sex", file.sex), "birth": file.birth, "id_number": file.id_number, "phone": file.phone,
        "at_registered_residence": _yes_no(file.facts.get("at_registered_residence")),
        "categories": joiner.join(first_word("categories", each) for each in file.categories),
        "disability_grade": words.say("workbook.grade", {"grade": file.disability_grade})
        if file.disability_grade else "",
        "ability": first_word("ability", file.ability), "economic": first_word("economic", file.facts.get("economic")),
        "last_visit": file.earlier_visit_on, "visits_before": file.visits_made,
        "wish": first_word("wish", file.wish), "registered_on": file.registered_on,
        **{name: file.facts.get(name) for name in _FACTS}, **ledger_annex.written(file.facts),
    }
    yield from (cells[name] for name in _COLUMNS)
