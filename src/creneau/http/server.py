"""The listening process: uvicorn with httptools and uvloop, and a clean stop (SIGTERM: finish, refuse, exit 0).

REL-32; research "HTTP": uvloop is needed, several workers on the plain asyncio loop stall 40 ms a request.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from types import FrameType

import uvloop
from uvicorn import Server

from creneau.http.app import Application
from creneau.http.log import JsonHandler
from creneau.http.protocol import Listening
from creneau.http.settings import ServerSettings


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


def server(application: Application, settings: ServerSettings) -> StoppableServer:
    """The server, ready to `await .serve()` in a loop that exists, or to `.run()`; its own lines go to the application's log."""
    for name in ("uvicorn.error", "uvicorn.asgi"):
        logger = logging.getLogger(name)
        logger.handlers = [JsonHandler(application.log)]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
    return StoppableServer(Listening(application, settings), application)


async def listen(application: Application, settings: ServerSettings) -> None:
    """Serve in the running loop until a signal asks to stop; requests in work have `stop_seconds` to end."""
    await server(application, settings).serve()
    application.log.flush()


def serve(start: Callable[[], Awaitable[Application]], settings: ServerSettings) -> None:
    """Build the application in a loop of its own, serve it, close its store. Returns when a signal asked to stop: the process exits 0."""

    async def whole_life() -> None:
        application = await start()
        try:
            await listen(application, settings)
        finally:
            await application.front.world.store.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole_life())
