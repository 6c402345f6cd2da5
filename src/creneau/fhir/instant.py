"""FHIR dates and times as intervals of microseconds since 1970 UTC.

https://hl7.org/fhir/R4/datatypes.html#dateTime and https://hl7.org/fhir/R4/search.html#date

A text covers all the time its precision leaves open: `2026-11` a month, `09:15:00.123` one millisecond. Without an offset it is
civil time of the zone given: a day of 23 or 25 hours is as long as it is there, a time that the spring change skips is read with the
offset before the change and a time that the autumn change repeats is its first occurrence (RFC 5545 section 3.3.5).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
MIN: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
MAX: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // MICROSECOND
"""The first and last instant that can be written, 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z; bounds stop there."""

_ORDINAL: Final = EPOCH.toordinal()
_OFFSET = r"Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_INSTANT: Final = re.compile(rf"{_DAY}T{_TIME}:(?:[0-5][0-9]|(60))(?:\.[0-9]+)?(?:{_OFFSET})").fullmatch
_ANY: Final = re.compile(
    rf"([0-9]{{4}})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12][0-9]|3[01])(?:T({_TIME})(?::([0-5][0-9]|60)(?:\.([0-9]+))?)?({_OFFSET})?)?)?)?"
).fullmatch


def instant(text: str) -> int:
    """Microseconds since 1970 UTC of a FHIR instant (to the second or finer, with an offset); digits past the sixth are dropped.

    A leap second (`:60`) is read as the second before it: the format allows it and civil calendars do not know it.
    ValueError for anything else: other forms, dates not in the calendar, 24:00.
    """
    found = _INSTANT(text)
    if found is None:
        raise ValueError("not an instant")
    if found[1]:
        text = text[:17] + "59" + text[19:]
    return _utc(datetime.fromisoformat(text))


def parse(text: str, zone: ZoneInfo) -> tuple[int, int]:
    """The interval [lo, hi), in microseconds since 1970 UTC, that a date, dateTime or instant covers by its precision.

    Takes a year, month, day, minute (a search may stop there), second or fraction; `zone` says where civil time is when the text has
    no offset. A leap second is read as in `instant`. ValueError for any other text or a date not in the calendar.
    """
    if len(text) in (20, 25) and _INSTANT(text):
        lo = instant(text)
        return lo, min(lo + SECOND, MAX)
    found = _ANY(text)
    if found is None:
        raise ValueError("not a date or time")
    year, month, day, clock, second, fraction, offset = found.groups()
    if clock is None:
        return _civil_days(int(year), int(month or 0), int(day or 0), zone)
    second = "59" if second == "60" else second or "00"
    moment = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}:{second}.{fraction or '0'}{offset or ''}")
    lo = _utc(moment if offset else moment.replace(tzinfo=zone))
    width = SECOND // 10 ** min(len(fraction or ""), 6) if found[5] else 60 * SECOND
    return min(max(lo, MIN), MAX), min(max(lo + width, MIN), MAX)


def show(us: int) -> str:
    """The instant in UTC, `2026-11-24T09:15:00Z`, with milliseconds or microseconds only when there are some."""
    days, rest = divmod(us, DAY)
    second, fraction = divmod(rest, SECOND)
    if not fraction:
        return f"{_date(days)}T{_clock(second)}Z"
    digits = f"{fraction:06d}" if fraction % 1000 else f"{fraction // 1000:03d}"
    return f"{_date(days)}T{_clock(second)}.{digits}Z"


def show_in(us: int, zone: ZoneInfo) -> str:
    """The instant with the offset of the zone, `2026-11-24T10:15:00+01:00`; in UTC where FHIR cannot write that offset.

    Offsets of the local mean times before 1911 have seconds, and the first and last day of the calendar may have no civil date.
    """
    try:
        text = (EPOCH + timedelta(microseconds=us)).astimezone(zone).isoformat(timespec=_timespec(us))
    except OverflowError:
        return show(us)
    return text if text[-6] in "+-" else show(us)


@lru_cache(maxsize=4096)
def _date(days: int) -> str:
    return date.fromordinal(_ORDINAL + days).isoformat()


@lru_cache(maxsize=4096)
def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"


def _timespec(us: int) -> str:
    if us % SECOND == 0:
        return "seconds"
    return "microseconds" if us % 1000 else "milliseconds"


def _civil_days(year: int, month: int, day: int, zone: ZoneInfo) -> tuple[int, int]:
    first = datetime(year, month or 1, day or 1, tzinfo=zone)
    try:
        if day:
            after = first + timedelta(days=1)
        elif month:
            after = first.replace(year=year + month // 12, month=month % 12 + 1)
        else:
            after = first.replace(year=year + 1)
    except (OverflowError, ValueError):
        return _utc(first), MAX
    return _utc(first), _utc(after)


def _utc(moment: datetime) -> int:
    since = moment - EPOCH
    us = (since.days * 86_400 + since.seconds) * SECOND + since.microseconds
    return us if MIN <= us <= MAX else min(max(us, MIN), MAX)
