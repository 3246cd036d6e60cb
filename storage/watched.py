"""A unit of work's hands that also count what they touch: for dry runs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.sql.dml import Delete, Insert, UpdateBase
from sqlalchemy.sql.expression import ClauseElement

from storage.database import Tx

_DONE = ((Insert, "added"), (Delete, "deleted"))


class Watched(Tx):
    """Works on another `Tx`; `touched` counts rows by what was done to which table (`elders changed`)."""

    def __init__(self, tx: Tx) -> None:
        super().__init__(tx._cursor, tx._statements, tx.keys, tx.new_id, tx.random_bytes)
        self.touched: Counter[str] = Counter()

    def run(self, statement: ClauseElement, **values: Any) -> int:
        count = super().run(statement, **values)
        self._count(statement, count)
        return count

    def many(self, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> None:
        super().many(statement, rows)
        self._count(statement, len(rows))

    def _count(self, statement: ClauseElement, count: int) -> None:
        if isinstance(statement, UpdateBase) and count > 0:
            done = next((word for kind, word in _DONE if isinstance(statement, kind)), "changed")
            self.touched[f"{statement.table} {done}"] += count
