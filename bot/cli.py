"""The command line: `python -m bot …`. What a command needs is imported when it runs, so that each starts quickly."""

import asyncio
import signal
import socket
import sys
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot import backup_commands

if TYPE_CHECKING:
    from bot.app import Foundation

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="探访: the visiting-care bot. Settings: TANFANG_… in the environment or .env")
audit_app = typer.Typer(help="The audit chain.")
app.add_typer(audit_app, name="audit")
keys_app = typer.Typer(help="The keys that seal.")
app.add_typer(keys_app, name="keys")
figures_app = typer.Typer(help="The figures of the months.")
app.add_typer(figures_app, name="figures")
app.command()(backup_commands.backup)
app.command()(backup_commands.restore)


def _opened() -> "Foundation":
    """Settings, keys, policy and store; what is wrong is told in one line, and the exit code is 2."""
    from bot.app import foundation
    from bot.settings import SettingsError, load
    from scheduler.policy import PolicyError
    from storage.key_file import KeyFileError
    from storage.opening import DatabaseRefused

    try:
        return foundation(load())
    except (SettingsError, KeyFileError, PolicyError, DatabaseRefused) as error:
        typer.echo(f"tanfang: {' '.join(str(error).split())}", err=True)  # pydantic and PostgreSQL write several lines
        raise typer.Exit(2) from None


def with_store(work: "Callable[[Foundation], Coroutine[Any, Any, Any]]") -> Any:
    base = _opened()
    try:
        return asyncio.run(work(base))
    finally:
        base.store.close()


@app.command()
def work() -> None:
    """Sends, sweeps and does jobs beside a running serve, on this machine or another. Wants PostgreSQL."""
    from bot.app import App, kept_clock
    from bot.logs import configure
    from bot.settings import SettingsError
    from storage.database import StoreUnavailable

    configure()
    base = _opened()
    if base.store.dialect == "sqlite":
        base.store.close()
        typer.echo("tanfang: on SQLite serve does all; work wants a PostgreSQL in TANFANG_DATABASE_URL", err=True)
        raise typer.Exit(2)
    running = App(base)

    async def until_told() -> None:
        await kept_clock(base)
        for each in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(each, running.end)
        await running.work()

    try:
        asyncio.run(until_told())
    except (SettingsError, StoreUnavailable) as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None
    finally:
        base.store.close()


@app.command()
def serve() -> None:
    """Serves the channels that are set up; without any, the playground page."""
    import uvicorn

    from bot.app import App, kept_clock
    from bot.logs import configure
    from bot.settings import SettingsError
    from storage.database import StoreUnavailable

    configure()
    base = _opened()
    settings = base.settings
    running = App(base)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            running.stopping()
            if not self.should_exit:
                self.should_exit = True  # uvicorn's own would raise the signal again, and the store stay open
            else:
                self.force_exit = True

    server = Server(uvicorn.Config(
        running.web, host=settings.host, port=settings.port, log_config=None, access_log=False,
        ws="none", timeout_graceful_shutdown=3, server_header=False))
    try:
        asyncio.run(kept_clock(base))
        with socket.create_server((settings.host, settings.port), family=_family(settings.host), backlog=2048) as port:
            if settings.playground_on:
                typer.echo(f"open http://{settings.host}:{settings.port}/playground", err=True)
            server.run(sockets=[port])
    except (SettingsError, StoreUnavailable) as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None
    except OSError as error:
        typer.echo(f"tanfang: TANFANG_HOST {settings.host}, TANFANG_PORT {settings.port}: {error.strerror}", err=True)
        raise typer.Exit(2) from None
    finally:
        base.store.close()
    if not server.started:
        raise typer.Exit(3)


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


@app.command()
def demo(only_fill: Annotated[bool, typer.Option(help="Fill the demo village and stop.")] = False) -> None:
    """Fills a made-up village (once), then serves it on the playground page."""

    async def fill(base: "Foundation") -> None:
        from bot.playground.phones import DEMO
        from storage import meta

        if not base.settings.playground_on:
            raise typer.BadParameter("the demo village belongs on the playground: unset TANFANG_TELEGRAM_TOKEN")
        if await base.store.read(lambda tx: meta.get(tx, DEMO)):
            return  # there already: what makes it is not even imported
        from bot.app import load_book
        from bot.demo import fill
        from conversations.turn import House

        await fill(base.store, House(await load_book(base.store), base.policies), datetime.now(UTC))

    with_store(fill)
    if not only_fill:
        serve()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The ledger: .xlsx or .xls.", exists=True, dir_okay=False)],
    report: Annotated[Path | None, typer.Option(help="Where the copy with what to mend goes.")] = None,
    under: Annotated[str, typer.Option(help="The area it is for, such as 江阳区 or 江阳区/云溪镇.")] = "",
    create_areas: Annotated[bool, typer.Option(help="Make the townships and villages that the file names.")] = False,
    dry_run: Annotated[bool, typer.Option(help="Show what would change, field by field, and stop.")] = False,
    yes: Annotated[bool, typer.Option(help="Do not ask: take over what the file says otherwise, too.")] = False,
    areas: Annotated[bool, typer.Option(help="The file lists areas, not elders: 区县, 乡镇, 村, 组.")] = False,
    list_: Annotated[bool, typer.Option("--list", help="The file is another body's list, or what differed, marked 是: "
                                                       "with --under and --by.")] = False,
    by: Annotated[str, typer.Option(help="With --list: in whose name, a coordinator of --under. It is audited.")] = "",
) -> None:
    """Takes a township's ledger in: good rows go in, the others are marked in a copy. Twice changes nothing.

    On a terminal it shows first what it would change, and asks, save with --create-areas. Elsewhere, without --yes,
    files that are there stay as they are. With --areas the area tree grows: what is missing is added, nothing is
    changed or taken away. With --list it is matched with the ledger by ID number: what differs is written beside it,
    and taken over once it comes back marked (with --yes at once, deaths and moves excepted).
    """
    from bot.exporting import ExportRefused
    from bot.importing import ImportRefused, import_areas, import_file, look
    from bot.inviting import InvitationRefused, area_called

    if list_ and not (under and by):
        raise typer.BadParameter("--list wants --under and --by")
    if dry_run and create_areas:
        raise typer.BadParameter("--create-areas writes areas and rows at once: take the areas in first (--areas), "
                                 "or leave one of the two out")

    async def work(base: "Foundation") -> Any:
        if list_:
            from bot.listing import match

            for line in await match(base, file, under, by, datetime.now(UTC), all_of_it=yes):
                typer.echo(line)
            return None
        area = await base.store.read(lambda tx: area_called(tx, under)) if under and not create_areas else None
        if areas:
            await import_areas(file, base, datetime.now(UTC), area, _agreed(dry_run, yes), typer.echo)
            return None
        over = yes
        if not create_areas and (dry_run or (sys.stdin.isatty() and not yes)):
            counts, shown = await look(file, base, datetime.now(UTC), area)
            typer.echo(f"would be new {counts.new}, changed {counts.changed}, the same {counts.same}, "
                       f"left as they are {counts.left}, faulty {counts.faulty}")
            if shown:
                typer.echo(f"what to look at: {shown}")
            if dry_run or not typer.confirm("Write it?"):
                return None
            over = True
        return await import_file(file, base, datetime.now(UTC), report=report, progress=True, area=area,
                                 create_under=under if create_areas else None, over=over)

    try:
        done = with_store(work)
    except (ImportRefused, ExportRefused, InvitationRefused) as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None
    if done is None:
        return
    for line in (*done.notes, *(f"+ {created}" for created in done.created)):
        typer.echo(line)
    typer.echo(f"new {done.new}, there before {done.same}, there but different {done.changed}, "
               f"faulty {done.faulty}")
    if done.report:
        typer.echo(f"what to mend: {done.report}")


def _agreed(dry_run: bool, yes: bool) -> Callable[[], bool]:
    """Whether what was shown shall be written: asked where somebody can answer."""
    return lambda: not dry_run and (yes or not sys.stdin.isatty() or typer.confirm("Write it?"))


@app.command()
def export(
    what: Annotated[str, typer.Argument(help="ledger")],
    area: Annotated[str, typer.Option(help="Which area's: a name, or a path such as 云溪镇/建设村.")],
    out: Annotated[Path, typer.Option(help="Where the .xlsx goes.")],
    by: Annotated[str, typer.Option(help="In whose name: a coordinator of that area, by name. It is audited.")],
) -> None:
    """Writes the ledger of an area as a spreadsheet, in the layout that `import` reads."""
    from bot.exporting import ExportRefused, ledger
    from bot.inviting import InvitationRefused

    if what != "ledger":
        raise typer.BadParameter("visits are exported in chat (导出); here only: ledger")
    try:
        rows = with_store(lambda base: ledger(base, area, by, out, datetime.now(UTC)))
    except (ExportRefused, InvitationRefused) as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None
    typer.echo(f"{rows} files: {out}")


@app.command()
def invite(
    name: Annotated[str, typer.Argument(help="Who is invited.")] = "",
    area: Annotated[str, typer.Option(help="Where: an area's name, or a path such as 云溪镇/建设村.")] = "",
    role: Annotated[list[str] | None, typer.Option(help="What as: visitor, first_contact, family, village, township, "
                                                        "county, city, operator. May be given several times.")] = None,
    kind: Annotated[str, typer.Option(help="A visitor's kind, such as grid_worker or volunteer; without it the "
                                           "kinds of that area are named.")] = "",
    elder: Annotated[list[str] | None, typer.Option(help="An elder's name in that area, to be in his care.")] = None,
    device_vendor: Annotated[str, typer.Option(help="Instead of a person: who sends alarms of devices, by a short "
                                                    "name such as anxin. Prints a token, once.")] = "",
    revoke: Annotated[bool, typer.Option("--revoke", help="With --device-vendor: take nothing more from it.")] = False,
) -> None:
    """Makes a person and a single-use invitation (7 days); prints its links, each with a QR code, and a spoken code."""
    from bot import vendors
    from bot.inviting import InvitationRefused, make

    if bool(device_vendor) == bool(name and area and role) or (revoke and not device_vendor):
        raise typer.BadParameter("give NAME, --area and --role, or --device-vendor (and --revoke)")

    async def work(base: "Foundation") -> list[str]:
        now = datetime.now(UTC)
        if device_vendor:
            return await (vendors.revoke if revoke else vendors.invite)(base, device_vendor, now)
        return await make(base, name, area, tuple(role or ()), kind or None, tuple(elder or ()), now)

    try:
        for line in with_store(work):
            typer.echo(line)
    except InvitationRefused as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None


@app.command()
def erase(
    elder: Annotated[str, typer.Argument(help="The elder's id; or give --area and --name.")] = "",
    area: Annotated[str, typer.Option(help="Where: an area's name, or a path such as 云溪镇/建设村.")] = "",
    name: Annotated[str, typer.Option(help="The elder's name.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
) -> None:
    """Erases an elder's personal data for ever; the days of his visits stay for the figures."""
    from bot.erasing import EraseRefused
    from bot.erasing import erase as erase_

    if bool(elder) == bool(area and name):
        raise typer.BadParameter("give the elder's id, or --area and --name")
    try:
        for line in with_store(lambda base: erase_(base, elder, area, name, datetime.now(UTC), dry_run=dry_run)):
            typer.echo(line)
    except EraseRefused as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None


@keys_app.command("rotate")
def keys_rotate(
    after: Annotated[int, typer.Option(help="Minutes until the new key seals: time to copy the key file to other "
                                            "machines that use the same database.", min=0)] = 0,
) -> None:
    """Makes a new key, seals everything under it and removes the old one. Stopped at any point, it goes on."""
    from datetime import timedelta

    from bot import rotation

    async def work(base: "Foundation") -> str:
        await rotation.rotate(base, lambda: datetime.now(UTC), timedelta(minutes=after))
        return base.keys.current

    typer.echo(f"everything is sealed under {with_store(work)}; older keys are gone from the key file")


@app.command()
def tick(
    at: Annotated[datetime | None, typer.Option(help="As of this time, such as 2026-04-01T08:00.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Only say who would get what, and why.")] = False,
) -> None:
    """Does once what a serving process does each minute, and says who gets what. Another time only on a playground:
    its clock is moved there.
    """
    from bot.ticking import TickRefused, once

    try:
        for line in with_store(lambda base: once(base, at, datetime.now(UTC), dry_run=dry_run)):
            typer.echo(line)
    except TickRefused as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None


@audit_app.command("verify")
def audit_verify() -> None:
    """Reads the whole audit chain, and the heads kept beside the key file; exits 1 and names the line where it fails.
    """
    from bot import audit_head
    from storage import audit

    async def work(base: "Foundation") -> tuple[audit.Verdict, int]:
        heads = audit_head.read(audit_head.beside(base.settings.key_file))
        return await base.store.run(lambda tx: audit.verify(tx, heads)), len(heads)

    try:
        verdict, heads = with_store(work)
    except audit_head.HeadFileBroken as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(1) from None
    if verdict.broken_at is not None:
        typer.echo(f"the chain is broken at line {verdict.broken_at}", err=True)
        raise typer.Exit(1)
    for each in verdict.restores:
        typer.echo(f"line {each.seq}: a backup was restored, {each.at:%Y-%m-%d %H:%M} UTC; what came after it is gone")
    if verdict.left:
        typer.echo(f"{len(verdict.left)} heads kept elsewhere are of lines that a restore left behind: "
                   f"{', '.join(str(each.seq) for each in verdict.left)}")
    typer.echo(f"{verdict.lines} lines, all in order, as {heads - len(verdict.left)} heads kept elsewhere say; "
               f"head {verdict.head}")


@figures_app.command("verify")
def figures_verify() -> None:
    """Counts every frozen month again from the visits as they stood at its cut-off; exits 1 where a number differs."""
    from bot.recounting import differences

    async def work(base: "Foundation") -> bool:
        same = True
        async for month, lines in differences(base.store, base.policies):
            typer.echo(f"{month}: {'the same' if not lines else f'{len(lines)} numbers differ'}")
            for line in lines:
                typer.echo(line, err=True)
            same = same and not lines
        return same

    if not with_store(work):
        raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Says which parts are in use, and what an operator should look at."""
    from bot.doctor import findings

    for line in with_store(findings):
        typer.echo(line)
