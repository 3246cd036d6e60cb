"""Planted ID numbers, phones, illnesses and addresses after a long random walk: nowhere in clear on disk or in logs,
in no message but to those entitled, and in none at all on a channel abroad.

Whoever adds a command need do nothing here: the walk takes all of them from `NAMES`, with all kinds of arguments.
"""

import io
import logging
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from bot.channels.base import Blocked, Receipt, RetryAt
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from conversations import book as books
from conversations import router
from conversations.commands import NAMES
from conversations.documents import making
from conversations.message import Document, Inbound, Media, Message, Place
from conversations.turn import House
from conversations.words_book import Words
from scheduler import audit_heads, casework, forgetting, notices
from scheduler import policy as policies
from scheduler.notices import VisitDue
from storage import accounts, areas, assignments, erasing, forms, people, tables
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.ids import millis, uuid7
from storage.initials import initials
from storage.opening import open_store
from storage.people import ROLES
from storage.scope import Scope
from storage.visits import Entry
from tests.fakes.house import EARLIER, START, Recorder

REVEALING = ("idnumber", "phone", "owndata")  # called more often than by chance, so that there is something to see
STEPS = 2200
HOME, ABROAD = "home", "abroad"
READ_FULL = {"village", "township", "county"}
SURNAMES, GIVEN = "张王李赵陈杨黄周吴徐", "甲乙丙丁戊己庚辛壬癸子丑寅卯"
STEERING = ("你好", "没填完", "继续填", "稍后继续", "取消", "是", "否", "上一题", "跳过", "提交", "改一项", "不改", "选好了",
            "1", "2", "3", "9", "111111", "111", "昨天", "%", "/", "/elder", "不认识的话")
TYPED = "口述{}密"  # what visitors write in forms: theirs to read again, but nobody's on disk and in logs


@dataclass(frozen=True)
class Planted:
    """An elder, and all about him that only few may read."""

    id: str
    name: str
    visit: str
    id_number: str
    phone: str
    others: tuple[str, ...]  # illness, address, the phone and name of an emergency contact, a household member's number


@dataclass
class Someone:
    """A person by what he is to each elder, worked out apart from the statements under test."""

    id: str
    account: str
    area: str  # the path of the area of his posts
    roles: tuple[str, ...]
    assigned: dict[str, str] = field(default_factory=dict)  # elder id: role


class Channel(Recorder):
    """Keeps whole messages, and fails now and then, with all that it was given in the error."""

    def __init__(self, name: str, chance: Random) -> None:
        super().__init__(abroad=name == ABROAD)
        self.name = name
        self.kept: list[tuple[str, str]] = []  # chat, and every text of a message, buttons and file included
        self._chance = chance

    async def send(self, chat: str, message: Message) -> Receipt:
        luck = self._chance.random()
        if luck < 0.004:
            raise (Blocked if luck < 0.001 else RetryAt)(*([] if luck < 0.001 else [0.0]))
        if luck < 0.008:
            raise RuntimeError(f"no way for {message.text} to {chat}")
        self.kept.append((chat, whole(message)))
        return await super().send(chat, message)


def whole(message: Message) -> str:
    """All that can be read in a message: text, labels, tokens, the file's name and what is in it."""
    buttons = "\n".join(f"{button.label} {button.token}" for row in message.buttons for button in row)
    if message.document is None:
        return f"{message.text}\n{buttons}"
    return f"{message.text}\n{buttons}\n{message.document.name}\n{inside(message.document.body)}"


def inside(body: bytes) -> str:
    """The text of a file: of a Word file or a spreadsheet all its parts, without the marks between characters."""
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return body.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(body)) as parts:
        return "\n".join(re.sub(r"<[^>]*>", "", parts.read(name).decode("utf-8", "replace"))
                         for name in parts.namelist() if name.endswith((".xml", ".csv", ".txt")))


class World:
    """One county with people of every role, each on a domestic channel and on one abroad."""

    def __init__(self, store: Store, seed: int) -> None:
        self.store, self.chance, self.at = store, Random(seed), START
        self.policy = policies.load()
        self.house = House(books.from_folder(), self.policy, abroad=frozenset({ABROAD}))
        self.channels = {name: Channel(name, self.chance) for name in (HOME, ABROAD)}
        self.delivery = Delivery(store, self.channels, self.house, self.now, self._document)
        self.dispatch = Dispatch(store, self.house, self.delivery, self.now)
        self.people: list[Someone] = []
        self.elders: list[Planted] = []
        self.village_of: dict[str, str] = {}
        self.typed = 0

    def now(self) -> datetime:
        return self.at

    async def _document(self, wanted: dict[str, Any], words: Words) -> Document | None:
        make = await self.store.read(lambda tx: making.prepare(tx, self.house, wanted, self.at))
        return make(words) if make else None

    # What is planted

    def settle(self, tx: Tx) -> None:
        self.people, self.elders = [], []
        opened = START - timedelta(days=60)
        county = areas.add(tx, None, "county", "江阳区", opened)
        town = areas.add(tx, county, "township", "云溪镇", opened)
        villages = [areas.add(tx, town, "village", name, opened) for name in ("建设村", "河坝村")]
        form = self.house.book.current["visit"]
        forms.keep(tx, form.hash, form.name, form.definition)
        for n, role in enumerate((*ROLES, *ROLES)):
            area = {"township": town, "county": county, "city": county, "operator": county}.get(role, villages[n // len(ROLES)])
            person = people.add(tx, area.id, f"员{n}", (role,), opened, "grid_worker" if role == "visitor" else None).id
            self.people.append(Someone(person, f"{7001 + n}", area.path, (role,)))
        for n in range(8):
            self._plant(tx, villages[n % 2], n, opened)
        for someone in self.people:
            for name in (HOME, ABROAD):
                accounts.bind(tx, name, someone.account, someone.account, someone.id, opened)
        self._visits(tx, form.hash)

    def _plant(self, tx: Tx, village: areas.Area, n: int, opened: datetime) -> None:
        name = SURNAMES[n] + GIVEN[n] + GIVEN[-n - 1]
        id_number, phone = f"51050219400101{5310 + 7 * n}", f"1398{7310000 + 31 * n}"
        others = (f"尘肺{n}{n}期", f"枇杷沟{900 + n}号", f"1377{5510000 + 17 * n}", f"联络人{n}{n}{n}",
                  f"51050219700202{6310 + 7 * n}")
        new = NewElder(village.id, f"{n}组", name, initials(name), "female", "1940-01-01", ["living_alone"], "intact",
                       "2026-01-01", id_number=id_number, phone=phone, facts={
                           "illnesses": others[0], "address": others[1], "emergency_phone": others[2],
                           "emergency_name": others[3], "household": [{"name": name, "id_number": others[4]}]})
        elder = casework.register(tx, new, self.policy, opened)
        for someone in self.people:
            role = someone.roles[0]
            if role in ("visitor", "first_contact", "family") and village.path.startswith(someone.area) and n < 6:
                assignments.entrust(tx, someone.id, elder, role, "2026-01-01")
                someone.assigned[elder] = role
        self.village_of[elder] = village.path
        self.elders.append(Planted(elder, name, "", id_number, phone, others))

    def _visits(self, tx: Tx, form_hash: str) -> None:
        visitors = [each for each in self.people if each.roles == ("visitor",)]
        for n, elder in enumerate(self.elders[:6]):
            who = next(each for each in visitors if elder.id in each.assigned)
            given: dict[str, Any] = {"elder": elder.id, "day": "2026-02-20", **EARLIER}
            entry = Entry(elder.id, form_hash, "2026-02-20", "home", False,
                          {question: [value, millis(START), "tap"] for question, value in given.items()}, "")
            made = casework.submit(tx, Scope(who.id, START.date()), entry, self.policy, START - timedelta(days=13))
            assert made is not None
            self.elders[n] = Planted(elder.id, elder.name, made.visit_id, elder.id_number, elder.phone, elder.others)

    # What people do

    async def walk(self) -> None:
        for step in range(STEPS):
            self.at += timedelta(seconds=self.chance.choice((5, 20, 600)))
            who, channel = self.chance.choice(self.people), self.chance.choice((HOME, HOME, ABROAD))
            fields = self._does(who, channel)
            await self.dispatch.handle(Inbound(
                channel, who.account, who.account, f"k{step}", self.at, **fields))
            if step % 10 == 9:
                await self.delivery.settle()
            if step % 100 == 99:
                await self._unasked()
        await self.delivery.settle()

    async def _unasked(self) -> None:
        """What the clock does: sweeps, and notices about elders to whoever has an account."""
        def work(tx: Tx) -> None:
            for someone in self.people:
                elder = self.chance.choice(self.elders)
                notices.tell(tx, VisitDue(person=someone.id, elder=elder.id, due_until="2099-01-01"), self.at)
            audit_heads.sweep(tx, self.at, self.policy)
            forgetting.sweep(tx, self.at, self.policy)
        await self.store.run(work)
        await self.delivery.sweep()

    def _does(self, who: Someone, channel: str) -> dict[str, Any]:
        luck, chance = self.chance.random(), self.chance
        if luck < 0.45:
            named = NAMES[chance.choice(REVEALING if luck < 0.12 else list(NAMES))]
            call = chance.choice((f"/{named.slash}", *named.words))
            return {"text": f"{call} {self._argument()}".strip()}
        if luck < 0.75 and (shown := self.channels[channel].sent.get(
                who.account if luck < 0.7 else chance.choice(self.people).account)):
            last = shown[-1] if luck < 0.65 else chance.choice(shown)
            tokens = [token for row in last.buttons for _, token in row]
            if tokens:
                return {"choice": chance.choice(tokens), "source": last.handle}
        if luck < 0.8:
            self.typed += 1
            return {"text": TYPED.format(self.typed)}
        if luck < 0.82:
            return {"media": (Media(chance.choice(("photo", "voice")), f"ref{self.typed}"),)}
        if luck < 0.83:
            return {"place": Place(28.871, 105.442)}
        return {"text": chance.choice(STEERING)}

    def _argument(self) -> str:
        elder = self.chance.choice(self.elders)
        return self.chance.choice(("", elder.id, elder.id, elder.name, elder.name, elder.visit, elder.name[:1],
                                   initials(elder.name), "1", "5", "999999", f"{elder.id} 5", self.people[0].id))

    # Who may read what

    def entitled(self, who: Someone, elder: Planted, secret: str) -> bool:
        held = self.village_of[elder.id].startswith(who.area)
        if held and who.roles[0] in READ_FULL:
            return True
        if secret == elder.phone:
            return who.assigned.get(elder.id) == "first_contact"
        return secret in elder.others and (elder.id in who.assigned or (held and who.roles[0] in ("city", "operator")))


def named_in_clear(tx: Tx) -> str:
    """What coordinators call things by: lists are searched by it, and none of it is an elder's."""
    columns = (tables.people.c.name, tables.people.c.organisation, tables.people.c.service, tables.campaigns.c.name,
               tables.areas.c.name)
    return "\n".join(str(value) for column in columns for value, in tx.all(select(column)))


@pytest.fixture
def said_in_logs() -> Iterator[io.StringIO]:
    """All that structlog and the libraries' own logging say, errors with their texts and traces included."""
    text = io.StringIO()
    before = structlog.get_config()
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info,
                    structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory=structlog.PrintLoggerFactory(text), cache_logger_on_first_use=False)
    handler = logging.StreamHandler(text)
    root, level = logging.getLogger(), logging.getLogger().level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield text
    root.removeHandler(handler)
    root.setLevel(level)
    structlog.configure(**before)


async def test_nothing_of_what_is_planted_leaks(
    tmp_path: Path, keys: Keys, said_in_logs: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "tanfang.db"
    store = open_store(f"sqlite:///{path}", keys, uuid7(Random(8).randbytes))
    world = World(store, 8)
    sound = router.answer

    def answer(house: House, tx: Tx, inbound: Inbound, now: datetime) -> Any:
        if inbound.dedupe_key.endswith("77"):
            raise ValueError(f"a fault that says all: {inbound.text} {world.elders[0]}")
        return sound(house, tx, inbound, now)

    monkeypatch.setattr(router, "answer", answer)
    try:
        await store.run(world.settle)
        await world.walk()
        await store.run(lambda tx: erasing.erase(tx, world.elders[0].id, "op", world.at.date(), world.at))
        open_by_design = await store.read(named_in_clear)
        on_disk = b"".join(file.read_bytes() for file in tmp_path.glob("tanfang.db*"))
    finally:
        store.close()
    planted = [secret for elder in world.elders for secret in (elder.id_number, elder.phone, *elder.others)]
    typed = [text for text in (TYPED.format(n) for n in range(1, world.typed + 1)) if text not in open_by_design]
    assert world.elders[1].name.encode() in on_disk  # so one does find there what is not sealed
    assert [secret for secret in (*planted, *typed) if secret.encode() in on_disk] == []
    logs = said_in_logs.getvalue()
    assert "turn failed" in logs and "sending failed" in logs  # there was something to give away
    assert [secret for secret in (*planted, *typed, *(each.name for each in world.elders)) if secret in logs] == []
    _messages(world)


def _messages(world: World) -> None:
    """No secret in a message but to who may read it; and each kind of secret was read by somebody, so one looks right."""
    read = set()
    by_account = {someone.account: someone for someone in world.people}
    for name, channel in world.channels.items():
        for chat, text in channel.kept:
            for elder in world.elders:
                for kind, secret in enumerate((elder.id_number, elder.phone, *elder.others)):
                    if secret in text:
                        assert name == HOME, f"{secret} went abroad"
                        assert world.entitled(by_account[chat], elder, secret), (by_account[chat].roles, secret, text)
                        read.add(kind)
    assert read == set(range(7))
