"""The yardstick: an ASGI application that only says hello, served by the same uvicorn in the same minute (design: "Budgets")."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from bench.server import HOST, Server, free_port

Message = MutableMapping[str, Any]
BODY = b'{"resourceType":"Basic","id":"hello"}'
HEADERS = [(b"content-type", b"application/fhir+json"), (b"content-length", str(len(BODY)).encode())]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """Answer anything with the same few bytes."""
    del receive
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": BODY})


def start(directory: Path) -> Server:
    """Serve `app` on a free port, ready."""
    port = free_port()
    options = ["--host", HOST, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    options += ["--http", "httptools", "--lifespan", "off"]
    server = Server(
        [sys.executable, "-m", "uvicorn", "bench.reference:app", *options],
        port,
        directory / "reference.log",
        "/",
    )
    server.wait_ready()
    return server
