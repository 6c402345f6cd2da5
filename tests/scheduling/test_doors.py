"""The earliest hours of an agenda are never later than its cells, whatever its rules and the clock do (docs/decisions/0012)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.scheduling.doors import doors, first_start
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import Agenda, cells
from tests.scheduling.made import DAY, HOUR, MONDAY, PARIS, THURSDAY, agenda, at, closure, opening, shown

ZONES = [ZoneInfo(name) for name in ("Europe/Paris", "America/Miquelon", "Indian/Reunion", "Pacific/Tahiti")]
DAYS = st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True)


@st.composite
def rules(draw: st.DrawFn) -> Recurrence | None:
    freq = draw(st.sampled_from(["", "DAILY", "WEEKLY", "MONTHLY", "HOURLY"]))
    if not freq:
        return None
    days = tuple((0, day) for day in draw(DAYS)) if draw(st.booleans()) else ()
    hours = tuple(draw(st.lists(st.integers(0, 23), max_size=2, unique=True))) if freq != "HOURLY" else ()
    return Recurrence(
        freq,
        interval=draw(st.integers(1, 3)),
        by_day=days,
        by_hour=hours,
        count=draw(st.none() | st.integers(1, 9)),
        wkst=draw(st.integers(0, 6)),
    )


@st.composite
def agendas(draw: st.DrawFn) -> Agenda:
    zone = draw(st.sampled_from(ZONES))
    found = []
    for _ in range(draw(st.integers(1, 3))):
        day, hour, lasts = (
            draw(st.integers(1, 28)),
            draw(st.integers(0, 23)),
            draw(st.integers(1, 4) | st.integers(1, 60)),
        )
        end = day * 24 + hour + lasts
        make = draw(st.sampled_from([opening, opening, closure]))
        moment = (2026, 10, day, hour), (2026, 10 + end // 24 // 31, (end // 24) % 31 or 1, end % 24)
        if moment[1] > moment[0]:
            found.append(make(*moment, draw(rules()), zone=zone, priority=draw(st.integers(0, 1))))
    return agenda(*found, minutes=30, zone=zone)


@settings(max_examples=300, deadline=None)
@given(agendas(), st.integers(0, 24 * 40))
def test_no_cell_starts_before_the_earliest_hour(one: Agenda, later: int) -> None:
    start = at(2026, 10, 10) + later * HOUR
    found = sorted(cell.start for cell in cells(one, Interval(start, start + 8 * DAY)))

    earliest = first_start(doors(one), one.zone, start)

    if found:
        assert earliest is not None
        assert start <= earliest <= found[0]


@pytest.mark.parametrize("clock", [(2026, 10, 25), (2026, 3, 29)])
def test_on_the_day_of_a_clock_change_too(clock: tuple[int, ...]) -> None:
    for hour in range(24):
        one = agenda(opening((*clock, hour), (*clock[:2], clock[2] + 1, 0)), minutes=15)
        for first in range(at(*clock) - DAY, at(*clock) + DAY, HOUR // 2):
            found = [cell.start for cell in cells(one, Interval(first, first + 3 * DAY))]
            earliest = first_start(doors(one), PARIS, first)
            assert earliest is not None
            assert not found or earliest <= min(found)


def test_it_is_the_hour_of_the_day_of_the_week() -> None:
    weekly = Recurrence("WEEKLY", by_day=(MONDAY, THURSDAY))
    one = agenda(opening((2026, 11, 2, 9), (2026, 11, 2, 12), weekly))

    assert shown(first_start(doors(one), PARIS, at(2026, 11, 3)) or 0) == "2026-11-05 09:00"
    assert shown(first_start(doors(one), PARIS, at(2026, 11, 5, 10)) or 0) == "2026-11-05 10:00"
    assert shown(first_start(doors(one), PARIS, at(2026, 11, 6)) or 0) == "2026-11-09 09:00"


def test_what_ends_the_next_day_opens_that_day_at_midnight() -> None:
    night = agenda(opening((2026, 11, 2, 22), (2026, 11, 3, 6), Recurrence("WEEKLY")))

    assert shown(first_start(doors(night), PARIS, at(2026, 11, 3)) or 0) == "2026-11-03 00:00"


def test_an_agenda_that_never_opens_has_no_earliest_hour() -> None:
    closed = closure((2026, 11, 2, 9), (2026, 11, 2, 12))
    inactive = agenda(opening((2026, 11, 2, 9), (2026, 11, 2, 12)), active=False)

    assert first_start(doors(agenda(closed)), PARIS, at(2026, 11, 1)) is None
    assert first_start(doors(inactive), PARIS, at(2026, 11, 1)) is None


def test_of_several_hours_a_day_the_first_counts() -> None:
    twice = Recurrence("DAILY", by_hour=(9, 14))
    one = agenda(opening((2026, 11, 2, 9), (2026, 11, 2, 10), twice))

    assert shown(first_start(doors(one), PARIS, at(2026, 11, 3)) or 0) == "2026-11-03 09:00"
