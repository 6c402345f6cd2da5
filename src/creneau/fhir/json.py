"""FHIR resources as JSON: bytes to dict and back, decimals kept as they were written.

https://hl7.org/fhir/R4/json.html

The parser keeps the last of two equal keys without a word. To find them at little cost, the keys of the bytes are counted and
compared with those of what was read from them, written again; only when the counts differ (or cannot be trusted) does a slower reader
look for the place. Equal counts prove there is none: each `":` of the bytes is a key or stands inside a string, a string that holds
one is written again with one, and texts where either can be spelled otherwise (`\\u0022`, odd white space) go the slow way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import msgspec

from creneau.fhir.definitions import is_resource
from creneau.problems import Issue, Malformed, Refusal, refusal

MAX_DEPTH: Final = 64
MAX_NODES: Final = 50_000

NOT_JSON = refusal(
    "json-syntax",
    "structure",
    "Le corps n'est pas du JSON bien formé.",
    "The body is not well-formed JSON.",
)
NOT_UTF8 = refusal(
    "json-utf8",
    "structure",
    "Le corps n'est pas en UTF-8 sans marque d'ordre des octets.",
    "The body is not UTF-8 without byte order mark.",
)
NOT_A_NUMBER = refusal(
    "json-not-a-number",
    "structure",
    "NaN et Infinity ne sont pas des nombres JSON.",
    "NaN and Infinity are not JSON numbers.",
)
NUMBER_TOO_LARGE = refusal(
    "json-number",
    "structure",
    "Un nombre est trop long : 4 300 chiffres pour un entier, 100 caractères et un exposant de 2 chiffres pour un décimal.",
    "A number is too long: 4,300 digits for an integer, 100 characters and a 2-digit exponent for a decimal.",
)
BAD_CHARACTER = refusal(
    "json-character",
    "structure",
    "Une chaîne contient un caractère interdit : NUL ou demi-codet UTF-16 isolé.",
    "A string holds a forbidden character: NUL or a lone UTF-16 surrogate.",
)
DUPLICATE_KEY = refusal(
    "json-duplicate-key",
    "structure",
    "La même propriété est donnée deux fois dans un objet.",
    "The same property is given twice in one object.",
)
TOO_DEEP = refusal(
    "json-depth",
    "structure",
    "L'imbrication dépasse {limit} niveaux.",
    "Nesting goes deeper than {limit} levels.",
)
TOO_MANY = refusal(
    "json-nodes",
    "structure",
    "Le corps contient plus de {limit} valeurs.",
    "The body holds more than {limit} values.",
)
NOT_AN_OBJECT = refusal(
    "json-object",
    "structure",
    "Le corps n'est pas un objet JSON.",
    "The body is not a JSON object.",
)
NO_TYPE = refusal(
    "json-resource-type",
    "structure",
    "resourceType manque ou n'est pas un type de ressource FHIR R4.",
    "resourceType is missing or is not a FHIR R4 resource type.",
)


def decode(raw: bytes, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> dict[str, Any]:
    """The resource in the bytes: integers are int, numbers with a point or an exponent are Decimal.

    Malformed, one row of this module each: bytes that are not JSON in UTF-8, over a limit, with duplicate keys at any depth, or that
    are no object with the resourceType of an R4 resource (SEC-21).
    """
    resource = decode_value(raw, max_depth=max_depth, max_nodes=max_nodes)
    if not isinstance(resource, dict):
        raise Malformed.of(NOT_AN_OBJECT)
    name = resource.get("resourceType")
    if not isinstance(name, str) or not is_resource(name):
        raise Malformed.of(NO_TYPE, "resourceType")
    return resource


def decode_value(raw: bytes, *, max_depth: int = MAX_DEPTH, max_nodes: int = MAX_NODES) -> Any:
    """Any JSON value (a JSON Patch is an array), under the refusals of `decode` but those that a resource alone meets."""
    if len(raw) > 2 * max_nodes and raw.count(b",") > max_nodes:
        _check_commas(raw, max_nodes)
    try:
        value = _DECODER.decode(raw)
        again = _ENCODER.encode(value)
    except RecursionError:
        raise Malformed.of(TOO_DEEP, limit=max_depth) from None
    except (msgspec.MsgspecError, UnicodeError, OverflowError) as error:
        raise Malformed(_reason(raw, str(error))) from None
    _check_size(raw, value, max_depth, max_nodes)
    _check_strings(raw, value)
    if not _same_keys(raw, again):
        _check_keys(raw, value)
    return value


def encode(resource: Any) -> bytes:
    """The compact JSON bytes; a Decimal is written with the digits it has (`1.00` stays `1.00`)."""
    return _ENCODER.encode(resource)


def load(body: bytes) -> dict[str, Any]:
    """The resource in bytes that this server wrote: no check but that of the parser."""
    loaded: dict[str, Any] = _DECODER.decode(body)
    return loaded


def encode_ordered(resource: Any) -> bytes:
    """The compact JSON bytes with the properties of every object sorted: equal bytes, equal content, digits of decimals included."""
    return _ORDERED.encode(resource)


def encode_pretty(resource: Any) -> bytes:
    """The JSON bytes over several lines, two spaces a level, for `_pretty`."""
    return msgspec.json.format(_ENCODER.encode(resource), indent=2)


_NUMBER: Final = re.compile(r"[-.0-9]{1,100}(?:[eE][+-]?0{0,9}[0-9]{1,2})?").fullmatch


def number(text: str) -> Decimal | None:
    """The decimal with its digits, or None when it has over 100 characters or an exponent beyond 99 (`1e999999999` has a price)."""
    return Decimal(text) if _NUMBER(text) else None


def _hook(text: str) -> Decimal:
    value = number(text)
    if value is None:
        raise Malformed.of(NUMBER_TOO_LARGE)
    return value


_DECODER: Final = msgspec.json.Decoder(float_hook=_hook)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_ORDERED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")


class _NotANumber(Exception):
    """The standard parser met NaN, Infinity or -Infinity."""


def _not_a_number(_: str) -> None:
    raise _NotANumber


def _reason(raw: bytes, said: str) -> Issue:
    """Which refusal the parser's message stands for; its words name positions and never content."""
    if "out of range" in said:
        return Issue(NUMBER_TOO_LARGE)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return Issue(NOT_UTF8, diagnostics=f"byte {error.start}")
    if text.startswith("\ufeff"):
        return Issue(NOT_UTF8, diagnostics="byte order mark")
    return Issue(_reason_of_standard_parser(text), diagnostics=said)


def _reason_of_standard_parser(text: str) -> Refusal:
    """The standard parser accepts what ours refuses for one reason only: NaN and the like, or lone surrogates."""
    try:
        json.loads(text, parse_constant=_not_a_number)
    except _NotANumber:
        return NOT_A_NUMBER
    except (ValueError, RecursionError):
        return NOT_JSON
    return BAD_CHARACTER


def _check_size(raw: bytes, value: Any, max_depth: int, max_nodes: int) -> None:
    containers = raw.count(b"{") + raw.count(b"[")
    if containers > max_depth and deeper(value, max_depth):
        raise Malformed.of(TOO_DEEP, limit=max_depth)
    # Every value but the first of its container follows a comma, and every value takes two bytes at least.
    if len(raw) > 2 * max_nodes and raw.count(b",") + 2 * containers > max_nodes and nodes(value) > max_nodes:
        raise Malformed.of(TOO_MANY, limit=max_nodes)


_STRING: Final = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def _check_commas(raw: bytes, max_nodes: int) -> None:
    """Refuse what has more values than the limit without making them: each comma outside a string has one on either side."""
    if _STRING.sub(b"", raw).count(b",") >= max_nodes:
        raise Malformed.of(TOO_MANY, limit=max_nodes)


def deeper(value: Any, levels: int) -> bool:
    """Whether objects and arrays nest deeper than that many levels."""
    if isinstance(value, dict):
        return levels == 0 or any(
            deeper(item, levels - 1) for item in value.values() if type(item) is not str
        )
    if isinstance(value, list):
        return levels == 0 or any(deeper(item, levels - 1) for item in value if type(item) is not str)
    return False


def nodes(value: Any) -> int:
    """How many values there are, objects and arrays included."""
    if isinstance(value, dict):
        return 1 + sum(map(nodes, value.values()))
    return 1 + sum(map(nodes, value)) if isinstance(value, list) else 1


def _check_strings(raw: bytes, value: Any) -> None:
    if b"\\u0000" in raw:
        for path, text in _strings(value, ""):
            if "\0" in text:
                raise Malformed.of(BAD_CHARACTER, path)


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, f"{path}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield path, name
            yield from _strings(item, _join(path, name))


def _same_keys(raw: bytes, again: bytes) -> bool:
    """Whether the counts prove that no key was lost; False proves nothing."""
    sent, kept = raw.count(b'":'), again.count(b'":')
    if b" :" in raw:
        # `"key" : value`, as the IG publisher and HAPI write it
        sent, kept = sent + raw.count(b'" :'), kept + again.count(b'" :')
        if b"  :" in raw:
            return False
    if sent != kept or (b"\\u00" in raw and (b"\\u002" in raw or b"\\u003" in raw)):
        return False
    # Looking for one byte costs next to nothing: compact JSON has none of these.
    return not any(space in raw and (space + b":" in raw or space + b" :" in raw) for space in _SPACES)


_SPACES: Final = (b"\n", b"\r", b"\t")


class _Pairs(list[tuple[str, Any]]):
    """An object with all its keys, as the standard parser reports it."""


def _check_keys(raw: bytes, value: Any) -> None:
    path = _duplicate(json.loads(raw, object_pairs_hook=_Pairs), _root(value))
    if path is not None:
        raise Malformed.of(DUPLICATE_KEY, path)


def _duplicate(node: Any, path: str) -> str | None:
    """The path of the first key given twice, or None."""
    if isinstance(node, _Pairs):
        seen: set[str] = set()
        for name, item in node:
            inner = _join(path, name)
            found = inner if name in seen else _duplicate(item, inner)
            if found is not None:
                return found
            seen.add(name)
    elif isinstance(node, list):
        for index, item in enumerate(node):
            found = _duplicate(item, f"{path}[{index}]")
            if found is not None:
                return found
    return None


_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}").fullmatch


def _root(value: Any) -> str:
    name = value.get("resourceType") if isinstance(value, dict) else None
    return name if isinstance(name, str) and is_resource(name) else ""


def _join(path: str, name: str) -> str:
    """The path of a member; a key that cannot be an element's name may be anything, so it is not repeated."""
    shown = name if _NAME(name) else "?"
    return f"{path}.{shown}" if path else shown
