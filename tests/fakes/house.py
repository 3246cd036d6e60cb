"""A small made-up village in a real store, and the whole way from an inbound message to a sent one.

One township, two villages. 王强 looks after six elders: two of the same name, two found by `zgf`, surnames
that are read in their own way. 李军 has one in the next village, 赵敏 coordinates, 李娜 is a daughter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from bot.app import abroad as outside
from bot.channels.base import Answer, Beside, Blocked, Capabilities, Channel, Receipt
from bot.delivery import Delivery
from bot.dispatch import Dispatch
from bot.jobs import Runner
from bot.kinds import handlers
from conversations import book as books
from conversations.book import FormBook
from conversations.documents import making
from conversations.draft_cache import DraftCache
from conversations.form import Form
from conversations.message import Document, Inbound, Media, Message
from conversations.turn import House
from conversations.words_book import Words
from scheduler import casework
from scheduler import policy as policies
from storage import accounts, areas, assignments, elders, forms, people
from storage.crypto import Keys
from storage.database import Store, Tx
from storage.elders import NewElder
from storage.ids import millis, uuid7
from storage.initials import initials
from storage.opening import open_store
from storage.scope import Scope
from storage.visits import Entry

ZONE = ZoneInfo("Asia/Shanghai")
POLICIES = policies.load()
START = datetime(2026, 3, 5, 9, 0, tzinfo=ZONE)  # a Thursday
FILED = "2026-01-01"
# name, group, sex, birth, categories, ability, disability grade, registered on
ELDERS = (
    ("张桂芳", "3组", "female", "1940-01-01", ["living_alone"], "intact", None, FILED),
    ("曾国富", "3组", "male", "1951-06-01", ["empty_nest"], "intact", None, FILED),
    ("张桂芳", "5组", "female", "1948-09-09", ["left_behind"], "mild", None, FILED),
    ("单秀英", "5组", "female", "1945-02-03", ["empty_nest"], "moderate", None, FILED),
    ("仇大山", "6组", "male", "1950-12-12", ["childless_alone"], "intact", None, FILED),
    ("欧阳明", "6组", "male", "1962-04-05", ["severely_disabled"], "mild", 1, "2026-03-01"),
)
PEOPLE = {  # name: account, roles, whether in the village or the township
    "王强": ("7001", ("visitor",), "village"),
    "李军": ("7002", ("visitor",), "other"),
    "赵敏": ("7003", ("township",), "township"),
    "李娜": ("7004", ("family",), "village"),
}
STRANGER = "7999"
# what few may read: of one elder of the village it is kept
PRIVATE: dict[str, Any] = {"id_number": "510502194001011234", "phone": "13912345678", "facts": {
    "address": "建设村3组18号", "illnesses": "高血压", "income": 320, "at_registered_residence": True, "economic": "minimum_living",
    "household": [{"name": "张桂芳", "sex": "female", "relation": "户主", "visits_often": True}]}}
PUBLIC = "https://tanfang.example"
PHONES = {"生人": "7991", "客人": "7992", "旁人": "7993", "老张": "7994"}  # of people whom nobody knows yet
LINK = "https://t.me/tanfang_bot?start="
# what 仇大山's visit in February says; his mood screening is not due again in March
EARLIER = {
    "method": "home", "family_size": "unchanged", "expression": "unchanged", "mobility": "worse",
    "reaction": "unchanged", "illness": "severe", "illness_name": "高血压", "mood": "better",
    "screening_low": "no", "screening_interest": "sometimes", "screening_hopeless": "no", "gas": "mostly_safe",
    "water_heating": "safe", "electricity": "safe", "personal_hygiene": "unchanged", "home_hygiene": "worse",
    "indoor": "unchanged", "care_given": "量了血压", "need_kinds": ["none"], "suggestions": "",
    "keep_from_family": ["health"],
    "visitor_signature": "name", "elder_signature": "name", "satisfaction": "satisfied",
    "satisfaction_by": "elder",
}


@dataclass
class Village:
    """The ids of what stands in the store: people by name, elders by name and group (`张桂芳3组`)."""

    people: dict[str, str] = field(default_factory=dict)
    elders: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Shown:
    """A message as a person has it before him: handle, text, rows of (label, token), and a file's name."""

    handle: str
    text: str
    buttons: tuple[tuple[tuple[str, str], ...], ...] = ()
    document: str = ""
    inline: bool = False  # the buttons stand in the text, each in brackets


class Recorder:
    """A channel that keeps what it is given to send, by chat."""

    def __init__(self, name: str = "test", *, abroad: bool = False) -> None:
        self.name = name
        self.capabilities = Capabilities(
            button_rows=30, buttons_per_row=4, label_length=40, text_length=20_000, can_edit=True, can_push=True,
            has_groups=True, carries_files=True, abroad=abroad)
        self.sent: dict[str, list[Shown]] = {}
        self.documents: list[Document] = []
        self.files: dict[str, bytes] = {}  # what `fetch` gives, by ref
        self.blocked: set[str] = set()  # chats of those who stopped the bot
        self.edited = 0
        self.toasts: list[str] = []  # what somebody who tapped in a group was told over the chat

    async def send(self, chat: str, message: Message) -> Receipt:
        if chat in self.blocked:
            raise Blocked
        shown = self.sent.setdefault(chat, [])
        handle = message.edits or str(len(shown) + 1)
        self.edited += bool(message.edits)
        self.documents += [message.document] if message.document else []
        rows = tuple(tuple((button.label, button.token) for button in row) for row in message.buttons)
        shown.append(Shown(handle, message.text, rows, message.document.name if message.document else ""))
        return Receipt(handle)

    async def fetch(self, media: Media) -> bytes:
        return self.files.get(media.ref) or b"bytes of " + media.ref.encode()

    async def settle(self, inbound: Inbound, text: str = "") -> None:
        """Nothing spins here; what only he sees is kept."""
        self.toasts += [text] if text else []


class Running:
    """The house over one channel, with a clock that the test moves."""

    wecom = ""  # the address of WeCom's API

    def __init__(self, store: Store, village: Village, channel: Channel, book: FormBook | None = None,
                 others: Sequence[Channel] = ()) -> None:
        self.store, self.village, self.channel = store, village, channel
        self._channels = {each.name: each for each in (channel, *others)}
        self.at = START
        self.policies = POLICIES
        self.use(book or todays_book())

    def use(self, book: FormBook) -> None:
        """Goes on with other forms, as after a restart with a newer release."""
        self.book = book
        channels = self._channels
        can = self.channel.capabilities
        no_files = frozenset() if can.carries_files and can.takes_files else frozenset((self.channel.name,))
        self.house = House(self.book, self.policies, no_files=no_files, abroad=outside(channels), public=PUBLIC,
                           links={self.channel.name: LINK}, wecom=self.wecom)
        self.delivery = Delivery(self.store, channels, self.house, self.now, self._document)
        self.jobs = Runner(self.store, handlers(self.store, channels, self.house), frozenset(channels), self.now)
        self.forget()

    def forget(self) -> None:
        """Goes on as after a restart: nothing is known but what the store holds."""
        self.dispatch = Dispatch(self.store, replace(self.house, drafts=DraftCache()), self.delivery, self.now)

    async def work(self) -> None:
        """Does every job that waits, and sends what they say."""
        await self.jobs.settle()
        await self.delivery.sweep()

    def now(self) -> datetime:
        return self.at

    def later(self, seconds: float = 20) -> None:
        self.at += timedelta(seconds=seconds)

    async def handle(self, inbound: Inbound) -> None:
        await self.dispatch.handle(inbound)

    async def answer(self, inbound: Inbound, beside: Beside) -> Answer | None:
        """For a channel whose reply to a request carries the answer."""
        return await self.dispatch.answer(inbound, beside)

    async def _document(self, wanted: dict[str, Any], words: Words) -> Document | None:
        make = await self.store.read(lambda tx: making.prepare(tx, self.house, wanted, self.at))
        return make(words) if make else None


class Originals:
    """Makes stores with the village in them: it is filled once in a process, and each store is a copy of that."""

    _filled: ClassVar[dict[int, tuple[bytes, Village]]] = {}  # by the keys that seal it

    def __init__(self, folder: Path, keys: Keys) -> None:
        self._folder, self._keys = folder, keys
        self._made = 0

    async def store(self, *channels: str) -> tuple[Store, Village]:
        file, filled = self._filled.get(id(self._keys)) or await self._fill()
        self._made += 1
        path = self._folder / f"copy{self._made}.db"
        path.write_bytes(file)
        village = Village(dict(filled.people), dict(filled.elders))
        store = open_store(f"sqlite:///{path}", self._keys, uuid7(Random(self._made).randbytes))
        await store.run(lambda tx: bind(tx, village, channels or ("test",)))
        return store, village

    async def _fill(self) -> tuple[bytes, Village]:
        path = self._folder / "original.db"
        store = open_store(f"sqlite:///{path}", self._keys, uuid7(Random(0).randbytes))
        village = await store.run(lambda tx: settle(tx, self.visit_form))
        store.close()
        self._filled[id(self._keys)] = path.read_bytes(), village
        return self._filled[id(self._keys)]

    @cached_property
    def visit_form(self) -> Form:
        return todays_book().current["visit"]


@cache
def _todays_forms() -> tuple[Form, ...]:
    return tuple(books.from_folder().current.values())


def todays_book() -> FormBook:
    """A book of one's own of today's forms, which are read once."""
    return FormBook(_todays_forms())


def settle(tx: Tx, form: Form) -> Village:
    """Fills an empty store with the village."""
    opened = START - timedelta(days=60)
    policy = POLICIES
    township = areas.add(tx, None, "township", "云溪镇", opened)
    places = {"township": township, "village": areas.add(tx, township, "village", "建设村", opened),
              "other": areas.add(tx, township, "village", "河坝村", opened)}
    village = Village()
    for name, (_, roles, place) in PEOPLE.items():
        kind = "grid_worker" if "visitor" in roles else None
        village.people[name] = people.add(tx, places[place].id, name, roles, opened, kind).id
    village.people["钱进"] = people.add(  # not yet bound
        tx, places["village"].id, "钱进", ("visitor",), opened, "grid_worker").id
    wang, other = village.people["王强"], village.people["李军"]
    for name, group, sex, birth, categories, ability, grade, since in ELDERS:
        elder = NewElder(places["village"].id, group, name, initials(name), sex, birth, categories, ability, since,
                         disability_grade=grade, **(PRIVATE if name + group == "张桂芳3组" else {}))
        village.elders[name + group] = casework.register(tx, elder, policy, opened)
        assignments.entrust(tx, wang, village.elders[name + group], "visitor", FILED)
    next_door = NewElder(places["other"].id, "1组", "陈国清", initials("陈国清"), "male", "1950-01-01", ["left_behind"],
                         "intact", FILED)
    village.elders["陈国清1组"] = casework.register(tx, next_door, policy, opened)
    assignments.entrust(tx, other, village.elders["陈国清1组"], "visitor", FILED)
    assignments.entrust(tx, village.people["李娜"], village.elders["张桂芳3组"], "family", FILED)
    _earlier_visit(tx, village, form)
    return village


def bind(tx: Tx, village: Village, channels: tuple[str, ...]) -> None:
    """Gives everybody but 钱进 an account on these channels; the chat has the account's number."""
    for channel in channels:
        for name, (account, *_) in PEOPLE.items():
            accounts.bind(tx, channel, account, account, village.people[name], START - timedelta(days=1))


def _earlier_visit(tx: Tx, village: Village, form: Form) -> None:
    elder, day = village.elders["仇大山6组"], START - timedelta(days=13)
    given: dict[str, Any] = {"elder": elder, "day": day.date().isoformat(), **EARLIER}
    forms.keep(tx, form.hash, form.name, form.definition)
    entry = Entry(elder, form.hash, given["day"], "home", False,
                  {question: [value, millis(day), "tap"] for question, value in given.items()}, "")
    kept = casework.submit(tx, Scope(village.people["王强"], day.date()), entry, POLICIES, day)
    assert kept is not None


def find_account(name: str) -> str:
    """The account of somebody by name; a name that nobody has is a stranger's."""
    return PEOPLE[name][0] if name in PEOPLE else PHONES.get(name, STRANGER)


def name_of(account: str) -> str:
    """Who has this account."""
    known = {number: name for name, (number, *_) in PEOPLE.items()} | {number: name for name, number in PHONES.items()}
    return known.get(account, account)


def elder_called(store_tx: Tx, village: Village, name: str) -> elders.Elder:
    """An elder as the coordinator sees him now."""
    found = elders.find(store_tx, Scope(village.people["赵敏"], START.date()), village.elders[name])
    assert found is not None
    return found
