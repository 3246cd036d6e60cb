"""The command line: `python -m bot …`. What a command needs is imported when it runs, so that each starts quickly."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.app import Foundation

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False,
                  help="探访: the visiting-care bot. Settings: TANFANG_… in the environment or .env")
audit_app = typer.Typer(help="The audit chain.")
app.add_typer(audit_app, name="audit")


def _opened() -> "Foundation":
    """Settings, keys, policy and store; what is wrong is told in one line, and the exit code is 2."""
    from bot.app import foundation
    from bot.settings import SettingsError, load
    from scheduler.policy import PolicyError
    from storage.crypto import KeyFileError
    from storage.opening import DatabaseRefused

    try:
        return foundation(load())
    except (SettingsError, KeyFileError, PolicyError, DatabaseRefused) as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None


def _with_store(work: "Callable[[Foundation], Coroutine[Any, Any, Any]]") -> Any:
    base = _opened()
    try:
        return asyncio.run(work(base))
    finally:
        base.store.close()


@app.command()
def serve() -> None:
    """Serves the channels that are set up; without any, the playground page."""
    import uvicorn

    from bot.app import App
    from bot.logs import configure
    from bot.settings import SettingsError

    configure()
    base = _opened()
    settings = base.settings
    running = App(base)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            running.stopping()
            super().handle_exit(sig, frame)

    server = Server(uvicorn.Config(
        running.web, host=settings.host, port=settings.port, log_config=None, access_log=False,
        timeout_graceful_shutdown=3, server_header=False))
    if settings.playground_on:
        typer.echo(f"open http://{settings.host}:{settings.port}/playground", err=True)
    try:
        server.run()
    except SettingsError as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None
    finally:
        base.store.close()
    if not server.started:
        raise typer.Exit(3)


@app.command()
def demo(only_fill: Annotated[bool, typer.Option(help="Fill the demo village and stop.")] = False) -> None:
    """Fills a made-up village (once), then serves it on the playground page."""

    async def fill(base: "Foundation") -> None:
        from bot.app import load_book
        from bot.demo import fill
        from conversations.turn import House

        if not base.settings.playground_on:
            raise typer.BadParameter("the demo village belongs on the playground: unset TANFANG_TELEGRAM_TOKEN")
        await fill(base.store, House(await load_book(base.store), base.policy), datetime.now(UTC))

    _with_store(fill)
    if not only_fill:
        serve()


@app.command()
def invite(
    name: Annotated[str, typer.Argument(help="Who is invited.")],
    area: Annotated[str, typer.Option(help="Where: an area's name, or a path such as 云溪镇/建设村.")],
    role: Annotated[list[str], typer.Option(help="What as: visitor, first_contact, family, village, township, "
                                                 "county, city, operator. May be given several times.")],
    kind: Annotated[str, typer.Option(help="A visitor's kind, such as grid_worker or volunteer.")] = "",
    elder: Annotated[list[str] | None, typer.Option(help="An elder's name in that area, to be in his care.")] = None,
) -> None:
    """Makes a person and a single-use invitation (7 days), and prints its links."""
    from bot.inviting import InvitationRefused, make

    async def work(base: "Foundation") -> list[str]:
        return await make(base, name, area, tuple(role), kind or None, tuple(elder or ()), datetime.now(UTC))

    try:
        for line in _with_store(work):
            typer.echo(line)
    except InvitationRefused as error:
        typer.echo(f"tanfang: {error}", err=True)
        raise typer.Exit(2) from None


@audit_app.command("verify")
def audit_verify() -> None:
    """Reads the whole audit chain; exits 1 and names the line where it does not hold."""
    from storage import audit

    async def work(base: "Foundation") -> audit.Verdict:
        return await base.store.run(audit.verify)

    verdict = _with_store(work)
    if verdict.broken_at is not None:
        typer.echo(f"the chain is broken at line {verdict.broken_at}", err=True)
        raise typer.Exit(1)
    typer.echo(f"{verdict.lines} lines, all in order; head {verdict.head}")


@app.command()
def doctor() -> None:
    """Says which parts are in use, and what an operator should look at."""
    from bot.doctor import findings

    for line in _with_store(findings):
        typer.echo(line)
