"""A process that serves with a store that takes its time, for the test of the stop: prints its port, then serves."""

from __future__ import annotations

import asyncio
import sys

from creneau.http.app import Application
from creneau.http.server import serve
from creneau.http.settings import HttpSettings, ServerSettings
from creneau.store.contract import Stored
from creneau.store.memory import MemoryStore
from tests.http.running import new_world


class SlowStore(MemoryStore):
    """Reads take a second; says when it is closed."""

    async def get(self, type: str, id: str) -> Stored | None:
        await asyncio.sleep(1)
        return await super().get(type, id)

    async def close(self) -> None:
        await super().close()
        print("closed", flush=True)


async def start(port: int) -> Application:
    base = f"http://127.0.0.1:{port}/fhir"
    print(port, flush=True)
    return Application(new_world(base, SlowStore()), HttpSettings(base_url=base))


serve(start, ServerSettings(port=0, stop_seconds=int(sys.argv[1])))
