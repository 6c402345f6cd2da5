"""The values of one search parameter, read from text. https://hl7.org/fhir/R4/search.html#prefix, #escaping, #token, #reference

A comma separates values unless `\\` precedes it, a space after it counts for nothing, and empty values are left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from creneau.fhir import instant
from creneau.fhir.definitions import is_primitive
from creneau.fhir.reference import Bases, Contained, Literal, read_literal
from creneau.search import refused
from creneau.search.fold import contact, fold
from creneau.search.paths import types
from creneau.search.query import DateValue, LinkValue, NearValue, Parameter, TextValue, TokenValue, Value
from creneau.search.refused import malformed

VALUES: Final = 200
"""Values in one search, all parameters together (SEC-23)."""

NEAR_KILOMETRES: Final = 10.0
"""The distance of `near` when the client gives none."""

_KILOMETRES: Final = {"km": 1.0, "m": 0.001, "mi": 1.609344, "[mi_i]": 1.609344, "[mi_us]": 1.6093472186944}
_PIECES: Final = re.compile(r"((?:[^\\,]|\\.|\\$)*)(?:,|$)", re.DOTALL)
_PIPE: Final = re.compile(r"(?<!\\)((?:\\\\)*)\|")
_ESCAPED: Final = re.compile(r"\\([\\,|$])")
_DATE: Final = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_LOST_PLUS: Final = re.compile(r"(T[\d:.]+) (\d\d:\d\d)").fullmatch
_ID: Final = re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch
_WIDEST: Final = instant.MAX - instant.MIN


class Reading(NamedTuple):
    """How this server reads: its zone, its base URLs."""

    zone: ZoneInfo
    bases: Bases


class Written(NamedTuple):
    """One parameter as the client wrote it: the whole name, for refusals, and the text of its values."""

    name: str
    text: str


def split(text: str) -> list[str]:
    """The values of an OR list, escapes still in."""
    if "," not in text:
        one = text.lstrip(" ")
        return [one] if one else []
    return [one for piece in _PIECES.finditer(text) if (one := piece[1].lstrip(" "))]


def unescape(text: str) -> str:
    """The text that an escaped one stands for; a backslash before anything else is a backslash."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def _pipes(text: str, most: int) -> list[str]:
    """The parts between pipes that no backslash precedes, at most so many, unescaped."""
    parts: list[str] = []
    rest = text
    while len(parts) < most - 1:
        found = _PIPE.search(rest)
        if found is None:
            break
        parts.append(rest[: found.start()] + found[1])
        rest = rest[found.end() :]
    return [unescape(part) for part in (*parts, rest)]


def date(reading: Reading, name: str, text: str) -> DateValue:
    """A prefixed date. Malformed when it is none."""
    found = _DATE.fullmatch(text.strip())
    prefix, rest = (found[1] or "eq", found[2]) if found else ("eq", text)
    if len(rest) > 10 and (lost := _LOST_PLUS(rest[10:])):
        rest = f"{rest[:10]}{lost[1]}+{lost[2]}"
    try:
        lo, hi = instant.parse(rest, reading.zone)
    except ValueError:
        raise malformed(refused.DATE, name=name) from None
    if prefix == "ap":
        width = min(hi - lo, _WIDEST)
        lo, hi = max(lo - width, instant.MIN), min(hi + width, instant.MAX)
    return DateValue(prefix, lo, hi)


def token(name: str, text: str) -> TokenValue:
    """A code with or without system. Malformed when both are empty."""
    parts = _pipes(text, 2)
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    if not parts[0] and not parts[1]:
        raise malformed(refused.TOKEN, name=name)
    return TokenValue(parts[0], parts[1] or None)


def boolean(name: str, text: str) -> str:
    """`true` or `false`. Malformed when it is neither."""
    if text not in ("true", "false"):
        raise malformed(refused.BOOLEAN, name=name)
    return text


def _coded(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    found, form = token(name, text), _form(parameter)
    if form == "ContactPoint" and found.code is not None:
        return TokenValue(found.system, contact(found.code))
    if form in ("", "ContactPoint"):
        return found
    code = found.code if found.code is not None else ""
    if form == "boolean":
        boolean(name, code)
    if form == "unsignedInt":
        code = str(integer(name, code))
    return TokenValue("", code)


@cache
def _form(parameter: Parameter) -> str:
    """The type of which a token's values are, when it is read in a way of its own: a ContactPoint or a primitive; else ""."""
    kinds = types(parameter)
    if kinds == {"ContactPoint"} or all(is_primitive(kind) for kind in kinds):
        return min(kinds)
    return ""


def integer(name: str, text: str) -> int:
    """A number without sign. Malformed when it is none, or beyond what a FHIR integer holds."""
    if not (text.isascii() and text.isdigit() and len(text) < 11):
        raise malformed(refused.INTEGER, name=name)
    return int(text)


def _dated(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    return date(reading, name, text)


def _texted(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    plain = unescape(text)
    return TextValue(fold(plain), plain)


def _uri(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    return TokenValue("", unescape(text))


def _referring(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    plain = unescape(text)
    if _ID(plain):
        return LinkValue(parameter.targets[0] if len(parameter.targets) == 1 else None, plain)
    target = read_literal(plain, reading.bases)
    if target is None or isinstance(target, Contained):
        raise malformed(refused.REFERENCE, name=name)
    if isinstance(target, Literal):
        return LinkValue(target.type, target.id)
    return TokenValue("", plain)


def typed(reading: Reading, name: str, type: str, text: str) -> LinkValue:
    """A reference whose type the modifier says. Malformed when it is another one."""
    plain = unescape(text)
    target = None if _ID(plain) else read_literal(plain, reading.bases)
    found = target if isinstance(target, Literal) else Literal(type, plain)
    if found.type != type or not _ID(found.id):
        raise malformed(refused.REFERENCE, name=name)
    return LinkValue(type, found.id)


def _near(reading: Reading, name: str, parameter: Parameter, text: str) -> Value:
    parts = [part.strip() for part in _pipes(text, 5)]
    numbers = [_number(part) for part in parts[:3]]
    while len(numbers) < 3:
        numbers.append(math.nan if len(numbers) < 2 else NEAR_KILOMETRES)
    if len(parts) > 2 and not parts[2]:
        numbers[2] = NEAR_KILOMETRES
    latitude, longitude, distance = numbers
    unit = _KILOMETRES.get(parts[3] or "km") if len(parts) == 4 else 1.0
    if (
        unit is None
        or len(parts) > 4
        or not (abs(latitude) <= 90 and abs(longitude) <= 180 and distance >= 0)
    ):
        raise malformed(refused.NEAR, name=name, kilometres=NEAR_KILOMETRES)
    return NearValue(latitude, longitude, min(distance * unit, 20_050.0))


def _number(text: str) -> float:
    """The number, nan when it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan


READ: Final[dict[str, Callable[[Reading, str, Parameter, str], Value]]] = {
    "token": _coded,
    "date": _dated,
    "string": _texted,
    "uri": _uri,
    "reference": _referring,
    "special": _near,
}
"""By kind of parameter, what reads one value without modifier."""
