"""The listening process: uvicorn with httptools and uvloop, and a clean stop (SIGTERM: finish, refuse, exit 0).

REL-32; research "HTTP": uvloop is needed, several workers on the plain asyncio loop stall 40 ms a request.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Final

import uvloop
from uvicorn import Server

from creneau.http.app import Application
from creneau.http.log import JsonHandler
from creneau.http.protocol import Listening
from creneau.http.settings import ServerSettings

PASSES: Final = 8
"""Turns of the loop in which what has already come is accepted and read."""
ASKED_AGAIN: Final = 0.1
"""Seconds in which a busy client that was just answered asks its next thing."""


class StoppableServer(Server):
    """A server whose stop is asked by a signal, and is then a success."""

    def __init__(self, config: Listening, application: Application) -> None:
        super().__init__(config)
        self._application = application

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal finishes what is in work; a second interrupt from the keyboard does not wait."""
        self._application.stopping = True
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Read what came before the signal and waits, unread, in a socket: a connection is idle only when nothing is there.

        A process that was halted, or a connection that was just accepted, would else be closed under a request that was sent.
        """
        await _passes()
        for listening in self.servers:
            listening.close()
        self._application.draining = True  # who asks again at once is told to leave
        await asyncio.sleep(ASKED_AGAIN)
        await _passes()
        await super().shutdown(sockets)

    async def drain(self, seconds: float) -> None:
        """Take no new connection, end each with its next answer, stop when none is left, or after that time.

        A client that uses its connection meanwhile is told to open another one, and never meets one closed under its request.
        """
        self._application.draining = True
        for listening in self.servers:
            listening.close()
        end = asyncio.get_running_loop().time() + seconds
        while self.server_state.connections and asyncio.get_running_loop().time() < end:
            await asyncio.sleep(0.02)
        self.should_exit = True


async def _passes() -> None:
    for _ in range(PASSES):
        await asyncio.sleep(0)


def server(application: Application, settings: ServerSettings) -> StoppableServer:
    """The server, ready to `await .serve()` in a loop that exists, or to `.run()`; its own lines go to the application's log."""
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = [JsonHandler(application.log)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
    return StoppableServer(Listening(application, settings), application)


def bind(settings: ServerSettings) -> socket.socket:
    """The listening socket; port 0 takes a free one, which `getsockname()` tells. OSError when it cannot be had."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    return listening


async def listen(application: Application, settings: ServerSettings, listening: socket.socket) -> None:
    """Serve in the running loop until a signal asks to stop; requests in work have `stop_seconds` to end."""
    await server(application, settings).serve([listening])
    application.log.flush()


def serve(start: Callable[[int], Awaitable[Application]], settings: ServerSettings) -> None:
    """Build the application (`start` is given the port that was had), serve it, close its store.

    In an uvloop of its own; returns when a signal asked to stop, so that the process exits 0. OSError when the port is not to be had.
    """

    async def whole_life(listening: socket.socket) -> None:
        application = await start(listening.getsockname()[1])
        try:
            await listen(application, settings, listening)
        finally:
            await application.front.world.store.close()

    with bind(settings) as listening, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole_life(listening))
