"""Ordinary weeks of agendas, and when they are open on a given day.

The rows say which form the recurrence is written in, as GAP leaves two readings of start and end (GAP-REC-01, 02, 05).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, time, timedelta
from functools import cache
from typing import Final, Literal, NamedTuple

DAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")

Form = Literal["occurrence", "hours", "times"]
"""How a recurrence is written: the first occurrence; an envelope with byHour; an envelope with the times of day of its bounds."""


class Row(NamedTuple):
    """One recurrence: days ("MO,TU"), local times, form, free or a closure, every how many weeks."""

    days: str
    start: time
    end: time
    form: Form = "occurrence"
    free: bool = True
    every: int = 1

    def weekdays(self) -> tuple[int, ...]:
        """The days as `date.weekday` numbers them."""
        return tuple(DAYS.index(day) for day in self.days.split(","))

    def first(self, monday: date) -> date:
        """The first day of the recurrence, in the week of that Monday."""
        return monday + timedelta(self.weekdays()[0])

    def on(self, day: date, monday: date) -> bool:
        """Whether it falls on that day, counting weeks from that Monday."""
        return day.weekday() in self.weekdays() and (day - monday).days // 7 % self.every == 0


def _at(hours: str) -> tuple[time, time]:
    start, end = hours.split("-")
    return time.fromisoformat(start), time.fromisoformat(end)


def _free(days: str, hours: str, form: Form = "occurrence", every: int = 1) -> Row:
    return Row(days, *_at(hours), form=form, every=every)


def _pause(days: str, hours: str) -> Row:
    return Row(days, *_at(hours), free=False)


WORKING: Final = "MO,TU,WE,TH,FR"
WEEKS: Final = {
    "classique": (_free(WORKING, "09:00-12:00"), _free(WORKING, "14:00-18:00")),
    "pause": (_free(WORKING, "09:00-18:00"), _pause(WORKING, "12:00-14:00")),
    "samedi": (
        _free("MO,TU,WE,FR", "09:00-12:00"),
        _free("MO,TU,FR", "14:00-19:00"),
        _free("SA", "09:00-12:00"),
    ),
    "alterne": (
        _free("MO,TU,TH,FR", "08:00-12:00"),
        _free("MO,TH", "13:30-18:00"),
        _free("SA", "09:00-13:00", every=2),
    ),
    "sans-mercredi": (_free("MO,TU,TH,FR", "08:30-12:30"), _free("MO,TU,TH", "13:30-17:30")),
    "mercredi": (_free("WE", "09:00-12:00"), _free("WE", "13:30-16:30", "times")),
    "matins": (_free(WORKING, "08:00-12:30"),),
    "longue": (_free("MO,TU,TH,FR", "08:00-19:00"), _pause("MO,TU,TH,FR", "12:00-13:00")),
    "tournee": (_free("MO,TU,WE,TH,FR,SA", "07:00-11:00"), _free(WORKING, "16:00-19:00")),
    "enveloppe": (_free("MO,TU,TH", "09:00-12:00", "hours"), _free("MO,TU,TH,FR", "14:00-17:00", "hours")),
    "enveloppe-demie": (_free("TU,WE,FR", "08:30-12:30", "times"), _free("TU,FR", "13:30-17:00", "times")),
    "chirurgien": (_free("MO,WE", "09:00-12:00"), _free("MO,FR", "14:00-17:00")),
    "bloc": (_free("TU,TH", "08:00-13:00"),),
    "imagerie": (_free(WORKING, "07:30-20:00"),),
    "imagerie-samedi": (_free("MO,TU,WE,TH,FR,SA", "08:00-18:00"),),
    "fin-de-semaine": (_free("SA,SU", "08:00-20:00"),),
    "vaccination": (_free("WE", "14:00-18:00"), _free("SA", "09:00-12:00")),
    "tous-les-jours": (_free(",".join(DAYS), "08:00-22:00"),),
    "reunion": (_free(WORKING, "12:00-14:00"), _free("TU", "18:00-21:00")),
}

Window = tuple[int, int]
"""Minutes of the day, from and to."""


def windows(rows: Iterable[Row], day: date, monday: date) -> list[Window]:
    """When these rows are open on that day, pauses taken out, sorted; `monday` is that of the week in which they begin."""
    today = [row for row in rows if row.on(day, monday)]
    opened = [_minutes(row) for row in today if row.free]
    for pause in [_minutes(row) for row in today if not row.free]:
        opened = [left for one in opened for left in _without(one, pause)]
    return sorted(opened)


def _minutes(row: Row) -> Window:
    return row.start.hour * 60 + row.start.minute, row.end.hour * 60 + row.end.minute


def _without(one: Window, pause: Window) -> Iterator[Window]:
    before, after = (one[0], min(one[1], pause[0])), (max(one[0], pause[1]), one[1])
    yield from (left for left in (before, after) if left[0] < left[1])


def easter(year: int) -> date:
    """Easter Sunday, by the anonymous Gregorian computation (Meeus, Astronomical Algorithms, ch. 8)."""
    century, rest = divmod(year, 100)
    moon = (19 * (year % 19) + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    week = (32 + 2 * (century % 4) + 2 * (rest // 4) - moon - rest % 4) % 7
    shift = moon + week - 7 * ((year % 19 + 11 * moon + 22 * week) // 451) + 114
    return date(year, shift // 31, shift % 31 + 1)


FIXED: Final = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))


@cache
def holidays(start: date, end: date) -> tuple[date, ...]:
    """French public holidays (Code du travail, art. L3133-1) from one day to another, the last not included."""
    found: set[date] = set()
    for year in range(start.year, end.year + 1):
        found |= {date(year, month, day) for month, day in FIXED}
        found |= {easter(year) + timedelta(after) for after in (1, 39, 50)}
    return tuple(sorted(day for day in found if start <= day < end))
