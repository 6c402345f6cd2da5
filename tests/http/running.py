"""A front door on a free port, in a thread of the test process, over the memory store."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import socket
import threading
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import uvloop

from creneau.fhir.reference import Bases
from creneau.fhir.validation import Validator
from creneau.flows.world import Rules, World
from creneau.http.app import App, Application
from creneau.http.server import bind, server
from creneau.http.settings import HttpSettings, ServerSettings
from creneau.store.contract import Store
from creneau.store.memory import MemoryStore

FHIR_JSON = "application/fhir+json"


@dataclass
class Reply:
    """An answer: status, headers with lower-case names (the last wins), all of them, body."""

    status: int
    headers: dict[str, str]
    all: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def keys(self) -> list[str]:
        """Our stable codes in an OperationOutcome."""
        return [issue["details"]["coding"][0]["code"] for issue in self.json["issue"]]


async def in_memory() -> Store:
    """An empty memory store."""
    return MemoryStore()


def new_world(base: str, store: Store | None = None) -> World:
    """A world on this store, else on an empty memory store."""
    rules = Rules(
        zone=ZoneInfo("Europe/Paris"),
        hold=48 * 3_600_000_000,
        default_duration=15 * 60_000_000,
        identifier_system="urn:oid:2.25.1",
        client_ids=False,
    )
    return World(
        store=store or MemoryStore(),
        validator=Validator([]),
        bases=Bases((base,)),
        clock=lambda: time.time_ns() // 1000,
        new_id=lambda: str(uuid.uuid4()),
        rules=rules,
    )


class Running:
    """A served application. Use as a context manager. `opened`: what its store is, an empty one in memory by default."""

    opened: ClassVar[Callable[[], Awaitable[Store]]]

    def __init__(
        self,
        settings: HttpSettings | None = None,
        bounds: ServerSettings | None = None,
        pages: App | None = None,
    ) -> None:
        self.bounds = replace(bounds or ServerSettings(), port=0)
        self._listening = bind(self.bounds)
        self.port: int = self._listening.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}/fhir"
        self.log = io.StringIO()
        self.settings = replace(settings or HttpSettings(), base_url=self.base)
        self._runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        world = new_world(self.base, self._runner.run(type(self).opened()))
        self.application = Application(world, self.settings, pages=pages, stream=self.log)
        self._server = server(self.application, self.bounds)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._runner:
            self._runner.run(self._life())

    async def _life(self) -> None:
        await self._server.serve([self._listening])
        await self.application.front.world.store.close()

    def __enter__(self) -> Running:
        self._thread.start()
        while not self._server.started:
            time.sleep(0.005)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def call_soon(self, act: Callable[[], object]) -> None:
        """Do that in the server's loop."""
        self._runner.get_loop().call_soon_threadsafe(act)

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Reply:
        """One request on a connection of its own; a dict or list is sent as FHIR JSON."""
        sent = dict(headers or {})
        if isinstance(body, dict | list):
            body = json.dumps(body).encode()
            sent.setdefault("Content-Type", FHIR_JSON)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            everything = [(name.lower(), value) for name, value in answer.getheaders()]
            return Reply(answer.status, dict(everything), everything, answer.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Reply:
        return self.call("GET", path, headers=_names(headers))

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        return self.call("POST", path, body, _names(headers))

    def put(self, path: str, body: Any, **headers: str) -> Reply:
        return self.call("PUT", path, body, _names(headers))

    def raw(self, sent: bytes, *, seconds: float = 10) -> bytes:
        """What comes back until the server closes, or nothing more comes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(sent)
            return received(connection)

    def lines(self) -> list[dict[str, Any]]:
        """The lines of the log so far."""
        time.sleep(0.06)
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    def patient(self, **more: Any) -> str:
        """A new patient; its id."""
        reply = self.post(
            "/fhir/Patient", {"resourceType": "Patient", "name": [{"family": "Martin"}], **more}
        )
        assert reply.status == 201, reply.body
        return str(reply.json["id"])


Running.opened = staticmethod(in_memory)


def received(connection: socket.socket) -> bytes:
    """Everything until the other side closes or resets."""
    pieces = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
