"""Bytes in, bytes out: the ASGI application that answers the FHIR base, the figures, the health probes and the front page.

https://asgi.readthedocs.io/en/latest/specs/www.html; SEC-31, SEC-32, SEC-40, invariant 5 ("no input makes a 5xx").
"""

from __future__ import annotations

import asyncio
import re
import secrets
import zlib
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from itertools import count
from time import perf_counter
from typing import IO, Any, Final

from creneau.flows.world import World
from creneau.http import limits, metadata, outcomes, response, site
from creneau.http.admission import Admission
from creneau.http.deadlines import Deadlines
from creneau.http.limits import Disconnected
from creneau.http.log import Line, Log, known_names
from creneau.http.metrics import Metrics
from creneau.http.request import NOWHERE, Call, Front, Resource, path_of, place
from creneau.http.response import Answer, Header
from creneau.http.routes import METHODS, OFFERED, TABLE, Route, allowed, flow, refused
from creneau.http.settings import HttpSettings
from creneau.http.siblings import Siblings
from creneau.problems import Issue, Malformed, Missing, Problem, TooLong, Unavailable, refusal
from creneau.store.contract import StoreUnavailable

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

BASE: Final = "/fhir"
ALWAYS: Final[tuple[Header, ...]] = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
)
GONE_AWAY: Final = 499
"""What the log and the figures say of a client that left before its answer."""
LEFT: Final = (Disconnected, OSError, RuntimeError)
"""How a client that left is learnt of: before its request is whole, or by a `send` to a connection that is reset, or closed in uvloop."""

NO_SUCH_ID = refusal(
    "id-unknowable",
    "not-found",
    "Un id a de 1 à 64 caractères parmi A-Z, a-z, 0-9, - et . ; il n'y a donc rien à cette adresse.",
    "An id has 1 to 64 characters among A-Z, a-z, 0-9, - and . ; so there is nothing at this address.",
)
ID_BAD = refusal(
    "id-malformed",
    "value",
    "Un id a de 1 à 64 caractères parmi A-Z, a-z, 0-9, - et .",
    "An id has 1 to 64 characters among A-Z, a-z, 0-9, - and .",
)

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
# It goes to the log, so one that holds what may be a NIR (15 characters; 2A and 2B in Corsica) is replaced by ours (SEC-40).
_REQUEST_ID = re.compile(rb"(?!.*(?<!\d)\d{6}[\dAB]\d{8}(?!\d))[A-Za-z0-9._-]{1,64}").fullmatch
_LAST_RESORT = b'{"resourceType":"OperationOutcome","issue":[{"severity":"fatal","code":"exception"}]}'
_OUTSIDE: Final = Route("GET", "", "none", site.not_found, "")


class Application:
    """The front door for machines. `pages` answers what is neither the FHIR base nor ours, when given.

    `stopping`: the service ends. `draining`: only this process does, and every connection ends with its next answer. `siblings`: the
    other processes of the service, when there are some. `reading`: see `Front`.
    """

    def __init__(
        self,
        world: World,
        settings: HttpSettings,
        *,
        pages: App | None = None,
        stream: IO[str] | None = None,
        reading: Callable[[], World] | None = None,
    ) -> None:
        @lru_cache(maxsize=4)
        def capabilities(mode: str) -> Resource:
            return metadata.statement(world, settings, mode)

        self.front = Front(world, settings, capabilities, refused, reading)
        self.admission = Admission(settings.concurrent)
        self.metrics = Metrics(self.admission)
        self.log = Log(
            known_names(kind for kind, offered in OFFERED.items() if "search-type" in offered), stream
        )
        self.stopping = False
        self.draining = False
        self.siblings: Siblings | None = None
        self._deadlines = Deadlines(settings.seconds)
        self._held = limits.Held(settings.held_limit)
        self._pages = pages
        self._site = site.table(self)
        self._ids = count(1)
        self._process = secrets.token_hex(5)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or the socket server's lifespan."""
        if scope["type"] != "http":
            await _lifespan(scope, receive, send)
            return
        started = perf_counter()
        path: str = scope["path"]
        if b"%" in scope["raw_path"]:
            path = path_of(scope["raw_path"])
        if path.startswith(BASE) and path[5:6] in ("", "/"):
            call = Call(self.front, scope, place(path[5:]))
            call.route = TABLE.get((call.method, call.place.type, call.place.shape))
        elif self._pages is not None and path not in self._site:
            await self._pages(scope, receive, send)
            return
        else:
            call = Call(self.front, scope, NOWHERE)
            call.route = self._site.get(path, _OUTSIDE)
        call.request_id = self._request_id(call)
        try:
            answer = await self._answer(call, receive)
            if self.draining:
                answer.headers.append((b"connection", b"close"))
            await send(_start(call, answer))
            await send({"type": "http.response.body", "body": answer.body})
            status, size = answer.status, len(answer.body)
        except LEFT:
            status, size = GONE_AWAY, 0
        self._note(call, status, size, perf_counter() - started)

    async def figures(self) -> bytes:
        """The page that Prometheus reads, of the whole service."""
        return self.metrics.text() if self.siblings is None else await self.siblings.text()

    async def _answer(self, call: Call, receive: Receive) -> Answer:
        try:
            return await self._asked(call, receive)
        except Problem as problem:
            return self._refused(call, problem)
        except TimeoutError:
            seconds = self.front.settings.seconds
            return self._refused(
                call, outcomes.OutOfTime(Issue(outcomes.OUT_OF_TIME, values={"seconds": seconds}))
            )
        except StoreUnavailable:
            return self._refused(call, Unavailable(Issue(outcomes.AWAY)))
        except Disconnected:
            raise
        except Exception as error:
            self.log.fault(call.request_id, error)
            issue = Issue(
                outcomes.EXCEPTION, severity="fatal", diagnostics=f"X-Request-Id: {call.request_id}"
            )
            return self._refused(call, outcomes.Broken(issue))

    async def _asked(self, call: Call, receive: Receive) -> Answer:
        route = call.route
        if route is None:
            return _unrouted(call)
        if call.place.id and not _ID(call.place.id):
            raise Malformed(Issue(ID_BAD)) if route.body else Missing(Issue(NO_SUCH_ID))
        if not route.body:
            return await self._within(route, call)
        settings = self.front.settings
        limit = settings.bundle_limit if call.place.shape == "" else settings.body_limit
        bounds = limits.Bounds(limit, settings.body_seconds, self._held)
        content = await limits.body(receive, call.headers, bounds)
        try:
            encoding = call.headers.get(b"content-encoding")
            call.body = limits.unfold(content, encoding, limit, settings.gzip_ratio)
            return await self._within(route, call)
        finally:
            self._held.give(len(content))

    async def _within(self, route: Route, call: Call) -> Answer:
        """Run the route's function, within the number of requests in work and the time of each; probes and figures are always answered."""
        if self.admission.full and call.place is not NOWHERE:
            raise Unavailable(Issue(outcomes.BUSY))
        task = self._deadlines.enter()
        since = self.admission.enter()
        try:
            return await route.function(call)
        except asyncio.CancelledError:
            if self._deadlines.stopped(task):
                raise TimeoutError from None
            raise
        finally:
            self.admission.leave(since)
            self._deadlines.leave(task)

    def _refused(self, call: Call, problem: Problem) -> Answer:
        call.forgive()
        try:
            answer = response.refused(call, problem)
        except Exception as error:
            self.log.fault(call.request_id, error)
            return Answer(500, [], _LAST_RESORT, (b"content-type", b"application/fhir+json; charset=utf-8"))
        if isinstance(problem, TooLong | outcomes.TooSlow):
            answer.headers.append((b"connection", b"close"))
        return answer

    def _request_id(self, call: Call) -> str:
        given = call.headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID(given):
            return given.decode()
        return f"{self._process}-{next(self._ids):x}"

    def _note(self, call: Call, status: int, size: int, seconds: float) -> None:
        route, type = call.route, call.place.type
        type = type if type in OFFERED else ""
        interaction = route.interaction if route else "none"
        self.metrics.count(interaction, type, status, seconds)
        self.log.request(
            Line(
                call.request_id,
                call.method if call.method in METHODS else "?",
                route.shape if route else "?",
                interaction,
                type,
                flow(type, interaction),
                self.log.parameter_names(call.asked),
                status,
                int(seconds * 1_000_000) / 1000,
                len(call.body),
                size,
            )
        )


def _unrouted(call: Call) -> Answer:
    """OPTIONS, 405 with `Allow`, or 404 when nothing at all is offered there."""
    methods = allowed(call.place.type, call.place.shape)
    if call.method == "OPTIONS" and methods:
        return Answer(204, [(b"allow", ", ".join(methods).encode())])
    raise refused(call.method, call.place) or Missing(Issue(NO_SUCH_ID))


def _start(call: Call, answer: Answer) -> MutableMapping[str, Any]:
    """The message that starts the response: its own headers, and those that every response has."""
    headers = answer.headers
    if answer.type is not None:
        headers.append(answer.type)
    if answer.body and call.front.settings.gzip_over is not None:
        _compress(call, answer)
    if answer.status not in (204, 304):
        headers.append((b"content-length", b"%d" % len(answer.body)))
    headers.append((b"x-request-id", call.request_id.encode()))
    headers += ALWAYS
    return {"type": "http.response.start", "status": answer.status, "headers": headers}


def _compress(call: Call, answer: Answer) -> None:
    asked = call.headers.get(b"accept-encoding", b"")[:256]
    if (
        len(answer.body) <= (call.front.settings.gzip_over or 0)
        or b"gzip" not in asked
        or b"gzip;q=0" in asked
    ):
        return
    answer.headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
    squeeze = zlib.compressobj(level=1, wbits=31)
    answer.body = squeeze.compress(answer.body) + squeeze.flush()


async def _lifespan(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "lifespan":
        return
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
