"""Comparing two FHIR dates of any precision, as FHIRPath does. http://hl7.org/fhirpath/N1/#comparison"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Final

_INSTANT: Final = re.compile(r"(.{19})(?:\.([0-9]++))?(Z|[+-][0-9:]{5})").fullmatch


def later(first: object, second: object) -> bool:
    """Whether `first` is surely after `second`; False when their precision leaves it open or either is not a date.

    With a zone on both sides they are compared as instants, else part by part as written.
    """
    if not isinstance(first, str) or not isinstance(second, str):
        return False
    try:
        if len(first) == len(second) and first[19:] == second[19:]:
            return first > second  # the same precision and zone: as texts
        if "T" in first and "T" in second:
            return _instant(first) > _instant(second)
        return _parts_later(first, second)
    except (ValueError, OverflowError):
        return False


def _instant(text: str) -> tuple[datetime, str]:
    found = _INSTANT(text)
    if found is None:
        raise ValueError
    # Seconds go to 60 in FHIR; fractions may be longer than Python keeps, so they are compared as text.
    moment = datetime.fromisoformat(found[1].replace(":60", ":59") + found[3]).astimezone(UTC)
    return moment, (found[2] or "").rstrip("0")


def _parts_later(first: str, second: str) -> bool:
    for one, other in zip_longest(first[:10].split("-"), second[:10].split("-")):
        if one is None or other is None:
            return False
        if one != other:
            return bool(one > other)
    return False
