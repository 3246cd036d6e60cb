"""Calls for `doctor` to WeChat and WeCom: the error code is told as it came, for each means something to do."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.channels.base import SendFailure
from bot.channels.tencent.calls import Calls
from bot.channels.tencent.failures import addresses

PATIENCE = 20.0  # seconds for all that one platform is asked
SHOWN = 8  # addresses


@dataclass(eq=False)
class Told(SendFailure):
    """The platform's error code, and the addresses that it named."""

    code: int
    addresses: tuple[str, ...]


class Asking:
    """One platform, asked with a token that was fetched for this."""

    def __init__(self, api_url: str) -> None:
        self._calls = Calls(api_url, lambda code, said: Told(code, addresses(said)))
        self._token = ""

    async def begin(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> None:
        """Fetches the token. Raises Told, or another SendFailure where nobody answers."""
        self._token = str((await self._calls.bare(method, path, body, query)).get("access_token", ""))

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """What a call gives. Raises as `begin`."""
        return await self._calls.bare("GET", path, None, {**query, "access_token": self._token})

    async def post(self, path: str, body: Any) -> dict[str, Any]:
        """What a call with a JSON body gives. Raises as `begin`."""
        return await self._calls.bare("POST", path, body, {"access_token": self._token})

    async def close(self) -> None:
        await self._calls.close()


def some(found: list[str]) -> str:
    """A few of many addresses, and how many there are."""
    return f"{', '.join(found[:SHOWN])}{f' and {len(found) - SHOWN} more' if len(found) > SHOWN else ''}"


async def answers(platform: str, api_url: str, codes: Mapping[int, str], explained: str,
                  ask: Callable[[Asking], Awaitable[list[str]]]) -> list[str]:
    """What `ask` finds out; where the platform refuses, what `codes` has for that; where it is away, that."""
    asking = Asking(api_url)
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask(asking)
    except Told as told:
        what = codes.get(told.code, f"{platform} answers with error {told.code}: try again in a minute; if it stays, "
                                    f"look it up, {explained}")
        at = f" ({', '.join(told.addresses)})" if told.addresses else ""
        return [f"WARNING   {what}{at}"]
    except (SendFailure, TimeoutError):
        return [f"WARNING   {platform} does not answer at {api_url}: may this machine reach it, and is "
                f"TANFANG_{platform.upper()}_API_URL right?"]
    finally:
        await asking.close()
