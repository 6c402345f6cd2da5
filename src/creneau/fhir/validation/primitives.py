"""The forms of primitive values, each read in time linear in its length (SEC-25). https://hl7.org/fhir/R4/datatypes.html#primitive

The regular expressions have no nested repetition; those of the specification for base64Binary would take exponential time.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable
from decimal import Decimal
from math import isfinite
from typing import Any, Final, TypeAlias

from creneau.fhir.validation.findings import (
    A_LIST,
    BAD_VALUE,
    EMPTY,
    NULL,
    WRONG_JSON,
    Check,
    Finding,
    Findings,
)

Form: TypeAlias = Callable[[str], object]

_YEAR: Final = r"(?!0000)([0-9]{4})"
_MONTH: Final = r"-(0[1-9]|1[0-2])"
_DAY: Final = r"-(0[1-9]|[12][0-9]|3[01])"
_CLOCK: Final = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
_ZONE: Final = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"

_date: Final = re.compile(f"{_YEAR}(?:{_MONTH}(?:{_DAY})?)?").fullmatch
_date_time: Final = re.compile(f"{_YEAR}(?:{_MONTH}(?:{_DAY}(?:T{_CLOCK}{_ZONE})?)?)?").fullmatch
_instant: Final = re.compile(f"{_YEAR}{_MONTH}{_DAY}T{_CLOCK}{_ZONE}").fullmatch
_base64: Final = re.compile(r"[A-Za-z0-9+/]*+={0,2}").fullmatch
_controls: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]").search

_SPACES: Final = " \t\r\n"
_WITHOUT_SPACES: Final = str.maketrans("", "", _SPACES)


def _on_calendar(found: re.Match[str] | None) -> bool:
    if found is None:
        return False
    year, month, day = found.groups()
    # Every month has 28 days; only the others need the calendar.
    return day is None or day <= "28" or int(day) <= monthrange(int(year), int(month))[1]


def _is_text(value: str) -> bool:
    # Only ASCII spaces make a text blank: the no-break spaces of French are characters (U+00A0, U+202F).
    if value.isprintable():
        return value != "" and not value.isspace()
    return value.strip(_SPACES) != "" and _controls(value) is None


def _is_base64(value: str) -> bool:
    if not value.isascii():
        return False
    compact = value if value.isalnum() else value.translate(_WITHOUT_SPACES)
    return len(compact) % 4 == 0 and compact != "" and _base64(compact) is not None


_UUID: Final = r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_uri: Final = re.compile(r"[^\s\x00-\x1f]++").fullmatch
_code: Final = re.compile(r"[^\s\x00-\x1f]++(?: [^\s\x00-\x1f]++)*+").fullmatch

# type: what decides, and the expected form in French and in English.
FORMS: Final[dict[str, tuple[Form, str, str]]] = {
    "string": (_is_text, "du texte sans caractère de contrôle", "text without control characters"),
    "markdown": (_is_text, "du texte sans caractère de contrôle", "text without control characters"),
    "xhtml": (_is_text, "un div XHTML", "an XHTML div"),
    "code": (_code, "sans espace au début, à la fin, ni double", "no leading, trailing or double space"),
    "id": (
        re.compile(r"[A-Za-z0-9.-]{1,64}").fullmatch,
        "1 à 64 lettres, chiffres, points, tirets",
        "1 to 64 letters, digits, dots, hyphens",
    ),
    "uri": (_uri, "sans espace", "no space"),
    "url": (_uri, "sans espace", "no space"),
    "canonical": (_uri, "sans espace", "no space"),
    "oid": (
        re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*+))++").fullmatch,
        "urn:oid:1.2.3",
        "urn:oid:1.2.3",
    ),
    "uuid": (re.compile(_UUID).fullmatch, "urn:uuid: en minuscules", "urn:uuid: in lower case"),
    "date": (
        lambda value: _on_calendar(_date(value)),
        "AAAA, AAAA-MM ou AAAA-MM-JJ, au calendrier",
        "YYYY, YYYY-MM or YYYY-MM-DD, on the calendar",
    ),
    "dateTime": (
        lambda value: _on_calendar(_date_time(value)),
        "AAAA, AAAA-MM, AAAA-MM-JJ ou AAAA-MM-JJThh:mm:ss avec fuseau",
        "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss with a zone",
    ),
    "instant": (
        lambda value: _on_calendar(_instant(value)),
        "AAAA-MM-JJThh:mm:ss avec fuseau (Z ou +01:00)",
        "YYYY-MM-DDThh:mm:ss with a zone (Z or +01:00)",
    ),
    "time": (re.compile(_CLOCK).fullmatch, "hh:mm:ss sans fuseau", "hh:mm:ss without zone"),
    "base64Binary": (_is_base64, "base64 (RFC 4648)", "base64 (RFC 4648)"),
}
RANGES: Final[dict[str, tuple[int, int]]] = {
    "integer": (-(2**31), 2**31 - 1),
    "unsignedInt": (0, 2**31 - 1),
    "positiveInt": (1, 2**31 - 1),
}


def primitive_check(type_name: str) -> Check:
    """The check of one value of a primitive type: None when it is right."""
    if type_name == "boolean":
        return _boolean
    if type_name == "decimal":
        return _decimal
    if type_name in RANGES:
        return _whole(type_name, *RANGES[type_name])
    if type_name in ("string", "markdown"):
        return _text(_textual(type_name, *FORMS[type_name]))
    return _textual(type_name, *FORMS[type_name])


def _text(precise: Check) -> Check:
    # Most values are short printable texts: told without the other cases.
    def check(value: Any) -> Findings:
        return (
            None
            if type(value) is str and value.isprintable() and not value.isspace() and value
            else precise(value)
        )

    return check


def _textual(type_name: str, form: Form, fr: str, en: str) -> Check:
    bad = Finding(BAD_VALUE, values={"type": type_name, "form_fr": fr, "form_en": en})

    def check(value: Any) -> Findings:
        if type(value) is str and form(value):
            return None
        if type(value) is str:
            return [bad if value.strip(_SPACES) else Finding(EMPTY)]
        return _wrong(value, "string")

    return check


def _whole(type_name: str, low: int, high: int) -> Check:
    words = {"type": type_name, "form_fr": f"{low} à {high}", "form_en": f"{low} to {high}"}

    def check(value: Any) -> Findings:
        if type(value) is int and low <= value <= high:
            return None
        return [Finding(BAD_VALUE, values=words)] if type(value) is int else _wrong(value, "number (integer)")

    return check


def _decimal(value: Any) -> Findings:
    if type(value) is int or (isinstance(value, Decimal) and value.is_finite()):
        return None
    if isinstance(value, float) and isfinite(value):
        return None
    return _wrong(value, "number")


def _boolean(value: Any) -> Findings:
    return None if value is True or value is False else _wrong(value, "boolean")


def _wrong(value: object, expected: str) -> Findings:
    if value is None:
        return [Finding(NULL, note="hole")]
    if isinstance(value, list):
        return [Finding(A_LIST)]
    return [Finding(WRONG_JSON, values={"expected": expected})]
