"""Recurrences: held equal to dateutil's, the examples of RFC 5545, COUNT and UNTIL, and what is refused."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.problems import Invalid, Problem, TooCostly
from creneau.scheduling import civil
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import Recurrence, excesses, expansion, occurrences, starts
from tests.scheduling.made import DAY, HOUR, MINUTE, PARIS, between, local, moment

UTC = ZoneInfo("UTC")
FREQ = {
    "HOURLY": rrule.HOURLY,
    "DAILY": rrule.DAILY,
    "WEEKLY": rrule.WEEKLY,
    "MONTHLY": rrule.MONTHLY,
    "YEARLY": rrule.YEARLY,
}
NAMES = {
    "by_month_day": "bymonthday",
    "by_year_day": "byyearday",
    "by_week_no": "byweekno",
    "by_month": "bymonth",
    "by_hour": "byhour",
    "by_minute": "byminute",
    "by_second": "bysecond",
}

WEEKDAY = st.integers(0, 6)
PLAIN = st.sets(WEEKDAY, min_size=1, max_size=4).map(lambda days: tuple((0, day) for day in sorted(days)))


def few(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(numbers, min_size=1, max_size=3).map(lambda found: tuple(sorted(found)))


def either_end(most: int) -> st.SearchStrategy[int]:
    return st.integers(1, most) | st.integers(-most, -1)


def ordinals(most: int) -> st.SearchStrategy[tuple[tuple[int, int], ...]]:
    return st.sets(st.tuples(either_end(most), WEEKDAY), min_size=1, max_size=3).map(
        lambda days: tuple(sorted(days))
    )


TIMES: dict[str, st.SearchStrategy[tuple[int, ...]]] = {
    "by_hour": few(st.integers(0, 23)),
    "by_minute": few(st.sampled_from([0, 15, 30, 59])),
    "by_second": few(st.sampled_from([0, 30])),
}
# dateutil misplaces the days that follow 1 January in week 52 or 53 when weeks do not start on Monday: `test_weeks.py` has those weeks.
# For each frequency, the parts that may come together. Combinations that never match are left out: dateutil walks them to the year 9999.
PARTS: dict[str, list[dict[str, Any]]] = {
    "HOURLY": [{}, {"by_day": PLAIN}, {"by_minute": TIMES["by_minute"]}],
    "DAILY": [
        {},
        {"by_day": PLAIN},
        {"by_month": few(st.integers(1, 12))},
        {"by_month_day": few(either_end(28))},
        {"by_day": PLAIN, "by_month": few(st.integers(1, 12))},
        {"by_year_day": few(either_end(365))},
    ],
    "WEEKLY": [
        {},
        {"by_day": PLAIN},
        {"by_day": PLAIN, "by_month": few(st.integers(1, 12))},
        {"by_month_day": few(either_end(28))},
        {"by_day": PLAIN, "by_week_no": few(st.integers(1, 51))},
    ],
    "MONTHLY": [
        {},
        {"by_day": PLAIN},
        {"by_day": ordinals(4)},
        {"by_month_day": few(either_end(31))},
        {"by_day": PLAIN, "by_month_day": few(either_end(28))},
        {"by_day": ordinals(4), "by_month": few(st.integers(1, 12))},
    ],
    "YEARLY": [
        {},
        {"by_month": few(st.integers(1, 12))},
        {"by_month_day": few(either_end(31))},
        {"by_day": PLAIN, "by_month": few(st.integers(1, 12))},
        {"by_day": ordinals(4), "by_month": few(st.integers(1, 12))},
        {"by_day": ordinals(51)},
        {"by_year_day": few(either_end(366))},
        {"by_day": PLAIN, "by_week_no": few(st.integers(1, 51) | st.integers(-50, -1))},
        {"by_day": PLAIN, "by_month_day": few(either_end(28))},
    ],
}


@st.composite
def rules(draw: st.DrawFn) -> Recurrence:
    freq = draw(st.sampled_from(sorted(PARTS)))
    parts = {name: draw(one) for name, one in draw(st.sampled_from(PARTS[freq])).items()}
    if freq != "HOURLY":
        for name, one in TIMES.items():
            if draw(st.integers(0, 3)) == 0:
                parts[name] = draw(one)
    steady = freq in ("MONTHLY", "WEEKLY") and len(parts) > 1  # an interval could then miss every match
    interval = 1 if steady else draw(st.sampled_from([1, 1, 2, 3, 5]))
    count = draw(st.none() | st.integers(1, 40))
    return Recurrence(freq, interval, count, wkst=draw(WEEKDAY), **parts)


def by_dateutil(rule: Recurrence, start: datetime, **more: Any) -> rrule.rrule:
    parts = {NAMES[name]: getattr(rule, name) or None for name in NAMES}
    weekdays = [rrule.weekday(day, ordinal or None) for ordinal, day in rule.by_day] or None
    more = {"count": rule.count, **more}
    return rrule.rrule(
        FREQ[rule.freq],
        dtstart=start,
        interval=rule.interval,
        byweekday=weekdays,
        wkst=rule.wkst,
        **parts,
        **more,
    )


def listed(found: list[int]) -> list[datetime]:
    return [civil.EPOCH + timedelta(microseconds=one) for one in found]


@settings(max_examples=400, deadline=None)
@given(
    rules(),
    st.datetimes(datetime(2015, 1, 1), datetime(2025, 12, 31)).map(lambda one: one.replace(microsecond=0)),
    st.integers(0, 900),
)
def test_it_unfolds_as_dateutil_does(rule: Recurrence, start: datetime, later: int) -> None:
    days = later % 40 if rule.freq == "HOURLY" else later
    first = datetime.combine(start.date(), datetime.min.time()) + timedelta(days=days)
    after = first + timedelta(days=7 if rule.freq == "HOURLY" else 400)
    expected = by_dateutil(rule, start).between(first, after - timedelta(seconds=1), inc=True)
    ready = expansion((start - civil.EPOCH) // civil.MICROSECOND, rule)

    found = starts(ready, (first - civil.EPOCH).days, (after - civil.EPOCH).days - 1)

    assert listed(found) == expected


@settings(max_examples=100, deadline=None)
@given(
    st.sets(WEEKDAY, max_size=4),
    st.integers(1, 6),
    WEEKDAY,
    st.integers(1700, 1900),
    st.sampled_from(["DAILY", "WEEKLY"]),
)
def test_a_distant_start_changes_neither_the_answer_nor_the_work(
    days: set[int], interval: int, wkst: int, year: int, freq: str
) -> None:
    rule = Recurrence(freq, interval, by_day=tuple((0, day) for day in days), wkst=wkst)
    start = datetime(year, 3, 5, 9)
    turn = timedelta(days=7 * interval)
    near = start + (datetime(2026, 1, 1) - start) // turn * turn
    expected = by_dateutil(rule, near).between(datetime(2026, 3, 1), datetime(2026, 4, 1))

    found = starts(
        expansion((start - civil.EPOCH) // civil.MICROSECOND, rule),
        local(2026, 3, 1) // DAY,
        local(2026, 3, 31) // DAY,
    )

    assert listed(found) == expected


RFC_5545 = [
    ("Friday the 13th", Recurrence("MONTHLY", by_day=((0, 4),), by_month_day=(13,)), (1997, 9, 2, 9), ["1998-02-13", "1998-03-13", "1998-11-13"]),
    (
        "election day",
        Recurrence("YEARLY", 4, by_month=(11,), by_day=((0, 1),), by_month_day=(2, 3, 4, 5, 6, 7, 8)),
        (1996, 11, 5, 9),
        ["1996-11-05", "2000-11-07", "2004-11-02"],
    ),
    ("last Monday but one", Recurrence("MONTHLY", by_day=((-2, 0),)), (1997, 9, 22, 9), ["1997-09-22", "1997-10-20", "1997-11-17"]),
    ("third day from the end", Recurrence("MONTHLY", by_month_day=(-3,)), (1997, 9, 28, 9), ["1997-09-28", "1997-10-29", "1997-11-28"]),
    ("days 1, 100 and 200", Recurrence("YEARLY", 3, by_year_day=(1, 100, 200)), (1997, 1, 1, 9), ["1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01"]),
    ("20th Monday of the year", Recurrence("YEARLY", by_day=((20, 0),)), (1997, 5, 19, 9), ["1997-05-19", "1998-05-18", "1999-05-17"]),
    ("Monday of week 20", Recurrence("YEARLY", by_week_no=(20,), by_day=((0, 0),)), (1997, 5, 12, 9), ["1997-05-12", "1998-05-11", "1999-05-17"]),
    ("week 20 on the weekday of DTSTART", Recurrence("YEARLY", by_week_no=(20,)), (1997, 5, 12, 9), ["1997-05-12", "1998-05-11", "1999-05-17"]),
    ("every other week, Monday first", Recurrence("WEEKLY", 2, by_day=((0, 1), (0, 6)), wkst=0, count=4), (1997, 8, 5, 9), ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
    ("every other week, Sunday first", Recurrence("WEEKLY", 2, by_day=((0, 1), (0, 6)), wkst=6, count=4), (1997, 8, 5, 9), ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
    ("29 February", Recurrence("YEARLY"), (1996, 2, 29, 9), ["1996-02-29", "2000-02-29", "2004-02-29"]),
    ("the 31st", Recurrence("MONTHLY"), (1997, 1, 31, 9), ["1997-01-31", "1997-03-31", "1997-05-31"]),
    ("every Thursday, and the first Monday", Recurrence("MONTHLY", by_day=((0, 3), (1, 0))), (1997, 9, 1, 9), ["1997-09-01", "1997-09-04", "1997-09-11"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "start", "expected"), [one[1:] for one in RFC_5545], ids=[one[0] for one in RFC_5545]
)
def test_examples_of_the_rfc(rule: Recurrence, start: tuple[int, ...], expected: list[str]) -> None:
    window = between(start, (start[0] + 9, 1, 1), zone=UTC)

    found = [
        f"{one:%Y-%m-%d}" for one in listed([m.local for m in occurrences(local(*start), rule, UTC, window)])
    ]

    assert found[: len(expected)] == expected
    assert rule.count is None or len(found) == rule.count


def test_count_is_counted_from_the_start_wherever_the_window_is() -> None:
    rule = Recurrence("DAILY", count=10)

    found = [
        one.local
        for one in occurrences(local(2026, 3, 1, 9), rule, PARIS, between((2026, 3, 8), (2026, 4, 1)))
    ]

    assert found == [local(2026, 3, day, 9) for day in (8, 9, 10)]


def test_a_count_never_reached_ends_after_a_century() -> None:
    rule = Recurrence("YEARLY", count=500)

    assert list(occurrences(local(2026, 3, 1), rule, UTC, between((2120, 1, 1), (2125, 1, 1), zone=UTC)))
    assert not list(occurrences(local(2026, 3, 1), rule, UTC, between((2130, 1, 1), (2140, 1, 1), zone=UTC)))


@pytest.mark.parametrize(("until", "last"), [((9, 0), 5), ((8, 59), 4), ((9, 1), 5)])
def test_until_includes_an_occurrence_that_starts_then(until: tuple[int, int], last: int) -> None:
    rule = Recurrence("DAILY", until=moment(2026, 3, 5, *until).instant)

    found = [
        one.local
        for one in occurrences(local(2026, 3, 1, 9), rule, PARIS, between((2026, 2, 1), (2026, 4, 1)))
    ]

    assert found == [local(2026, 3, day, 9) for day in range(1, last + 1)]


def test_until_is_an_instant_even_where_the_clock_repeats_an_hour() -> None:
    hourly = Recurrence(
        "HOURLY", until=moment(2026, 10, 25, 3).instant - HOUR - MINUTE
    )  # in the first 02:00 to 03:00

    found = [
        one.local
        for one in occurrences(local(2026, 10, 25, 1), hourly, PARIS, between((2026, 10, 25), (2026, 10, 26)))
    ]

    assert found == [local(2026, 10, 25, 1), local(2026, 10, 25, 2)]


def test_nine_stays_nine_across_both_changes() -> None:
    rule = Recurrence("DAILY")
    around = [(2026, 3, 28), (2026, 3, 29), (2026, 10, 24), (2026, 10, 25)]

    found = {
        one.local: one.instant
        for one in occurrences(local(2026, 1, 1, 9), rule, PARIS, between((2026, 1, 1), (2027, 1, 1)))
    }

    assert [(local(*day, 9) - found[local(*day, 9)]) // HOUR for day in around] == [1, 2, 2, 1]
    assert len(found) == 365


def test_a_start_that_the_clock_skips_comes_an_hour_later_on_it() -> None:
    rule = Recurrence("DAILY")

    found = [
        one.instant
        for one in occurrences(local(2027, 3, 27, 2, 30), rule, PARIS, between((2027, 3, 28), (2027, 3, 29)))
    ]

    assert found == [moment(2027, 3, 28, 3, 30).instant]


def test_the_window_excludes_its_end_and_includes_its_start() -> None:
    rule = Recurrence("DAILY")
    start = moment(2026, 3, 10, 9)

    assert [
        one for one in occurrences(start.local, rule, PARIS, Interval(start.instant, start.instant + 1))
    ] == [start]
    assert not list(occurrences(start.local, rule, PARIS, Interval(start.instant - HOUR, start.instant)))


@pytest.mark.parametrize("name", ["America/Guadeloupe", "Pacific/Noumea"])
def test_evenings_and_mornings_overseas_are_in_the_days_of_utc_that_they_overlap(name: str) -> None:
    zone, rule = ZoneInfo(name), Recurrence("HOURLY")

    for hour in range(24):
        start = moment(2026, 3, 10, hour, zone=UTC).instant
        found = list(occurrences(local(2026, 3, 1), rule, zone, Interval(start, start + HOUR)))
        assert [one.instant for one in found] == [start]


def test_a_start_that_the_rule_does_not_match_is_no_occurrence() -> None:
    rule = Recurrence("WEEKLY", by_day=((0, 0),))  # 11 March 2026 is a Wednesday

    found = [
        one.local
        for one in occurrences(local(2026, 3, 11, 9), rule, PARIS, between((2026, 3, 1), (2026, 3, 25)))
    ]

    assert found == [local(2026, 3, 16, 9), local(2026, 3, 23, 9)]


def test_ordinals_mean_nothing_in_a_weekly_rule() -> None:
    rule = Recurrence("WEEKLY", by_day=((2, 0),))

    found = list(occurrences(local(2026, 3, 2, 9), rule, PARIS, between((2026, 3, 1), (2026, 3, 25))))

    assert len(found) == 4


def test_hourly_with_hours_unfolds_those_of_its_own_pace() -> None:
    rule = Recurrence("HOURLY", 2, by_hour=(9, 10, 11, 12))

    found = [
        one.local
        for one in occurrences(local(2026, 3, 2, 9), rule, PARIS, between((2026, 3, 3), (2026, 3, 4)))
    ]

    assert found == [local(2026, 3, 3, 9), local(2026, 3, 3, 11)]


@pytest.mark.parametrize(
    "rule",
    [
        Recurrence("DAILY", by_month=(2,), by_month_day=(30,)),
        Recurrence("HOURLY", 2, by_hour=(10,)),
        Recurrence("MONTHLY", 12, by_month=(5,)),
        Recurrence("DAILY", by_month=(2,), by_month_day=(31,), count=10),
    ],
)
def test_a_rule_that_never_matches_costs_no_more_than_its_window(rule: Recurrence) -> None:
    begun = time.process_time()

    found = list(occurrences(local(2026, 3, 1, 9), rule, PARIS, between((2026, 3, 1), (2027, 3, 1))))

    assert not found
    assert time.process_time() - begun < 1  # dateutil: up to 4 s of CPU


@pytest.mark.parametrize("freq", ["SECONDLY", "MINUTELY"])
def test_finer_than_hourly_is_refused(freq: str) -> None:
    with pytest.raises(Invalid) as refused:
        expansion(0, Recurrence(freq))

    assert [issue.why.key for issue in refused.value.issues] == ["recurrence-too-fine"]


@pytest.mark.parametrize(
    "rule",
    [
        Recurrence("DAILY", by_hour=tuple(range(24)), by_minute=tuple(range(60))),
        Recurrence("HOURLY", by_minute=tuple(range(0, 60, 4))),
        Recurrence("DAILY", count=10_001),
        Recurrence("DAILY", by_second=tuple(range(60)), by_minute=tuple(range(60))),
    ],
)
def test_too_many_occurrences_are_refused_before_they_are_unfolded(rule: Recurrence) -> None:
    with pytest.raises(TooCostly) as refused:
        occurrences(0, rule, PARIS, Interval(0, DAY))

    assert "288" in refused.value.issues[0].text("fr") and "10000" in refused.value.issues[0].text("en")


def test_what_is_within_the_limits_is_not_refused() -> None:
    fine = Recurrence("HOURLY", by_minute=tuple(range(0, 60, 5)), count=10_000)

    assert not list(excesses(fine))
    assert not isinstance(expansion(0, fine), Problem)


def test_the_ends_of_the_calendar_are_reached_without_a_fall() -> None:
    rule = Recurrence("YEARLY", by_week_no=(1, 53), by_day=((0, 0),))

    late = list(
        occurrences(
            local(9998, 1, 1), rule, PARIS, Interval(civil.LATEST - 900 * DAY, civil.LATEST + 900 * DAY)
        )
    )
    early = list(
        occurrences(
            civil.EARLIEST, rule, PARIS, Interval(civil.EARLIEST - 900 * DAY, civil.EARLIEST + 400 * DAY)
        )
    )

    assert late and early
