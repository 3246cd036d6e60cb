"""What annex 2 asks of an elder, by the names under which it is kept, and what of it is still missing."""

from collections.abc import Mapping
from typing import Any

from storage.elders import NewElder

ALONE = "alone"  # a fact: there is nobody else in the household
CHILDREN = "children"  # what the choice of the first contact was told (三(一)): a list of rows of these:
CHILD = ("name", "place", "unable")  # place: same, elsewhere
HOUSEHOLD = "household"  # a list of rows, the head first; each a mapping of these:
MEMBER = ("name", "sex", "id_number", "relation", "health", "on_relief", "visits_often")

# Kept sealed in `facts`: yes-or-no as booleans, money as whole yuan a month, dates as ISO text.
FACTS = (
    "address", "at_registered_residence", "emergency_name", "emergency_phone", "emergency2_name", "emergency2_phone",
    "disability_certificate", "certificate_until", "illnesses", "economic", "income_source", "income",  # part 1
    HOUSEHOLD,  # part 2
    "water_safe", "electricity_safe", "house_safe", "household_income", "pension", "assistance",
    "assistance_amount",  # part 3; a pension of 0 means that he receives none
    "help_unit", "help_person", "help_measures",  # part 4
)
ECONOMIC = ("extreme_poverty", "minimum_living", "minimum_living_edge", "ordinary")
HELP_UNITS = ("party_group", "township_village", "enterprise", "social_organisation", "social_worker", "volunteer",
              "other")

_COLUMNS = ("name", "sex", "birth", "id_number", "phone", "categories", "ability")
_WANTED = (
    "address", "at_registered_residence", "emergency_name", "emergency_phone", "illnesses", "economic",
    "income_source", "income", HOUSEHOLD, "water_safe", "electricity_safe", "house_safe", "household_income",
    "pension", "help_unit", "help_person")
_OF_DISABLED = ("disability_certificate", "disability_grade")
NAMES = (*_COLUMNS, *_WANTED, *_OF_DISABLED)  # all that may be missing
SURNAME_ONLY = "surname_only"  # a fact: the name was given on a channel abroad, as a surname


def missing(new: NewElder) -> tuple[str, ...]:
    """The names of columns and facts of annex 2 that a complete file has and this one has not."""
    facts: Mapping[str, Any] = new.facts
    gone = [name for name in _COLUMNS if not getattr(new, name) or (name == "name" and facts.get(SURNAME_ONLY))]
    gone += [name for name in _WANTED if facts.get(name) in (None, "", [])
             and not (name == HOUSEHOLD and facts.get(ALONE))]
    if "severely_disabled" in new.categories:
        gone += [name for name in ("disability_certificate",) if not facts.get(name)]
        gone += [] if new.disability_grade else ["disability_grade"]
    return tuple(gone)
