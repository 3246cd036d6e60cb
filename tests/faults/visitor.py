"""A visitor who taps and types through whole visits, whatever is shown: a question again, an old one, the menu."""

import asyncio
import re
import zlib
from dataclasses import dataclass, field

from tests.fakes.telegram_api import FakeTelegram
from tests.fakes.telegram_people import Person, Shown

# what a question is known by, and what is typed; the rest is tapped
TYPED = {"哪里不安全": "插座松动", "是什么方式": "请邻居带话", "增加了几个人": "2个人", "减少了几个人": "1个人",
         "是什么病": "高血压"}
CARE = "今天做了些什么"  # what is typed here is never the same twice: by it a visit is known
LABELS = {
    "探访的是哪一位": "", "有什么需要帮忙": "没有", "有什么建议": "跳过", "不要告诉子女": "都可以告诉",
    "老人怎么签字": "以姓名确认", "这个评价是谁说的": "老人自己", "这个隐患告诉老人了吗": "已告知"}
_NUMBER = re.compile(r"第 (\d+) 次探访")
_OPTION = re.compile(r"\.(\d+)\.(\d+)$")


@dataclass
class Visitor:
    """`visits` are the ids of visits that he was told are kept, with their numbers; `given` is what he tapped, by the
    draft's tag and the question's place; `typed` are his own words."""

    fake: FakeTelegram
    person: Person
    patience: float = 30.0  # seconds that he waits for what comes next
    visits: dict[str, int] = field(default_factory=dict)
    given: dict[tuple[str, int], int] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    diary: list[str] = field(default_factory=list)  # what he saw and did, for a failing test's message
    idle: bool = True  # no visit is under way
    answered: str = ""  # the place that he reacted to last
    acted: int = 0  # the fake's count of changes when he last did something

    async def begins(self, token: str) -> None:
        """Binds his account by the invitation."""
        await self._says(f"/start {token}")
        assert "绑定好了" in (await self.next()).text
        self.idle = True

    async def next(self) -> Shown:
        """What the bot last sent or edited that has buttons, once that was since he last did anything."""
        chat = self.person.private
        try:
            async with asyncio.timeout(self.patience):
                while True:
                    changed = chat.changed
                    asked = [message for message in chat.messages.values() if message.by_bot and message.keyboard]
                    newest = max(asked, key=lambda message: message.change, default=None)
                    if newest is not None and newest.change > self.acted:
                        return newest
                    await changed.wait()
        except TimeoutError:
            raise AssertionError(f"nothing more was asked of {chat.id}: {self.diary[-12:]}") from None

    async def logs_visits(self, enough: asyncio.Event, least: int = 0) -> None:
        """One visit after another until `enough`; the one under way is brought to its end, and any put aside."""
        while len(self.visits) < least or not enough.is_set():
            await self.logs_visit()
        await self.finishes()

    async def logs_visit(self) -> str:
        """From wherever he is to one more kept visit; gives its id."""
        before = len(self.visits)
        if self.idle:
            await self._says("/visit")
        while len(self.visits) == before:
            await self.reacts(await self.next())
        return list(self.visits)[-1]

    async def finishes(self) -> None:
        """Takes up what was put aside by a repeated message, until nothing is left unfinished."""
        await self._says("你好")
        while True:
            shown = await self.next()
            if "今天要做什么" not in shown.text:
                await self.reacts(shown)
                if self.idle:
                    await self._says("你好")
            elif unfinished := next((label for label in shown.labels if "接着填" in label), ""):
                await self._taps(shown, unfinished)
            else:
                return

    async def reacts(self, shown: Shown) -> None:
        """Does what a visitor does when he sees this."""
        text = shown.text
        self.diary.append(f"sees {text[-60:]!r}")
        assert "出了点小问题" not in text and "显示不了" not in text, "a turn failed"
        kept, place = _kept(shown), _place(shown)
        if place == self.answered or kept in self.visits:  # shown again: what he did there is on its way
            self.acted = shown.change
            return
        self.answered = place
        if kept:
            number = _NUMBER.search(text)
            assert number, text
            self.visits[kept] = int(number[1])
            self.acted, self.idle = shown.change, True
        elif "什么时候都可以发" in text:  # the help: what stood there before follows
            self.acted = shown.change
        elif "请核对" in text:
            await self._taps(shown, "提交")
        elif CARE in text:
            self.typed.append(f"打扫卫生{self.person.id}次{len(self.typed)}")
            await self._says(self.typed[-1])
        elif "提交过了" in text:
            await self._says("你好")
        elif typed := next((words for part, words in TYPED.items() if part in text), ""):
            await self._says(typed)
        elif any(label.endswith("上门探访") and data.startswith("/visit") for label, data in _buttons(shown)):
            await self._taps(shown, next(label for label in shown.labels if label.endswith("上门探访")))
        elif "探访的是哪一位" in text:
            people = [label for label in shown.labels if "建设村" in label]
            await self._taps(shown, people[len(self.typed) % len(people)])
        elif wanted := next((label for part, label in LABELS.items() if part in text), ""):
            await self._taps(shown, next(label for label in shown.labels if wanted in label))
        else:
            options = [(label, data) for label, data in _buttons(shown) if _OPTION.search(data)]
            assert options, f"nothing to do here: {self.diary[-12:]} {shown.labels}"
            # the same question of the same draft always gets the same answer, so that a repeated one changes nothing
            place = options[0][1].rpartition(".")[0]
            await self._taps(shown, options[zlib.crc32(place.encode()) % len(options)][0])

    async def _says(self, text: str) -> None:
        self.diary.append(f"says {text}")
        self.acted, self.idle = self.fake.change, False
        await self.person.says(text)

    async def _taps(self, shown: Shown, label: str) -> None:
        data = next(data for text, data in _buttons(shown) if label in text)
        if option := _OPTION.search(data):
            self.given[data.partition(".")[0], int(option[1])] = int(option[2])
        self.diary.append(f"taps {label} {data}")
        self.acted, self.idle = self.fake.change, False
        await self.person.taps_old(shown.message_id, label, data)


def _buttons(shown: Shown) -> list[tuple[str, str]]:
    return [(button["text"], button.get("callback_data", "")) for row in shown.keyboard for button in row]


def _kept(shown: Shown) -> str:
    """The id of the visit that this message says is kept."""
    if "已记下" not in shown.text:
        return ""
    prints = "/printvisit "
    return next((data.removeprefix(prints) for _, data in _buttons(shown) if data.startswith(prints)), "")


def _place(shown: Shown) -> str:
    """Where a message stands: a draft's question, or for a menu the message itself."""
    data = _buttons(shown)[0][1]
    return f"{shown.message_id} {data}" if data.startswith("/") else data.rpartition(".")[0]
