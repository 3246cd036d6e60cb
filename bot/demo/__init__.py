"""The demo village for `make run`: a made-up township with its people, elders and three months of visits.

Everything goes through the same doors as in a real township, at the times at which it is said to have
happened, so that classes, windows, numbers and the audit chain are what they would be.
"""

import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bot.demo import cast as casts
from bot.demo import diary
from bot.demo.cast import Cast, ElderLine
from bot.demo.diary import Answering, Visited
from bot.playground.phones import DEMO, group_chat
from conversations.documents.id_number import check_digit
from conversations.turn import House
from scheduler import cadence, casework
from scheduler.policy import Policy
from storage import accounts, areas, assignments, audit, forms, groups, initials, meta, people, phones
from storage.areas import Area
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.scope import Scope
from storage.visits import Entry

SEED = 20231214
HISTORY = timedelta(days=92)
LATELY: dict[casts.Lately, int] = {"overdue": 12, "met": 38, "open": 50}


async def fill(store: Store, house: House, now: datetime) -> bool:
    """Fills the township, with visits until `now`; False where it is there already.

    One transaction, though it takes longer than a work should (under a second): nobody is served yet, and a
    kill in the middle leaves nothing.
    """
    if await store.read(lambda tx: meta.get(tx, DEMO)):
        return False
    cast = casts.load()

    def work(tx: Tx) -> bool:
        if meta.get(tx, DEMO):
            return False
        _Filling(tx, house, cast, now).run()
        return True

    return await store.run(work, key=DEMO)


@dataclass(frozen=True, slots=True)
class _Cared:
    """An elder with the village he lives in, who visits him, and the day he was registered on."""

    line: ElderLine
    village: Area
    worker: str
    birth: date
    registered_on: date


class _Filling:
    """One run. `begin` is when the township took the bot into use and brought its paper ledger along."""

    def __init__(self, tx: Tx, house: House, cast: Cast, now: datetime) -> None:
        self.tx, self.house, self.cast, self.now = tx, house, cast, now
        self.policy: Policy = house.policies.at(cast.county, cast.township)
        self.form = house.book.current["visit"]
        self.rng = random.Random(SEED)
        self.answering = Answering(cast, self.form, self.rng)
        self.begin = datetime.combine((now - HISTORY).astimezone(self.policy.zone).date(), time(9), self.policy.zone)
        self.person: dict[str, str] = {}  # ids by name
        self.elder: dict[str, str] = {}
        self.screened: dict[str, date] = {}

    def run(self) -> None:
        forms.keep(self.tx, self.form.hash, self.form.name, self.form.definition)
        events: list[tuple[datetime, int, _Cared, Visited | None]] = []
        for cared in self._township():
            registered = max(self.begin, datetime.combine(cared.registered_on, time(9), self.policy.zone))
            events.append((registered, len(events), cared, None))
            events += [(visited.at, len(events), cared, visited) for visited in self._visits(cared)]
        for at, _, cared, visited in sorted(events, key=lambda event: event[:2]):
            if visited is None:
                self._register(cared, at)
            else:
                self._visit(cared, visited)
            audit.extend(self.tx)  # a line for each, with its own time

    def _township(self) -> list[_Cared]:
        """Areas, people and phones, as they stood when the bot was taken into use."""
        tx, cast, begin = self.tx, self.cast, self.begin
        city = areas.add(tx, None, "city", cast.city, begin)
        county = areas.add(tx, city, "county", cast.county, begin)
        township = areas.add(tx, county, "township", cast.township, begin)
        self._person(township, cast.township_coordinator, ("township",))
        village_of: dict[str, Area] = {}
        found = []
        for line in cast.villages:
            village = areas.add(tx, township, "village", line.name, begin)
            self._person(village, line.coordinator, ("village",))
            if line.name == cast.volunteer.village:
                self._person(village, cast.volunteer.name, ("visitor",), "volunteer")
                meta.put(tx, DEMO, village.id)
                groups.add(tx, phones.CHANNEL, group_chat(village.id), "chat", village.id,
                           self.person[line.coordinator], begin)
            for group in sorted({elder.group for worker in line.workers for elder in worker.elders}):
                areas.add(tx, village, "group", group, begin)
            for worker in line.workers:
                self._person(village, worker.name, ("visitor", "first_contact"), "grid_worker")
                found += [self._born(elder, village, worker.name) for elder in worker.elders]
                village_of |= {elder.name: village for elder in worker.elders}
        for family in cast.families:
            self._person(village_of[family.elder], family.name, family.roles)
        for nth, phone in enumerate(cast.phones):
            accounts.bind(tx, phones.CHANNEL, phone.account, phone.account, self.person[phone.name],
                          begin + timedelta(seconds=nth))
        return found

    def _person(self, area: Area, name: str, roles: tuple[str, ...], kind: str | None = None) -> None:
        self.person[name] = people.add(self.tx, area.id, name, roles, self.begin, kind).id

    def _born(self, line: ElderLine, village: Area, worker: str) -> _Cared:
        """Birthdays lie before the first visit, so that nobody changes class by age in the three months."""
        today = self.now.astimezone(self.policy.zone).date()
        birthday = today - timedelta(days=self.rng.randint(HISTORY.days + 5, 355))
        if (birthday.month, birthday.day) == (2, 29):
            birthday -= timedelta(days=1)
        birth = birthday.replace(year=birthday.year - line.age)
        since = self.rng.randint(30, 70) if line.new else -self.rng.randint(16, 270)
        return _Cared(line, village, worker, birth, self.begin.date() + timedelta(days=since))

    def _register(self, cared: _Cared, at: datetime) -> None:
        line, nth = cared.line, len(self.elder)
        digits = f"{self.cast.county_code}{cared.birth:%Y%m%d}{2 * nth + (line.sex == 'male'):03d}"
        before, earlier = 0, None
        if not line.new and self.rng.random() < 0.8:
            before = max(1, (self.begin.date() - cared.registered_on).days // 30)
            earlier = self.begin.date() - timedelta(days=self.rng.randint(1, 14))
        new = NewElder(
            cared.village.id, line.group, line.name, initials.initials(line.name), line.sex, cared.birth.isoformat(),
            line.categories, line.ability, cared.registered_on.isoformat(), line.grade, digits + check_digit(digits),
            f"1540000{nth:04d}", visits_made=before, earlier_visit_on=earlier.isoformat() if earlier else None)
        elder_id = self.elder[line.name] = casework.register(self.tx, new, self.house.policies, at)
        self._entrust(line.name, elder_id, cared.worker, at.date())

    def _entrust(self, name: str, elder_id: str, worker: str, day: date) -> None:
        """To the grid worker, who is also the first contact where no child lives in the township (三(一))."""
        carers = [(worker, "visitor")]
        carers += [(family.name, role) for family in self.cast.families if family.elder == name
                   for role in family.roles]
        if not any(role == "first_contact" for _, role in carers):
            carers.append((worker, "first_contact"))
        if name in self.cast.volunteer.elders:
            carers.append((self.cast.volunteer.name, "visitor"))
        for carer, role in carers:
            assignments.entrust(self.tx, self.person[carer], elder_id, role, day.isoformat())

    def _visits(self, cared: _Cared) -> list[Visited]:
        line = cared.line
        care_class = cadence.classify(line.categories, cared.birth, line.ability, line.grade, self.begin.date(),
                                      self.policy).care_class
        lately = line.lately or self.rng.choices(list(LATELY), list(LATELY.values()))[0]
        first = max(self.begin.date(), cared.registered_on) + timedelta(days=1)
        return list(diary.visits(self.rng, care_class, first, self.now, lately, self.policy))

    def _visit(self, cared: _Cared, visited: Visited) -> None:
        name = cared.line.name
        by_volunteer = not visited.home and name in self.cast.volunteer.elders
        visitor = self.person[self.cast.volunteer.name if by_volunteer else cared.worker]
        elder_id, written_on = self.elder[name], visited.at.astimezone(self.policy.zone).date()
        screened = self.screened.get(name)
        due = screened is None or written_on - screened > timedelta(days=self.policy.screening_days)
        answers = self.answering.visit(elder_id, visited, due)
        entry = Entry(elder_id, self.form.hash, visited.day.isoformat(), str(answers["method"][0]),
                      visited.day < written_on, answers, "")
        kept = casework.submit(self.tx, Scope(visitor, written_on), entry, self.house.policies, visited.at)
        if kept is None:
            raise LookupError(f"elder {elder_id} was not in the care of {visitor} on {written_on}")
        if kept.elder.last_screening_on:
            self.screened[name] = date.fromisoformat(kept.elder.last_screening_on)
