"""A unit of work's hands that also keep what they did: for dry runs, and for whoever watches a tick."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy.sql.dml import Delete, Insert, UpdateBase
from sqlalchemy.sql.expression import ClauseElement

from storage.database import Tx
from storage.ids import instant
from storage.outbox import Outgoing
from storage.tables import outbox

_DONE = ((Insert, "added"), (Delete, "deleted"))


class Watched(Tx):
    """Works on another `Tx`. `touched` counts rows by what was done to which table (`elders changed`).

    Rows added to the outbox are kept in `told` instead, each with the time at which it may leave. `made` are the ids
    that were given out; what is noted goes on the other's audit chain.
    """

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx._cursor, tx._statements, tx.keys, self._make, tx.random_bytes)
        self._tx = tx
        self.audited = tx.audited
        self._noted = len(tx.audited)
        self.touched: Counter[str] = Counter()
        self.told: list[tuple[Outgoing, datetime]] = []
        self.made: set[str] = set()

    @property
    def noted(self) -> list[str]:
        """A line for each of the audit chain: ids made on the way are only `new`, as they differ from run to run."""
        return [" ".join((line.action, "new" if line.subject in self.made else line.subject, *line.fields))
                for line in self.audited[self._noted:]]

    def run(self, statement: ClauseElement, **values: Any) -> int:
        count = super().run(statement, **values)
        self._keep(statement, count, values)
        return count

    def many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> None:
        if isinstance(statement, Insert) and statement.table is outbox:
            for row in rows:  # one by one: some may be there already
                self.run(statement, **row)
            return
        super().many(statement, rows)
        self._keep(statement, len(rows), {})

    def note(self, now: datetime, actor: str, action: str, subject: str, fields: Sequence[str] = ()) -> None:
        self._tx.note(now, actor, action, subject, fields)

    def _make(self, now: datetime) -> str:
        made = self._tx.new_id(now)
        self.made.add(made)
        return made

    def _keep(self, statement: ClauseElement, count: int, values: Mapping[str, Any]) -> None:
        if not isinstance(statement, UpdateBase) or count <= 0:
            return
        if isinstance(statement, Insert) and statement.table is outbox and "fields" in values:
            fields = orjson.loads(self.keys.open(values["fields"], "outbox.fields", values["id"]))
            row = Outgoing(values["id"], values["channel"], values["chat"], values["lane"], values["kind"], fields)
            self.told.append((row, instant(values["not_before"])))
            return
        done = next((word for kind, word in _DONE if isinstance(statement, kind)), "changed")
        self.touched[f"{statement.table} {done}"] += count
