"""The policy in layers: the city's file, a county's own rules, a township's where the city allows it."""

from datetime import datetime
from pathlib import Path

import pytest

from scheduler import policy
from scheduler.policy import DEFAULT, Policies, PolicyError, Rule
from storage import areas
from storage.areas import Area
from storage.database import Store, Tx

LAYERS = """
old_age = 78
township_may_set = ["due_soon_days", "old_age"]

[areas."江阳区"]
old_age = 75
screening_days = 60

[areas."江阳区/云溪镇"]
due_soon_days = 5

[areas."合江县/白沙镇"]
old_age = 70
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "luzhou.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def layered(tmp_path: Path) -> Policies:
    return policy.load(written(tmp_path, LAYERS))


@pytest.mark.parametrize(("county", "township", "old_age", "screening", "soon"), [
    ("", "", 78, 90, 3), ("纳溪区", "", 78, 90, 3), ("江阳区", "", 75, 60, 3), ("江阳区", "别的镇", 75, 60, 3),
    ("江阳区", "云溪镇", 75, 60, 5), ("合江县", "", 78, 90, 3), ("合江县", "白沙镇", 70, 90, 3),
    ("", "云溪镇", 78, 90, 3), ("纳溪区", "云溪镇", 78, 90, 3),  # a township of the same name elsewhere is another one
])
def test_the_nearest_layer_that_sets_a_rule_holds(layered: Policies, county: str, township: str, old_age: int,
                                                  screening: int, soon: int) -> None:
    found = layered.at(county, township)
    assert (found.old_age, found.screening_days, found.due_soon_days) == (old_age, screening, soon)


def test_each_rule_says_who_set_it(layered: Policies) -> None:
    rules = {rule.key: rule for rule in layered.rules("江阳区", "云溪镇")}
    assert rules["due_soon_days"] == Rule("due_soon_days", 5, "township", "云溪镇")
    assert rules["screening_days"] == Rule("screening_days", 60, "county", "江阳区")
    assert rules["refresh_days"] == Rule("refresh_days", 180, "plan")
    assert {rule.key: rule for rule in layered.rules("纳溪区")}["old_age"] == Rule("old_age", 78, "city")
    assert list(rules) == list(policy.Policy.model_fields)


@pytest.mark.parametrize(("text", "named"), [
    ('[areas."江阳区"]\nold_aeg = 75', ["江阳区", "old_aeg"]),
    ('[areas."江阳区"]\nold_age = 7', ["江阳区", "old_age"]),
    ('[areas."江阳区"]\ntimezone = "Asia/Urumqi"', ["江阳区", "timezone", "only the city"]),
    ('[areas."江阳区"]\ntownship_may_set = []', ["江阳区", "township_may_set"]),
    ('[areas."江阳区/云溪镇"]\nold_age = 75', ["江阳区/云溪镇", "old_age", "township_may_set"]),
    ('township_may_set = ["old_age"]\n[areas."江阳区/云溪镇"]\nold_age = 7', ["江阳区/云溪镇", "old_age"]),
    ('[areas."江阳区"]\nold_age = 75\n[areas."江阳区"]\nold_age = 76', ["江阳区"]),
    ('[areas."江阳区"]\nold_age = 75\n[areas." 江阳区 "]\nold_age = 76', ["江阳区", "twice"]),
    ('[areas."江阳区"."云溪镇"]\nold_age = 75', ["江阳区", "云溪镇"]),
    ('[areas."泸州市/江阳区/云溪镇"]\nold_age = 75', ["泸州市/江阳区/云溪镇"]),
    ('[areas]\n"江阳区" = 75', ["江阳区"]),
    ('areas = 1', ["areas"]),
    ('township_may_set = ["timezone"]', ["township_may_set"]),
    ('township_may_set = ["old_aeg"]', ["township_may_set"]),
    ('township_may_set = "old_age"', ["township_may_set"]),
    ('timezone = "Asia/Luzhou"', ["timezone", "Asia/Luzhou"]),
    ('first_contact_confirmed_by = []', ["first_contact_confirmed_by"]),
    ('first_contact_confirmed_by = ["neighbour"]', ["first_contact_confirmed_by"]),
    ('registration_confirmed_by = "nobody"', ["registration_confirmed_by"]),
    ('life_confirmed_by = "nobody"', ["life_confirmed_by"]),
    ('same_place_level = "street"', ["same_place_level"]),
    ('refresh_days = 0', ["refresh_days"]),
    ('home_methods = ["visit"]', ["home_methods"]),
    ('priority_categories = ["alone"]', ["priority_categories"]),
    ('priority_disability_grades = [0]', ["priority_disability_grades"]),
])
def test_a_faulty_line_is_refused_with_file_area_and_rule(tmp_path: Path, text: str, named: list[str]) -> None:
    path = written(tmp_path, text)
    with pytest.raises(PolicyError) as refused:
        policy.load(path)
    assert all(name in str(refused.value) for name in [str(path), *named])


async def test_a_village_has_the_rules_of_its_county_and_township(store: Store, now: datetime,
                                                                  layered: Policies) -> None:
    def tree(tx: Tx) -> dict[str, Area]:
        city = areas.add(tx, None, "city", "泸州市", now)
        made = {}
        for county, township in (("江阳区", "云溪镇"), ("江阳区", "别的镇"), ("合江县", "白沙镇"), ("纳溪区", "云溪镇")):
            above = areas.add(tx, areas.add(tx, city, "county", county, now), "township", township, now)
            village = areas.add(tx, above, "village", "建设村", now)
            made[county + township] = areas.add(tx, village, "group", "3组", now)
        made["泸州市"] = city
        made["散镇"] = areas.add(tx, areas.add(tx, None, "township", "云溪镇", now), "village", "村", now)
        return made

    made = await store.run(tree)
    found = await store.read(lambda tx: {name: layered.of(tx, area.id) for name, area in made.items()})
    assert {name: (each.old_age, each.due_soon_days) for name, each in found.items()} == {
        "江阳区云溪镇": (75, 5), "江阳区别的镇": (75, 3), "合江县白沙镇": (70, 3), "纳溪区云溪镇": (78, 3), "泸州市": (78, 3),
        "散镇": (78, 3)}
    with pytest.raises(LookupError):
        await store.read(lambda tx: layered.of(tx, "nowhere"))


async def test_an_area_of_the_file_that_the_tree_does_not_have_is_named(store: Store, now: datetime,
                                                                        layered: Policies) -> None:
    def tree(tx: Tx) -> list[Area]:
        county = areas.add(tx, None, "county", "江阳区", now)
        areas.add(tx, county, "township", "云溪乡", now)
        return areas.everything(tx)

    assert layered.not_in(await store.run(tree)) == ["江阳区/云溪镇", "合江县/白沙镇"]


def test_the_digest_changes_with_any_rule_of_any_place(tmp_path: Path, layered: Policies) -> None:
    again = policy.load(written(tmp_path, LAYERS))
    assert again.digest == layered.digest
    for text in (LAYERS.replace("70", "71"), LAYERS.replace("78", "79"), LAYERS.replace("江阳区/", "纳溪区/")):
        assert policy.load(written(tmp_path, text)).digest != layered.digest


def test_the_file_as_shipped_sets_every_rule_and_nothing_for_an_area() -> None:
    shipped = policy.load(DEFAULT)
    assert {rule.origin for rule in shipped.rules()} == {"plan"}
    assert shipped.not_in([]) == []
