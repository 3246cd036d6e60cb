"""What reading a ledger finds: rows that are right, and faults that name what is not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from conversations.documents.id_number import Sex
from conversations.documents.ledger_fields import Ability, Economic


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One elder as the ledger has him, all cells right. `area` is the village's id, its names are the known ones.

    `disability_grade` counts from 1, the gravest; `income` is whole yuan a month; phones are digits only. `number` is
    the file's in its village, told only where neither an ID number nor a birth date says who he is.
    The repr names the place only: the rest is personal.
    """

    sheet: str
    line: int
    area: str
    township: str
    village: str
    group: str | None = field(repr=False)
    name: str = field(repr=False)
    sex: Sex | None = field(repr=False)
    birth: date | None = field(repr=False)
    id_number: str | None = field(repr=False)
    phone: str | None = field(repr=False)
    emergency_name: str | None = field(repr=False)
    emergency_phone: str | None = field(repr=False)
    address: str | None = field(repr=False)
    at_registered_residence: bool | None = field(repr=False)
    categories: tuple[str, ...] = field(repr=False)
    disability_certificate: str | None = field(repr=False)
    disability_grade: int | None = field(repr=False)
    ability: Ability | None = field(repr=False)
    illnesses: str | None = field(repr=False)
    economic: Economic | None = field(repr=False)
    income_source: str | None = field(repr=False)
    income: int | None = field(repr=False)
    last_visit: date | None = field(repr=False)
    visits_before: int = field(repr=False)
    registered_on: date | None = field(repr=False, default=None)
    wish: str | None = field(repr=False, default=None)
    number: int | None = None
    annex: Mapping[str, object] = field(repr=False, default_factory=dict)  # what else annex 2 asks, as facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with one cell, where, and why (`reason`, a key of words/ledger.toml, filled by `details`).

    `line` and `column_number` count from 1 as a spreadsheet shows them; `column_number` is None where the sheet
    has no such column, `line` is 0 for a whole sheet. A `warning` does not keep its row out.
    `value` and `details` may be personal: they belong in the importer's report, never in a log.
    """

    sheet: str
    line: int
    column: str
    column_number: int | None
    value: str = field(repr=False)
    reason: str
    details: Mapping[str, str | int] = field(repr=False, default_factory=dict)
    warning: bool = False
