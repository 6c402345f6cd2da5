"""One worker of `creneau serve --workers N`: started by the supervisor, answers on its socket until it is told to leave.

Standard input holds a `Task`. On the control socket the worker says READY; DRAIN asks it to leave without breaking a connection; its
end means that the supervisor is gone, and the worker leaves as well.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from creneau import config, wiring
from creneau.commands.serving import spare_collections
from creneau.config import Settings
from creneau.http.server import StoppableServer, server
from creneau.http.siblings import Siblings
from creneau.store.contract import StoreUnavailable
from creneau.store.migrate import UnknownSchema

READY: Final = b"r"
DRAIN: Final = b"d"
DRAIN_SECONDS: Final = 10.0
"""After that time connections that are idle are closed."""


class Task(msgspec.Struct):
    """What a worker is told: its number, the settings, its open sockets, the folder of the figures."""

    number: int
    settings: dict[str, Any]
    listening: int
    control: int
    folder: str


def main() -> int:
    """Run one worker; the exit code as that of `creneau serve`."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    settings = config.load(environment={}, given=task.settings)
    try:
        with (
            socket.socket(fileno=task.listening) as listening,
            socket.socket(fileno=task.control) as control,
            asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
        ):
            runner.run(_work(task, settings, listening, control))
    except (UnknownSchema, StoreUnavailable, OSError) as error:
        print(f"creneau: {error}", file=sys.stderr)
        return 1
    return 0


async def _work(task: Task, settings: Settings, listening: socket.socket, control: socket.socket) -> None:
    store = await wiring.open_store(settings)
    try:
        world = wiring.world(settings, store)
        await wiring.indexed(store, world)
        application = await wiring.application(settings, world)
        siblings = Siblings(Path(task.folder), task.number, os.getpid(), application.metrics.families)
        application.siblings = siblings
        await siblings.listen()
        spare_collections()
        serving = server(application, wiring.server_settings(settings))
        told = asyncio.create_task(_told(serving, control))
        try:
            await serving.serve([listening])
        finally:
            told.cancel()
            await siblings.close()
            application.log.flush()
    finally:
        await store.close()


async def _told(serving: StoppableServer, control: socket.socket) -> None:
    """Say that requests are answered, then do what the supervisor asks."""
    loop = asyncio.get_running_loop()
    control.setblocking(False)
    while not serving.started:
        await asyncio.sleep(0.01)
    try:
        await loop.sock_sendall(control, READY)
        asked = await loop.sock_recv(control, 1)
    except OSError:  # killed before this worker was ready
        asked = b""
    if asked == DRAIN:
        await serving.drain(DRAIN_SECONDS)
    serving.should_exit = True


if __name__ == "__main__":
    raise SystemExit(main())
