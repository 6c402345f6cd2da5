"""One request, read into typed values: path, query, If-Match, Prefer, body.

https://hl7.org/fhir/R4/http.html; what is not asked for is not read, so that a GET by id stays cheap.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from creneau.http import media
from creneau.http.media import Format, Prefer
from creneau.http.outcomes import UriTooLong
from creneau.http.settings import HttpSettings
from creneau.problems import Issue, Malformed, Problem, refusal

if TYPE_CHECKING:
    from creneau.flows.world import World
    from creneau.http.routes import Route

Pairs = tuple[tuple[str, str], ...]
Resource = dict[str, Any]

QUERY_LONG = refusal(
    "query-too-long",
    "too-long",
    "La chaîne de requête dépasse la limite de {limit} octets.",
    "The query string is over the limit of {limit} bytes.",
)
QUERY_BAD = refusal(
    "query-malformed",
    "structure",
    "La chaîne de requête doit être de l'UTF-8 encodé par pourcents, de {fields} paramètres au plus, sans caractère nul.",
    "The query string must be percent-encoded UTF-8, of {fields} parameters at most, without a null character.",
)
IF_MATCH_BAD = refusal(
    "if-match-malformed",
    "value",
    'If-Match attend des étiquettes de version, par exemple W/"3", ou *.',
    'If-Match expects version tags, such as W/"3", or *.',
)

OURS: Final = frozenset({"_format", "_pretty"})
"""Parameters that shape the answer's bytes only; flows never see them."""

# A sign of a time zone written raw: form decoding would make it a space (peers repair it; contract, "A literal `+`").
_ZONE_PLUS = re.compile(rb"(T\d\d(?::|%3[Aa])\d\d(?:(?::|%3[Aa])\d\d(?:\.\d+)?)?)\+(\d\d(?::|%3[Aa])\d\d)")
_TAG = re.compile(r'\s*(?:W/)?"([\x21\x23-\x7e]*)"\s*|\s*(\d+)\s*')


class Place(NamedTuple):
    """Where a path leads: its shape (a column of the table of routes) and what it names."""

    shape: str
    type: str = ""
    id: str = ""
    version: str = ""


NOWHERE: Final = Place("?")
_SYSTEM: Final = {"": Place(""), "metadata": Place("metadata"), "_history": Place("_history")}


def place(path: str) -> Place:
    """The place of a path under the base ("" or "/Type/id/…"); one trailing slash counts for nothing."""
    parts = path.split("/")[1:]
    if parts and parts[-1] == "":
        del parts[-1]
    match parts:
        case [type, id] if id[:1] not in ("_", "$"):
            return Place("[type]/[id]", type, id)
        case []:
            return _SYSTEM[""]
        case [type]:
            return _SYSTEM.get(type) or Place("[type]", type)
        case [type, operation]:
            return Place("[type]/" + operation, type)
        case [type, id, operation]:
            return Place("[type]/[id]/" + operation, type, id)
        case [type, id, "_history", version]:
            return Place("[type]/[id]/_history/[version]", type, id, version)
    return NOWHERE


def path_of(raw: bytes) -> str:
    """The path with its percents read, segment by segment: an encoded slash stays inside its segment, as what no id can hold."""
    parts = (unquote_to_bytes(part).replace(b"/", b"\x00") for part in raw.split(b"/"))
    return b"/".join(parts).decode("utf-8", "replace")


def pairs(query: bytes, most: int) -> Pairs:
    """The parameters of a query string or form, in order. Refused: over `most` of them, bytes that are not UTF-8, NUL."""
    if not query:
        return ()
    repaired = _ZONE_PLUS.sub(rb"\1%2B\2", query)
    try:
        found = parse_qsl(
            repaired.decode("utf-8"), keep_blank_values=True, max_num_fields=most, errors="strict"
        )
    except ValueError as bad:
        raise Malformed(Issue(QUERY_BAD, values={"fields": most})) from bad
    if any("\x00" in name or "\x00" in value for name, value in found):
        raise Malformed(Issue(QUERY_BAD, values={"fields": most}))
    return tuple(found)


def versions(header: str, any: frozenset[int]) -> frozenset[int]:
    """The versions of an `If-Match`: lists, weak tags, `*` (then `any`). A tag that is no version of ours matches nothing."""
    if header.strip() == "*":
        return any
    found: set[int] = set()
    for part in header.split(","):
        match = _TAG.fullmatch(part)
        if match is None:
            raise Malformed(Issue(IF_MATCH_BAD))
        tag = match[1] if match[1] is not None else match[2]
        if tag.isdecimal() and len(tag) < 19:
            found.add(int(tag))
    return frozenset(found)


def http_date(header: bytes) -> int | None:
    """Seconds since 1970 of an HTTP date; None when it is none (RFC 9110 §13.1.3 then ignores it)."""
    try:
        moment = parsedate_to_datetime(header.decode("latin-1"))
        return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp())
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


@dataclass(frozen=True, slots=True)
class Front:
    """What every request is answered with: the real things, the settings, the CapabilityStatement (a function of mode).

    `refusal`: why a method is not offered at a place, inside a bundle or not; None when it is (`routes.refused`).
    `reading`: the real things for one request that only reads, when they are others.
    """

    world: World
    settings: HttpSettings
    capabilities: Callable[[str], Resource]
    refusal: Callable[[str, Place, bool], Problem | None]
    reading: Callable[[], World] | None = None


class Call:
    """One request to the FHIR base. `body` is filled before the flow's function runs, when the route takes one."""

    __slots__ = (
        "_format",
        "_pairs",
        "_world",
        "body",
        "front",
        "head",
        "headers",
        "method",
        "place",
        "query",
        "request_id",
        "route",
    )

    def __init__(self, front: Front, scope: Any, place: Place) -> None:
        self.front = front
        self.head = scope["headers"]
        self.headers: dict[bytes, bytes] = dict(self.head)
        self.method: str = scope["method"]
        self.query: bytes = scope["query_string"]
        self.place = place
        self.request_id = ""
        self.route: Route | None = None
        self.body = b""
        self._pairs: Pairs | None = None
        self._world: World | None = None
        self._format: Format | None = None

    @property
    def world(self) -> World:
        """The real things of the running server; those for reads when the request only reads."""
        if self._world is None:
            reading = self.front.reading if self.route is not None and self.route.reads else None
            self._world = self.front.world if reading is None else reading()
        return self._world

    @property
    def pairs(self) -> Pairs:
        """The parameters of the query string, or of a form that a route put in its stead."""
        if self._pairs is None:
            settings = self.front.settings
            self._pairs = ()  # the refusal itself is written without them
            if len(self.query) > settings.query_limit:
                raise UriTooLong(Issue(QUERY_LONG, values={"limit": settings.query_limit}))
            self._pairs = pairs(self.query, settings.query_fields)
        return self._pairs

    @pairs.setter
    def pairs(self, value: Pairs) -> None:
        self._pairs = value

    @property
    def asked(self) -> Pairs:
        """The parameters that were read, for the log; none when nothing looked at the query string."""
        return self._pairs or ()

    def forgive(self) -> None:
        """Let an unreadable query string count for nothing from now on: a refusal is being written."""
        try:
            _ = self.pairs
        except Problem:
            self._pairs = ()

    def parameter(self, name: str) -> str | None:
        """The last value of a parameter of the query string, or None."""
        if not self.query and not self._pairs:
            return None
        return next((value for key, value in reversed(self.pairs) if key == name), None)

    @property
    def format(self) -> Format:
        """The format of the answer."""
        if self._format is None:
            accept = self.headers.get(b"accept")
            self._format = media.negotiate(accept[:512] if accept else None, self.parameter("_format"))
        return self._format

    @property
    def language(self) -> str:
        """The language of sentences: "fr" or "en"."""
        header = self.headers.get(b"accept-language")
        return media.language(header[:512] if header else None, self.front.settings.language)

    @property
    def prefer(self) -> Prefer:
        """What `Prefer` asks."""
        header = self.headers.get(b"prefer")
        return media.prefer(header[:512]) if header else Prefer()

    def joined(self, name: bytes) -> str | None:
        """A header that may come in several lines, joined; None when absent."""
        if name not in self.headers:
            return None
        return b", ".join(value for key, value in self.head if key == name).decode("latin-1")

    def expected(self, any: frozenset[int]) -> frozenset[int] | None:
        """The versions of `If-Match`, None without the header."""
        header = self.joined(b"if-match")
        return None if header is None else versions(header, any)

    def condition(self) -> str:
        """The query string of a conditional write, without what only shapes the answer; refused like any query string."""
        _ = self.pairs  # reads, hence refuses, the whole query string
        parts = _ZONE_PLUS.sub(rb"\1%2B\2", self.query).decode("ascii", "replace").split("&")
        return "&".join(part for part in parts if part and part.partition("=")[0] not in OURS)
