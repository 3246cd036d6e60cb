"""One cell of a ledger -> one value: what each kind of column takes, and how it refuses."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from conversations.documents import id_number, ledger_words
from conversations.documents.ledger_words import dense, pattern, plain, word

Cell = int | float | str | bool | date | datetime | time | timedelta
Ability = Literal["intact", "mild", "moderate", "severe", "total"]
Economic = Literal["extreme_poverty", "minimum_living", "minimum_living_edge", "ordinary"]
YearMonth = tuple[int, int | None]

_EXACT_BELOW = 10**15  # Excel keeps 15 digits of a number
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?e\+?\d{2}", re.IGNORECASE)
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d\d)[2-9]\d{6,7}|[2-9]\d{6,7}")
_CJK = re.compile(r"[\u3400-\u9fff]")
_EPOCH = date(1899, 12, 30)
_DATE = pattern("date")
_YEAR_MONTH = pattern("year_month")
_MONEY = pattern("money")
_VISITS = pattern("visits")
_GRADE = pattern("disability_grade")
_SEPARATORS = pattern("separators")


class Refused(ValueError):
    """A cell that cannot be taken: `reason` is a key of words/ledger.toml, `details` fill its blanks."""

    def __init__(self, reason: str, **details: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details: Mapping[str, str | int] = details


def shown(cell: Cell | None) -> str:
    """The cell's text about as a spreadsheet shows it."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, int | float) and abs(cell) >= _EXACT_BELOW:
        return f"{cell:.5E}"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else f"{cell:.12g}"
    if isinstance(cell, datetime):
        return cell.isoformat(" ") if cell.time() != time() else cell.date().isoformat()
    return str(cell)


def text(cell: Cell) -> str | None:
    """Free text; None where the cell only says that there is nothing."""
    found = shown(cell)
    return None if word(found) in ledger_words.NOTHING else found


def answered(cell: Cell) -> str | None:
    """Free text in which 无 is an answer: none of it, and not that nobody has asked."""
    found = shown(cell)
    return found if word(found) in ledger_words.NO_MONEY else text(cell)


def chosen(table: Mapping[str, str], refusal: str) -> Callable[[Cell], str]:
    """Takes the words of one table of values; anything else is refused with this reason."""

    def parse(cell: Cell) -> str:
        if found := table.get(word(shown(cell))):
            return found
        raise Refused(refusal)

    return parse


def full_day(refusal: str) -> Callable[[Cell], date]:
    """Takes a date with its day; anything else is refused with this reason."""

    def parse(cell: Cell) -> date:
        found = day(cell, refusal)
        if not isinstance(found, date):
            raise Refused(refusal)
        return found

    return parse


def name(cell: Cell) -> str:
    """A person's name, without the spaces that are set between its characters for looks."""
    found = plain(shown(cell))
    if (
        not 1 <= len(found) <= 50
        or any(each.isdigit() for each in found)
        or word(found) in ledger_words.NOTHING
    ):
        raise Refused("name_wrong")
    return dense(found) if _CJK.search(found) else found


def sex(cell: Cell) -> id_number.Sex:
    match ledger_words.SEX.get(word(shown(cell))):
        case "male":
            return "male"
        case "female":
            return "female"
    raise Refused("sex_unknown")


def identity(cell: Cell) -> tuple[str, id_number.Holder]:
    """The ID number, upper case and without spaces, and what it says of its holder."""
    number = _digits_kept(cell, "id_number_rounded").upper()
    try:
        return number, id_number.read(number)
    except id_number.BadIdNumber as bad:
        raise Refused(f"id_number_{bad.reason}", length=len(number)) from None


def certificate(cell: Cell) -> str | None:
    number = _digits_kept(cell, "certificate_rounded").upper()
    return None if word(number) in ledger_words.NOTHING else number


def _digits_kept(cell: Cell, lost: str) -> str:
    number = dense(shown(cell)).strip("'`").replace("-", "")
    if _SCIENTIFIC.fullmatch(number):
        raise Refused(lost)
    return number


def phone(cell: Cell) -> str | None:
    """Digits only: a mobile number, or a landline with or without its area code; None for 无."""
    found = dense(shown(cell))
    if word(found) in ledger_words.NOTHING:
        return None
    digits = re.sub(r"[-()—]", "", found)
    digits = re.sub(r"^(?:\+86|0086|86(?=1\d{10}$))", "", digits)
    if not (_MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits)):
        raise Refused("phone_wrong")
    return digits


def yes_no(cell: Cell) -> bool:
    match ledger_words.YES_NO.get(word(shown(cell))):
        case "yes":
            return True
        case "no":
            return False
    raise Refused("yes_no_unknown")


def ticked(cell: Cell, value: str) -> bool:
    """Whether a column for one `value` is ticked; the value's own word in it counts as a tick."""
    own = ledger_words.ticked_column(shown(cell))
    return True if own and own[1] == value else yes_no(cell)


def categories(cell: Cell) -> tuple[str, ...]:
    """The categories that a cell names, in the cell's order, each once; boxes left empty do not count."""
    whole = plain(shown(cell))
    if found := ledger_words.category(whole):
        return (found,)
    if word(whole) in ledger_words.NOTHING:
        return ()
    boxes = ledger_words.BOXES_TICKED + ledger_words.BOXES_EMPTY
    spaced = re.sub(f"([{boxes}])\\s*", r" \1", re.sub(r"\([^()]*\)", " ", whole))
    kept: dict[str, None] = {}
    for piece in filter(None, _SEPARATORS.split(spaced)):
        if piece[0] in ledger_words.BOXES_EMPTY:
            continue
        found = ledger_words.category(piece.lstrip(ledger_words.BOXES_TICKED))
        if found is None:
            raise Refused("category_unknown", word=piece)
        kept[found] = None
    return tuple(kept)


def ability(cell: Cell) -> Ability | None:
    found = word(shown(cell))
    match ledger_words.ABILITY.get(found):
        case "intact":
            return "intact"
        case "mild":
            return "mild"
        case "moderate":
            return "moderate"
        case "severe":
            return "severe"
        case "total":
            return "total"
    if found in ledger_words.NOTHING:
        return None
    raise Refused("ability_unknown")


def disability_grade(cell: Cell) -> int | None:
    """1 (the gravest) to 4, also out of a text such as 肢体二级; None for 无."""
    found = dense(shown(cell))
    if word(found) in ledger_words.NOTHING:
        return None
    inside = set(_GRADE.findall(found)) or {found}
    grades = {ledger_words.DISABILITY_GRADE.get(word(each)) for each in inside}
    grade = grades.pop()
    if grade is None or grades:
        raise Refused("disability_grade_unknown")
    return int(grade)


def economic(cell: Cell) -> Economic:
    match ledger_words.ECONOMIC.get(word(shown(cell))):
        case "extreme_poverty":
            return "extreme_poverty"
        case "minimum_living":
            return "minimum_living"
        case "minimum_living_edge":
            return "minimum_living_edge"
        case "ordinary":
            return "ordinary"
    raise Refused("economic_unknown")


def income(cell: Cell) -> int | None:
    """Whole yuan a month, rounded; 0 where the cell says that there is none."""
    found = dense(shown(cell))
    if word(found) in ledger_words.NO_MONEY:
        return 0
    if word(found) in ledger_words.NOTHING:
        return None
    match = _MONEY.fullmatch(found)
    if isinstance(cell, bool) or not match:
        raise Refused("income_unreadable")
    return int(Decimal(match["yuan"].replace(",", "")).quantize(Decimal(1), ROUND_HALF_UP))


def visits(cell: Cell) -> int:
    match = _VISITS.fullmatch(dense(shown(cell)))
    if isinstance(cell, bool) or not match:
        raise Refused("visits_before_wrong")
    return int(match["visits"])


def file_number(cell: Cell) -> int | None:
    """The number of a file; None for whatever else somebody keeps under such a header."""
    found = dense(shown(cell))
    return int(found) if found.isascii() and found.isdigit() and len(found) < 7 else None


def day(cell: Cell, unreadable: str) -> date | YearMonth:
    """A date out of a real date, a serial number or text; (year, month or None) where the day is missing."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, bool | time | timedelta):
        raise Refused(unreadable)
    found = plain(shown(cell))
    try:
        if found.isascii() and found.isdigit() and len(found) == 8:
            return date(int(found[:4]), int(found[4:6]), int(found[6:]))
        if match := _DATE.fullmatch(dense(found)) or _DATE.fullmatch(found):
            return date(int(match["year"]), int(match["month"]), int(match["day"]))
        if match := _YEAR_MONTH.fullmatch(dense(found)):
            year, month = int(match["year"]), match["month"]
            if 1850 <= year <= 2100 and (month is None or 1 <= int(month) <= 12):
                return _year_month(cell, year, month)
        if 2100 < (serial := float(found)) < 80_000:  # 1905-10-01 to 2119
            return _EPOCH + timedelta(days=int(serial))
    except ValueError:
        pass
    raise Refused(unreadable)


def _year_month(cell: Cell, year: int, month: str | None) -> YearMonth:
    # 1945.1 as a number is January or October (1945.10): only its year is sure.
    return year, None if month is None or (isinstance(cell, float) and month == "1") else int(month)
