"""The earliest time at which an agenda may open on each day of the week: a bound that never changes until its rules do.

With it a search over thousands of agendas looks first at those that can open first, and leaves the others unread (GAP-CDI-03;
docs/decisions/0012). A bound may be too early, never too late: closures, horizons, validities and the weeks of a month are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from creneau.scheduling import civil
from creneau.scheduling.civil import DAY, HOUR
from creneau.scheduling.opening import Opening
from creneau.scheduling.slots import Agenda

QUARTER: Final = HOUR // 4
NEVER: Final = 127
"""Instead of the quarter of an hour (0 to 95), on a day of the week that never opens."""
BITS: Final = 7
WEEK: Final = range(7)


def doors(agenda: Agenda) -> int:
    """For each day of the week, Monday first, the quarter of an hour (local time) before which nothing opens: seven times seven bits."""
    earliest = [NEVER] * 7
    if agenda.active:
        for opening in agenda.openings:
            if opening.kind == "free":
                for day, time in _starts(opening):
                    earliest[day] = min(earliest[day], time // QUARTER)
    return sum(quarter << (BITS * day) for day, quarter in enumerate(earliest))


def _starts(opening: Opening) -> Iterator[tuple[int, int]]:
    """Days of the week and times from which the opening may be open on them."""
    shape = opening.shape
    days: Iterable[int] = WEEK
    if shape.rule is None:
        times: tuple[int, ...] = (opening.start.local % DAY,)
        days = (_weekday(opening.start.local),)
    elif shape.rule.rule.freq == "HOURLY":
        times = (0,)
    else:
        times = shape.rule.times
        if shape.rule.rule.freq == "WEEKLY":
            days = [(day + shape.rule.rule.wkst) % 7 for day in shape.rule.in_week]
    first, last = min(times, default=0), max(times, default=0) + shape.length
    if last > 2 * DAY:
        yield from ((day, 0) for day in WEEK)
        return
    for day in days:
        yield day, first
        if last > DAY:
            yield (day + 1) % 7, 0


def _weekday(local: int) -> int:
    return (local // DAY + 3) % 7  # 1 January 1970 is a Thursday, 3


@lru_cache(maxsize=65_536)
def first_start(packed: int, zone: ZoneInfo, at: int) -> int | None:
    """An instant, not before `at`, before which no cell of an agenda with these doors starts; None when it never opens."""
    local = civil.moment(at, zone).local
    for day in range(local // DAY, local // DAY + 8):
        quarter = packed >> (BITS * _weekday(day * DAY)) & NEVER
        if quarter != NEVER:
            return max(at, _instant(day, quarter * QUARTER, zone))
    return None


def _instant(day: int, time: int, zone: ZoneInfo) -> int:
    """The instant of a local time; well before it on a day on which the clock changes, when later times may be earlier instants."""
    midnight = civil.instant(day * DAY, zone)
    if civil.instant((day + 1) * DAY, zone) - midnight != DAY:
        return midnight - 2 * HOUR
    return civil.instant(day * DAY + time, zone)
