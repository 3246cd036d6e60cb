"""The key file: read at start and whenever it changed, made where there is none, given a new key, rid of an old one.

Every change is a new file, on disk before it takes the old one's place (mode 0600): a process killed in the middle
leaves the one or the other.
"""

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.crypto import Keys, SealingKeys
from storage.ids import RandomBytes


class KeyFileError(Exception):
    """The key file is missing, unreadable or does not fit the data; the text names the file."""


def load_keys(path: Path, *, create: bool, random_bytes: RandomBytes = os.urandom) -> Keys:
    """Reads the key file; with `create`, makes one (mode 0600) where there is none. Raises KeyFileError."""
    if create:
        try:
            if not path.exists():
                _write_first(path, random_bytes)
        except OSError as error:
            raise KeyFileError(f"key file {path} cannot be used: {type(error).__name__}") from None
    mark = _mark(path)
    sealing, index, audit = _read(path)

    def look() -> SealingKeys | None:
        nonlocal mark
        now = _mark(path)
        if now == mark:
            return None
        try:
            found = _read(path)[0]
        except KeyFileError:
            return None  # being copied, or gone: what is known goes on, and the next look may tell more
        mark = now
        return found

    return Keys(sealing, sealing.current, index, audit, random_bytes, look=look)


def add_key(path: Path, now: datetime, since: datetime, random_bytes: RandomBytes = os.urandom) -> str:
    """A new sealing key that seals from `since` on; the others go on opening. Gives its id. Raises KeyFileError."""
    with _held(path):
        kept = _raw(path)
        before = kept["current"]
        new = f"k{max(int(key_id.removeprefix('k')) for key_id in kept['sealing']) + 1}"
        kept["sealing"][new] = b64encode(random_bytes(32)).decode()
        kept |= {"current": new, "since": since.timestamp(), "before": before,
                 "made": {**kept.get("made", {}), new: now.isoformat()}}
        _replace(path, kept, random_bytes)
        return new


def remove_keys(path: Path, ids: frozenset[str], random_bytes: RandomBytes = os.urandom) -> None:
    """Takes keys out for ever; never the one that seals. The caller has seen that nothing is sealed under them."""
    with _held(path):
        kept = _raw(path)
        going = ids - {kept["current"]}
        kept["sealing"] = {key_id: key for key_id, key in kept["sealing"].items() if key_id not in going}
        kept["made"] = {key_id: at for key_id, at in kept.get("made", {}).items() if key_id not in going}
        if kept.get("before") in going:
            kept |= {"since": 0.0, "before": ""}
        _replace(path, kept, random_bytes)


def newest_made(path: Path) -> datetime:
    """When the newest key was made; for the first one, when the file was. Raises KeyFileError."""
    kept = _raw(path)
    made = kept.get("made", {}).get(kept["current"])
    return datetime.fromisoformat(made) if made else datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _read(path: Path) -> tuple[SealingKeys, bytes, bytes]:
    kept = _raw(path)
    try:
        by_id = {key_id: b64decode(key) for key_id, key in kept["sealing"].items()}
        sealing = SealingKeys(by_id, kept["current"], float(kept.get("since", 0.0)), str(kept.get("before", "")))
        if not {sealing.current, sealing.before or sealing.current} <= by_id.keys():
            raise KeyError("current")
        return sealing, b64decode(kept["index"]), b64decode(kept["audit"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeyFileError(f"key file {path} cannot be used: {type(error).__name__}") from None


def _raw(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
        return kept
    except FileNotFoundError:
        raise KeyFileError(f"key file {path} is missing: without it nothing sealed can be read") from None
    except (OSError, ValueError) as error:
        raise KeyFileError(f"key file {path} cannot be used: {type(error).__name__}") from None


def _mark(path: Path) -> tuple[int, int, int] | None:
    """What tells one state of the file from the next without reading it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


@contextmanager
def _held(path: Path) -> Iterator[None]:
    """One process at a time changes the file."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _replace(path: Path, content: dict[str, Any], random_bytes: RandomBytes) -> None:
    partial = _partial(path, content, random_bytes)
    os.replace(partial, path)
    _sync_folder(path)


def _write_first(path: Path, random_bytes: RandomBytes) -> None:
    def fresh() -> str:
        return b64encode(random_bytes(32)).decode()

    path.parent.mkdir(parents=True, exist_ok=True)
    content = {"current": "k1", "sealing": {"k1": fresh()}, "index": fresh(), "audit": fresh()}
    partial = _partial(path, content, random_bytes)
    try:
        os.link(partial, path)  # never over a file that another process made meanwhile
    except FileExistsError:
        pass
    finally:
        partial.unlink()
    _sync_folder(path)


def _partial(path: Path, content: dict[str, Any], random_bytes: RandomBytes) -> Path:
    partial = path.with_name(f"{path.name}.{random_bytes(6).hex()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    return partial


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
