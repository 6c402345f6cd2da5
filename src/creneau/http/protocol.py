"""HTTP/1.1 on one connection, with bounds that the socket server lacks: size and time of the head, stalled readers, trailers.

SEC-26, SEC-27. Extends uvicorn's httptools protocol at its documented asyncio callbacks; what is refused here never reaches the
application, and is answered by the same kind of OperationOutcome.
"""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle
from functools import cache
from http import HTTPStatus
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from creneau.http import outcomes
from creneau.http.admission import Admission
from creneau.http.joining import Joining
from creneau.http.settings import ServerSettings
from creneau.problems import Issue, Refusal, refusal

BASE: Final = "/fhir"
ONE_TURN: Final = 0.001
"""Seconds: the loop reads once more before it is over. Timers come after reading, so that what arrived meanwhile is not read yet."""

HEAD_BAD = refusal(
    "http-malformed", "structure", "La requête HTTP est illisible.", "The HTTP request is unreadable."
)
HEAD_LONG = refusal(
    "head-too-long",
    "too-long",
    "La ligne de requête et les en-têtes dépassent la limite de {limit} octets.",
    "The request line and headers are over the limit of {limit} bytes.",
)
CROWDED = refusal(
    "too-many-connections",
    "throttled",
    "Trop de connexions sont ouvertes ; réessayez dans un instant.",
    "Too many connections are open; try again in a moment.",
)


class _Forgotten(list[tuple[bytes, bytes]]):
    """Where trailers go: nothing here reads them, and a sender could repeat them without end."""

    def append(self, field: tuple[bytes, bytes]) -> None:
        """Keep nothing."""


class Listening(Config):
    """The socket server's configuration, with our bounds."""

    def __init__(self, app: Any, bounds: ServerSettings) -> None:
        super().__init__(
            app,
            host=bounds.host,
            port=bounds.port,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=bounds.keep_alive,
            timeout_graceful_shutdown=bounds.stop_seconds,
        )
        self.bounds = bounds
        self.admission: Admission = app.admission


class BoundedProtocol(HttpToolsProtocol):
    """One connection. `_awaiting_head` is True from the end of one request to the end of the next one's headers."""

    config: Listening

    def __init__(self, config: Config, *arguments: Any, **named: Any) -> None:
        super().__init__(config, *arguments, **named)
        self._awaiting_head = True
        self._head_bytes = 0
        self._begun = False
        self._steps = 0  # heads and messages ended so far
        self._head_timer: TimerHandle | None = None
        self._write_timer: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn declares it
        """Start the clock of the first head; turn away when too many connections are open."""
        super().connection_made(Joining(transport, self.loop))
        if len(self.connections) > self.config.bounds.connections:
            self._turn_away(503, CROWDED, retry=True)
            return
        self._head_timer = self.loop.call_later(self.config.bounds.head_seconds, self._late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clocks."""
        self._stop_head_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bound the head: its size, and the time it takes once begun."""
        if self.transport.is_closing():
            return
        steps = self._steps
        super().data_received(data)
        if not self._awaiting_head or self.transport.is_closing():
            return
        if steps == self._steps:
            # Of what follows a whole request in one piece (256 KiB at most) only the time is bounded.
            self._head_bytes += len(data)
        if self._head_bytes > self.config.bounds.head_limit:
            self._turn_away(431, HEAD_LONG, limit=self.config.bounds.head_limit)
        elif self._head_timer is None and (self._begun or steps == self._steps):
            self._head_timer = self.loop.call_later(self.config.bounds.head_seconds, self._late)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._awaiting_head = self._begun = False
        self._steps += 1
        self._head_bytes = 0
        self._stop_head_timer()
        super().on_headers_complete()
        self.headers = _Forgotten()

    def on_message_complete(self) -> None:
        """Await the next head."""
        self._awaiting_head = True
        self._steps += 1
        super().on_message_complete()
        if (
            self.cycle.response_complete and self.timeout_keep_alive_task is None
        ):  # refused before its body was there
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def pause_writing(self) -> None:
        """The client reads slower than we write: give it some time."""
        super().pause_writing()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self.config.bounds.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # Where uvicorn makes a request a task: too many in work are refused here, for a few microseconds each (REL-26).
        if self._simple(cycle) and not self.config.admission.begin(self.loop):
            cycle.response_complete = True
            self.transport.write(busy())
            self.on_response_complete()
        else:
            super()._start_asgi_task(cycle, app)

    def _simple(self, cycle: RequestResponseCycle) -> bool:
        """A request of the FHIR base that may be refused before its body is read: the connection stays, its answers are read."""
        waiting = self.pipeline or self.flow.write_paused
        scope = cycle.scope
        return (
            not waiting and cycle.keep_alive and scope["method"] != "HEAD" and scope["path"].startswith(BASE)
        )

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed as HTTP."""
        self._turn_away(400, HEAD_BAD)

    def _late(self) -> None:
        # A client that sends its head by drops gets no answer: there may be no request to answer.
        self._head_timer = self.loop.call_later(ONE_TURN, self._too_late)

    def _too_late(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing came, the turn of the loop that is about to end included."""
        self.timeout_keep_alive_task = self.loop.call_later(ONE_TURN, super().timeout_keep_alive_handler)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _turn_away(self, status: int, why: Refusal, *, retry: bool = False, **values: object) -> None:
        self.transport.write(plain_answer(status, why, retry=retry, **values))
        self.transport.close()  # which sends what waits


RETRY: Final = b"retry-after: 1\r\n"


@cache
def busy() -> bytes:
    """What a request beyond those in work is answered; its connection stays."""
    return plain_answer(503, outcomes.BUSY, retry=True).replace(b"connection: close\r\n", b"")


def plain_answer(status: int, why: Refusal, *, retry: bool = False, **values: object) -> bytes:
    """A whole HTTP response that closes the connection, in French and JSON: no header of the request could be read."""
    from creneau.fhir import json

    body = json.encode(outcomes.outcome((Issue(why, values=values),), "fr"))
    line = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode()
    fields = b"content-type: application/fhir+json; charset=utf-8\r\nconnection: close\r\ncache-control: no-store\r\n"
    fields += RETRY if retry else b""
    return line + fields + b"content-length: %d\r\n\r\n" % len(body) + body
