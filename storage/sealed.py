"""Where sealed values stand, and how each names its row: every LargeBinary column of every table, none left out.

The label of a value is `table.column`; its row id is the row's key, several columns joined by a colon. Blind
indexes and the audit chain have keys of their own, which are not sealing keys: they are not rotated.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    LargeBinary,
    Select,
    Table,
    Update,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from storage import tables

FEW, MANY = 8, 300  # rows in one unit of work: where a value may have megabytes, and elsewhere


@dataclass(frozen=True, slots=True)
class Sealed:
    """One table with sealed columns. The statements page through it by its key."""

    table: Table
    key: tuple[str, ...]  # the columns that make the row id, in its order; they are the primary key as well
    chunk: int = MANY

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.table.c if isinstance(column.type, LargeBinary))

    def label(self, column: str) -> str:
        return f"{self.table.name}.{column}"

    def page(self) -> Select[Any]:
        """Key and sealed values of the rows after a key (`after_0` …), in order of the key; `count` of them."""
        keys = [self.table.c[name] for name in self.key]
        after: list[BindParameter[str]] = [bindparam(f"after_{n}", type_=key.type) for n, key in enumerate(keys)]
        later: ColumnElement[bool] = keys[0] > after[0] if len(keys) == 1 else tuple_(*keys) > tuple_(*after)
        return select(*keys, *(self.table.c[name] for name in self.columns)).where(later).order_by(*keys).limit(
            bindparam("count"))

    def replacing(self, column: str) -> Update:
        """Puts `new` in the place of `old`, where it still stands there."""
        this = [self.table.c[name] == bindparam(f"this_{n}") for n, name in enumerate(self.key)]
        return update(self.table).where(and_(*this, self.table.c[column] == bindparam("old"))).values(
            {column: bindparam("new")})

    def not_under(self) -> Select[Any]:
        """One row, where a value of the table is not sealed under the key whose `prefix` (`id:`) is given."""
        prefix: BindParameter[bytes] = bindparam("prefix", type_=LargeBinary())
        others = [func.substr(self.table.c[name], 1, bindparam("length")) != prefix for name in self.columns]
        return select(literal(1)).select_from(self.table).where(or_(*others)).limit(1)


SEALED: Sequence[Sealed] = (
    Sealed(tables.accounts, ("channel", "account")),
    Sealed(tables.elders, ("id",)),
    Sealed(tables.visits, ("id",)),
    Sealed(tables.people, ("id",)),
    Sealed(tables.contacts, ("id",)),
    Sealed(tables.requests, ("id",)),
    Sealed(tables.needs, ("id",)),
    Sealed(tables.alerts, ("id",)),
    Sealed(tables.groups, ("id",)),
    Sealed(tables.alert_media, ("id",)),
    Sealed(tables.platform_tokens, ("name",)),
    Sealed(tables.device_events, ("id",)),
    Sealed(tables.drafts, ("id",)),
    Sealed(tables.media, ("id",), FEW),
    Sealed(tables.inbox, ("channel", "dedupe_key")),
    Sealed(tables.outbox, ("id",)),
    Sealed(tables.proposals, ("id",)),
    Sealed(tables.files, ("id",), FEW),
    Sealed(tables.jobs, ("id",)),
    Sealed(tables.phone_messages, ("id",), FEW * 4),  # a message may have a file in it
)
