"""Who is priority: the whole decision table, read off annex 1 and 三(五)1 of the plan, independently of the code.

Annex 1: 失能 has four grades of loss, 重残 is a certificate of grade 1 or 2. 三(五)1: 孤寡, 高龄独居, 重（中）度失能 and
重度残疾 are seen once in each half month, all others once in each month.
"""

from datetime import date
from itertools import product

import pytest

from scheduler.cadence import Classified, Reason, classify
from scheduler.policy import load

POLICY = load().city
DAY = date(2026, 3, 5)
CHINESE = {
    "孤寡": "childless_alone", "独居": "living_alone", "空巢": "empty_nest", "留守": "left_behind", "失能": "care_dependent",
    "重残": "severely_disabled", "计划生育特殊家庭": "special_family_planning"}
ABILITY = {"完好": "intact", "轻度": "mild", "中度": "moderate", "重度": "severe", "完全": "total", "未评估": ""}
GRADES = {"无证": None, "一级": 1, "二级": 2, "三级": 3, "四级": 4}
AGES = range(59, 101)


def twice_a_month(kind: str, age: int, ability: str, certificate: str) -> set[str]:
    """What the plan's words give as grounds for an elder of one kind."""
    grounds = set()
    if kind == "孤寡":
        grounds.add("孤寡")
    if kind == "独居" and age >= 80:
        grounds.add("高龄独居")
    if ability in ("中度", "重度", "完全"):
        grounds.add("失能")
    if certificate in ("一级", "二级"):
        grounds.add("重度残疾")
    # a file that says the word, and the grade is still to be asked for: the word holds (docs/decisions)
    if kind == "失能" and ability == "未评估":
        grounds.add("失能")
    if kind == "重残" and certificate == "无证":
        grounds.add("重度残疾")
    return grounds


def said(found: Classified) -> set[str]:
    words = {"category:childless_alone": "孤寡", "old_alone": "高龄独居", "disability": "重度残疾",
             "category:severely_disabled": "重度残疾", "category:care_dependent": "失能", "ability:moderate": "失能",
             "ability:severe": "失能", "ability:total": "失能"}
    return {words[reason.word] for reason in found.reasons}


def born(age: int, *, tomorrow: bool) -> date:
    """Who is that old on the day: since today, or for a year all but a day."""
    return date(DAY.year - age - (1 if tomorrow else 0), DAY.month, DAY.day + (1 if tomorrow else 0))


@pytest.mark.parametrize("kind", CHINESE)
def test_the_class_of_an_elder_of_one_kind_is_what_the_plan_says(kind: str) -> None:
    for age, ability, certificate, tomorrow in product(AGES, ABILITY, GRADES, (False, True)):
        grounds = twice_a_month(kind, age, ability, certificate)
        found = classify([CHINESE[kind]], born(age, tomorrow=tomorrow), ABILITY[ability], GRADES[certificate], DAY, POLICY)
        case = (kind, age, ability, certificate, found)
        assert found.care_class == ("priority" if grounds else "general"), case
        assert said(found) == grounds, case
        assert Reason("old_alone", age) in found.reasons or "高龄独居" not in grounds, case


def test_who_is_of_several_kinds_has_the_grounds_of_each() -> None:
    kinds = list(CHINESE)
    for several in product((False, True), repeat=len(kinds)):
        mine = [kind for kind, has in zip(kinds, several, strict=True) if has]
        for age, ability, certificate in product((79, 80), ABILITY, GRADES):
            grounds = set().union(*(twice_a_month(kind, age, ability, certificate) for kind in mine))
            found = classify([CHINESE[kind] for kind in mine], born(age, tomorrow=False), ABILITY[ability],
                             GRADES[certificate], DAY, POLICY)
            if mine:
                assert said(found) == grounds, (mine, age, ability, certificate)
                assert found.care_class == ("priority" if grounds else "general")


@pytest.mark.parametrize("kind", CHINESE)
def test_without_a_birth_date_age_is_no_ground(kind: str) -> None:
    for ability, certificate in product(ABILITY, GRADES):
        found = classify([CHINESE[kind]], None, ABILITY[ability], GRADES[certificate], DAY, POLICY)
        assert said(found) == twice_a_month(kind, 59, ability, certificate)
        assert found.until is None
