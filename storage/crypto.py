"""Sealing of what must not be read from a stolen disk, and blind indexes to find it again.

Keys lie in a file of their own, outside the database and its backup (design 4).
"""

import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.ids import RandomBytes

NONCE = 12


class KeyFileError(Exception):
    """The key file is missing, unreadable or does not fit the data; the text names the file."""


class SealBroken(Exception):
    """A sealed value was changed, moved to another row, or sealed under a key that is not here."""


class Keys:
    """The keys of one installation. `seal` and `open` use AES-256-GCM with the key id, label and row id bound in."""

    def __init__(self, sealing: dict[str, bytes], current: str, index: bytes, audit: bytes,
                 random_bytes: RandomBytes = os.urandom) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in sealing.items()}
        self._cipher = self._ciphers[current]
        self._current = current.encode()
        self._index = index
        self.audit = audit
        self._random = random_bytes

    def seal(self, value: bytes, label: str, row_id: str) -> bytes:
        """Gives `key id : nonce : ciphertext`, which opens only for the same label and row."""
        nonce = self._random(NONCE)
        bound = b"%b|%b|%b" % (self._current, label.encode(), row_id.encode())
        return self._current + b":" + nonce + self._cipher.encrypt(nonce, value, bound)

    def open(self, sealed: bytes, label: str, row_id: str) -> bytes:
        """The value sealed for this label and row. Raises SealBroken."""
        key_id, _, rest = sealed.partition(b":")
        cipher = self._ciphers.get(key_id.decode("ascii", "replace"))
        if cipher is None:
            raise SealBroken(f"{label} of row {row_id} is sealed under a key that is not in the key file")
        try:
            bound = b"%b|%b|%b" % (key_id, label.encode(), row_id.encode())
            return cipher.decrypt(rest[:NONCE], rest[NONCE:], bound)
        except (InvalidTag, ValueError):  # ValueError: cut short
            raise SealBroken(f"{label} of row {row_id} does not open: changed, or moved from another row") from None

    def blind(self, value: str, label: str) -> str:
        """An index value: equal for equal values of one label, and of no use without the key."""
        return hmac.new(self._index, f"{label}|{value}".encode(), hashlib.sha256).hexdigest()


def load_keys(path: Path, *, create: bool, random_bytes: RandomBytes = os.urandom) -> Keys:
    """Reads the key file; with `create`, makes one (mode 0600) where there is none. Raises KeyFileError."""
    try:
        if create and not path.exists():
            _write_new(path, random_bytes)
        kept = json.loads(path.read_text())
        return Keys(
            {key_id: b64decode(key) for key_id, key in kept["sealing"].items()},
            kept["current"], b64decode(kept["index"]), b64decode(kept["audit"]), random_bytes,
        )
    except FileNotFoundError:
        raise KeyFileError(f"key file {path} is missing: without it nothing sealed can be read") from None
    except (OSError, ValueError, KeyError) as error:
        raise KeyFileError(f"key file {path} cannot be used: {type(error).__name__}") from None


def _write_new(path: Path, random_bytes: RandomBytes) -> None:
    def fresh() -> str:
        return b64encode(random_bytes(32)).decode()

    content = {"current": "k1", "sealing": {"k1": fresh()}, "index": fresh(), "audit": fresh()}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{random_bytes(6).hex()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(content, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(partial, path)  # never over a file that another process made meanwhile
    except FileExistsError:
        pass
    finally:
        partial.unlink()
