"""The people in front of the fake Telegram: what they see, say and tap."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.fakes.telegram_api import FakeTelegram


@dataclass
class Shown:
    """A message as it stands in a chat now. `keyboard_kind`: inline, reply, or "" for none."""

    message_id: int
    text: str
    keyboard: list[list[dict[str, Any]]] = field(default_factory=list)
    keyboard_kind: str = ""
    by_bot: bool = False
    document: tuple[str, bytes] | None = None
    change: int = 0  # counts the bot's sends and edits; 0 for what a person wrote

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.keyboard for button in row]


class Chat:
    """A private chat or a group: its visible messages, oldest first."""

    def __init__(self, fake: FakeTelegram, chat_id: int, kind: str, title: str) -> None:
        self.fake, self.id, self.kind, self.title = fake, chat_id, kind, title
        self.messages: dict[int, Shown] = {}
        self.known = kind != "private"  # a bot cannot write first to a person
        self.blocked = False
        self.moved_to: int | None = None
        self.seen = 0  # the last change before somebody in this chat acted
        self.changed = asyncio.Event()

    @property
    def private(self) -> bool:
        return self.kind == "private"

    def about(self) -> dict[str, Any]:
        name = "first_name" if self.private else "title"
        return {"id": self.id, "type": self.kind, name: self.title}

    def tell(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def newest(self, label: str) -> tuple[Shown, dict[str, Any]]:
        """The newest of the bot's messages with an inline button whose label is, or else contains, `label`."""
        for same in (True, False):
            for message in reversed(self.messages.values()):
                for button in (b for row in message.keyboard for b in row):
                    hit = button["text"] == label if same else label in button["text"]
                    if hit and "callback_data" in button:
                        return message, button
        raise AssertionError(f"no button {label!r} in chat {self.id}: {self.shown()}")

    def shown(self) -> str:
        return "\n".join(
            f"[{m.message_id}] {'bot' if m.by_bot else 'person'}: {m.text} {m.labels}"
            for m in self.messages.values()
        )

    async def sees(self, part: str, timeout: float = 10.0) -> Shown:
        """Waits for a message that the bot sent or edited since somebody here last acted, with `part` in it."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    changed = self.changed
                    for message in reversed(self.messages.values()):
                        if message.by_bot and message.change > self.seen and part in message.text:
                            return message
                    await changed.wait()
        except TimeoutError:
            raise AssertionError(f"{part!r} did not come in chat {self.id}:\n{self.shown()}") from None


class Person:
    """Somebody with a Telegram account. What he does goes to his chat with the bot, or to `group`."""

    def __init__(self, fake: FakeTelegram, account: int, name: str) -> None:
        self.fake, self.id, self.name = fake, account, name
        self.private = Chat(fake, account, "private", name)

    @property
    def chat(self) -> list[Shown]:
        """The visible messages of his chat with the bot, oldest first."""
        return list(self.private.messages.values())

    def about(self) -> dict[str, Any]:
        return {"id": self.id, "is_bot": False, "first_name": self.name, "language_code": "zh-hans"}

    def blocks(self) -> None:
        """Stops the bot, as in the menu of the chat; writing again ends it."""
        self.private.blocked = True

    async def sees(self, part: str, timeout: float = 10.0) -> Shown:
        return await self.private.sees(part, timeout)

    async def says(self, text: str, group: Chat | None = None) -> int:
        """Sends a text; all of these give the update's id."""
        return self._sends(group, {"text": text}, text)

    async def sends_photo(self, body: bytes = b"photo", caption: str = "", group: Chat | None = None) -> int:
        sizes = [
            {**self._file(body[:1]), "width": 90, "height": 67},
            {**self._file(body), "width": 1280, "height": 960},
        ]
        return self._sends(group, {"photo": sizes, **({"caption": caption} if caption else {})}, caption)

    async def sends_voice(self, body: bytes = b"voice", group: Chat | None = None) -> int:
        return self._sends(
            group, {"voice": {**self._file(body), "duration": 3, "mime_type": "audio/ogg"}}, ""
        )

    async def sends_document(self, body: bytes, name: str = "file.xlsx", size: int = 0, caption: str = "",
                             group: Chat | None = None) -> int:
        """Sends a file; `size` says that it is larger than it is."""
        file = self._file(body)
        document = {**file, "file_name": name, "file_size": size or file["file_size"],
                    "mime_type": "application/octet-stream"}
        return self._sends(group, {"document": document, **({"caption": caption} if caption else {})}, caption)

    async def sends_place(self, latitude: float, longitude: float, group: Chat | None = None) -> int:
        return self._sends(group, {"location": {"latitude": latitude, "longitude": longitude}}, "")

    async def sends_sticker(self, group: Chat | None = None) -> int:
        sticker = {**self._file(b"sticker"), "type": "regular", "width": 512, "height": 512}
        return self._sends(group, {"sticker": sticker}, "")

    async def sends_contact(self, group: Chat | None = None) -> int:
        return self._sends(group, {"contact": {"phone_number": "+10000000000", "first_name": "A"}}, "")

    async def taps(self, label: str, group: Chat | None = None) -> int:
        """Presses the newest inline button whose label is, or else contains, `label`."""
        chat = group or self.private
        return self._taps(chat, *chat.newest(label))

    async def taps_old(self, message_id: int, label: str, data: str = "", group: Chat | None = None) -> int:
        """Presses a button of a certain message; with `data`, one that stood there before an edit."""
        chat = group or self.private
        message = chat.messages[message_id]
        found = [b for row in message.keyboard for b in row if label in b["text"]]
        return self._taps(chat, message, {"callback_data": data} if data else found[0])

    def _taps(self, chat: Chat, message: Shown, button: dict[str, Any]) -> int:
        chat.seen = self.fake.change
        tap = self.fake.new_tap()
        return self.fake.emit(
            chat.id,
            "callback_query",
            {
                "id": tap,
                "from": self.about(),
                "message": self.fake.as_json(chat, message),
                "chat_instance": str(chat.id),
                "data": button["callback_data"],
            },
        )

    def _sends(self, group: Chat | None, content: dict[str, Any], text: str) -> int:
        chat = group or self.private
        chat.known, chat.blocked = True, False
        chat.seen = self.fake.change
        message = self.fake.add(chat, Shown(0, text))
        if text.startswith("/"):
            length = len(text.split()[0])
            content = {**content, "entities": [{"type": "bot_command", "offset": 0, "length": length}]}
        return self.fake.emit(
            chat.id,
            "message",
            {
                "message_id": message.message_id,
                "from": self.about(),
                "chat": chat.about(),
                "date": self.fake.clock(),
                **content,
            },
        )

    def _file(self, body: bytes) -> dict[str, Any]:
        file_id = self.fake.keep_file(body)
        return {"file_id": file_id, "file_unique_id": file_id, "file_size": len(body)}
