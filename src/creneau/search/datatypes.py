"""The index rows of one value, by its FHIR type. https://hl7.org/fhir/R4/search.html#string, #token, #date, #reference

Values were validated before; one of another JSON type, or a date that cannot be read, gives no row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from creneau.fhir import instant
from creneau.fhir.reference import Bases, Contained, Foreign, Literal, Target, Urn, read
from creneau.search.fold import contact, fold
from creneau.search.rows import Link, Period, Place, Rows, Text, Token


class Gathered:
    """The rows found so far in one resource, and what reading its dates and references needs."""

    __slots__ = ("bases", "contained", "links", "periods", "places", "texts", "tokens", "zone")

    def __init__(self, zone: ZoneInfo, bases: Bases, contained: object) -> None:
        self.zone, self.bases = zone, bases
        self.contained = _list(contained)
        self.tokens: set[Token] = set()
        self.periods: set[Period] = set()
        self.texts: set[Text] = set()
        self.links: set[Link] = set()
        self.places: set[Place] = set()

    def read(self, reference: Mapping[str, Any]) -> Target | None:
        """What a reference of the resource points to."""
        return read(reference, self.bases)

    def inside(self, reference: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """The contained resource that a reference points to, None when it points elsewhere."""
        target = self.read(reference)
        if type(target) is Contained:
            for one in self.contained:
                if isinstance(one, dict) and one.get("id") == target.id:
                    return one
        return None

    def rows(self) -> Rows:
        """The rows, each once."""
        return Rows(
            frozenset(self.tokens),
            frozenset(self.periods),
            frozenset(self.texts),
            frozenset(self.links),
            frozenset(self.places),
        )


Sink = Callable[[Any, Gathered], None]
"""Adds the rows of one value."""


def type_of(reference: Mapping[str, Any], out: Gathered) -> str:
    """The resource type that a reference names, without fetching: by its form, its contained resource, its `type`; "" unknown."""
    target = out.read(reference)
    if type(target) is Literal:
        return target.type
    inside = out.inside(reference)
    return str((inside or {}).get("resourceType") or reference.get("type", ""))


def _elsewhere(target: Target | None) -> str:
    """The address of what is not here; "" for what has none, so that `:missing` knows that there is a reference."""
    match target:
        case Foreign(url) | Urn(url):
            return url
    return ""


def _code(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if isinstance(value, str):
            out.tokens.add(Token(param, "", value))
        elif isinstance(value, bool):
            out.tokens.add(Token(param, "", "true" if value else "false"))
        elif isinstance(value, int):
            out.tokens.add(Token(param, "", str(value)))

    return add


def _word(value: Mapping[str, Any], name: str) -> str:
    """A property that is a text; "" when it is absent or of another JSON type."""
    found = value.get(name)
    return found if isinstance(found, str) else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _coding(param: str) -> Sink:
    texts = f"{param}:text"

    def add(value: Any, out: Gathered) -> None:
        if not isinstance(value, dict):
            return
        if code := _word(value, "code"):
            out.tokens.add(Token(param, _word(value, "system"), code))
        if display := _word(value, "display"):
            out.texts.add(Text(texts, fold(display), display))

    return add


def _concept(param: str) -> Sink:
    texts = f"{param}:text"
    coding = _coding(param)

    def add(value: Any, out: Gathered) -> None:
        if not isinstance(value, dict):
            return
        for one in _list(value.get("coding")):
            coding(one, out)
        if text := _word(value, "text"):
            out.texts.add(Text(texts, fold(text), text))

    return add


def _identifier(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if isinstance(value, dict) and (code := _word(value, "value")):
            out.tokens.add(Token(param, _word(value, "system"), code))

    return add


def _contact(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if isinstance(value, dict) and (code := _word(value, "value")):
            out.tokens.add(Token(param, _word(value, "system"), contact(code)))

    return add


def _moment(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        try:
            out.periods.add(Period(param, *instant.parse(value, out.zone)))
        except (ValueError, TypeError):
            return

    return add


def _period(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if not isinstance(value, dict):
            return
        try:
            start, end = value.get("start"), value.get("end")
            lo = instant.parse(start, out.zone)[0] if start else instant.MIN
            hi = instant.parse(end, out.zone)[1] if end else instant.MAX
        except (ValueError, TypeError):
            return
        if lo < hi and (start or end):
            out.periods.add(Period(param, lo, hi))

    return add


def _text(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if isinstance(value, str):
            out.texts.add(Text(param, fold(value), value))

    return add


def _parts(*names: str) -> Callable[[str], Sink]:
    def sink(param: str) -> Sink:
        text = _text(param)

        def add(value: Any, out: Gathered) -> None:
            if not isinstance(value, dict):
                return
            for name in names:
                part = value.get(name)
                if part:
                    for one in part if isinstance(part, list) else (part,):
                        text(one, out)

        return add

    return sink


def _reference(param: str) -> Sink:
    identifier = _identifier(f"{param}:identifier")

    def add(value: Any, out: Gathered) -> None:
        if not isinstance(value, dict):
            return
        if "identifier" in value:
            identifier(value["identifier"], out)
        target = out.read(value)
        if type(target) is Literal:
            out.links.add(Link(param, target.type, target.id))
        else:
            out.tokens.add(Token(param, "", _elsewhere(target)))

    return add


def _uri(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        if isinstance(value, str):
            out.tokens.add(Token(param, "", value))
            if "|" in value:
                out.tokens.add(Token(param, "", value.partition("|")[0]))

    return add


def _position(param: str) -> Sink:
    def add(value: Any, out: Gathered) -> None:
        try:
            out.places.add(Place(param, float(value["latitude"]), float(value["longitude"])))
        except (KeyError, TypeError, ValueError):
            return

    return add


_NAME: Final = _parts("text", "family", "given", "prefix", "suffix")
_ADDRESS: Final = _parts("text", "line", "city", "district", "state", "postalCode", "country")
_DATES: Final = dict.fromkeys(("instant", "dateTime", "date"), _moment) | {"Period": _period}
_STRINGS: Final = dict.fromkeys(("string", "markdown"), _text) | {"HumanName": _NAME, "Address": _ADDRESS}
_CODES: Final = dict.fromkeys(("code", "id", "string", "uri", "boolean", "unsignedInt"), _code)
_TOKENS: Final = _CODES | {
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Identifier": _identifier,
    "ContactPoint": _contact,
}
SINKS: Final[Mapping[str, Mapping[str, Callable[[str], Sink]]]] = {
    "token": _TOKENS,
    "date": _DATES,
    "string": _STRINGS,
    "reference": {"Reference": _reference},
    "uri": dict.fromkeys(("uri", "url", "canonical"), _uri),
    "special": {"Location.position": _position},
}
"""By kind of parameter and FHIR type, what makes the sink of a parameter's code. A pair that is absent cannot be indexed."""
