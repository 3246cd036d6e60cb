"""`python -m bot backup` and `restore`. What they need is imported when they run, as in `cli.py`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn

import typer

if TYPE_CHECKING:
    from bot.app import Foundation
    from bot.backing_up import Ground


def backup(
    file: Annotated[Path | None, typer.Argument(help="Where it goes: a new file, or a folder. Without it here, under "
                                                     "a name with day and time.")] = None,
) -> None:
    """Writes all of the database into one file, beside a running serve. The keys are not in it."""
    from bot.backing_up import BackupRefused
    from bot.backing_up import backup as backup_
    from storage.opening import DatabaseRefused

    try:
        for line in backup_(_ground(), file, datetime.now(UTC)):
            typer.echo(line)
    except (BackupRefused, DatabaseRefused) as error:
        _refused(error)


def restore(
    file: Annotated[Path | None, typer.Argument(help="The backup. Without it, with --send-waiting or --drop-waiting: "
                                                     "what is held since the last restore.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Even where there is a database already. SQLite keeps it "
                                                            "under another name, PostgreSQL does not.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only say what the file is.")] = False,
    send_waiting: Annotated[bool, typer.Option("--send-waiting", help="Let the messages and alerts go on that waited "
                                                                      "in the backup.")] = False,
    drop_waiting: Annotated[bool, typer.Option("--drop-waiting", help="Drop the messages that waited.")] = False,
) -> None:
    """Puts a backup in the place of the database; serve must not run. Messages that waited in it are held."""
    from bot.restoring import restore as restore_
    from storage.opening import DatabaseRefused
    from storage.restoring import RestoreRefused

    if (send_waiting and drop_waiting) or (file is None and (replace or check or not (send_waiting or drop_waiting))):
        raise typer.BadParameter("give FILE, or one of --send-waiting and --drop-waiting, or FILE with one of them")
    waiting: Literal["hold", "send", "drop"] = "send" if send_waiting else "drop" if drop_waiting else "hold"
    try:
        if file is None:
            _decide(waiting)
        else:
            restore_(_ground(), file, datetime.now(UTC), typer.echo, replace=replace, only_check=check,
                     waiting=waiting)
    except (RestoreRefused, DatabaseRefused) as error:
        _refused(error)


def _decide(waiting: Literal["hold", "send", "drop"]) -> None:
    from bot.cli import with_store
    from bot.restoring import decide_later

    async def work(base: "Foundation") -> list[str]:
        return await decide_later(base, waiting, datetime.now(UTC))

    for line in with_store(work):
        typer.echo(line)


def _ground() -> "Ground":
    from bot.backing_up import ground
    from bot.settings import SettingsError, load
    from scheduler.policy import PolicyError
    from storage.key_file import KeyFileError

    try:
        return ground(load())
    except (SettingsError, KeyFileError, PolicyError) as error:
        _refused(error)


def _refused(error: Exception) -> NoReturn:
    typer.echo(f"tanfang: {' '.join(str(error).split())}", err=True)
    raise typer.Exit(2) from None
