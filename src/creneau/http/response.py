"""What a flow answers becomes status, headers and body (the return flows 1bis, 2bis, 3bis and 6bis; reads).

https://hl7.org/fhir/R4/http.html#create, #update, #delete, #cond-read; contract, "Answers to writes". GAP-RET-*.

Warnings of an accepted write go in `Warning` headers (RFC 7234 §5.5: `199 creneau "key: sentence"`, in ASCII), and in the body
with `Prefer: return=OperationOutcome`.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from typing import Final

from creneau.flows.answers import Checked, Deleted, Saved
from creneau.http import outcomes, render
from creneau.http.media import CONTENT_TYPE
from creneau.http.request import Call, Resource, http_date
from creneau.problems import Issue, NotOffered, Problem, TooManyRequests, Unavailable
from creneau.store.contract import Stored

Header = tuple[bytes, bytes]
WARNINGS: Final = 10
"""Warnings that an answer carries in headers, at most."""


class Answer:
    """A response: status, headers without those that every response has, body, and its content type."""

    __slots__ = ("body", "headers", "status", "type")

    def __init__(
        self, status: int, headers: list[Header], body: bytes = b"", type: Header | None = None
    ) -> None:
        self.status, self.headers, self.body, self.type = status, headers, body, type


@lru_cache(maxsize=4096)
def date_of(second: int) -> bytes:
    """An HTTP date, from seconds since 1970."""
    return formatdate(second, usegmt=True).encode()


def tags(stored: Stored) -> list[Header]:
    """The headers that tell the version."""
    return [(b"etag", b'W/"%d"' % stored.version), (b"last-modified", date_of(stored.updated // 1_000_000))]


def resource(call: Call, stored: Stored) -> Answer:
    """A read: 200 with the resource, or 304 when the client has this version."""
    headers = tags(stored)
    if unchanged(call, stored):
        return Answer(304, headers)
    return Answer(200, headers, render.stored(call, stored.body), CONTENT_TYPE[call.format])


def unchanged(call: Call, stored: Stored) -> bool:
    """Whether `If-None-Match`, else `If-Modified-Since`, says that the client has this version."""
    seen = call.headers.get(b"if-none-match")
    if seen is not None:
        known = [tag.strip().removeprefix(b"W/").strip(b'"') for tag in seen.split(b",")]
        return b"*" in known or b"%d" % stored.version in known
    since = call.headers.get(b"if-modified-since")
    if since is None:
        return False
    moment = http_date(since)
    return moment is not None and stored.updated // 1_000_000 <= moment


def saved(call: Call, done: Saved) -> Answer:
    """A write: 201 or 200, where the resource is, its version, and the body that `Prefer` asks for."""
    stored = done.stored
    url = versioned(call.front.settings.base_url, stored).encode()
    headers = [*tags(stored), (b"location", url), *warnings(done.warnings, call.language)]
    if not done.created:
        headers.append((b"content-location", url))
    status = 201 if done.created else 200
    match call.prefer.returns:
        case "minimal":
            return Answer(status, headers)
        case "OperationOutcome":
            return outcome(call, done.warnings, status, headers)
    return Answer(status, headers, render.stored(call, stored.body), CONTENT_TYPE[call.format])


def versioned(base: str, stored: Stored) -> str:
    """The URL of one version."""
    return f"{base}/{stored.type}/{stored.id}/_history/{stored.version}"


def deleted(call: Call, done: Deleted) -> Answer:
    """A deletion: 200 with an OperationOutcome, 204 with `return=minimal`; the same when it was done before."""
    headers = tags(done.stored) if done.stored else []
    headers += warnings(done.warnings, call.language)
    if call.prefer.returns == "minimal":
        return Answer(204, headers)
    said = Issue(outcomes.DELETED, severity="information")
    return outcome(call, (said, *done.warnings), 200, headers)


def checked(call: Call, done: Checked) -> Answer:
    """`$validate`: 200 with every issue, or with the one that says there is none."""
    return outcome(call, done.issues, 200, [])


def outcome(call: Call, issues: Iterable[Issue], status: int, headers: list[Header]) -> Answer:
    """An OperationOutcome with these issues, or "all OK"."""
    found = tuple(issues) or (Issue(outcomes.ALL_OK, severity="information"),)
    return told(call, outcomes.outcome(found, call.language), status, headers)


def told(call: Call, content: Resource, status: int, headers: list[Header]) -> Answer:
    """An OperationOutcome already made, with the language it speaks."""
    said = [*headers, (b"content-language", call.language.encode())]
    return Answer(status, said, render.resource(call, content), CONTENT_TYPE[call.format])


def refused(call: Call, problem: Problem) -> Answer:
    """The answer to a refusal, `Allow` and `Retry-After` included."""
    headers: list[Header] = []
    if isinstance(problem, NotOffered):
        headers.append((b"allow", ", ".join(problem.allowed).encode("ascii", "ignore")))
    if isinstance(problem, TooManyRequests | Unavailable | outcomes.OutOfTime):
        headers.append((b"retry-after", b"%d" % problem.retry_after))
    content = outcomes.of_problem(problem, call.language)
    return told(call, content, outcomes.status_of(problem), headers)


def made(call: Call, content: Resource, status: int = 200) -> Answer:
    """A resource made for this answer: a Bundle, a CapabilityStatement."""
    return Answer(status, [], render.resource(call, content), CONTENT_TYPE[call.format])


def written(call: Call, body: bytes) -> Answer:
    """JSON bytes made for this answer."""
    return Answer(200, [], render.written(call, body), CONTENT_TYPE[call.format])


def warnings(issues: Iterable[Issue], language: str) -> list[Header]:
    """The `Warning` headers of an accepted write."""
    return [(b"warning", _warning(issue, language)) for issue in tuple(issues)[:WARNINGS]]


def _warning(issue: Issue, language: str) -> bytes:
    text = unicodedata.normalize(
        "NFKD", outcomes.text_of(issue, language).replace("’", "'").replace("œ", "oe")
    )
    plain = "".join(c for c in text if " " <= c <= "~" and c not in '"\\')
    return f'199 creneau "{issue.why.key}: {plain[:300]}"'.encode()
