"""A file that is no ledger is refused with a reason, and cannot do harm."""

import io
import zipfile

import pytest

from conversations.documents import ledger_file
from tests.fakes.ledger_files import xls, xlsx
from tests.fakes.ledger_people import (
    HEADER,
    PERSON,
    refusal,
)


def _encrypted() -> bytes:
    """An OLE file as a password leaves it: its stream is named EncryptedPackage."""
    content, name = bytearray(xls([HEADER, PERSON])), "Workbook".encode("utf-16le")
    at, other = content.find(name), "EncryptedPackage".encode("utf-16le")
    content[at : at + len(other)] = other
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (xlsx([]), "empty"),
        (b"\xff\xd8\xff picture", "not_a_spreadsheet"),
        (b"PK\x03\x04 broken", "not_a_spreadsheet"),
        (xlsx([HEADER, PERSON])[:-200], "not_a_spreadsheet"),
        (xls([HEADER, PERSON])[:3000], "not_a_spreadsheet"),
        (_encrypted(), "encrypted"),
        (xlsx([["只有", "一些", "字"], ["甲", "乙", "丙"]]), "no_header"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_with_the_reason(content: bytes, reason: str) -> None:
    assert refusal(content) == reason


def test_a_zip_bomb_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_file, "MOST_BYTES", 3 * 2**20)
    stream = io.BytesIO(xlsx([HEADER, PERSON]))
    with zipfile.ZipFile(stream, "a", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("xl/media/zeros.bin", bytes(4 * 2**20))
    assert len(stream.getvalue()) < 2**20
    assert refusal(stream.getvalue()) == "too_large"


def test_one_cell_far_from_all_others_does_not_fill_the_memory() -> None:
    content = xlsx([HEADER, PERSON])
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for part in old.infolist():
            data = old.read(part)
            if part.filename.startswith("xl/worksheets/"):
                far = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
                data = data.replace(b"</sheetData>", far)
            new.writestr(part, data)
    assert refusal(stream.getvalue()) == "too_spread"


def test_a_file_that_makes_the_reader_crash_is_refused_and_we_live_on() -> None:
    far = [[None] * 255 + ["x"]]
    assert refusal(xls([HEADER, PERSON, *[[]] * 65_533, *far])) == "damaged"
