"""What `doctor` says: the parts in use, and what an operator should look at."""

from bot.app import Foundation
from storage import outbox


async def findings(base: Foundation) -> list[str]:
    """One finding a line; those that want something done begin with WARNING."""
    settings = base.settings
    waiting = await base.store.read(outbox.depth)
    channels = ["playground"] if settings.playground_on else []
    if settings.telegram_token:
        channels.append(f"telegram by {settings.telegram_mode}")
    found = [
        f"database  {base.store.engine}",
        f"keys      {settings.key_file.absolute()}",
        f"channels  {', '.join(channels) or 'none'}",
        f"waiting   {', '.join(f'{lane} {count}' for lane, count in waiting.items()) or 'nothing'}",
    ]
    if settings.key_file.stat().st_mode & 0o077:
        found.append(f"WARNING   others on this machine may read {settings.key_file}: chmod 600")
    if settings.telegram_token and settings.telegram_domestic_reason:
        found.append(f"WARNING   Telegram is declared domestic: {settings.telegram_domestic_reason}")
    if settings.host not in ("127.0.0.1", "localhost", "::1") and settings.playground_on:
        found.append("WARNING   the playground is open to the network: anybody there can speak as anybody")
    return found
