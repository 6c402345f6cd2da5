"""Requests as bytes on a kept connection, and what every answer must be (invariant 5; SEC-20 to SEC-25, SEC-31)."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

from hypothesis import HealthCheck, Phase, settings
from lxml import etree

from creneau import wiring
from creneau.http import server as front
from creneau.problems import REFUSALS
from tests.client import Reply, Server
from tests.fuzz.canaries import FORMS, NAMES

assert wiring and front  # import every module that declares refusals

SECONDS = 5.0
"""A request is answered within that time (contract, "Limits")."""

BUSY = ("busy", "too-many-connections", "out-of-time", "unavailable")
"""What a 503 may say: nothing here asks for one."""

FHIR = ("application/fhir+json", "application/fhir+xml")
NAMESPACE = "{http://hl7.org/fhir}"


LONG = os.environ.get("FUZZ_EXAMPLES")
"""A factor: with it every property is tried with that many times more examples, other ones at each run. (Not CRENEAU_…: the server
refuses a setting that it does not know.)"""


def tried(count: int) -> settings:
    """The settings of a property that speaks to a server: the same examples at every run unless it is a long one, shrunk when one fails."""
    return settings(
        max_examples=max(1, int(count * float(LONG or 1))),
        deadline=None,
        derandomize=LONG is None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
    )


@dataclass
class Line:
    """A connection to a server, opened again when the server closes it. `asked` counts the whole requests it sent."""

    server: Server
    asked: int = 0
    _socket: socket.socket | None = field(default=None, repr=False)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def send(
        self, method: str, target: bytes | str, body: bytes = b"", headers: Iterable[tuple[str, str]] = ()
    ) -> Reply:
        """One request, its target as given (under the base); judged before it is returned."""
        target = target.encode() if isinstance(target, str) else target
        fields = b"".join(f"{name}: ".encode() + value.encode("latin-1") + b"\r\n" for name, value in headers)
        head = method.encode() + b" /fhir" + target + b" HTTP/1.1\r\nHost: fuzz\r\n" + fields
        sent = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        started = time.monotonic()
        try:
            reply = self._exchange(method, sent)
        except (ConnectionError, HTTPException):
            self.close()  # kept too long, or closed after a refusal
            reply = self._exchange(method, sent)
        judge(reply, time.monotonic() - started)
        return reply

    def _exchange(self, method: str, sent: bytes) -> Reply:
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        self._socket.sendall(sent)
        answer = HTTPResponse(self._socket, method=method)
        answer.begin()
        reply = Reply(
            answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
        )
        self.asked += 1
        if answer.will_close:
            self.close()
        return reply


def judge(reply: Reply, seconds: float) -> None:
    """What holds of every answer of the interface: no fault of ours, in time, refusals in our words that repeat nobody's name."""
    assert reply.status < 500, (reply.status, reply.body[:2000])
    assert seconds < SECONDS, (seconds, reply.status)
    if reply.body:
        assert reply.headers["content-type"].split(";")[0] in FHIR, reply.headers
    if reply.status >= 400:
        keys = refused(reply)
        assert keys and set(keys) <= set(REFUSALS), keys
        assert not set(keys) & {*BUSY, "exception"}, keys
        repeated = [form for form in (*FORMS, *NAMES) if form.encode() in reply.body]
        assert not repeated, (repeated, reply.body[:2000])


def refused(reply: Reply) -> list[str]:
    """The stable codes of an OperationOutcome in either format; empty without a body (HEAD)."""
    if not reply.body:
        return ["all-ok"]
    if reply.headers["content-type"].startswith("application/fhir+json"):
        answer = json.loads(reply.body)
        assert answer["resourceType"] == "OperationOutcome", answer
        return reply.keys
    root = etree.fromstring(reply.body)
    assert root.tag == NAMESPACE + "OperationOutcome"
    issues = root.findall(NAMESPACE + "issue")
    found = [one.find(f"{NAMESPACE}details/{NAMESPACE}coding/{NAMESPACE}code") for one in issues]
    return [one.get("value", "") if one is not None else "" for one in found]
