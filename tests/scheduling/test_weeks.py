"""Places of days in weeks, months and years, against the calendar counted one day after another."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from itertools import groupby

import pytest

from creneau.scheduling import weeks

FIRST, LAST = date(1999, 1, 1), date(2030, 12, 31)
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]


@pytest.mark.parametrize("wkst", range(7))
def test_a_week_belongs_to_the_year_that_has_four_of_its_days(wkst: int) -> None:
    first = next(index for index, day in enumerate(DAYS) if day.weekday() == wkst)
    whole_weeks = [DAYS[start : start + 7] for start in range(first, len(DAYS) - 7, 7)]
    years = [Counter(day.year for day in week).most_common(1)[0][0] for week in whole_weeks]

    for year, group in groupby(zip(years, whole_weeks, strict=True), key=lambda one: one[0]):
        if 2000 <= year <= 2029:
            of_year = [week for _, week in group]
            for number, week in enumerate(of_year, 1):
                assert {weeks.numbers(day, wkst) for day in week} == {(number, number - len(of_year) - 1)}


def test_weeks_that_start_on_monday_are_those_of_iso_8601() -> None:
    assert all(weeks.numbers(day, 0)[0] == day.isocalendar().week for day in DAYS)


def test_days_are_counted_from_both_ends_of_month_and_year() -> None:
    for year, of_year in groupby(DAYS, key=lambda day: day.year):
        days = list(of_year)
        assert [weeks.year_days(day) for day in days] == [
            (n, n - len(days) - 1) for n in range(1, len(days) + 1)
        ], year
        for _, of_month in groupby(days, key=lambda day: day.month):
            month = list(of_month)
            assert [weeks.from_month_end(day) for day in month] == list(range(-len(month), 0))


@pytest.mark.parametrize("in_year", [False, True])
def test_the_ordinal_of_a_weekday_counts_its_like_before_and_after(in_year: bool) -> None:
    for _, group in groupby(DAYS, key=lambda day: (day.year, None if in_year else day.month)):
        days = list(group)
        for weekday in range(7):
            like = [day for day in days if day.weekday() == weekday]
            assert [weeks.ordinals(day, in_year) for day in like] == [
                (n, n - len(like) - 1) for n in range(1, len(like) + 1)
            ]


def test_a_day_and_its_week_are_numbered_from_1970() -> None:
    assert weeks.day(0) == date(1970, 1, 1)
    for number in (-400, -1, 0, 3, 20_000):
        for wkst in range(7):
            start = weeks.week_start(number, wkst)
            assert 0 <= number - start < 7 and weeks.day(start).weekday() == wkst
