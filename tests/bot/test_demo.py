"""The demo village is there once, is whole, and is such as a real township's data would be."""

from collections import Counter
from datetime import UTC, date, datetime
from itertools import count

import pytest
from sqlalchemy import select

from bot import demo
from bot.channels.playground import Phone
from bot.demo.cast import Cast
from bot.playground.phones import all_phones
from conversations import walk
from conversations.book import FormBook, from_folder
from conversations.documents import id_number
from conversations.draft import Draft, parse_answers
from conversations.form import Form
from conversations.turn import House
from scheduler import cadence, windows
from scheduler.cadence import Window
from scheduler.policy import load
from storage import accounts, areas, audit, elders, people, tables, visits
from storage.database import Store, Tx
from storage.elders import Elder
from storage.scope import Scope
from storage.visits import Entry, Visit

HOUSE = House(from_folder(), load())
NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
MOMENTS = [NOW, *(datetime.fromisoformat(at) for at in (
    "2026-03-01T00:10:00+08:00", "2026-03-16T08:40:00+08:00", "2028-02-29T12:00:00+08:00",
    "2026-12-31T23:50:00+08:00"))]
CATEGORIES = {"childless_alone", "living_alone", "empty_nest", "left_behind", "care_dependent", "severely_disabled",
              "special_family_planning"}


class Village:
    """What the township's coordinator sees after filling."""

    def __init__(self, tx: Tx, now: datetime) -> None:
        self.today = now.astimezone(HOUSE.policy.zone).date()
        self.ids = {account: person for account, person, _ in accounts.on(tx, "playground")}
        scope = Scope(self.ids["zhao"], self.today)
        self.elders = elders.due_first(tx, scope, 500)
        self.visits = {elder.id: visits.last(tx, scope, elder.id, 500) for elder in self.elders}
        self.wangs = elders.due_first(tx, Scope(self.ids["wang"], self.today), 500)

    @property
    def all_visits(self) -> list[Visit]:
        return [visit for of_one in self.visits.values() for visit in of_one]

    def state(self, elder: Elder) -> cadence.State:
        window = Window(date.fromisoformat(elder.due_from), date.fromisoformat(elder.due_until))
        return window.state(self.today, HOUSE.policy)


async def filled(store: Store, now: datetime = NOW) -> Village:
    assert await demo.fill(store, HOUSE, now)
    return await store.read(lambda tx: Village(tx, now))


async def test_filling_twice_fills_once(store: Store) -> None:
    before = await filled(store)
    assert await demo.fill(store, HOUSE, NOW) is False
    after = await store.read(lambda tx: Village(tx, NOW))
    assert [elder.id for elder in after.elders] == [elder.id for elder in before.elders]
    assert len(after.all_visits) == len(before.all_visits)


async def test_a_fill_that_ends_in_the_middle_leaves_nothing_and_the_next_one_is_whole(
        sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    submit, made = visits.submit, count(1)

    def cut(tx: Tx, entry: Entry, by: str, now: datetime) -> tuple[str, int]:
        if next(made) >= 100:  # the store may try again
            raise RuntimeError("cut")
        return submit(tx, entry, by, now)

    monkeypatch.setattr(visits, "submit", cut)
    with pytest.raises(RuntimeError):
        await demo.fill(sqlite_store, HOUSE, NOW)
    assert await sqlite_store.read(areas.everything) == []
    assert await all_phones(sqlite_store) == []
    monkeypatch.undo()
    assert len((await filled(sqlite_store)).elders) == 60


async def test_about_sixty_elders_live_in_three_villages_in_all_seven_categories(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    assert 55 <= len(village.elders) <= 65
    assert {name for elder in village.elders for name in elder.categories.split()} == CATEGORIES
    assert len({elder.village for elder in village.elders}) == 3
    ages = [elder.age(village.today) or 0 for elder in village.elders]
    assert min(ages) == 60
    assert max(ages) == 97
    for elder in village.elders:
        assert (village.today - date.fromisoformat(elder.registered_on)).days <= 366


async def test_every_id_number_is_right_for_its_elder_and_nobodys_in_truth(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    rows = await sqlite_store.read(lambda tx: [
        (row[0], tx.keys.open(row[1], "elders.id_number", row[0]).decode())
        for row in tx.all(select(tables.elders.c.id, tables.elders.c.id_number))])
    numbers = dict(rows)
    assert len(set(numbers.values())) == len(village.elders)
    for elder in village.elders:
        holder = id_number.read(numbers[elder.id])
        assert (holder.birth.isoformat(), holder.sex) == (elder.birth, elder.sex)
        assert numbers[elder.id].startswith("510599")


@pytest.mark.parametrize("now", MOMENTS, ids=str)
async def test_every_class_and_window_is_what_the_policy_gives_today(sqlite_store: Store, now: datetime) -> None:
    village = await filled(sqlite_store, now)
    for elder in village.elders:
        birth = date.fromisoformat(elder.birth or "")
        care_class = cadence.classify(elder.categories.split(), birth, elder.ability, elder.disability_grade,
                                      village.today, HOUSE.policy).care_class
        home = [visit.on_day for visit in village.visits[elder.id] if visit.method == "home"]
        last_home = max(filter(None, [*home, elder.earlier_visit_on]), default=None)
        course = windows.course([], date.fromisoformat(elder.registered_on), care_class)
        window = windows.due(course, date.fromisoformat(last_home) if last_home else None, HOUSE.policy, village.today)
        assert (elder.care_class, elder.due_from, elder.due_until) == (
            care_class, window.first.isoformat(), window.last.isoformat())


@pytest.mark.parametrize("now", MOMENTS, ids=str)
async def test_some_elders_are_overdue_and_no_visit_lies_in_the_future(sqlite_store: Store, now: datetime) -> None:
    village = await filled(sqlite_store, now)
    states = Counter(village.state(elder) for elder in village.elders)
    assert 3 <= states["overdue"] <= 15
    for visit in village.all_visits:
        assert visit.written_at <= now
        assert visit.on_day <= visit.written_at.astimezone(HOUSE.policy.zone).date().isoformat()
        assert visit.late == (visit.on_day < visit.written_at.astimezone(HOUSE.policy.zone).date().isoformat())


async def test_in_the_middle_of_a_window_some_were_met_in_it_and_some_are_still_to_be_met(sqlite_store: Store) -> None:
    village = await filled(sqlite_store, datetime(2026, 3, 10, 4, tzinfo=UTC))
    states = Counter(village.state(elder) for elder in village.elders)
    assert states["not_yet"] >= 10
    assert states["open"] + states["due_soon"] >= 10


async def test_numbers_of_an_elders_visits_run_without_gap_up_to_what_the_file_says(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    brought_along = 0
    for elder in village.elders:
        numbers = sorted(visit.number for visit in village.visits[elder.id])
        before = elder.visits_made - len(numbers)
        assert numbers == list(range(before + 1, elder.visits_made + 1))
        assert (before > 0) == (elder.earlier_visit_on is not None)
        brought_along += before > 0
        assert all(visit.on_day > elder.registered_on for visit in village.visits[elder.id])
    assert 30 <= brought_along < 60


async def test_every_visit_answers_each_question_that_it_was_asked_and_no_other(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    form = HOUSE.book.current["visit"]
    screened = Counter[str]()
    for elder in village.elders:
        for visit in sorted(village.visits[elder.id], key=lambda each: each.number):
            answers = parse_answers(visit.answers)
            first = not screened[elder.id]
            draft = Draft("", "", form.hash, answers=answers, context={"screening_due": first})
            assert visit.form_hash == form.hash
            assert walk.following(form, draft) is None
            assert walk.pruned(form, draft) == draft
            assert all(walk.fits(form.by_id[question], answer) for question, answer in answers.items())
            assert all(answer.at <= visit.written_at.timestamp() * 1000 for answer in answers.values())
            assert (answers["elder"].value, answers["day"].value, answers["method"].value) == (
                elder.id, visit.on_day, visit.method)
            screened[elder.id] += "screening_low" in answers
    given = Counter((name, str(answer[0])) for visit in village.all_visits for name, answer in visit.answers.items())
    for rare in (("illness", "severe"), ("gas", "unsafe"), ("mood", "worse"), ("satisfaction", "dissatisfied")):
        assert given[rare] >= 2
    assert sum("needs" in visit.answers for visit in village.all_visits) >= 30


async def test_three_months_of_visits_have_gaps_late_entries_and_calls(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    days = sorted(visit.on_day for visit in village.all_visits)
    assert days[0] < "2025-12-10"
    assert days[-1] >= "2026-03-01"
    methods = Counter(visit.method for visit in village.all_visits)
    assert methods["home"] > 150
    assert methods["phone"] > 10
    assert methods["video"] > 1
    assert 0 < sum(visit.late for visit in village.all_visits) < 40


async def test_wang_finds_his_own_elders_the_overdue_ones_first(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    assert 8 <= len(village.wangs) <= 12
    assert [village.state(elder) for elder in village.wangs[:3]] == ["overdue", "overdue", "open"]
    assert village.state(village.wangs[-1]) == "not_yet"
    found = await sqlite_store.read(
        lambda tx: elders.matching(tx, Scope(village.ids["wang"], village.today), "zgf", 9))
    assert {elder.name for elder in found} == {"张桂芳", "张国发"}


async def test_the_daughter_sees_her_father_and_nobody_else(sqlite_store: Store) -> None:
    village = await filled(sqlite_store)
    seen = await sqlite_store.read(
        lambda tx: elders.due_first(tx, Scope(village.ids["lina"], village.today), 500))
    assert [elder.name for elder in seen] == ["李国富"]


async def test_the_audit_chain_holds_with_a_line_for_each_visit_at_its_time(store: Store) -> None:
    village = await filled(store)
    verdict = await store.run(audit.verify)
    assert verdict.broken_at is None
    times = await store.read(lambda tx: [at for at, in tx.all(select(tables.audit.c.at).order_by(tables.audit.c.seq))])
    assert times == sorted(times)
    assert {int(visit.written_at.timestamp() * 1000) for visit in village.all_visits} <= set(times)


async def test_the_same_moment_gives_the_same_village(sqlite_store: Store, postgres_store: Store) -> None:
    one, other = await filled(sqlite_store), await filled(postgres_store)

    def told(village: Village) -> list[object]:
        return [(elder.name, elder.number, elder.birth, elder.due_until, elder.visits_made) for elder in village.elders]

    assert told(one) == told(other)
    assert len(one.all_visits) == len(other.all_visits)


async def test_the_phones_are_named_people_first_and_the_work_group_without_families(store: Store) -> None:
    await filled(store)
    *shown, group = await all_phones(store)
    assert [(phone.id, phone.title, phone.subtitle) for phone in shown] == [
        ("wang", "王强", "网格员 · 建设村"), ("lina", "李娜", "家属 · 建设村"),
        ("chen", "陈秀兰", "村（社区）协调员 · 建设村"), ("zhao", "赵敏", "乡镇（街道）协调员 · 云溪镇"),
        ("zhou", "周晓雨", "志愿者 · 建设村"), ("liu", "刘勇", "网格员 · 桂花村"), ("litao", "李涛", "家属 · 建设村"), ("zeng", "曾小兰", "第一探访联系人 · 建设村")]
    assert (group.kind, group.title, group.subtitle) == ("group", "建设村工作群", "3 人")
    assert [member.name for member in group.members] == ["王强", "陈秀兰", "周晓雨"]
    assert "/" not in group.id


async def test_somebody_who_joins_by_invitation_has_a_phone_named_by_his_role(sqlite_store: Store) -> None:
    def join(tx: Tx) -> None:
        city = areas.add(tx, None, "city", "泸州市", NOW)
        someone = people.add(tx, city.id, "周敏", ("visitor",), NOW, "a_county_s_own")
        accounts.bind(tx, "playground", "a1b2", "a1b2", someone.id, NOW)

    await sqlite_store.run(join)
    assert await all_phones(sqlite_store) == [Phone("a1b2", "周敏", "探访人员 · 泸州市")]


async def test_who_has_several_posts_is_named_by_the_highest(sqlite_store: Store) -> None:
    def appoint(tx: Tx) -> None:
        city = areas.add(tx, None, "city", "泸州市", NOW)
        someone = people.add(tx, city.id, "周敏", ("visitor", "township"), NOW, "volunteer")
        accounts.bind(tx, "playground", "a1b2", "a1b2", someone.id, NOW)

    await sqlite_store.run(appoint)
    assert await all_phones(sqlite_store) == [Phone("a1b2", "周敏", "乡镇（街道）协调员 · 泸州市")]


async def test_a_question_added_to_the_form_does_not_stop_the_demo(sqlite_store: Store) -> None:
    form = HOUSE.book.current["visit"]
    added = form.by_id["gas"].model_copy(update={"id": "stairs", "label": "楼梯安全"})
    longer = Form(name="visit", title=form.title, sections=form.sections, questions=(*form.questions, added))
    house = House(FormBook([longer]), HOUSE.policies)
    assert await demo.fill(sqlite_store, house, NOW)
    village = await sqlite_store.read(lambda tx: Village(tx, NOW))
    assert {visit.answers["stairs"][0] for visit in village.all_visits} == {"safe"}


def test_every_name_stands_for_one_person_only(cast: Cast) -> None:
    named = [elder.name for village in cast.villages for worker in village.workers for elder in worker.elders]
    named += [worker.name for village in cast.villages for worker in village.workers]
    named += [village.coordinator for village in cast.villages]
    named += [cast.township_coordinator, cast.volunteer.name, *(family.name for family in cast.families)]
    assert len(set(named)) == len(named)


@pytest.fixture
def cast() -> Cast:
    return demo.casts.load()

