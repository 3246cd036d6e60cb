"""A ledger as a workbook, in the columns and words in which the importer reads it back without any change."""

from collections.abc import Iterable, Iterator
from typing import Any

from conversations.documents import workbook
from conversations.documents.ledger_words import COLUMN_TITLES, first_word
from conversations.words_book import Words
from storage.elder_files import Placed

_COLUMNS = ("township", "village", "group", "name", "sex", "birth", "id_number", "phone", "emergency_name",
            "emergency_phone", "address", "at_registered_residence", "categories", "disability_certificate",
            "disability_grade", "ability", "illnesses", "economic", "income_source", "income", "last_visit",
            "visits_before")
_FACTS = ("emergency_name", "emergency_phone", "address", "disability_certificate", "illnesses", "income_source",
          "income")


def write(placed: Iterable[Placed], words: Words) -> bytes:
    """An .xlsx of these files, in their order."""
    return workbook.sheet(words.say("workbook.ledger"), (COLUMN_TITLES[name] for name in _COLUMNS),
                          (_line(each, words) for each in placed))


def _line(placed: Placed, words: Words) -> Iterator[Any]:
    file, joiner = placed.file, words.say("values.joiner")
    at_home = file.facts.get("at_registered_residence")
    cells: dict[str, Any] = {
        "township": placed.township, "village": placed.village, "group": file.group_name, "name": file.name,
        "sex": first_word("sex", file.sex), "birth": file.birth, "id_number": file.id_number, "phone": file.phone,
        "at_registered_residence": "" if at_home is None else first_word("yes_no", "yes" if at_home else "no"),
        "categories": joiner.join(first_word("categories", each) for each in file.categories),
        "disability_grade": words.say("workbook.grade", {"grade": file.disability_grade})
        if file.disability_grade else "",
        "ability": first_word("ability", file.ability), "economic": first_word("economic", file.facts.get("economic")),
        "last_visit": file.earlier_visit_on, "visits_before": file.visits_made,
        **{name: file.facts.get(name) for name in _FACTS},
    }
    yield from (cells[name] for name in _COLUMNS)
