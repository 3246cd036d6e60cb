"""What of a visit a child may be told: choices only, by area, never what the elder keeps to himself."""

from typing import Any

import pytest

from conversations import book
from scheduler import summaries
from storage.tellings import AREAS

ANSWERS: dict[str, Any] = {
    "method": "home", "expression": "unchanged", "mobility": "worse", "reaction": "unchanged", "illness": "severe",
    "illness_name": "高血压", "mood": "worse", "screening_low": "often", "screening_hopeless": "often", "gas": "safe",
    "water_heating": "mostly_safe", "electricity": "safe", "personal_hygiene": "worse", "care_given": "和儿子吵架",
    "need_kinds": ["medical", "hardship", "counselling", "family", "housing"], "needs": "手头紧",
    "keep_from_family": ["none"]}
ALL = {"health": (("mobility", "worse"), ("illness", "severe")), "mood": (("mood", "worse"),),
       "home": (("water_heating", "mostly_safe"),),
       "needs": (("need_kinds", ("medical", "hardship", "counselling", "housing")),)}


def told(withheld: str = "", **given: Any) -> summaries.Told | None:
    return summaries.tellable(ANSWERS | given, frozenset(withheld.split()))


def test_choices_are_told_and_no_sentence_no_screening_no_hygiene_and_nothing_of_the_family() -> None:
    assert told() == ALL
    assert "吵架" not in str(told())
    assert "screening" not in str(told())


@pytest.mark.parametrize("area", ["health", "mood", "home", "needs"])
def test_an_area_that_is_withheld_is_not_spoken_of(area: str) -> None:
    assert area not in (told(area) or {})


@pytest.mark.parametrize(("withheld", "kinds"), [
    ("health", ("hardship", "counselling", "housing")), ("economy", ("medical", "counselling", "housing")),
    ("mood", ("medical", "hardship", "housing")), ("health mood economy", ("housing",))])
def test_a_need_goes_with_the_area_that_it_would_give_away(withheld: str, kinds: tuple[str, ...]) -> None:
    assert (told(withheld) or {})["needs"] == (("need_kinds", kinds),)


@pytest.mark.parametrize(("kept", "area"), [("health", "health"), ("mood", "mood"), ("needs", "needs")])
def test_what_he_asked_that_day_to_keep_is_kept(kept: str, area: str) -> None:
    assert area not in (told(keep_from_family=[kept]) or {})


def test_who_keeps_all_of_a_day_is_not_told_of() -> None:
    assert told(keep_from_family=["all"]) is None


def test_as_ever_is_an_empty_line_and_what_was_not_asked_is_none() -> None:
    found = summaries.tellable({"expression": "unchanged", "gas": "safe", "need_kinds": ["none"]}, frozenset())
    assert found == {"health": (), "home": (), "needs": ()}


@pytest.mark.parametrize(("change", "withheld", "again"), [
    ({"care_given": "别的"}, "", False), ({"illness_name": "别的"}, "", False), ({"mood": "better"}, "", True),
    ({"mood": "better"}, "mood", False), ({"gas": "unsafe"}, "", True), ({"need_kinds": ["none"]}, "", True),
    ({"need_kinds": ["none"]}, "needs", False), ({"keep_from_family": ["mood"]}, "", False),
    ({"keep_from_family": ["all"]}, "", False)])
def test_a_correction_is_told_where_something_that_may_be_told_is_otherwise(
        change: dict[str, Any], withheld: str, again: bool) -> None:
    assert summaries.changed(ANSWERS, ANSWERS | change, frozenset(withheld.split())) == again


def test_the_areas_are_those_that_an_elder_is_asked_about_and_their_questions_are_choices_of_the_form() -> None:
    forms = book.from_folder().current
    asked = forms["telling"].by_id["withheld"].option_ids
    assert set(asked) - {"none"} == set(AREAS)
    assert set(summaries.AREAS) < set(AREAS)
    visit = forms["visit"]
    for question in (each for several in summaries.AREAS.values() for each in several):
        assert visit.by_id[question].kind in ("choice", "choices")
        assert not visit.by_id[question].secret
    assert set(summaries.NEED_OF) | summaries.NEVER <= set(visit.by_id["need_kinds"].option_ids)
    assert set(summaries.WITHHELD) | {"none", "all"} == set(visit.by_id[summaries.KEPT].option_ids)
