"""A backup as a file: gzip of JSON lines, the same for SQLite and PostgreSQL. It never holds keys.

The first line says what it is; then each table has a line with its columns (and which of them are sealed), followed by
a line a row, sealed values in base64; the last line has the counts, the ids of the keys that open it, the head of the
audit chain, the SHA-256 of all lines before, and an HMAC under the installation's audit key. So a file that was cut
off, changed, or made elsewhere is known before anything is done with it.
"""

import gzip
import hashlib
import hmac
import os
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from storage.crypto import Keys, SealBroken
from storage.database import Row
from storage.sealed import SEALED

FORMAT = 1
FASTEST = 1  # of gzip: sealed values get no smaller, whatever it does
_KEY_OF = {sealed.table.name: sealed.key for sealed in SEALED}


class BackupBroken(Exception):
    """The file is no whole backup of this installation; the text says in what way, and holds no data."""


@dataclass(frozen=True, slots=True)
class About:
    """What a backup is. `id` is the SHA-256 of its content; `head` is number and mac of the chain's last line."""

    made_at: datetime
    engine: str
    revision: str
    rows: Mapping[str, int]
    key_ids: tuple[str, ...]
    head: tuple[int, str] | None
    id: str


@dataclass(slots=True)
class Contents:
    """One table on its way: its columns, the places of those that are sealed, and its rows, to be read once."""

    table: str
    columns: list[str]
    sealed: list[int]
    rows: Iterable[Row] = field(repr=False)


def write(path: Path, made_at: datetime, engine: str, revision: str, tables: Iterable[Contents],
          head: tuple[int, str] | None, keys: Keys) -> About:
    """Writes a backup under its name once it is whole and on disk; never over a file. Raises FileExistsError, OSError.
    """
    partial = path.with_name(f"{path.name}.{os.urandom(4).hex()}.partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            about = _written(file, made_at, engine, revision, tables, head, keys)
            file.flush()
            os.fsync(file.fileno())
        named(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    sync_folder(path.parent)
    return about


def named(partial: Path, path: Path) -> None:
    """Gives a file its second name, never that of another file. Raises FileExistsError."""
    try:
        os.link(partial, path)
    except FileExistsError:
        raise
    except OSError:  # a stick or a share that has no hard links
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(partial, path)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _written(file: BinaryIO, made_at: datetime, engine: str, revision: str, tables: Iterable[Contents],
             head: tuple[int, str] | None, keys: Keys) -> About:
    digest, rows, key_ids = hashlib.sha256(), Counter[str](), set[str]()
    with gzip.GzipFile(fileobj=file, mode="wb", compresslevel=FASTEST, filename="", mtime=0) as packed:
        def line(value: object) -> None:
            text = orjson.dumps(value, default=_base64) + b"\n"
            digest.update(text)
            packed.write(text)

        line({"tanfang_backup": FORMAT, "made_at": made_at.isoformat(), "engine": engine, "revision": revision})
        for each in tables:
            line({"table": each.table, "columns": each.columns, "sealed": each.sealed})
            for row in each.rows:
                line(row)
                rows[each.table] += 1
                key_ids.update(_key_id(row[place]) for place in each.sealed if row[place] is not None)
        end = {"rows": dict(rows), "keys": sorted(key_ids), "head": head, "sha256": digest.hexdigest()}
        packed.write(orjson.dumps({"end": end, "mac": _mac(keys, end)}) + b"\n")
    return About(made_at, engine, revision, rows, tuple(sorted(key_ids)), head, digest.hexdigest())


def check(file: BinaryIO, keys: Keys) -> About:
    """Reads all of it, and says what it is: whole, unchanged, and to be opened by these keys. Raises BackupBroken."""
    try:
        first, lines, rows, opened = _read(file, keys)
    except EOFError:
        raise BackupBroken("it was cut off: its end is missing") from None
    except (gzip.BadGzipFile, zlib.error, ValueError, KeyError, TypeError, IndexError):
        raise BackupBroken("it is no backup of tanfang, or it was changed") from None
    end = lines.end
    if end["sha256"] != lines.digest or end["rows"] != rows or end["keys"] != sorted(opened):
        raise BackupBroken("it was changed since it was made: what it holds is not what it says at its end")
    if missing := sorted(opened.keys() - keys.sealing.by_id.keys()):
        raise BackupBroken(f"the key file cannot open it, which takes {', '.join(missing)}: set TANFANG_KEY_FILE to "
                           "the copy of the key file that was kept for it")
    if not hmac.compare_digest(lines.mac, _mac(keys, end)) or not all(opened.values()):
        raise BackupBroken("it was changed, or the key file is not that of the installation on which it was made")
    return About(datetime.fromisoformat(first["made_at"]), first["engine"], first["revision"], rows,
                 tuple(end["keys"]), tuple(end["head"]) if end["head"] else None, end["sha256"])


def _read(file: BinaryIO, keys: Keys) -> tuple[dict[str, Any], "_Lines", dict[str, int], dict[str, bool]]:
    """The first line, all lines read, rows by table, and of each key id whether a value under it opens."""
    rows, opened = Counter[str](), dict[str, bool]()
    file.seek(0)
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        lines = _Lines(packed)
        first = lines.first()
        for each in lines.tables():
            for row in each.rows:
                rows[each.table] += 1
                for place in each.sealed:
                    if row[place] is not None and not opened.get(key_id := _key_id(row[place])):
                        opened[key_id] = _opens(keys, each, row, place)
    return first, lines, dict(rows), opened


def tables(file: BinaryIO) -> Iterator[Contents]:
    """The tables of a backup that was checked, each with its rows, to be read in that order."""
    file.seek(0)
    with gzip.GzipFile(fileobj=file, mode="rb") as packed:
        lines = _Lines(packed)
        lines.first()
        yield from lines.tables()


class _Lines:
    """The lines of a backup in their order."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._digest = hashlib.sha256()
        self._ahead: dict[str, Any] = {}
        self.digest = ""
        self.end: dict[str, Any] = {}
        self.mac = ""

    def first(self) -> dict[str, Any]:
        found = self._next()
        if found.get("tanfang_backup") != FORMAT:
            raise ValueError
        self._ahead = self._next()
        return dict(found)

    def tables(self) -> Iterator[Contents]:
        while "table" in self._ahead:
            head = self._ahead
            rows = self._rows(head["sealed"])
            yield Contents(head["table"], head["columns"], head["sealed"], rows)
            for _ in rows:  # what its reader left
                pass
        self.end, self.mac = self._ahead["end"], self._ahead["mac"]
        if self._packed.read(1):
            raise ValueError

    def _rows(self, sealed: list[int]) -> Iterator[Row]:
        while isinstance(found := self._next(), list):
            for place in sealed:
                if found[place] is not None:
                    found[place] = b64decode(found[place], validate=True)
            yield tuple(found)
        self._ahead = found

    def _next(self) -> Any:
        """The next line, read; before the last one, the digest of all lines before it."""
        text = self._packed.readline()
        if not text.endswith(b"\n"):
            raise EOFError
        value = orjson.loads(text)
        if isinstance(value, dict) and "end" in value:
            self.digest = self._digest.hexdigest()
        self._digest.update(text)
        return value


def _mac(keys: Keys, end: dict[str, Any]) -> str:
    text = orjson.dumps(end, option=orjson.OPT_SORT_KEYS)
    return hmac.new(keys.audit, b"backup|" + text, hashlib.sha256).hexdigest()


def _opens(keys: Keys, contents: Contents, row: Row, place: int) -> bool:
    """Whether a sealed value opens; the tables that are no more cannot be asked."""
    names = _KEY_OF.get(contents.table)
    if names is None:
        return True
    row_id = ":".join(str(row[contents.columns.index(name)]) for name in names)
    try:
        keys.open(row[place], f"{contents.table}.{contents.columns[place]}", row_id)
    except SealBroken:
        return False
    return True


def _key_id(sealed: bytes) -> str:
    return bytes(sealed).partition(b":")[0].decode("ascii", "replace")


def _base64(value: Any) -> str:
    if isinstance(value, bytes | memoryview):
        return b64encode(value).decode()
    raise TypeError
