"""A village that lives day by day: its elders and what happens to them as written, the clock, and who is told what."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from scheduler import campaigning, casework, holding, notices, policy, reminder_notices, tick
from scheduler.reminder_notices import Digest
from storage import accounts, areas, assignments, campaigns, elder_files, elders, forms, outbox, people
from storage.database import Store, Tx
from storage.elder_files import Wish
from storage.elders import NewElder
from storage.outbox import Outgoing
from storage.scope import Scope
from storage.visits import Entry

POLICIES = policy.load()
ZONE = POLICIES.city.zone
LIVES = Path(__file__).with_name("lives.txt")
FORM = "f" * 64
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Life:
    """One line of the script."""

    name: str
    born: str
    category: str
    ability: str
    registered: date
    visitor: str
    days: tuple[tuple[int, str], ...]  # day of the month, method
    not_in: frozenset[str]  # months
    contact: str
    events: tuple[tuple[date, str], ...]

    def visits(self, day: date) -> Iterator[tuple[str, str]]:
        """Who comes on this day, and how."""
        if f"{day:%Y-%m}" not in self.not_in:
            yield from ((self.visitor, method) for each, method in self.days if each == day.day)


def lives(script: str) -> list[Life]:
    """The script's lines, read."""
    return [_life(line) for line in script.splitlines() if line.strip() and line[0] not in "#@"]


def campaigns_of(script: str) -> list[tuple[date, list[str]]]:
    """What the township opens or says yes to, by day: the lines with @."""
    lines = [line[1:].split() for line in script.splitlines() if line.startswith("@")]
    return [(date.fromisoformat(day), what) for day, *what in lines]


def _life(line: str) -> Life:
    name, born, category, ability, registered, visited, *rest = (each.strip() for each in line.split("|"))
    visited, _, contact = (each.strip() for each in visited.partition("+"))
    visited, _, but = visited.partition(" but ")
    visitor, *days = visited.split()
    events = [each.strip().partition(" ") for each in (rest[0] if rest else "").split(";") if each.strip()]
    return Life(name, born, category, ability, date.fromisoformat(registered), visitor,
                tuple((int(each.rstrip("~")), "phone" if each.endswith("~") else "home") for each in days),
                frozenset(but.split()), contact, tuple((date.fromisoformat(day), what) for day, _, what in events))


class Village:
    """Ids by name. Time is given to every step; nothing is remembered but what the store holds."""

    def __init__(self, store: Store, script: str) -> None:
        self.store, self.script, self.campaigns = store, lives(script), campaigns_of(script)
        self.people: dict[str, str] = {}
        self.elders: dict[str, str] = {}
        self.places: dict[str, str] = {}

    async def settle(self, now: datetime) -> None:
        """The area, its people with their accounts, and nobody on the ledger yet."""
        await self.store.run(lambda tx: self._settle(tx, now))

    def _settle(self, tx: Tx, now: datetime) -> None:
        county = areas.add(tx, areas.add(tx, None, "city", "泸州市", now), "county", "江阳区", now)
        township = areas.add(tx, county, "township", "云溪镇", now)
        village = areas.add(tx, township, "village", "建设村", now)
        self.places = {"village": village.id, "township": township.id, "county": county.id}
        forms.keep(tx, FORM, "visit", "")
        for name, role, place in (("赵敏", "village", village), ("刘洋", "township", township), ("秦峰", "county", county),
                                  *((each, "visitor", village) for each in ("王强", "陈静", "林芳", "周婷"))):
            kind = "grid_worker" if role == "visitor" else None
            self.people[name] = people.add(tx, place.id, name, (role,), now, kind).id
            accounts.bind(tx, "test", name, name, self.people[name], now)

    def happen(self, tx: Tx, day: date) -> Iterator[str]:
        """All that is written for a day, at three in the afternoon; a word on each thing that is no ordinary visit."""
        now = datetime.combine(day, time(15), ZONE)
        for life in self.script:
            if life.registered == day or (life.registered < day and life.name not in self.elders):
                self._register(tx, life, now)
                yield f"{life.name}建档" if life.registered == day else ""
            for visitor, method in life.visits(day) if life.registered < day else ():
                self.visit(tx, life.name, visitor, day, method, now)
            for _, what in (event for event in life.events if event[0] == day):
                self._event(tx, life, what, now)
                yield f"{life.name} {what}"
        for _, words in (each for each in self.campaigns if each[0] == day):
            self._campaign(tx, words, now)
            yield " ".join(words)

    def _campaign(self, tx: Tx, words: list[str], now: datetime) -> None:
        match words:
            case ["yes"]:
                for found in campaigns.listed(tx, self._scope("秦峰", now)):
                    if found.state == "proposed":
                        assert campaigning.confirm(tx, found, found.first_on, found.last_on, self.people["秦峰"], POLICIES,
                                                   now)
            case ["epidemic", first, last]:
                new = campaigns.NewCampaign("epidemic", "flu", self.places["township"], first, last, "epidemic",
                                            ("home", "phone", "video"), remote=True, every_days=5)
                assert campaigning.launch(tx, new, self.people["刘洋"], POLICIES, now)
            case _:
                raise AssertionError(words)

    def _register(self, tx: Tx, life: Life, now: datetime) -> None:
        new = NewElder(self.places["village"], "3组", life.name, "", "female", life.born, [life.category], life.ability,
                       life.registered.isoformat(), 2 if life.category == "severely_disabled" else None,
                       wish="willing")
        elder = self.elders[life.name] = casework.register(tx, new, POLICIES, now)
        if life.visitor in self.people:
            assignments.entrust(tx, self.people[life.visitor], elder, "visitor", life.registered.isoformat())
        if life.contact:
            assignments.entrust(tx, self.people[life.contact], elder, "first_contact", life.registered.isoformat())

    def visit(self, tx: Tx, elder: str, visitor: str, day: date, method: str, now: datetime) -> None:
        """A visit as it would be submitted; where he is not to be visited any more, nobody comes."""
        found = elders.unscoped(tx, self.elders[elder])
        if found is not None and found.status == "active":
            entry = Entry(found.id, FORM, day.isoformat(), method, day < now.date(), {}, "")
            kept = casework.submit(tx, self._scope(visitor, now), entry, POLICIES, now)
            assert kept is not None

    def _event(self, tx: Tx, life: Life, what: str, now: datetime) -> None:
        scope, elder, today = self._scope("赵敏", now), self.elders[life.name], now.date().isoformat()
        match what.split():
            case ["active"]:
                casework.stand(tx, scope, elder, "active", "recovered", today, POLICIES, now)
            case ["paused", why]:
                casework.stand(tx, scope, elder, "paused", why, today, POLICIES, now)
            case ["closed", why]:
                casework.stand(tx, scope, elder, "closed", why, today, POLICIES, now)
            case ["ability", grade]:
                file = elder_files.read(tx, scope, elder)
                assert file is not None
                casework.revise(tx, scope, elder, replace(file, ability=grade), POLICIES, now)
            case ["visit", _]:
                self.visit(tx, life.name, life.visitor, now.date(), "home", now)
            case ["late", day]:
                self.visit(tx, life.name, life.visitor, date.fromisoformat(day), "home", now)
            case [wish]:
                self.wish(tx, life.name, wish, now)
            case _:
                raise AssertionError(what)

    def wish(self, tx: Tx, elder: str, wish: str, now: datetime) -> None:
        """What an elder says about being visited."""
        said = Wish(wish, "consent", now.astimezone(ZONE).date().isoformat(), self.people["赵敏"])
        casework.keep_wish(tx, self.elders[elder], said, POLICIES, now)

    def register_all(self, tx: Tx, now: datetime) -> None:
        """Everybody is on the ledger, each from the day of the script."""
        for life in self.script:
            self._register(tx, life, now)

    def _scope(self, name: str, now: datetime) -> Scope:
        return Scope(self.people[name], now.astimezone(ZONE).date())

    async def clock(self, now: datetime) -> list[str]:
        """What the clock does and what leaves at that time: who is told what."""
        assert await tick.tick(self.store, now, POLICIES) == []
        told = []
        while rows := await self.store.run(lambda tx: holding.take(tx, now, POLICIES.city)):
            told += await self.store.run(lambda tx, rows=rows: [self._sent(tx, row, now) for row in rows])  # type: ignore[misc]
        return sorted(filter(None, told))

    def _sent(self, tx: Tx, row: Outgoing, now: datetime) -> str:
        notice = notices.KINDS[row.kind].model_validate(row.fields)
        if not notice.still_wanted(tx, now.date()):
            outbox.drop(tx, row.id, "not wanted any more", now)
            return ""
        outbox.sent(tx, [(row.id, "1")], now)
        if not isinstance(notice, Digest):
            return f"{row.chat} {row.kind}"
        own = [f"{each.name}{each.left(now.date()):+d}" for each in notice.own(tx)]
        village = [f"{line.village}过期{line.overdue}没人去{line.alone}：" + "、".join(each.name for each in line.first)
                   for line in notice.lines(tx)]
        return f"{row.chat} {' '.join((*own, *village))}"


assert reminder_notices.KINDS is notices.KINDS
