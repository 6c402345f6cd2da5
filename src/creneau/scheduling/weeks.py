"""Where a day stands in its week, month and year, counted from both ends.

RFC 5545 section 3.3.10 (BYDAY, BYMONTHDAY, BYYEARDAY, BYWEEKNO). Days are numbered from 1970; weekdays from Monday, 0.
"""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import date
from typing import Final

EPOCH_ORDINAL: Final = date(1970, 1, 1).toordinal()


def day(number: int) -> date:
    """The date of a day counted from 1970."""
    return date.fromordinal(number + EPOCH_ORDINAL)


def week_start(number: int, wkst: int) -> int:
    """The first day of the week of a day, both counted from 1970, when weeks start on weekday `wkst`."""
    return number - (number + 3 - wkst) % 7  # 1 January 1970 is a Thursday, 3


def from_month_end(of: date) -> int:
    """-1 for the last day of the month, -2 for the one before."""
    return of.day - monthrange(of.year, of.month)[1] - 1


def year_days(of: date) -> tuple[int, int]:
    """The number of the day in its year from the start (1...) and from the end (-1 is 31 December)."""
    number = of.timetuple().tm_yday
    return number, number - _days_in(of.year) - 1


def ordinals(of: date, in_year: bool) -> tuple[int, int]:
    """The how-manieth of its weekday the day is in its month or year, from the start (1...) and from the end (-1...)."""
    from_start, from_end = year_days(of) if in_year else (of.day, from_month_end(of))
    return (from_start - 1) // 7 + 1, -((-from_end - 1) // 7 + 1)


def numbers(of: date, wkst: int) -> tuple[int, int]:
    """The number of the week from the start (1...53) and from the end (-1...) of the year the week belongs to.

    Week 1 is the first with at least four days in the year (RFC 5545, ISO 8601).
    """
    middle = date.fromordinal(of.toordinal() - (of.weekday() - wkst) % 7 + 3)
    number, from_end = year_days(middle)
    return (number - 1) // 7 + 1, -((-from_end - 1) // 7 + 1)


def _days_in(year: int) -> int:
    return 366 if isleap(year) else 365
