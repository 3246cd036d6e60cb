"""Annex 2 as a Word file: the files of one elder or of many in the official layout, a copy for each keeper.

What is not known stays empty, to be filled in by hand. The layout and all its words are in `templates/annex2.docx`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from conversations.documents.file_words import value
from conversations.documents.official_form import Boxes, fill_on, official_keepers, ticked
from conversations.permissions import LOCAL
from conversations.walk import last_digits
from conversations.words_book import Words
from scheduler import annex2
from storage import areas, elder_files, elders, ties
from storage.database import Tx
from storage.elders import NewElder
from storage.scope import Scope

BOXES: Boxes = {
    "at_registered_residence": ("yes", "no"),
    "categories": ("childless_alone", "living_alone", "empty_nest", "left_behind", "care_dependent",
                   "severely_disabled", "special_family_planning"),
    "care_class": ("priority", "general"),
    "ability": ("intact", "mild", "moderate", "severe"),
    "economic": ("extreme_poverty", "minimum_living"),
    "pension": ("receives", "none"),
    "help_unit": annex2.HELP_UNITS,
}
# what the form has one box for, and which it is: the kept word is printed beside it
ALIKE = {"total": "severe", "minimum_living_edge": "minimum_living"}
ON_RELIEF = {"extreme_poverty": True, "minimum_living": True, "minimum_living_edge": False, "ordinary": False}
AT_ONCE = 20  # forms filled in at once
ROWS = 5  # that part 2 has at the least
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kept:
    """What was read for one form; with `whole` its numbers are printed whole. The repr names nothing of it."""

    file: NewElder
    care_class: str
    places: Mapping[str, str]  # names by level
    whole: bool = True

    def __repr__(self) -> str:
        return "Kept()"


def gather(tx: Tx, scope: Scope, elder_id: str) -> Kept | None:
    """Reads one file; None where the elder is not in the scope. The caller has noted it on the audit chain.

    Who does not coordinate him sees of numbers the last digits, as he does in the questions of the form.
    """
    elder, file = elders.find(tx, scope, elder_id), elder_files.read(tx, scope, elder_id)
    if elder is None or file is None or elder.condition == "erased":
        return None
    whole = bool(ties.over(tx, scope, elder_id) & LOCAL)
    return Kept(file, elder.care_class, areas.names_of(tx, file.village_id), whole)


def docx(kept: Sequence[Kept], words: Words) -> bytes:
    """A .docx with a pile for each keeper, in it the forms in this order, each on its own page; at least one."""
    forms = [_form(each, words) for each in kept]
    return fill_on("annex2.docx", ({"keeper": keeper, "forms": forms[place:place + AT_ONCE]}
                                   for keeper in official_keepers() for place in range(0, len(forms), AT_ONCE)))


def _form(kept: Kept, words: Words) -> dict[str, Any]:
    """The form's values by the names that the template has for them."""
    file, facts = kept.file, kept.file.facts

    def number(given: Any) -> str:
        return str(given or "") if kept.whole or not given else last_digits(str(given))

    def told(name: str, given: Any) -> str:
        return number(given) if name == "id_number" else value(name, given, words)

    economic, pension, home = facts.get("economic"), facts.get("pension"), facts.get("at_registered_residence")
    group = file.group_name if file.group_name not in str(facts.get("address") or "") else ""
    return {
        "box": ticked(BOXES, {
            "at_registered_residence": () if home is None else ("yes" if home else "no",),
            "categories": file.categories, "care_class": (kept.care_class,),
            "ability": (ALIKE.get(file.ability, file.ability),),
            "economic": (ALIKE.get(str(economic), str(economic)),),
            "pension": () if pension is None else ("receives" if pension else "none",),
            "help_unit": (str(facts.get("help_unit")),)}),
        "day": date.fromisoformat(file.registered_on) if file.registered_on else None,
        **{level: kept.places.get(level, "") for level in ("county", "township", "village")},
        "address": " ".join(part for part in (group, str(facts.get("address") or "")) if part),
        "name": file.name, "phone": number(file.phone),
        "emergency_name": facts.get("emergency_name"), "emergency_phone": number(facts.get("emergency_phone")),
        "certificate": number(facts.get("disability_certificate")), "total": file.ability == "total",
        "relief": value("economic", economic, words) if economic in ("minimum_living", "minimum_living_edge") else "",
        "pension": pension or None,
        **{name: facts.get(name) for name in ("illnesses", "income_source", "income", "household_income", "assistance",
                                              "assistance_amount", "help_person", "help_measures")},
        **{name: value(name, facts.get(name), words) for name in ("water_safe", "electricity_safe", "house_safe")},
        "household": [
            {"place": words.say("registration_form.head") if place == 1 else str(place),
             **{name: told(name, row.get(name)) for name in annex2.MEMBER}}
            for place, row in enumerate(_household(file), 1)],
    }


def _household(file: NewElder) -> list[Row]:
    """The rows of part 2: the head first, the elder before the others, the empty ones last.

    The elder stands in the head's row unless somebody else is head, or he is said to be something else. That he is the
    head is written only where it is sure: he is alone, or what everybody else is to the head is known.
    """
    kept: Any = file.facts.get(annex2.HOUSEHOLD) or []
    members: list[Row] = list(kept)
    own = next((each for each in members if _is_he(file, each)), {})
    others = [each for each in members if each is not own]
    head = next((each for each in others if each.get("relation") == "head"), None)
    relation = own.get("relation")
    if not relation and head is None and (
            file.facts.get(annex2.ALONE) or (others and all(each.get("relation") for each in others))):
        relation = "head"
    elder = {"on_relief": ON_RELIEF.get(str(file.facts.get("economic"))), **own, "name": file.name, "sex": file.sex,
             "id_number": file.id_number, "relation": relation}
    if head is not None:
        first: list[Row] = [head, elder]
    else:
        first = [elder] if relation in (None, "head") else [{}, elder]
    rows = first + [each for each in others if each is not head]
    return rows + [{}] * (ROWS - len(rows))


def _is_he(file: NewElder, member: Row) -> bool:
    """Whether this row of the household, as a spreadsheet may have it, is the elder himself."""
    if file.id_number and member.get("id_number"):
        return bool(member["id_number"] == file.id_number)
    return bool(member.get("name") == file.name)
