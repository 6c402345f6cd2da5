"""Clients that note all they do in a history, and what scenarios ask of the server besides."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from bench import resources
from bench.connection import Client, Lost
from bench.resources import Visit
from bench.wire import Answer, Target, escaped

from torture.checkers import Held
from torture.history import FAIL, INFO, INVOKE, History, kind_of

PAGE: Final = 1000
UNKNOWN: Final = frozenset({"outcome-unknown", "out-of-time"})
"""Codes of a 503 that leaves open whether something was written."""
FREE: Final = frozenset({"cancelled", "noshow", "entered-in-error", "waitlist"})


@dataclass(frozen=True, slots=True)
class Seen:
    """An answer as a scenario reads it; `status` 0 when none came. `id` and `version` are those of `Location` or `ETag`.

    `retry`: it says after how long to ask again. `code`: ours, of the first issue of an OperationOutcome.
    """

    status: int
    body: dict[str, Any]
    id: str = ""
    version: int = 0
    retry: bool = False
    code: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def kind(self) -> str:
        """Of a write: done, refused with nothing written, or not known."""
        return INFO if self.code in UNKNOWN or not self.status else kind_of(self.status)


NOTHING: Final = Seen(0, {})


class Rider:
    """One client on one connection; everything it asks goes into the history, under its number."""

    def __init__(self, number: int, target: Target, history: History, seconds: float = 10.0) -> None:
        self.number = number
        self._client = Client(target, seconds)
        self._history = history

    async def warm(self) -> None:
        """Connect before the race begins."""
        await self._client.warm()

    def patience(self, seconds: float) -> None:
        """Leave when no answer came after that long."""
        self._client.seconds = seconds

    async def ask(self, what: str, key: str, request: tuple[str, str, bytes], headers: str = "") -> Seen:
        """Ask (method, path, body); the answer, or `NOTHING` when the outcome is unknown or nobody listened."""
        self._history.add(self.number, INVOKE, what, key)
        method, path, body = request
        try:
            answer = await self._client.ask(method, path, body, headers)
        except Lost:
            self._history.add(self.number, INFO, what, key)
            return NOTHING
        except OSError:
            self._history.add(self.number, FAIL, what, key)
            return NOTHING
        seen = understood(answer)
        value = {
            "status": seen.status,
            "id": seen.id,
            "version": seen.version,
            "retry": seen.retry,
            "code": seen.code,
        }
        self._history.add(self.number, seen.kind, what, key, value)
        return seen

    async def book(self, visit: Visit, key: str) -> Seen:
        """6a: POST the appointment."""
        return await self.ask(
            "create", key, ("POST", "Appointment", resources.encoded(resources.appointment(visit)))
        )

    async def declare(self, visit: Visit, key: str, headers: str = "") -> Seen:
        """6b: PUT it where its identifier is."""
        body = resources.encoded(resources.appointment(visit))
        return await self.ask(
            "update", key, ("PUT", f"Appointment?{by_identifier(visit.identifier)}", body), headers
        )

    async def replace(self, id_: str, visit: Visit, key: str, headers: str = "") -> Seen:
        """PUT by id."""
        body = resources.encoded(resources.appointment(visit) | {"id": id_})
        return await self.ask("replace", key, ("PUT", f"Appointment/{id_}", body), headers)

    async def get(self, path: str, key: str = "") -> Seen:
        """GET a path below the base."""
        return await self.ask("read", key, ("GET", path, b""))

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def understood(answer: Answer) -> Seen:
    """Take what scenarios need out of an answer."""
    try:
        body = json.loads(answer.body) if answer.body else {}
    except ValueError:
        body = {}
    location = re.search(r"/([A-Za-z0-9.\-]{1,64})(?:/_history/(\d+))?$", answer.header("location"))
    etag = re.search(r"\d+", answer.header("etag"))
    id_ = str(body.get("id", "")) or (location[1] if location else "")
    version = int(etag[0]) if etag else 0
    return Seen(answer.status, body, id_, version, bool(answer.header("retry-after")), code_of(body))


def code_of(body: dict[str, Any]) -> str:
    """The stable code of the first issue of an OperationOutcome, "" of anything else."""
    if body.get("resourceType") != "OperationOutcome":
        return ""
    codings = [coding for issue in body["issue"] for coding in issue.get("details", {}).get("coding", ())]
    return str(codings[0]["code"]) if codings else ""


def by_identifier(value: str) -> str:
    """The condition on the business identifier of an appointment of ours."""
    return "identifier=" + escaped(f"{resources.APPOINTMENTS}|{value}")


async def everything(rider: Rider, query: str) -> AsyncIterator[dict[str, Any]]:
    """Every resource that a search gives, page after page. Raises AssertionError when a page is refused."""
    path: str | None = f"{query}{'&' if '?' in query else '?'}_count={PAGE}"
    while path:
        page = await rider.get(path, "everything")
        assert page.status == 200, f"the search of everything was answered {page.status}"
        for entry in page.body.get("entry", ()):
            if entry.get("search", {}).get("mode", "match") == "match":
                yield entry["resource"]
        following = [link["url"] for link in page.body.get("link", ()) if link["relation"] == "next"]
        path = following[0].partition("/fhir/")[2] if following else None


async def warmed(riders: Sequence[Rider]) -> None:
    """Connect them all."""
    await asyncio.gather(*(one.warm() for one in riders))


def micro(text: str) -> int:
    """A FHIR instant as microseconds since 1970 UTC."""
    at = datetime.fromisoformat(text)
    return round(at.timestamp() * 1_000_000)


def held(appointment: dict[str, Any]) -> list[Held]:
    """The time of professionals and places that a stored appointment takes (everyone but patients owns an agenda here)."""
    if appointment["status"] in FREE:
        return []
    who = [one["actor"]["reference"] for one in appointment["participant"]]
    span = micro(appointment["start"]), micro(appointment["end"])
    return [
        Held(_literal(one), *span, appointment["id"])
        for one in who
        if not _literal(one).startswith("Patient/")
    ]


def _literal(reference: str) -> str:
    return "/".join(reference.rsplit("/", 2)[-2:])
