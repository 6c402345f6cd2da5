"""Recurrence rules: on which days, at which times an occurrence starts.

RFC 5545 section 3.3.10, GAP-REC-01 to 10. FR Core's rrule has no BYSETPOS, so every rule is a condition on the day and a list of times of
day: unfolding a window costs the days of that window, wherever DTSTART lies, and no rule can make it walk further (a rule that never
matches, such as 30 February, makes dateutil walk to the year 9999). The property test holds this expansion equal to dateutil's.

Rules are unfolded on the clock of the wall; what is left out of a rule comes from DTSTART. COUNT is turned once into a last occurrence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Final
from zoneinfo import ZoneInfo

from creneau.problems import Invalid, Issue, Refusal, TooCostly, refusal
from creneau.scheduling import civil, weeks
from creneau.scheduling.civil import DAY, HOUR, Moment
from creneau.scheduling.intervals import Interval

FREQUENCIES: Final = ("SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY")
STARTS_A_DAY: Final = 288
COUNT_LIMIT: Final = 10_000
COUNTED_DAYS: Final = 100 * 366
"""A rule with COUNT ends after about a hundred years, even when fewer occurrences were found."""

TOO_FINE = refusal(
    "recurrence-too-fine",
    "not-supported",
    "Une récurrence plus fine que HOURLY (MINUTELY, SECONDLY) n'est pas acceptée.",
    "A recurrence finer than HOURLY (MINUTELY, SECONDLY) is not accepted.",
)
TOO_MANY = refusal(
    "recurrence-too-many",
    "too-costly",
    "Une récurrence a au plus {a_day} débuts par jour et {count} occurrences (count).",
    "A recurrence has at most {a_day} starts a day and {count} occurrences (count).",
)

Test = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Recurrence:
    """An RRULE. `until`: the last instant (microseconds UTC) at which an occurrence may start, inclusive.

    `by_day` holds (ordinal, weekday), ordinal 0 for every one, Monday is 0; `wkst` likewise. Ordinals mean something in MONTHLY and
    YEARLY rules only and are left aside elsewhere. Negative numbers count from the end.
    """

    freq: str
    interval: int = 1
    count: int | None = None
    until: int | None = None
    by_day: tuple[tuple[int, int], ...] = ()
    by_month_day: tuple[int, ...] = ()
    by_year_day: tuple[int, ...] = ()
    by_week_no: tuple[int, ...] = ()
    by_month: tuple[int, ...] = ()
    by_hour: tuple[int, ...] = ()
    by_minute: tuple[int, ...] = ()
    by_second: tuple[int, ...] = ()
    wkst: int = 0


@dataclass(frozen=True, slots=True)
class Expansion:
    """A rule made ready for its DTSTART.

    `start`, and `last` that COUNT leads to, are local times; `times` those of a day (of an hour when HOURLY); `in_week` the days of the
    week of a WEEKLY rule, counted from `wkst`; `tests` what a day must satisfy besides.
    """

    rule: Recurrence
    start: int
    tests: tuple[Test, ...]
    times: tuple[int, ...]
    in_week: tuple[int, ...]
    last: int = civil.LATEST


def excesses(rule: Recurrence) -> Iterator[Refusal]:
    """Why the rule is not unfolded here: too fine, or too many occurrences (GAP-REC-10, GAP-RET-E18)."""
    if rule.freq in ("SECONDLY", "MINUTELY"):
        yield TOO_FINE
    a_day = max(len(rule.by_minute), 1) * max(len(rule.by_second), 1)
    a_day *= 24 if rule.freq == "HOURLY" else max(len(rule.by_hour), 1)
    if a_day > STARTS_A_DAY or (rule.count or 0) > COUNT_LIMIT:
        yield TOO_MANY


def expansion(start: int, rule: Recurrence) -> Expansion:
    """The rule ready to be unfolded from a local time; Invalid or TooCostly when it is not unfolded here."""
    for why in excesses(rule):
        if why is TOO_FINE:
            raise Invalid(Issue(why))
        raise TooCostly(Issue(why, values={"a_day": STARTS_A_DAY, "count": COUNT_LIMIT}))
    full = _completed(rule, weeks.day(start // DAY))
    in_week = sorted({(weekday - rule.wkst) % 7 for _, weekday in full.by_day}) or range(7)
    tests = tuple(_tests(full, weeks.day(start // DAY)))
    ready = Expansion(full, start, tests, _times(full, start), tuple(in_week))
    return ready if rule.count is None else replace(ready, last=_last(ready, rule.count))


def occurrences(start: int, rule: Recurrence, zone: ZoneInfo, window: Interval) -> Iterator[Moment]:
    """The starts, from DTSTART (a local time) on, that fall at instants within the window, in the order of local time.

    A DTSTART that its own rule does not match is no occurrence. Refusals as `expansion`.
    """
    found = unfolded(_expansion(start, rule), zone, window.start // DAY - 1, window.end // DAY + 1)
    return (one for one in found if window.start <= one.instant < window.end)


@lru_cache(maxsize=4096)
def _expansion(start: int, rule: Recurrence) -> Expansion:
    return expansion(start, rule)


def unfolded(ready: Expansion, zone: ZoneInfo, first: int, last: int) -> list[Moment]:
    """The starts on the days from `first` to `last` (local days since 1970, both included), COUNT and UNTIL observed."""
    until = ready.rule.until
    if until is not None:
        last = min(last, until // DAY + 1)
    found = [Moment(local, civil.instant(local, zone)) for local in starts(ready, first, last)]
    return found if until is None else [one for one in found if one.instant <= until]


def starts(ready: Expansion, first: int, last: int) -> list[int]:
    """The local times of the occurrences on these days, both included, UNTIL left aside."""
    first = max(first, ready.start // DAY, civil.EARLIEST // DAY)
    days = _days(ready, first, min(last, ready.last // DAY))
    if ready.rule.freq == "HOURLY":
        found = [day * DAY + time for day in days for time in _hourly(ready, day)]
    else:
        found = [day * DAY + time for day in days for time in ready.times]
    if found and (found[0] < ready.start or found[-1] > ready.last):
        return [local for local in found if ready.start <= local <= ready.last]
    return found


def _last(ready: Expansion, count: int) -> int:
    """The local time of the occurrence that COUNT ends with."""
    first = ready.start // DAY
    for day in range(first, first + COUNTED_DAYS, 366):
        found = starts(ready, day, day + 365)
        if len(found) >= count:
            return found[count - 1]
        count -= len(found)
    return (first + COUNTED_DAYS) * DAY


def _days(ready: Expansion, first: int, last: int) -> Sequence[int]:
    """The days (since 1970) that satisfy the rule, `last` included."""
    rule = ready.rule
    days: Sequence[int] = range(first, last + 1)
    if rule.freq == "DAILY":
        days = range(first + (ready.start // DAY - first) % rule.interval, last + 1, rule.interval)
    elif rule.freq == "WEEKLY":
        step = 7 * rule.interval
        near = weeks.week_start(first, rule.wkst)
        near += (weeks.week_start(ready.start // DAY, rule.wkst) - near) % step
        turns = range(near, last + 1, step)
        days = [week + day for week in turns for day in ready.in_week if first <= week + day <= last]
    if not ready.tests:
        return days
    known = ((day, weeks.day(day)) for day in days)
    return [day for day, date in known if all(test(date) for test in ready.tests)]


def _hourly(ready: Expansion, day: int) -> Iterator[int]:
    rule = ready.rule
    for hour in range((ready.start // HOUR - day * 24) % rule.interval, 24, rule.interval):
        if not rule.by_hour or hour in rule.by_hour:
            yield from (hour * HOUR + time for time in ready.times)


def _completed(rule: Recurrence, start: date) -> Recurrence:
    """The rule with the day that DTSTART says when nothing in the rule says one."""
    if rule.by_day or rule.by_month_day or rule.by_year_day:
        return rule
    if rule.by_week_no or rule.freq == "WEEKLY":
        return replace(rule, by_day=((0, start.weekday()),))
    if rule.freq == "YEARLY":
        return replace(rule, by_month=rule.by_month or (start.month,), by_month_day=(start.day,))
    if rule.freq == "MONTHLY":
        return replace(rule, by_month_day=(start.day,))
    return rule


def _times(rule: Recurrence, start: int) -> tuple[int, ...]:
    """The times of a day, or of an hour when HOURLY: those of the rule, else of DTSTART."""
    of_day = start % DAY
    hours = (0,) if rule.freq == "HOURLY" else rule.by_hour or (of_day // HOUR,)
    minutes = rule.by_minute or (of_day // 60_000_000 % 60,)
    seconds = rule.by_second or (of_day // 1_000_000 % 60,)
    all_of_them = product(hours, minutes, seconds)
    return tuple(sorted({h * HOUR + m * 60_000_000 + s * 1_000_000 for h, m, s in all_of_them}))


def _tests(rule: Recurrence, start: date) -> Iterator[Test]:
    """What a day must satisfy, besides being one of those that `_days` steps over."""
    if rule.interval > 1 and rule.freq in ("MONTHLY", "YEARLY"):
        yield _every(rule, start)
    if months := frozenset(rule.by_month):
        yield lambda day: day.month in months
    if month_days := frozenset(rule.by_month_day):
        yield lambda day: day.day in month_days or weeks.from_month_end(day) in month_days
    if year_days := frozenset(rule.by_year_day):
        yield lambda day: not year_days.isdisjoint(weeks.year_days(day))
    if numbers := frozenset(rule.by_week_no):
        yield lambda day: not numbers.isdisjoint(weeks.numbers(day, rule.wkst))
    if rule.by_day and rule.freq != "WEEKLY":
        yield _weekdays(rule)


def _every(rule: Recurrence, start: date) -> Test:
    if rule.freq == "YEARLY":
        return lambda day: (day.year - start.year) % rule.interval == 0
    return lambda day: ((day.year - start.year) * 12 + day.month - start.month) % rule.interval == 0


def _weekdays(rule: Recurrence) -> Test:
    """BYDAY: weekdays, and with an ordinal the n-th of the month (of the year in a YEARLY rule without BYMONTH)."""
    counted = rule.freq in ("MONTHLY", "YEARLY")
    every = frozenset(weekday for ordinal, weekday in rule.by_day if not (counted and ordinal))
    ordinals = frozenset(one for one in rule.by_day if counted and one[0])
    if not ordinals:
        return lambda day: day.weekday() in every
    in_year = rule.freq == "YEARLY" and not rule.by_month

    def matches(day: date) -> bool:
        first, last = weeks.ordinals(day, in_year)
        weekday = day.weekday()
        return weekday in every or (first, weekday) in ordinals or (last, weekday) in ordinals

    return matches
