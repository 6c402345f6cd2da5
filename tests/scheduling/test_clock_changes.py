"""Around the days on which clocks change, in every French zone, slots are what a calendar walked minute by minute says (GAP-DIS-20, C-72).

The calendar of this test is made with zoneinfo alone, a minute at a time; it shares no code with the rules. Invariant 2 of the design:
what is offered can be booked, what is booked is not offered.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.scheduling import grid
from creneau.scheduling.booking import Wish, decide
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import Agenda, Service, Spoken, covers
from tests.scheduling.made import MINUTE, agenda, opening

CHANGES = {
    "Europe/Paris": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "America/Miquelon": (datetime(2026, 3, 8), datetime(2026, 11, 1)),
    "America/Guadeloupe": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "America/Cayenne": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "Indian/Reunion": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "Indian/Mayotte": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "Pacific/Noumea": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
    "Pacific/Tahiti": (datetime(2026, 3, 29), datetime(2026, 10, 25)),
}
"""Zones, and the days on which the clocks of Paris or of the zone itself change."""

MOVING = {"Europe/Paris", "America/Miquelon"}
DAYS = 5
MARGIN = 3
"""Days walked before and after."""


class Walked(NamedTuple):
    """Minutes of UTC one after another from `first` (minutes since 1970), with what the clock on the wall shows at each."""

    first: int
    shown: list[datetime]


@cache
def walked(zone: str, change: datetime) -> Walked:
    start = change.replace(tzinfo=UTC) - timedelta(days=DAYS // 2 + MARGIN + 1)
    minutes = (DAYS + 2 * MARGIN + 2) * 1440
    shown = [
        (start + timedelta(minutes=n)).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for n in range(minutes)
    ]
    return Walked(int(start.timestamp()) // 60, shown)


@cache
def places(zone: str, change: datetime) -> dict[datetime, int]:
    """For each reading of the clock, the first minute at which it is shown."""
    first, shown = walked(zone, change)
    found: dict[datetime, int] = {}
    for number, reading in enumerate(shown):
        found.setdefault(reading, first + number)
    return found


def minute_of(zone: str, change: datetime, reading: datetime) -> int:
    """The first minute at which the clock shows that; when it is skipped, the minute at which a clock left alone would show it."""
    known = places(zone, change)
    if reading in known:
        return known[reading]
    before = reading - timedelta(days=1)
    return known[before] + 1440


class Case(NamedTuple):
    zone: str
    change: datetime
    begin: int  # minutes after local midnight at which each day opens
    length: int  # minutes on the clock
    step: int  # minutes of a cell
    taken: tuple[tuple[int, int], ...]  # minutes after the first walked, and how many

    @property
    def agenda(self) -> Agenda:
        first = self.change - timedelta(days=30)
        start = first + timedelta(minutes=self.begin)
        end = start + timedelta(minutes=self.length)
        zone = ZoneInfo(self.zone)
        rule = opening(start.timetuple()[:5], end.timetuple()[:5], Recurrence("DAILY"), zone=zone)
        return agenda(rule, services=(Service("s", self.step * MINUTE),), zone=zone)

    @property
    def window(self) -> Interval:
        first = walked(self.zone, self.change).first + MARGIN * 1440
        return Interval(first * MINUTE, (first + DAYS * 1440) * MINUTE)

    @property
    def occurrences(self) -> list[tuple[int, int]]:
        """When the agenda opens and closes, in minutes since 1970."""
        found = []
        for day in range(-MARGIN - 2, DAYS - 1):
            start = self.change + timedelta(days=day, minutes=self.begin)
            end = start + timedelta(minutes=self.length)
            found.append(tuple(minute_of(self.zone, self.change, one) for one in (start, end)))
        return found  # type: ignore[return-value]  # each is a pair

    @property
    def busy(self) -> set[int]:
        first = walked(self.zone, self.change).first
        return {first + start + n for start, length in self.taken for n in range(length)}

    @property
    def spoken(self) -> list[Spoken]:
        first = walked(self.zone, self.change).first
        return [
            Spoken((first + start) * MINUTE, (first + start + length) * MINUTE, "busy", "Practitioner/1")
            for start, length in self.taken
        ]

    def expected(self) -> set[tuple[int, int]]:
        """The free cells, minute by minute: laid from each opening, whole before it closes, no minute of them busy."""
        low, high = self.window.start // MINUTE, self.window.end // MINUTE
        return {
            (start, start + self.step)
            for opens, closes in self.occurrences
            for start in range(opens, closes - self.step + 1, self.step)
            if low <= start < high and not any(n in self.busy_kept for n in range(start, start + self.step))
        }

    @property
    def busy_kept(self) -> frozenset[int]:
        return _busy(self)


@cache
def _busy(case: Case) -> frozenset[int]:
    return frozenset(case.busy)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone = draw(st.sampled_from(sorted(CHANGES)))
    begin = 5 * draw(st.integers(0, 287))
    lengths = st.integers(1, 20 * 12).map(lambda n: 5 * n)
    moments = st.integers(MARGIN * 1440, (MARGIN + DAYS) * 1440)
    return Case(
        zone,
        draw(st.sampled_from(CHANGES[zone])),
        begin,
        draw(lengths),
        draw(st.sampled_from([5, 10, 15, 20, 25, 30, 45, 60, 90])),
        tuple(draw(st.lists(st.tuples(moments, st.integers(1, 150)), max_size=8))),
    )


@settings(max_examples=120, deadline=None)
@given(cases())
def test_what_is_offered_is_what_the_calendar_walked_minute_by_minute_says(case: Case) -> None:
    found = grid.free(case.agenda, case.window, grid.blocks(case.spoken))

    shown = [(one.start // MINUTE, one.end // MINUTE) for one in found]
    assert len(shown) == len(set(shown))
    assert set(shown) == case.expected()


@settings(max_examples=100, deadline=None)
@given(cases())
def test_what_is_offered_can_be_asked_for_and_no_minute_of_it_is_booked(case: Case) -> None:
    one = case.agenda

    for cell in grid.free(one, case.window, grid.blocks(case.spoken)):
        wish = Wish(
            "proposed", cell.start, cell.end, agendas=(one,), things=one.things, target=frozenset("x")
        )
        refused = [issue.why.key for issue in decide(None, wish, cell.start - 1) if issue.severity == "error"]
        assert not refused, refused
        assert not any(cell.start < taken.end and taken.start < cell.end for taken in case.spoken)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_every_minute_is_open_or_closed_as_the_clock_on_the_wall_says(case: Case) -> None:
    one, opened = case.agenda, {n for low, high in case.occurrences for n in range(low, high)}

    for minute in range(case.window.start // MINUTE, case.window.end // MINUTE):
        assert covers(one, minute * MINUTE, (minute + 1) * MINUTE) == (minute in opened), minute


@pytest.mark.parametrize("zone", sorted(set(CHANGES) - MOVING))
def test_where_clocks_do_not_change_every_day_offers_the_same_times(zone: str) -> None:
    for change in CHANGES[zone]:
        case = Case(zone, change, 0, 20 * 60, 15, ())

        days: dict[object, list[object]] = {}
        for cell in grid.free(case.agenda, case.window, grid.blocks([])):
            shown = datetime.fromtimestamp(cell.start // 1_000_000, ZoneInfo(zone))
            days.setdefault(shown.date(), []).append(shown.time())

        whole = [times for times in days.values() if len(times) == 80]
        assert len(whole) >= DAYS - 1
        assert all(times == whole[0] for times in whole)


@pytest.mark.parametrize("zone", sorted(MOVING))
def test_where_they_do_a_night_has_an_hour_less_in_spring_and_one_more_in_autumn(zone: str) -> None:
    counts = []
    for change in CHANGES[zone]:
        case = Case(zone, change, 60, 3 * 60, 60, ())
        of_day = [
            cell
            for cell in grid.free(case.agenda, case.window, grid.blocks([]))
            if datetime.fromtimestamp(cell.start // 1_000_000, ZoneInfo(zone)).date() == change.date()
        ]
        counts.append(len(of_day))

    assert counts == [2, 4]
