"""What is wrong with one cell of a ledger."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
