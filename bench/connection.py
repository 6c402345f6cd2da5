"""One keep-alive connection driven by callbacks, and a client above it that can be awaited."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from bench.wire import Answer, Cutter, Target


class Lost(Exception):
    """The connection ended, or the time was over, before the answer was whole: the outcome of the request is not known."""


class Connection(asyncio.Protocol):
    """One request at a time: `send`, then `answered(answer)` or `lost()` is called."""

    def __init__(self) -> None:
        self.answered: Callable[[Answer], None] = _ignore
        self.lost: Callable[[], None] = _nothing
        self.open = False
        self._cutter = Cutter()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is not a subclass
        self.open = True

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        answer = self._cutter.feed(data)
        if answer is not None:
            if answer.last:
                self.close()
            self.answered(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.open = False
        answer = self._cutter.closed()
        if answer is not None:
            self.answered(answer)
        else:
            self.lost()

    def send(self, request: bytes) -> None:
        """Write one request."""
        assert self._transport is not None
        self._transport.write(request)

    def close(self) -> None:
        """End the connection; `lost` is still called."""
        self.open = False
        if self._transport is not None:
            self._transport.close()


def _ignore(answer: Answer) -> None:
    del answer


def _nothing() -> None:
    pass


async def connect(target: Target) -> Connection:
    """Open a connection; raises OSError when nobody answers there."""
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if target.tls else None
    _, connection = await loop.create_connection(Connection, target.host, target.port, ssl=context)
    return connection


class Client:
    """Asks one thing at a time and waits for the answer; connects again when the server closed the connection."""

    def __init__(self, target: Target, seconds: float = 30.0) -> None:
        self.target = target
        self.seconds = seconds
        self._connection: Connection | None = None

    async def ask(self, method: str, path: str, body: bytes = b"", headers: str = "") -> Answer:
        """The answer to one request. Raises Lost when the outcome is unknown, OSError when nothing was sent."""
        if self._connection is None or not self._connection.open:
            self._connection = await connect(self.target)
        return await self._once(self._connection, self.target.request(method, path, body, headers))

    async def _once(self, connection: Connection, request: bytes) -> Answer:
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        connection.answered = lambda answer: _give(done, answer)
        connection.lost = lambda: _give(done, None)
        connection.send(request)
        try:
            return await asyncio.wait_for(done, self.seconds)
        except TimeoutError:
            connection.close()
            raise Lost from None
        except asyncio.CancelledError:
            connection.close()
            raise

    async def warm(self) -> None:
        """Open the connection before it is needed."""
        if self._connection is None or not self._connection.open:
            self._connection = await connect(self.target)

    def close(self) -> None:
        """End the connection."""
        if self._connection is not None:
            self._connection.answered, self._connection.lost = _ignore, _nothing
            self._connection.close()
            self._connection = None


def _give(done: asyncio.Future[Any], answer: Answer | None) -> None:
    if done.done():
        return
    if answer is None:
        done.set_exception(Lost())
    else:
        done.set_result(answer)
