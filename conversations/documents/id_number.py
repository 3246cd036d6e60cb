"""The Chinese ID number (GB 11643): what it says of its holder, and what is wrong with it."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Sex = Literal["male", "female"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_SHAPE = re.compile(r"[0-9]{17}[0-9X]")
# GB/T 2260 province codes, and those of residence permits (81-83) and foreigners' cards (91). County codes
# come and go and stay in the numbers of those who were born there, so nothing finer is judged.
_PROVINCES = frozenset(
    {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46}
    | {50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83, 91}
)


class BadIdNumber(ValueError):
    """`reason`: old, length, characters, date or checksum. The number itself stands nowhere in it."""

    def __init__(self, reason: Literal["old", "length", "characters", "date", "checksum"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Holder:
    """What a right ID number says; `area_known` is a hint only, never a reason to refuse a number."""

    birth: date
    sex: Sex
    area_known: bool


def check_digit(first_17: str) -> str:
    """The 18th character (ISO 7064 MOD 11-2) of a number's first 17 digits."""
    return _CHECKS[sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True)) % 11]


def read(number: str) -> Holder:
    """Reads a number of 18 characters, upper case and without spaces; raises BadIdNumber."""
    if len(number) == 15 and number.isascii() and number.isdigit():
        raise BadIdNumber("old")
    if len(number) != 18:
        raise BadIdNumber("length")
    if not _SHAPE.fullmatch(number):
        raise BadIdNumber("characters")
    try:
        birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        raise BadIdNumber("date") from None
    if check_digit(number[:17]) != number[17]:
        raise BadIdNumber("checksum")
    return Holder(birth, "male" if int(number[16]) % 2 else "female", int(number[:2]) in _PROVINCES)
