"""No door leads to an elder outside the asker's scope: random villages, and whatever people type and tap."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import select

from conversations import book as books
from conversations import router
from conversations.book import FormBook
from conversations.commands import NAMES
from conversations.documents import making
from conversations.message import Inbound, Message
from conversations.say import messages
from conversations.turn import House
from conversations.words_book import Words
from scheduler import casework
from scheduler import policy as policies
from storage import accounts, areas, assignments, forms, people
from storage.areas import Area
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.ids import millis
from storage.initials import initials
from storage.opening import open_store
from storage.people import ROLES
from storage.scope import COORDINATORS, Scope
from storage.tables import drafts
from storage.tables import visits as visits_table
from storage.visits import Entry
from tests.fakes.house import EARLIER, START, ZONE

SURNAMES, GIVEN = "张王李赵陈杨黄周吴徐", "甲乙丙丁戊己庚辛壬癸子丑寅卯"
SECRET = "密{}号"  # planted in each elder's visit: the illness, and what was written
WHOLE_VISIT = ("1", "111111", "111", "111", "量了血压", "1", "跳过", "1", "111", "提交")
STEERING = ("你好", "没填完", "继续填", "我的老人", "更正", "打印", "作废", "看记录", "稍后继续", "取消", "是", "否", "上一题",
            "跳过", "提交", "改一项", "回到核对", "不改", "换个写法", "1", "2", "3", "9", "111111", "%", "_", "%%", "\\")
STEPS = 220


@dataclass
class Someone:
    """A person with what he may see by the rule of the policy, computed apart from the statements under test."""

    id: str
    account: str
    roles: tuple[str, ...]
    area: Area
    until: dict[str, str | None] = field(default_factory=dict)  # elder id: the last day of the assignment

    def sees(self, elder: "Planted", day: str) -> bool:
        held = any(role in COORDINATORS for role in self.roles) and elder.village.path.startswith(self.area.path)
        return held or (elder.id in self.until and (self.until[elder.id] or "9999") >= day)


@dataclass(frozen=True)
class Planted:
    """An elder whose name and secret stand nowhere else."""

    id: str
    name: str
    secret: str
    village: Area
    visit: str


class Township:
    """A random tree with random people in it, and the router over it, one turn a unit of work."""

    def __init__(self, store: Store, book: FormBook, seed: int) -> None:
        self.store, self.random = store, Random(seed)
        self.house = House(book, policies.load())
        self.words = Words()
        self.now = START
        self.count = 0
        self.people: list[Someone] = []
        self.elders: list[Planted] = []
        self.tokens: list[str] = []  # every button that anybody was ever shown
        self.typed: dict[str, str] = {}  # all that somebody ever typed: a form shows him his own words again

    def settle(self, tx: Tx) -> None:
        form = self.house.book.current["visit"]
        forms.keep(tx, form.hash, form.name, form.definition)
        opened, random = self.now - timedelta(days=60), self.random
        county = areas.add(tx, None, "county", "甲县", opened)
        townships = [areas.add(tx, county, "township", f"镇{n}", opened) for n in range(2)]
        villages = [areas.add(tx, random.choice(townships), "village", f"村{n}", opened) for n in range(4)]
        names = random.sample([a + b + c for a in SURNAMES for b in GIVEN for c in GIVEN], 12)
        author = people.add(tx, county.id, "县里", ("county",), opened)
        for number, name in enumerate(names):
            village, secret = random.choice(villages), SECRET.format(f"{number:02}")
            new = NewElder(village.id, "3组", name, initials(name), "female", "1940-01-01", ["living_alone"], "intact",
                           "2026-01-01", facts={"address": secret})
            elder = casework.register(tx, new, self.house.policies, opened)
            given: dict[str, Any] = {"elder": elder, "day": "2026-02-20", **EARLIER, "illness_name": secret,
                                     "care_given": secret}
            entry = Entry(elder, form.hash, "2026-02-20", "home", False,
                          {question: [value, millis(opened), "tap"] for question, value in given.items()}, "")
            kept = casework.submit(tx, Scope(author.id, self.now.date()), entry, self.house.policies, opened)
            assert kept is not None
            self.elders.append(Planted(elder, name, secret, village, kept.visit_id))
        for number in range(7):
            roles = tuple(random.sample(ROLES, random.choice((1, 1, 2)))) if number else ("visitor",)
            area = random.choice([county, *townships, *villages])
            made = people.add(tx, area.id, f"干部{number}", roles, opened, "grid_worker")
            someone = Someone(made.id, f"70{number}", roles, area)
            accounts.bind(tx, "test", someone.account, someone.account, made.id, opened)
            if set(roles) & {"visitor", "first_contact", "family"}:
                for entrusted in random.sample(self.elders, random.randint(1, 4)):
                    until = random.choice((None, None, "2026-03-04", "2026-03-06"))
                    role = "family" if "family" in roles else "visitor"
                    assignments.entrust(tx, made.id, entrusted.id, role, "2026-01-01", until)
                    someone.until[entrusted.id] = until
            self.people.append(someone)

    async def turn(self, who: Someone, text: str = "", choice: str = "") -> list[Message]:
        """What he is shown, with the document where there is one."""
        self.count += 1
        self.typed[who.account] = f"{self.typed.get(who.account, '')}\n{text}"
        self.now += timedelta(minutes=7)
        now = self.now
        inbound = Inbound("test", who.account, who.account, str(self.count), now, text=text, choice=choice)
        said = await self.store.run(lambda tx: router.answer(self.house, tx, inbound, now))
        shown = messages(said, self.words, self.house.book)
        for wanted in (fields["document"] for _, fields in said if "document" in fields):
            make = await self.store.read(partial(making.prepare, house=self.house, wanted=wanted, now=now))
            assert make is not None
            document = make(self.words)
            assert document.body
            shown.append(Message(document.name))
        self.tokens += sorted({button.token for message in shown for row in message.buttons for button in row})
        return shown

    def leaks(self, who: Someone, shown: list[Message], typed: str) -> list[str]:
        """What of elders that he may not see stands in what he is shown, beyond what he typed himself: just now, or,
        as for names, ever.
        """
        told = "\n".join([message.text for message in shown] + [
            f"{button.label} {button.token}" for message in shown for row in message.buttons for button in row])
        day = self._day(self.now).isoformat()
        planted = [word for elder in self.elders if not who.sees(elder, day)
                   for word in (elder.name, elder.secret, elder.id, elder.visit)
                   if word != elder.name or word not in self.typed.get(who.account, "")]
        return [word for word in planted if word in told and word not in typed]

    def _day(self, now: datetime) -> date:
        return now.astimezone(ZONE).date()

    async def ids(self) -> list[str]:
        """Every id that a button could carry: elders, visits in all versions, drafts."""
        def read(tx: Tx) -> list[str]:
            return [each for table in (visits_table.c.visit_id, visits_table.c.id, drafts.c.id, drafts.c.tag)
                    for each, in tx.all(select(table))]
        return [elder.id for elder in self.elders] + await self.store.read(read)

    async def something(self) -> tuple[str, str]:
        """A text or a choice as nobody's page would offer it: ids, tags and names of everybody, anywhere."""
        random, elder = self.random, self.random.choice(self.elders)
        command = random.choice(list(NAMES.values()))
        target = random.choice([*await self.ids(), elder.name, elder.name[0], initials(elder.name), "1", "%", "_"])
        if (kind := random.randrange(8)) == 0:
            return "", random.choice(self.tokens or ["/my"])
        if kind == 1:  # a real button, its last part changed to somebody's id
            return "", re.sub(r"[^. ]*$", target, random.choice(self.tokens or ["/elder x"]))[:64]
        if kind == 2:
            return "", f"/{command.slash} {target}"[:64]
        if kind == 3:
            return f"{random.choice((f'/{command.slash}', *command.words))} {target}", ""
        if kind == 4:
            return random.choice((elder.name, elder.name[:1], elder.name[1:], initials(elder.name), target)), ""
        if kind == 5:
            return f"探访 {elder.name}\n方式：上门\n探访 {random.choice(self.elders).name}\n健康：都没变化", ""
        return random.choice((*STEERING, *WHOLE_VISIT)), ""


@pytest.fixture
def store(tmp_path: Path, keys: Keys) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'doors.db'}", keys)
    yield store
    store.close()


@pytest.fixture(scope="module")
def book() -> FormBook:
    return books.from_folder()


@pytest.mark.parametrize("seed", range(6))
async def test_nobody_is_told_a_word_about_an_elder_outside_his_scope(store: Store, book: FormBook, seed: int) -> None:
    township = Township(store, book, seed)
    await store.run(township.settle)
    told = 0
    for step in range(STEPS):
        who = township.random.choice(township.people)
        text, choice = await township.something()
        shown = await township.turn(who, text, choice)
        assert township.leaks(who, shown, text + choice) == [], (step, who.roles, text, choice)
        told += any(elder.name in message.text for message in shown for elder in township.elders)
        if step % 40 == 39:  # care ends in the middle of whatever is going on
            await _release(township)
    assert told > STEPS / 30  # the doors were tried by people who may pass them, too


async def _release(township: Township) -> None:
    cared = [(who, elder) for who in township.people for elder in who.until]
    if cared:
        who, elder = township.random.choice(cared)
        del who.until[elder]
        await township.store.run(lambda tx: assignments.end(tx, who.id, elder, START.date()))


async def _visitor(store: Store, book: FormBook) -> tuple[Township, Someone, Planted, Planted]:
    """A visitor with one elder in his care, and another elder that he has not."""
    township = Township(store, book, 1)
    await store.run(township.settle)
    mine, other = township.elders[:2]

    def give(tx: Tx) -> Someone:
        made = people.add(tx, mine.village.id, "王强", ("visitor",), START, "grid_worker")
        accounts.bind(tx, "test", "7100", "7100", made.id, START)
        assignments.entrust(tx, made.id, mine.id, "visitor", "2026-01-01")
        return Someone(made.id, "7100", ("visitor",), mine.village, {mine.id: None})

    return township, await store.run(give), mine, other


async def test_a_form_tells_nothing_more_once_the_elder_went_to_somebody_else(store: Store, book: FormBook) -> None:
    township, who, mine, _ = await _visitor(store, book)
    for text in (f"上门探访 {mine.name}", "1"):
        asked = await township.turn(who, text)
    assert mine.name in asked[-1].text
    button = asked[-1].buttons[0][0].token
    await store.run(lambda tx: assignments.end(tx, who.id, mine.id, START.date()))
    del who.until[mine.id]
    for text, choice in (("", button), ("你好", ""), ("没填完", ""), ("继续填", ""), ("", button)):
        assert township.leaks(who, await township.turn(who, text, choice), text + choice) == []
    await store.run(lambda tx: assignments.entrust(tx, who.id, mine.id, "visitor", "2026-01-01"))
    assert mine.name in (await township.turn(who, "没填完"))[-1].text
    assert mine.name in (await township.turn(who, "继续填"))[-1].text


async def test_the_other_person_of_a_person_question_cannot_be_tapped_by_his_id(store: Store, book: FormBook) -> None:
    township, who, mine, other = await _visitor(store, book)
    listed = (await township.turn(who, "上门探访"))[-1]
    token = next(button.token for row in listed.buttons for button in row if mine.id in button.token)
    shown = await township.turn(who, choice=token.replace(mine.id, other.id))
    assert township.leaks(who, shown, "") == []
    assert mine.name in (await township.turn(who, choice=token))[-1].text


async def test_a_suspended_person_is_told_nothing_in_the_middle_of_a_form(store: Store, book: FormBook) -> None:
    township, who, mine, _ = await _visitor(store, book)
    asked = await township.turn(who, f"上门探访 {mine.name}")
    await store.run(lambda tx: people.suspend(tx, who.id, "operator", START))
    who.until.clear()
    for text, choice in (("1", ""), ("", asked[-1].buttons[0][0].token), ("你好", ""), ("", f"/elder {mine.id}")):
        shown = await township.turn(who, text, choice)
        assert [message.buttons for message in shown] == [()]
        assert township.leaks(who, shown, choice) == []


async def test_a_correction_cannot_move_a_visit_to_an_elder_out_of_scope(store: Store, book: FormBook) -> None:
    township, who, mine, other = await _visitor(store, book)
    for text in (f"上门探访 {mine.name}", *WHOLE_VISIT, "更正"):
        shown = await township.turn(who, text)
    await township.turn(who, choice=shown[-1].buttons[0][0].token)
    await township.turn(who, "换了一位")
    before = (await township.turn(who, "1"))[-1]
    assert [button for row in before.buttons for button in row if mine.id in button.token]
    for text, choice in ((other.name, ""), ("", before.buttons[0][0].token.replace(mine.id, other.id)),
                         (initials(other.name), "")):
        assert township.leaks(who, await township.turn(who, text, choice), text + choice) == []
    for text in (mine.name, "提交"):
        shown = await township.turn(who, text)
    assert other.name not in shown[-1].text
    of_other = select(visits_table.c.id).where(visits_table.c.elder_id == other.id)
    assert len(await store.read(lambda tx: tx.all(of_other))) == 1
