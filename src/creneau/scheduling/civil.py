"""Civil time of a zone: what the clock on the wall shows, and the instant at which it does.

RFC 5545 section 3.3.5, GAP-DIS-20, C-72. A local time is the number of microseconds that the same reading of the clock would be in UTC
since 1970. A reading that the clock skips is taken with the offset before the change; one that it shows twice is the first.
The clock rarely changes within a day, so the offset of a whole day is kept: 10 times quicker than asking zoneinfo for each time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY: Final = 86_400_000_000
HOUR: Final = 3_600_000_000
EPOCH: Final = datetime(1970, 1, 1)
EPOCH_UTC: Final = EPOCH.replace(tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

EARLIEST: Final = (datetime(1, 2, 1) - EPOCH) // MICROSECOND
LATEST: Final = (datetime(9999, 12, 1) - EPOCH) // MICROSECOND
"""Agendas end here, a month inside Python's calendar, so that no offset or week leads out; times beyond are read as these."""


class Moment(NamedTuple):
    """An instant, and what the clock of the agenda's zone shows then."""

    local: int
    instant: int


def instant(local: int, zone: ZoneInfo) -> int:
    """The instant, microseconds since 1970 UTC, at which the clock of the zone shows `local`."""
    local = min(max(local, EARLIEST), LATEST)
    offset = _offset_of_day(local // DAY, zone)
    return local - (_offset(local, zone) if offset is None else offset)


def moment(us: int, zone: ZoneInfo) -> Moment:
    """What the clock of the zone shows at an instant, given and returned in microseconds."""
    us = min(max(us, EARLIEST), LATEST)
    offset = _offset_of_utc_day(us // DAY, zone)
    if offset is not None:
        return Moment(us + offset, us)
    shown = (EPOCH_UTC + timedelta(microseconds=us)).astimezone(zone).replace(tzinfo=None)
    return Moment((shown - EPOCH) // MICROSECOND, us)


@lru_cache(maxsize=65_536)
def _offset_of_day(day: int, zone: ZoneInfo) -> int | None:
    """The offset in force the whole day (days since 1970), None when it changes before the next midnight."""
    offset = _offset(day * DAY, zone)
    return offset if offset == _offset((day + 1) * DAY, zone) else None


@lru_cache(maxsize=65_536)
def _offset_of_utc_day(day: int, zone: ZoneInfo) -> int | None:
    """The offset in force for the whole day of UTC, None when it changes before the next one."""
    offset, after = (_offset_at(one * DAY, zone) for one in (day, day + 1))
    return offset if offset == after else None


def _offset_at(us: int, zone: ZoneInfo) -> int:
    offset = (EPOCH_UTC + timedelta(microseconds=us)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // MICROSECOND


def _offset(local: int, zone: ZoneInfo) -> int:
    offset = zone.utcoffset(EPOCH + timedelta(microseconds=local))
    assert offset is not None
    return offset // MICROSECOND
