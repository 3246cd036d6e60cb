"""What has left, until the outbox says so: losing a mark may repeat a message, never drop one."""

from collections.abc import Callable, Sequence
from datetime import datetime

from conversations import menus
from conversations.engine import Part
from storage import outbox
from storage.database import Store, StoreUnavailable, T, Tx
from storage.outbox import Outgoing

Sent = list[tuple[str, str]]  # id of an outbox row, and the channel's handle of the sent message


class Marks:
    """Marks ride on the next turn's transaction, or on that of the next round of reminders.

    With them are kept the buttons of notices, so that the numbers on these can be typed, as those of an answer can;
    not by turns, which would wait for each other where they wrote what is somebody else's.
    """

    def __init__(self) -> None:
        self._sent: Sent = []
        self._told: list[tuple[Outgoing, Sequence[Part]]] = []

    def left(self, row: Outgoing, handle: str, parts: Sequence[Part] = ()) -> None:
        """A row has left; `parts` is what a notice said."""
        self._sent.append((row.id, handle))
        if any("buttons" in fields for _, fields in parts):
            self._told.append((row, parts))

    def take(self) -> Sent:
        """The marks that wait, for the caller to write with its own work, or to give back."""
        sent, self._sent = self._sent, []
        return sent

    def give_back(self, sent: Sent) -> None:
        """They could not be written: the next one takes them."""
        self._sent = sent + self._sent

    def __bool__(self) -> bool:
        return bool(self._sent or self._told)

    async def written(self, store: Store, now: datetime, work: Callable[[Tx], T], *, patient: bool) -> T:
        """Writes all that waits, and does the work with the same commit. Raises StoreUnavailable, and keeps them."""
        sent, (told, self._told) = self.take(), (self._told, [])

        def both(tx: Tx) -> T:
            if sent:
                outbox.sent(tx, sent, now)
            for row, parts in told:
                menus.keep_notice(tx, row.channel, row.chat, tuple(parts))
            return work(tx)

        try:
            return await store.run(both, patient=patient)
        except StoreUnavailable:
            self.give_back(sent)
            self._told = told + self._told
            raise
