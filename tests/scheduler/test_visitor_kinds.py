"""Kinds of visitors: a county adds its own; who may fill in files sees them; nobody under age answers alerts."""

from datetime import date
from pathlib import Path

import pytest

from conversations.permissions import ALLOWED, may
from scheduler import policy, visitor_kinds
from scheduler.policy import PolicyError
from scheduler.visitor_kinds import LEAST, may_answer_alerts

TODAY = date(2026, 3, 5)
KINDS = policy.load().city.visitor_kinds
VISITOR = frozenset({"visitor"})


def test_a_county_adds_a_kind_and_keeps_the_others(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[areas."江阳区".visitor_kinds]\n"楼栋长" = { tasks = ["survey"] }\nstudent = { sees = ["phone"] }\n',
                    encoding="utf-8")
    rules = policy.load(path)
    there = rules.at("江阳区").visitor_kinds
    assert may(VISITOR, "survey", there["楼栋长"]) and not may(VISITOR, "register", there["楼栋长"])
    assert there["student"].sees == {"phone"} and there["grid_worker"] == KINDS["grid_worker"]
    assert "楼栋长" not in rules.at("合江县").visitor_kinds and rules.city.visitor_kinds == KINDS


def test_a_kind_that_fills_in_files_must_see_what_is_in_them(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[visitor_kinds]\nstudent = { tasks = ["file"] }\n', encoding="utf-8")
    with pytest.raises(PolicyError, match=r"visitor_kinds.student.*sees"):
        policy.load(path)


@pytest.mark.parametrize("name", ["student", "courier", "short_term_volunteer"])
def test_who_comes_for_a_short_time_visits_and_sees_neither_number_income_nor_household(name: str) -> None:
    assert not KINDS[name].sees & {"id_number", "income", "household"}
    for command in ("register", "amend", "complete", "refresh", "firstcontact", "survey", "wish", "phone"):
        assert not may(frozenset({"visitor", "first_contact"}), command, KINDS[name])
    for command in ("visit", "mine", "elder", "correct"):
        assert may(VISITOR, command, KINDS[name])


def test_a_kind_bounds_no_coordinator_and_no_kind_bounds_nobody() -> None:
    assert may(frozenset({"visitor", "village"}), "register", KINDS["student"])
    for command in ALLOWED:
        assert may(VISITOR, command) == may(VISITOR, command, None)
        assert not may(VISITOR, command, KINDS["grid_worker"]) or may(VISITOR, command)
    assert not may(VISITOR, "register", LEAST)


def test_nobody_under_age_answers_alerts() -> None:
    assert may_answer_alerts(KINDS["volunteer"], None, TODAY)
    assert may_answer_alerts(KINDS["volunteer"], "2026-03-05", TODAY)
    assert not may_answer_alerts(KINDS["volunteer"], "2026-03-06", TODAY)
    assert not may_answer_alerts(KINDS["student"], None, TODAY)


def test_a_visitor_without_a_kind_is_of_the_narrowest_and_nobody_else_is_of_any() -> None:
    assert visitor_kinds.of(KINDS, None, visitor=True) == LEAST == visitor_kinds.of(KINDS, "unheard of", visitor=True)
    assert visitor_kinds.of(KINDS, "grid_worker", visitor=True) == KINDS["grid_worker"]
    assert visitor_kinds.of(KINDS, None, visitor=False) is None
