"""What a FHIR Reference points to.

https://hl7.org/fhir/R4/references.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Literal:
    """A resource of this server; `version` is "" unless the reference is version specific."""

    type: str
    id: str
    version: str = ""

    def __str__(self) -> str:
        """The relative reference without version, `Practitioner/1`."""
        return f"{self.type}/{self.id}"


@dataclass(frozen=True, slots=True)
class Logical:
    """A business identifier; `system` or `value` is "" when absent. `type` is Reference.type, "" when absent."""

    system: str
    value: str
    type: str = ""


@dataclass(frozen=True, slots=True)
class Contained:
    """A resource inside the one that refers; id "" is the container itself (`#`)."""

    id: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """An absolute URL that is not ours; never fetched."""

    url: str


@dataclass(frozen=True, slots=True)
class Urn:
    """A `urn:uuid:` or `urn:oid:`, the fullUrl of an entry in the same Bundle."""

    urn: str


Target = Literal | Logical | Contained | Foreign | Urn

_RELATIVE: Final = re.compile(
    r"([A-Z][A-Za-z]{1,63})/([A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?"
).fullmatch
_ABSOLUTE: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#\s]+)([^\s]*)").fullmatch
_URN: Final = re.compile(r"urn:(?:uuid|oid):[0-9A-Za-z.-]+", re.IGNORECASE).fullmatch
_DEFAULT_PORTS: Final = {"http": ":80", "https": ":443"}


KEPT: Final = 16_384
SHORT: Final = 200  # characters


@dataclass(frozen=True, slots=True)
class Bases:
    """The base URLs that are this server; the first is the one we write. Case of scheme and host, default ports, `/` at the end: no matter."""

    own: tuple[str, ...]
    known: tuple[str, ...] = field(init=False, compare=False, repr=False)
    literal: Callable[[str], Literal | Contained | Foreign | Urn | None] = field(
        init=False, compare=False, repr=False
    )
    """`read_literal` on these bases; what comes again and again is remembered, unless it is long: that would be a client's to fill."""

    def __post_init__(self) -> None:
        """Keep the comparable form of each base beside it, and the memory of what was read."""
        object.__setattr__(self, "known", tuple(_comparable(base).rstrip("/") + "/" for base in self.own))
        object.__setattr__(self, "literal", lru_cache(maxsize=KEPT)(partial(read_literal, bases=self)))

    def local(self, url: str) -> str | None:
        """What follows our base in an absolute URL, or None when the URL is not ours."""
        comparable = _comparable(url)
        for base in self.known:
            if comparable.startswith(base):
                return comparable[len(base) :]
        return None


def read(reference: Mapping[str, Any], bases: Bases) -> Target | None:
    """What the Reference points to: its literal reference when that can be read, else its identifier, else None.

    Understood: `Type/id[/_history/v]` relative or on one of our bases, `#id`, `urn:uuid:` and `urn:oid:`, other absolute URLs.
    """
    text = reference.get("reference")
    if isinstance(text, str):
        target = bases.literal(text) if len(text) <= SHORT else read_literal(text, bases)
        if target is not None:
            return target
    return _logical(reference)


def read_literal(text: str, bases: Bases) -> Literal | Contained | Foreign | Urn | None:
    """What the text of Reference.reference points to, or None when it is of no form that FHIR knows."""
    found = _RELATIVE(text)
    if found is not None:
        return Literal(found[1], found[2], found[3] or "")
    if text.startswith("#"):
        return Contained(text[1:])
    if _URN(text):
        return Urn(text)
    if _ABSOLUTE(text) is None:
        return None
    local = bases.local(text)
    found = _RELATIVE(local.rstrip("/")) if local else None
    return Foreign(text) if found is None else Literal(found[1], found[2], found[3] or "")


def walk(resource: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every Reference in the resource with its FHIRPath (`Appointment.participant[0].actor`), extensions and contained included.

    A Reference is told by its form: an object whose `reference` is a string, or that has one `identifier` and nothing a Reference
    has not. No other R4 type has that form.
    """
    found: list[tuple[Trail, Mapping[str, Any]]] = []
    _collect(resource, (), found)
    root = str(resource.get("resourceType", ""))
    return ((root + _path(trail), reference) for trail, reference in found)


Trail = tuple[Any, ...]
"""The way to a node: (the way to its holder, its key, its index or -1); paths are spelled for what is found only."""

_OF_REFERENCE: Final = frozenset(
    ("reference", "_reference", "type", "_type", "identifier", "display", "_display", "id", "extension")
)


def _collect(node: Mapping[str, Any], trail: Trail, found: list[tuple[Trail, Mapping[str, Any]]]) -> None:
    if isinstance(node.get("reference"), str) or ("identifier" in node and _by_identifier(node)):
        found.append((trail, node))
    for name, value in node.items():
        kind = type(value)
        if kind is dict:
            _collect(value, (trail, name, -1), found)
        elif kind is list:
            for index, item in enumerate(value):
                if type(item) is dict:
                    _collect(item, (trail, name, index), found)


def _path(trail: Trail) -> str:
    if not trail:
        return ""
    holder, name, index = trail
    return f"{_path(holder)}.{_element(name)}" + (f"[{index}]" if index >= 0 else "")


def _by_identifier(node: Mapping[str, Any]) -> bool:
    return isinstance(node["identifier"], dict) and _OF_REFERENCE.issuperset(node)


def _element(name: str) -> str:
    """The FHIRPath name: a primitive's `_name` is the element, and an extension's valueReference is its value."""
    return "value" if name == "valueReference" else name.removeprefix("_")


def _logical(reference: Mapping[str, Any]) -> Logical | None:
    identifier = reference.get("identifier")
    if not isinstance(identifier, dict):
        return None
    system, value, type = (
        part if isinstance(part, str) else ""
        for part in (identifier.get("system"), identifier.get("value"), reference.get("type"))
    )
    return Logical(system, value, type) if system or value else None


def _comparable(url: str) -> str:
    found = _ABSOLUTE(url)
    if found is None:
        return url
    scheme, host = found[1].lower(), found[2].lower()
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}{found[3]}"
