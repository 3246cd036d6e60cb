"""`backup`: all of the database in one file, beside a running `serve`; and what a backup is, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot.settings import Settings
from scheduler import policy
from scheduler.policy import Policies
from storage import backup_file, snapshot
from storage.backup_file import About
from storage.crypto import Keys
from storage.key_file import load_keys

COUNTED = ("elders", "visits", "people", "areas")  # of which an operator knows about how many there are


class BackupRefused(Exception):
    """Why there is no backup, for the operator."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What stands without a database: its place and its keys."""

    settings: Settings
    keys: Keys
    policies: Policies

    def at(self, time: datetime) -> str:
        """A time on the wall of the elders."""
        return time.astimezone(self.policies.city.zone).strftime("%Y-%m-%d %H:%M")


def ground(settings: Settings) -> Ground:
    """Reads keys and policy; makes neither keys nor database. Raises KeyFileError, PolicyError."""
    return Ground(settings, load_keys(settings.key_file, create=False), policy.load(settings.policy_file))


def backup(base: Ground, wanted: Path | None, now: datetime) -> list[str]:
    """Writes a backup; gives the lines to print. `wanted`: a file that is not there yet, a folder, or none: here.

    Raises BackupRefused, DatabaseRefused.
    """
    path = wanted or Path()
    if path.is_dir():
        path /= f"tanfang-{now.astimezone(base.policies.city.zone):%Y-%m-%d-%H%M%S}.backup"
    if path.exists():
        raise BackupRefused(f"{path} is there already, and is not overwritten")
    try:
        with snapshot.of(base.settings.database) as found:
            about = backup_file.write(path, now, found.engine, found.revision, found.tables, found.head, base.keys)
        size = path.stat().st_size
    except FileExistsError:
        raise BackupRefused(f"{path} is there already, and is not overwritten") from None
    except OSError as error:
        raise BackupRefused(f"{path} cannot be written: {error.strerror}") from None
    lines = [f"{path}: {counted(about.rows)}; {sum(about.rows.values())} rows, {size / 1e6:.1f} MB"]
    if about.key_ids:
        lines.append(f"the keys are not in it ({', '.join(about.key_ids)} open it): keep a copy of "
                     f"{base.settings.key_file.absolute()} in another place")
    return lines


def counted(rows: Mapping[str, int]) -> str:
    """How much there is of what an operator knows by heart."""
    return ", ".join(f"{rows.get(name, 0)} {name}" for name in COUNTED)


def told(base: Ground, about: About, now: datetime) -> list[str]:
    """What a backup is, and from when."""
    opens = f"sealed under {', '.join(about.key_ids)}, which this key file opens" if about.key_ids else "nothing sealed"
    chain = f"audit chain to line {about.head[0]}" if about.head else "no audit chain"
    return [f"backup of {base.at(about.made_at)} ({ago(now, about.made_at)}), from {about.engine}, "
            f"tables {about.revision}: {counted(about.rows)}", f"whole and unchanged; {opens}; {chain}"]


def ago(now: datetime, at: datetime) -> str:
    """How long ago, in words; days where it is more than two."""
    minutes = int((now - at).total_seconds()) // 60
    if minutes < 120:
        return f"{max(minutes, 0)} minutes ago"
    return f"{minutes // 60} hours ago" if minutes < 2880 else f"{minutes // 1440} days ago"
