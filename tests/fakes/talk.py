"""People of the made-up village in one chat each, for tests that ask and look rather than tell a whole story."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from scheduler import alerting
from storage import alerts, elder_files, tables
from storage.alerts import Alert
from storage.crypto import Keys
from storage.database import Tx
from tests.conversations.transcript import InMemory
from tests.fakes.house import Originals, Recorder, Running, Shown, find_account


@dataclass
class Talk:
    """`elders` are called as in the village: 张桂芳3组."""

    stage: InMemory
    accounts: dict[str, str] = field(default_factory=dict)  # of people that a test adds

    @property
    def running(self) -> Running:
        return self.stage.running

    async def asked(self, who: str, *texts: str, **fields: Any) -> Shown:
        """The answer to the last of them; one that begins with / is a button, `fields` go with each."""
        account = self.accounts.get(who) or find_account(who)
        for text in texts or ("",):
            self.running.later()
            given = {"choice": text} if text.startswith("/") else {"text": text}
            await self.running.handle(self.stage._inbound(account, given | fields))
            await self.running.delivery.settle()
        return self.last(who)

    def last(self, who: str) -> Shown:
        return self.stage._recorder.sent[self.accounts.get(who) or find_account(who)][-1]

    async def told(self) -> dict[str, list[str]]:
        """What everybody is sent of what waits."""
        got: dict[str, list[str]] = {}
        for who, shown in await self.stage.sweep():
            got.setdefault(who, []).append(shown.text)
        return got

    async def alarm(self, elder: str, kind: str, by: str | None = None, **more: Any) -> Alert:
        """An alert on this elder, raised in somebody's name; gives it."""
        village = self.running.village

        def work(tx: Tx) -> Alert:
            number = alerting.raise_alert(tx, village.elders[elder], kind, "person", village.people[by] if by else None,
                                          self.running.policies, self.running.now(), **more)
            found = alerts.running_numbered(tx, number)
            assert found is not None
            return found
        return await self.running.store.run(work)

    async def file_says(self, elder: str, **facts: str) -> None:
        """The elder's file holds these facts too."""
        elder_id = self.running.village.elders[elder]

        def work(tx: Tx) -> None:
            file = elder_files.unscoped(tx, elder_id)
            assert file is not None
            sealed = tx.keys.seal(orjson.dumps({**file.facts, **facts}), "elders.facts", elder_id)
            tx.run(tables.elders.update().where(tables.elders.c.id == elder_id).values(facts=sealed))
        await self.running.store.run(work)

    async def now(self, alert: Alert) -> Alert:
        found = await self.running.store.read(lambda tx: alerts.unscoped(tx, alert.id))
        assert found is not None
        return found


@asynccontextmanager
async def talking(folder: Path, keys: Keys, *, abroad: bool = False) -> AsyncIterator[Talk]:
    """The village on a channel that records."""
    store, village = await Originals(folder, keys).store()
    recorder = Recorder(abroad=abroad)
    try:
        yield Talk(InMemory(Running(store, village, recorder), recorder))
    finally:
        store.close()


def labels(shown: Shown) -> list[str]:
    """What stands on the buttons, without their numbers."""
    return [label.partition(" ")[2] for row in shown.buttons for label, _ in row]


def token(shown: Shown, label: str) -> str:
    """What the button of this label, or of a part of it, sends."""
    return next(token for row in shown.buttons for text, token in row if label in text)
