"""One inbound thing, one unit of work: commit first, then acknowledge, then send."""

from collections.abc import Callable
from datetime import datetime

import orjson
import structlog

from bot.channels.base import Answer, Beside, Now
from bot.delivery import Delivery
from bot.logs import where
from bot.marks import Sent
from bot.metrics import turns
from conversations import in_group, router
from conversations.engine import Part
from conversations.message import Inbound
from conversations.turn import House
from storage import accounts, inbox, outbox
from storage.database import Store, StoreUnavailable, Tx
from storage.outbox import Outgoing

log = structlog.get_logger()

Turned = tuple[Outgoing | None, tuple[Part, ...]]  # the answer's row, and what is said
APOLOGY: tuple[Part, ...] = (("menu.trouble", {}),)


def _nothing(tx: Tx) -> None:
    """Where a channel has nothing to write beside a turn."""


class Dispatch:
    """Takes what channels parsed. `handle` returns once everything is on disk."""

    def __init__(self, store: Store, house: House, delivery: Delivery, now: Now) -> None:
        self._store = store
        self._house = house
        self._delivery = delivery
        self._now = now

    async def handle(self, inbound: Inbound) -> None:
        """Stores the turn; its answer is on the way. Raises StoreUnavailable when nothing was kept."""
        if inbound.chat_kind == "group" and not in_group.concerns(inbound):
            return
        row, said = await self._taken(inbound, _nothing)
        if row is not None:
            self._delivery.send_soon(row)
        if inbound.choice:
            self._delivery.settle_soon(inbound, said)

    async def answer(self, inbound: Inbound, beside: Beside = _nothing) -> Answer | None:
        """As `handle`, for a channel that carries the answer itself, in the reply to the request that came in.

        What came before gets the answer that was kept for it; None: there is nothing to say. `beside` writes what the
        channel must remember of it, in the same unit of work.
        """
        row, _ = await self._taken(inbound, beside)
        if row is not None:
            return await self._delivery.carry(row, own=True)
        kept = await self._store.read(lambda tx: outbox.answer(tx, inbound.channel, inbound.dedupe_key))
        return await self._delivery.carry(kept, own=False) if kept is not None else None

    async def _taken(self, inbound: Inbound, beside: Beside) -> Turned:
        now = self._now()
        key = f"{inbound.channel}:{inbound.chat}"
        marks = self._delivery.marks.take()
        try:
            row, said = await self._store.run(lambda tx: self._turn(tx, inbound, now, marks, beside), key)
        except StoreUnavailable:
            self._delivery.marks.give_back(marks)
            turns(inbound.channel, "unavailable").inc()
            raise
        except Exception as error:  # a fault of ours must not stop the queue: say so, keep nothing of the turn
            log.error("turn failed", channel=inbound.channel, error=type(error).__name__, where=where(error))
            turns(inbound.channel, "failed").inc()
            self._delivery.marks.give_back(marks)
            return await self._store.run(lambda tx: _once(tx, inbound, now, lambda: APOLOGY, beside), key)
        turns(inbound.channel, "done" if row else "silent").inc()
        return row, said

    def _turn(self, tx: Tx, inbound: Inbound, now: datetime, marks: Sent, beside: Beside) -> Turned:
        if marks:
            outbox.sent(tx, marks, now)
        return _once(tx, inbound, now, lambda: router.answer(self._house, tx, inbound, now), beside)


def _once(tx: Tx, inbound: Inbound, now: datetime, say: Callable[[], tuple[Part, ...]], beside: Beside,
          ) -> Turned:
    """Takes the inbound thing and keeps its answer; no row where it came before, there is nothing to say, or who did
    it in a group has no chat with us. What is said to something done in a group goes to that chat, never to the group.
    """
    answer_id = tx.new_id(now)
    if not inbox.take(tx, inbound.channel, inbound.dedupe_key, _body(inbound), answer_id, now):
        return None, ()  # its answer stands in the outbox, sent or on its way
    beside(tx)
    said = say()
    private = inbound.chat_kind == "private"
    chat = inbound.chat if private else accounts.chat_of(tx, inbound.channel, inbound.account)
    if not said or chat is None:
        return None, said
    edits = inbound.source if router.edits_in_place(inbound, said) else ""
    row = Outgoing(answer_id, inbound.channel, chat, "reply", "reply", {"parts": said, "edits": edits})
    outbox.add(tx, row, now, leased=True)
    return row, said


def _body(inbound: Inbound) -> bytes:
    """What was said, as it is kept (sealed)."""
    return orjson.dumps([inbound.account, inbound.chat, inbound.text, inbound.choice])
