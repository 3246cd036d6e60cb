"""Sealing of what must not be read from a stolen disk, and blind indexes to find it again.

Keys lie in a file of their own, outside the database and its backup (design 4). `key_file.py` reads and writes it.
"""

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.ids import RandomBytes

NONCE = 12
LOOK_AGAIN = 1.0  # seconds: how long a process may go on sealing under a key that was replaced in the file


class SealBroken(Exception):
    """A sealed value was changed, moved to another row, or sealed under a key that is not here."""


@dataclass(frozen=True, slots=True, repr=False)
class SealingKeys:
    """The sealing keys by id, and which of them seals from when on (seconds since 1970); until then `before` does."""

    by_id: Mapping[str, bytes]
    current: str
    since: float = 0.0
    before: str = ""

    def sealing(self, at: float) -> str:
        """The id of the key that seals at this time."""
        return self.current if at >= self.since or not self.before else self.before


Look = Callable[[], SealingKeys | None]  # what the key file holds, where it changed since the last look


class Keys:
    """The keys of one installation. `seal` and `open` use AES-256-GCM with the key id, label and row id bound in.

    `look` is asked once a second, and when a value is met that is sealed under a key not known here: so a running
    process takes up a new key while another one rotates.
    """

    def __init__(self, sealing: Mapping[str, bytes] | SealingKeys, current: str, index: bytes, audit: bytes,
                 random_bytes: RandomBytes = os.urandom, *, look: Look | None = None) -> None:
        self._look, self._lock, self._look_at = look, Lock(), 0.0
        self._index = index
        self.audit = audit
        self._random = random_bytes
        self._use(sealing if isinstance(sealing, SealingKeys) else SealingKeys(sealing, current))

    @property
    def sealing(self) -> SealingKeys:
        """The sealing keys as they stand in the file now."""
        self._look_again()
        return self._known

    @property
    def current(self) -> str:
        """The id of the key that seals now."""
        return self.sealing.sealing(time.time())

    def seal(self, value: bytes, label: str, row_id: str) -> bytes:
        """Gives `key id : nonce : ciphertext`, which opens only for the same label and row."""
        if time.monotonic() >= self._look_at:
            self._look_again()
        current, cipher = self._current
        nonce = self._random(NONCE)
        bound = b"%b|%b|%b" % (current, label.encode(), row_id.encode())
        return current + b":" + nonce + cipher.encrypt(nonce, value, bound)

    def open(self, sealed: bytes, label: str, row_id: str) -> bytes:
        """The value sealed for this label and row. Raises SealBroken."""
        key_id, _, rest = sealed.partition(b":")
        name = key_id.decode("ascii", "replace")
        cipher = self._ciphers.get(name)
        if cipher is None:
            self._look_again()
            cipher = self._ciphers.get(name)
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

    def _look_again(self) -> None:
        with self._lock:
            found = self._look() if self._look else None
            self._use(found or self._known)

    def _use(self, known: SealingKeys) -> None:
        self._known = known
        self._ciphers = {key_id: AESGCM(key) for key_id, key in known.by_id.items()}
        current = known.sealing(time.time())
        self._current = (current.encode(), self._ciphers[current])
        self._look_at = time.monotonic() + LOOK_AGAIN
