"""Openings and closures: the two readings of a recurrent range, precedence, the horizon, the test vectors of GAP §21."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.problems import Invalid, TooCostly
from creneau.scheduling import intervals
from creneau.scheduling.availability import ALWAYS, RANGES_LIMIT, Spell, stretches
from creneau.scheduling.availability import intervals as spells
from creneau.scheduling.civil import Moment
from creneau.scheduling.intervals import Interval
from creneau.scheduling.opening import Opening, reading
from creneau.scheduling.recurrence import Recurrence
from tests.scheduling.made import (
    DAY,
    HOUR,
    MINUTE,
    MONDAY,
    PARIS,
    SUNDAY,
    THURSDAY,
    TUESDAY,
    WEEKDAYS,
    at,
    between,
    closure,
    local,
    moment,
    opening,
    shown,
)


def opens(openings: list[Opening], window: Interval, horizon: Interval = ALWAYS) -> list[tuple[str, str]]:
    """The open time of the window, touching spells joined, as the clock shows it."""
    found = [Interval(one.start, one.end) for one in spells(openings, PARIS, horizon, window) if one.open]
    return [(shown(start), shown(end)) for start, end in intervals.normalise(found)]


def open_days(openings: list[Opening], window: Interval) -> set[str]:
    return {start[:10] for start, _ in opens(openings, window)}


def whole(*day: int) -> Interval:
    return Interval(at(*day), at(*day) + DAY)


class TestVectors:
    """TV-1 to TV-3 of `gap-requirements.md` §21."""

    def test_tv1_four_days_then_a_morning_with_one_appointment(self) -> None:
        horizon = between((2017, 7, 17), (2017, 7, 22))
        agenda = [
            opening((2017, 7, 17, 8), (2017, 7, 17, 19), Recurrence("DAILY", count=4), index=0),
            opening((2017, 7, 21, 8), (2017, 7, 21, 13), index=1),
        ]
        asked = between((2017, 7, 17), (2017, 7, 20))
        appointment = between((2017, 7, 18, 8), (2017, 7, 18, 12))

        found = spells(agenda, PARIS, horizon, asked)
        unavailable = [(shown(one.start), shown(one.end)) for one in found if not one.open]
        free = intervals.subtract([Interval(one.start, one.end) for one in found if one.open], [appointment])

        assert unavailable == [
            ("2017-07-17 00:00", "2017-07-17 08:00"),
            ("2017-07-17 19:00", "2017-07-18 08:00"),
            ("2017-07-18 19:00", "2017-07-19 08:00"),
            ("2017-07-19 19:00", "2017-07-20 00:00"),
        ]
        assert [(shown(start), shown(end)) for start, end in free] == [
            ("2017-07-17 08:00", "2017-07-17 19:00"),
            ("2017-07-18 12:00", "2017-07-18 19:00"),
            ("2017-07-19 08:00", "2017-07-19 19:00"),
        ]
        assert opens(agenda, between((2017, 7, 20), (2017, 8, 1)), horizon) == [
            ("2017-07-20 08:00", "2017-07-20 19:00"),
            ("2017-07-21 08:00", "2017-07-21 13:00"),
        ]

    def test_tv2_mondays_and_thursdays_but_the_mondays_of_july(self) -> None:
        agenda = [
            opening((2026, 1, 1, 9), (2026, 1, 1, 12), Recurrence("WEEKLY", by_day=(MONDAY, THURSDAY))),
            closure(
                (2026, 1, 1), (2026, 1, 2), Recurrence("WEEKLY", by_day=(MONDAY,), by_month=(7,)), index=1
            ),
        ]

        days = open_days(agenda, between((2026, 1, 1), (2027, 1, 1)))

        every = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(365)]
        expected = {
            f"{day:%Y-%m-%d}"
            for day in every
            if day.weekday() == 3 or (day.weekday() == 0 and day.month != 7)
        }
        assert days == expected
        assert {"2026-07-02", "2026-06-29", "2026-08-03"} <= days and "2026-07-06" not in days

    @pytest.mark.parametrize("hours", [(8, 18), (18, 8)])
    def test_tv3_mondays_and_tuesdays_of_2021_in_the_envelope_form(self, hours: tuple[int, int]) -> None:
        week = Recurrence("WEEKLY", by_day=(MONDAY, TUESDAY), by_hour=hours)
        summer = Recurrence("WEEKLY", by_day=(MONDAY,), by_month=(7, 8))
        year = ((2021, 1, 1), (2022, 1, 1))
        agenda = [opening(*year, week), closure(*year, summer, index=1)]

        found = opens(agenda, between((2020, 1, 1), (2023, 1, 1)))

        assert [reading(one) for one in agenda] == ["envelope", "envelope"]
        assert len(opens(agenda[:1], between(*year))) == 104
        assert len(found) == 95
        assert {(start[11:], end[11:]) for start, end in found} == {("08:00", "18:00")}


class TestReadings:
    """GAP-REC-04 to 06."""

    @pytest.mark.parametrize(
        ("start", "end", "rule", "expected"),
        [
            ((2026, 3, 2, 9), (2026, 3, 2, 12), None, "single"),
            ((2026, 3, 2, 9), (2026, 3, 2, 12), Recurrence("DAILY"), "occurrence"),
            ((2026, 3, 2), (2026, 3, 3), Recurrence("DAILY"), "occurrence"),
            ((2026, 3, 2, 9), (2026, 3, 3, 9, 1), Recurrence("DAILY"), "envelope"),
            ((2026, 3, 2, 9), (2026, 3, 3, 10), Recurrence("DAILY", 2), "occurrence"),
            ((2026, 3, 2), (2026, 3, 9), Recurrence("WEEKLY"), "occurrence"),
            ((2026, 3, 2, 8), (2026, 3, 6, 18), Recurrence("WEEKLY", by_day=WEEKDAYS), "envelope"),
            ((2026, 3, 2), (2026, 3, 30), Recurrence("MONTHLY"), "occurrence"),
            ((2026, 3, 2), (2026, 3, 31), Recurrence("MONTHLY"), "envelope"),
            ((2026, 7, 13), (2026, 8, 24), Recurrence("YEARLY"), "occurrence"),
            ((2026, 3, 2, 9), (2026, 3, 2, 9, 30), Recurrence("DAILY", by_hour=(9, 14)), "occurrence"),
            ((2026, 3, 2, 9), (2026, 3, 2, 12), Recurrence("DAILY", by_hour=(9, 10)), "envelope"),
            ((2026, 3, 2, 9), (2026, 3, 2, 10), Recurrence("HOURLY"), "occurrence"),
            ((2026, 3, 2, 9), (2026, 3, 2, 11), Recurrence("HOURLY"), "envelope"),
            ((2026, 3, 2, 9), (2026, 3, 2, 12), Recurrence("DAILY", count=1), "occurrence"),
            ((2026, 1, 1), (2027, 1, 1), Recurrence("DAILY", count=1), "envelope"),
            (
                (2026, 3, 2),
                (2026, 3, 9),
                Recurrence("MONTHLY", by_month=(2,), by_month_day=(30,)),
                "occurrence",
            ),
        ],
    )
    def test_a_range_is_an_envelope_when_its_occurrences_would_overlap(
        self, start: tuple[int, ...], end: tuple[int, ...], rule: Recurrence | None, expected: str
    ) -> None:
        assert reading(opening(start, end, rule)) == expected

    @pytest.mark.parametrize("hours", [(8,), (8, 19), (19, 8)])
    def test_byhour_that_repeats_start_and_end_makes_no_second_occurrence(
        self, hours: tuple[int, ...]
    ) -> None:
        agenda = [opening((2026, 3, 2, 8, 30), (2026, 3, 2, 19), Recurrence("DAILY", by_hour=hours))]

        assert opens(agenda, whole(2026, 3, 10)) == [("2026-03-10 08:30", "2026-03-10 19:00")]

    def test_byhour_24_is_the_midnight_that_ends_the_day(self) -> None:
        agenda = [opening((2026, 3, 2, 20), (2026, 3, 3), Recurrence("DAILY", by_hour=(20, 24)))]

        assert opens(agenda, whole(2026, 3, 10)) == [("2026-03-10 20:00", "2026-03-11 00:00")]

    def test_other_hours_are_those_of_the_rfc(self) -> None:
        agenda = [opening((2026, 3, 2, 9), (2026, 3, 2, 10), Recurrence("DAILY", by_hour=(9, 14, 16)))]

        assert [start[11:] for start, _ in opens(agenda, whole(2026, 3, 10))] == ["09:00", "14:00", "16:00"]

    @pytest.mark.parametrize(
        ("start", "end", "hours", "expected"),
        [
            ((2026, 1, 1), (2027, 1, 1), (8, 18), ("08:00", "18:00")),
            ((2026, 1, 1), (2027, 1, 1), (18, 24), ("18:00", "00:00")),
            ((2026, 1, 1, 8, 30), (2026, 12, 31, 17, 45), (), ("08:30", "17:45")),
            ((2026, 1, 1, 8, 30), (2026, 12, 31, 17, 45), (9, 10, 11), ("08:30", "17:45")),
            ((2026, 1, 1, 17), (2026, 12, 31, 8), (), ("00:00", "00:00")),
            ((2026, 1, 1), (2027, 1, 1), (), ("00:00", "00:00")),
        ],
    )
    def test_hours_of_an_envelope(
        self,
        start: tuple[int, ...],
        end: tuple[int, ...],
        hours: tuple[int, ...],
        expected: tuple[str, str],
    ) -> None:
        agenda = [opening(start, end, Recurrence("WEEKLY", by_day=(MONDAY,), by_hour=hours))]

        [(first, last)] = opens(agenda, between((2026, 3, 1), (2026, 3, 8)))

        assert (first[11:], last[11:]) == expected and first.startswith("2026-03-02")

    def test_an_envelope_is_cut_at_its_own_ends_and_at_until(self) -> None:
        rule = Recurrence("DAILY", by_hour=(8, 18), until=at(2026, 3, 9, 12))
        agenda = [opening((2026, 3, 2, 10), (2026, 12, 31), rule)]

        found = opens(agenda, between((2026, 3, 1), (2026, 4, 1)))

        assert found[0] == ("2026-03-02 10:00", "2026-03-02 18:00")
        assert found[-1] == ("2026-03-09 08:00", "2026-03-09 18:00")
        assert opens([opening((2026, 3, 2), (2026, 3, 9, 12), rule)], whole(2026, 3, 9)) == [
            ("2026-03-09 08:00", "2026-03-09 12:00")
        ]

    def test_an_hourly_envelope_opens_every_day(self) -> None:
        agenda = [opening((2026, 1, 1), (2027, 1, 1), Recurrence("HOURLY", 5, by_hour=(8, 18)))]

        assert len(opens(agenda, between((2026, 3, 1), (2026, 3, 8)))) == 7

    def test_a_recurrence_that_is_not_unfolded_makes_no_opening(self) -> None:
        with pytest.raises(Invalid):
            opening((2026, 3, 2, 9), (2026, 3, 2, 12), Recurrence("MINUTELY"))


class TestPrecedence:
    """GAP-DIS-03, 04, 19, RFC 7953."""

    def test_an_agenda_without_opening_is_closed(self) -> None:
        assert spells([], PARIS, ALWAYS, Interval(5, 9)) == [Spell(5, 9, False, None)]

    def test_each_spell_names_the_rule_that_decided(self) -> None:
        agenda = [
            opening((2026, 3, 2, 8), (2026, 3, 2, 18), index=3),
            closure((2026, 3, 2, 12), (2026, 3, 2, 14), index=5),
            opening((2026, 3, 2, 13), (2026, 3, 2, 13, 30), index=7, priority=1),
        ]

        found = spells(agenda, PARIS, ALWAYS, between((2026, 3, 2, 7), (2026, 3, 2, 19)))

        assert [(shown(one.start)[11:], one.open, one.rule) for one in found] == [
            ("07:00", False, None),
            ("08:00", True, 3),
            ("12:00", False, 5),
            ("13:00", True, 7),
            ("13:30", False, 5),
            ("14:00", True, 3),
            ("18:00", False, None),
        ]

    @pytest.mark.parametrize(
        ("opens_at", "closes_at", "is_open"),
        [
            (0, 0, False),
            (5, 5, False),
            (1, 2, True),
            (9, 0, True),
            (0, 9, False),
            (2, 1, False),
            (10, 0, False),
            (-1, 0, False),
        ],
    )
    def test_the_highest_priority_decides_and_closures_win_ties(
        self, opens_at: int, closes_at: int, is_open: bool
    ) -> None:
        agenda = [
            opening((2026, 3, 2, 8), (2026, 3, 2, 18), priority=opens_at),
            closure((2026, 3, 2, 8), (2026, 3, 2, 18), priority=closes_at),
        ]

        [spell] = spells(agenda, PARIS, ALWAYS, between((2026, 3, 2, 9), (2026, 3, 2, 10)))

        assert spell.open is is_open

    @settings(max_examples=300, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["free", "closed"]),
                st.integers(0, 40),
                st.integers(1, 20),
                st.integers(0, 10),
            ),
            max_size=7,
        ),
        st.tuples(st.integers(0, 30), st.integers(1, 30)),
    )
    def test_every_minute_is_decided_by_the_order_of_priority(
        self, given_ones: list[tuple[str, int, int, int]], window: tuple[int, int]
    ) -> None:
        agenda = [
            Opening(
                kind,
                Moment(start, start),
                Moment(start + length, start + length),
                priority=priority,
                index=index,
            )  # type: ignore[arg-type]  # drawn
            for index, (kind, start, length, priority) in enumerate(given_ones)
        ]
        horizon, asked = Interval(3, 45), Interval(window[0], sum(window))

        found = spells(agenda, ZoneInfo("UTC"), horizon, asked)

        assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
        assert (found[0].start, found[-1].end) == asked
        for spell in found:
            for minute in range(spell.start, spell.end):
                speaking = [
                    one
                    for one in agenda
                    if one.start.instant <= minute < one.end.instant and 3 <= minute < 45
                ]
                speaking.sort(
                    key=lambda one: (one.priority if 1 <= one.priority <= 9 else 10, one.kind == "free")
                )
                assert spell.open is bool(speaking and speaking[0].kind == "free")
                assert (spell.rule is None) is not bool(speaking)

    def test_nothing_is_open_outside_the_horizon(self) -> None:
        agenda = [opening((2026, 3, 2), (2026, 3, 3), Recurrence("DAILY"))]
        horizon = between((2026, 3, 5, 10), (2026, 3, 6, 12))

        assert opens(agenda, between((2026, 3, 1), (2026, 4, 1)), horizon) == [
            ("2026-03-05 10:00", "2026-03-06 12:00")
        ]
        assert stretches(tuple(agenda), PARIS, horizon, between((2026, 3, 7), (2026, 4, 1))) == []
        assert opens(agenda, between((2026, 3, 7), (2026, 4, 1)), horizon) == []

    def test_a_vacation_closes_what_weeks_open(self) -> None:
        agenda = [
            opening((2026, 1, 5, 8), (2026, 1, 5, 12), Recurrence("WEEKLY", by_day=WEEKDAYS)),
            closure((2026, 7, 13), (2026, 7, 27), Recurrence("YEARLY"), index=1),
        ]

        days = open_days(agenda, between((2027, 7, 1), (2027, 8, 1)))

        assert "2027-07-12" in days and "2027-07-27" in days
        assert not any("2027-07-13" <= day < "2027-07-27" for day in days)


class TestChanges:
    """DST: REL-28, GAP-DIS-20."""

    @pytest.mark.parametrize(
        ("name", "day"),
        [
            ("Europe/Paris", (2027, 3, 28)),
            ("Europe/Paris", (2027, 10, 31)),
            ("America/Miquelon", (2027, 3, 14)),
            ("America/Miquelon", (2027, 11, 7)),
            ("America/Guadeloupe", (2027, 3, 28)),
            ("America/Cayenne", (2027, 10, 31)),
            ("Indian/Reunion", (2027, 3, 28)),
            ("Pacific/Noumea", (2027, 10, 31)),
        ],
    )
    @pytest.mark.parametrize("hours", [(8, 18), (0, 24), (1, 4), (0, 2), (3, 9), (22, 30)])
    def test_every_minute_around_a_change_is_open_when_the_clock_says_so(
        self, name: str, day: tuple[int, int, int], hours: tuple[int, int]
    ) -> None:
        zone = ZoneInfo(name)
        start = moment(2020, 1, 6, hours[0], zone=zone)
        ended = local(2020, 1, 6) + hours[1] * HOUR
        agenda = [
            Opening("free", start, Moment(ended, ended - start.local + start.instant), Recurrence("DAILY"))
        ]
        window = Interval(at(*day, zone=zone) - DAY, at(*day, zone=zone) + 2 * DAY)

        found = spells(agenda, zone, ALWAYS, window)

        is_open = {
            minute: one.open for one in found for minute in range(one.start // MINUTE, one.end // MINUTE)
        }
        assert len(is_open) == 3 * 1440
        for minute, answer in is_open.items():
            hour = datetime.fromtimestamp(minute * 60, zone).hour
            assert answer is (hours[0] <= hour < hours[1] or hour + 24 < hours[1]), minute

    def test_an_opening_given_in_the_second_of_two_same_hours_is_that_one(self) -> None:
        second = Moment(local(2026, 10, 25, 2), at(2026, 10, 25, 2) + HOUR)
        end = Moment(local(2026, 10, 25, 3), at(2026, 10, 25, 3))
        [once] = [Opening("free", second, end)]
        [daily] = [Opening("free", second, end, Recurrence("DAILY"))]

        for one in (once, daily):
            [spell] = [spell for spell in spells([one], PARIS, ALWAYS, whole(2026, 10, 25)) if spell.open]
            assert (spell.start, spell.end) == (second.instant, end.instant)

    def test_an_opening_within_the_hour_that_is_skipped_is_empty_or_moved_never_backwards(self) -> None:
        inside = opening((2027, 3, 27, 2, 15), (2027, 3, 27, 2, 45), Recurrence("DAILY"))
        across = opening((2027, 3, 27, 2, 30), (2027, 3, 27, 3), Recurrence("DAILY"))

        assert opens([inside], whole(2027, 3, 28)) == [("2027-03-28 03:15", "2027-03-28 03:45")]
        assert opens([across], whole(2027, 3, 28)) == []


class TestStretches:
    """What a grid of cells is laid from."""

    def test_a_closure_ends_a_stretch_and_another_begins_after(self) -> None:
        agenda = (
            opening((2026, 3, 2, 8), (2026, 3, 2, 18), Recurrence("DAILY")),
            closure((2026, 3, 2, 12), (2026, 3, 2, 13, 40), Recurrence("DAILY"), index=1),
        )

        found = stretches(agenda, PARIS, ALWAYS, between((2026, 3, 10, 9), (2026, 3, 10, 15)))

        assert [(shown(start)[11:], shown(end)[11:]) for start, end in found] == [
            ("08:00", "12:00"),
            ("13:40", "18:00"),
        ]

    def test_long_openings_are_cut_at_midnight_and_night_duties_are_not(self) -> None:
        year = (opening((2026, 1, 1), (2027, 1, 1)),)
        night = (opening((2026, 1, 1, 20), (2026, 1, 2, 8), Recurrence("DAILY")),)
        window = between((2026, 3, 10, 9), (2026, 3, 11, 22))

        days = [(shown(start), shown(end)) for start, end in stretches(year, PARIS, ALWAYS, window)]
        nights = [(shown(start), shown(end)) for start, end in stretches(night, PARIS, ALWAYS, window)]

        assert days == [("2026-03-10 00:00", "2026-03-11 00:00"), ("2026-03-11 00:00", "2026-03-12 00:00")]
        assert nights == [("2026-03-10 20:00", "2026-03-11 08:00"), ("2026-03-11 20:00", "2026-03-12 08:00")]

    def test_a_closure_of_the_evening_before_moves_the_grid_of_the_night(self) -> None:
        agenda = (
            opening((2026, 1, 1, 20), (2026, 1, 2, 8), Recurrence("DAILY")),
            closure((2026, 3, 10, 22), (2026, 3, 10, 22, 50), index=1),
            opening((2026, 3, 11, 7, 30), (2026, 3, 11, 9), index=2),
        )

        found = stretches(agenda, PARIS, ALWAYS, between((2026, 3, 11, 1), (2026, 3, 11, 9)))

        assert [(shown(start)[8:], shown(end)[8:]) for start, end in found] == [
            ("10 22:50", "11 08:00"),
            ("11 08:00", "11 09:00"),
        ]

    @pytest.mark.parametrize(
        ("end", "expected"),
        [
            ((2026, 3, 11, 9), ["10 09:00"]),
            ((2026, 3, 11, 9, 1), ["10 09:00", "11 00:00"]),
            ((2026, 3, 11, 15), ["10 09:00", "11 00:00"]),
        ],
    )
    def test_what_is_longer_than_24_hours_is_cut(self, end: tuple[int, ...], expected: list[str]) -> None:
        agenda = (opening((2026, 3, 10, 9), end),)

        found = stretches(agenda, PARIS, ALWAYS, between((2026, 3, 1), (2026, 3, 20)))

        assert [shown(start)[8:] for start, _ in found] == expected

    def test_a_day_that_never_was_has_no_stretch(self) -> None:
        apia = ZoneInfo("Pacific/Apia")
        agenda = (opening((2011, 12, 28), (2012, 1, 2), zone=apia),)

        found = stretches(agenda, apia, ALWAYS, between((2011, 12, 29), (2011, 12, 31, 12), zone=apia))

        assert [shown(start, apia)[:10] for start, _ in found] == ["2011-12-29", "2011-12-31"]

    OPENINGS = st.builds(
        lambda kind, start, length, rule, priority, index: Opening(
            kind,
            moment(2026, 3, 27, start // 60, start % 60),
            Moment(
                local(2026, 3, 27) + (start + length) * MINUTE, at(2026, 3, 27) + (start + length) * MINUTE
            ),
            rule,
            priority,
            index=index,
        ),
        st.sampled_from(["free", "free", "closed"]),
        st.integers(0, 1439),
        st.integers(1, 4000),
        st.sampled_from(
            [None, Recurrence("DAILY"), Recurrence("WEEKLY", by_day=(SUNDAY, MONDAY)), Recurrence("DAILY", 3)]
        ),
        st.sampled_from([0, 0, 1]),
        st.integers(0, 3),
    )

    @settings(max_examples=200, deadline=None)
    @given(st.lists(OPENINGS, min_size=1, max_size=4).map(tuple), st.integers(0, 6000), st.integers(1, 3000))
    def test_stretches_do_not_depend_on_the_window(
        self, agenda: tuple[Opening, ...], start: int, length: int
    ) -> None:
        first = at(2026, 3, 26)
        window = Interval(first + start * MINUTE, first + (start + length) * MINUTE)
        everything = stretches(agenda, PARIS, ALWAYS, Interval(first - 9 * DAY, first + 18 * DAY))

        found = stretches(agenda, PARIS, ALWAYS, window)

        assert found == [one for one in everything if intervals.overlaps(one, window)]
        open_time = [
            Interval(one.start, one.end) for one in spells(agenda, PARIS, ALWAYS, window) if one.open
        ]
        assert intervals.clip(found, window) == intervals.normalise(open_time)

    def test_what_unfolds_into_too_much_is_refused(self) -> None:
        often = tuple(
            opening((2026, 3, 2, 0, n), (2026, 3, 2, 0, n + 1), Recurrence("HOURLY"), index=n)
            for n in range(30)
        )
        window = between((2026, 3, 2), (2027, 3, 2))

        assert 365 * 24 * 30 > RANGES_LIMIT
        with pytest.raises(TooCostly) as refused:
            stretches(often, PARIS, ALWAYS, window)
        assert str(RANGES_LIMIT) in refused.value.issues[0].text()
