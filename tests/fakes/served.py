"""An ASGI app on a loopback port, in the test's own event loop."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[str]:
    """The app's address, `http://127.0.0.1:PORT`.

    uvicorn's protocol without its `Server`, which takes over signals and needs 0.2 s to stop.
    """
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
    config.load()
    protocol: Any = config.http_protocol_class
    state = ServerState()
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}), sock=listening, backlog=512
    )
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        for task in list(state.tasks):
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)
