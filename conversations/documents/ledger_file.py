"""Opens a spreadsheet that somebody sent: .xlsx or .xls, or a reason why it cannot be read."""

import io
import re
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from python_calamine import CalamineWorkbook

from conversations.documents import ledger_trial

MOST_BYTES = 500 * 2**20  # of an .xlsx, unpacked
MOST_CELLS = 6_000_000  # the reader keeps a sheet as a full rectangle, some 30 bytes a cell

_LONGEST = 120  # seconds
_CHUNK = 2**20
_OVERLAP = 512
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED_PART = "EncryptedPackage".encode("utf-16le")
# A cell that holds something; one that only carries a style closes itself and takes no room.
_CELL = re.compile(rb'<(?:\w+:)?c\s[^<>]*?\br="([A-Z]{1,3})(\d{1,7})"[^<>]*(?<!/)>')


class Unreadable(Exception):
    """A file that is no ledger: `reason` is a key of `[unreadable]` in words/ledger.toml."""

    def __init__(self, reason: str, **details: str | int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.details: Mapping[str, str | int] = details


def open_workbook(source: Path | str | bytes) -> CalamineWorkbook:
    """The workbook of a path or of a file's bytes; raises Unreadable, OSError where the path is not there."""
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    if not content:
        raise Unreadable("empty")
    if content.startswith(_OLE) and _ENCRYPTED_PART in content:
        raise Unreadable("encrypted")
    if content.startswith(b"PK"):
        _weigh(content)
    _try(content)
    return CalamineWorkbook.from_filelike(io.BytesIO(content))


def _try(content: bytes) -> None:
    """Reads it first where a crash does no harm; what passes is safe to open here."""
    try:
        trial = subprocess.run(
            [sys.executable, "-I", ledger_trial.__file__],
            input=content,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # a crash there prints what the file holds
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unreadable("damaged") from None
    match trial.returncode:
        case ledger_trial.GOOD:
            return
        case ledger_trial.ENCRYPTED:
            raise Unreadable("encrypted")
        case ledger_trial.NO_SPREADSHEET:
            raise Unreadable("not_a_spreadsheet")
    raise Unreadable("damaged")


def _weigh(content: bytes) -> None:
    """Refuses what would fill the memory, before it is parsed: by size, or by one cell far from all others.

    Each part is unpacked in full: the sizes that a zip's directory claims may be false.
    """
    from openpyxl.utils import get_column_letter  # late: openpyxl takes 0.2 s to import

    total = cells = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_BYTES:
                raise Unreadable("too_large")
            for part in parts.infolist():
                size, width, height = _extent(parts, part)
                total, cells = total + size, cells + width * height
                if total > MOST_BYTES:
                    raise Unreadable("too_large")
                if cells > MOST_CELLS:
                    raise Unreadable("too_spread", cell=f"{get_column_letter(width)}{height}")
    except (zipfile.BadZipFile, zlib.error, struct.error, ValueError, OSError, EOFError, RuntimeError):
        raise Unreadable("not_a_spreadsheet") from None


def _extent(parts: zipfile.ZipFile, part: zipfile.ZipInfo) -> tuple[int, int, int]:
    """A part's unpacked size, and the last column and row in which it has a filled cell."""
    from openpyxl.utils import column_index_from_string  # late, as above

    size, last_row, columns, tail = 0, 0, {"A"}, b""
    with parts.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            found = _CELL.findall(tail + chunk)
            columns.update(column.decode() for column, _ in found)
            last_row = max(last_row, max((int(row) for _, row in found), default=0))
            tail = chunk[-_OVERLAP:]
    return size, max(map(column_index_from_string, columns)), last_row
