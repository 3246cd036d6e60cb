"""The ids of elders who were erased, in a file beside the key file: a restored backup brings them back, and with this
they are erased again. Ids say nothing of a person; lines are only ever added.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from storage import erasing

if TYPE_CHECKING:
    from bot.app import Foundation


def beside(key_file: Path) -> Path:
    """Where the file is: tanfang.keys.json has tanfang.keys.erased.txt beside it."""
    return key_file.with_name(f"{key_file.stem}.erased.txt")


def read(path: Path) -> frozenset[str]:
    """All ids; none where there is no file."""
    return frozenset(path.read_text().split()) if path.exists() else frozenset()


async def keep(base: "Foundation") -> None:
    """Adds who was erased since; it is on disk when this returns. An empty file says that nobody was."""
    path = beside(base.settings.key_file)
    new = sorted(set(await base.store.read(erasing.erased)) - read(path))
    if not new and path.exists():
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a") as file:
        file.write("".join(f"{elder}\n" for elder in new))
        file.flush()
        os.fsync(file.fileno())
