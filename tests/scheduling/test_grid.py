"""The grid by day says what the cells and their status say (GAP-CRN-01 to 14); steps cut a window without losing anything."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.scheduling import grid
from creneau.scheduling.intervals import Interval
from creneau.scheduling.recurrence import Recurrence
from creneau.scheduling.slots import Agenda, Service, Spoken, cells, status_of
from tests.scheduling.made import DAY, HOUR, MINUTE, agenda, at, closure, opening

FIRST = at(2026, 10, 23)
minutes = st.integers(0, 5 * 24 * 12).map(lambda n: FIRST + n * 5 * MINUTE)


@st.composite
def windows(draw: st.DrawFn) -> Interval:
    start = draw(minutes)
    return Interval(start, start + draw(st.integers(1, 4 * 24 * 12)) * 5 * MINUTE)


@st.composite
def agendas(draw: st.DrawFn) -> Agenda:
    begin, last = draw(st.integers(0, 20)), draw(st.integers(1, 30))
    daily = Recurrence("DAILY", interval=draw(st.integers(1, 2)))
    rules = [
        opening((2026, 10, 20, begin), (2026, 10, 20 + (begin + last) // 24, (begin + last) % 24), daily)
    ]
    if draw(st.booleans()):
        noon = draw(st.integers(0, 22))
        rules.append(closure((2026, 10, 20, noon), (2026, 10, 20, noon + 1), daily))
    services = tuple(Service(f"s{n}", n * 5 * MINUTE) for n in draw(st.sets(st.integers(1, 20), min_size=1)))
    return agenda(*rules, services=services, capacity=draw(st.sampled_from([1, 1, 2])))


@st.composite
def takes(draw: st.DrawFn) -> list[Spoken]:
    found = []
    for _ in range(draw(st.integers(0, 12))):
        start = draw(minutes) + draw(st.integers(0, 4)) * MINUTE
        found.append(Spoken(start, start + draw(st.integers(1, 200)) * MINUTE, "busy", "Practitioner/1"))
    return found


@settings(max_examples=150, deadline=None)
@given(agendas(), windows(), takes())
def test_the_free_cells_of_a_window_are_those_whose_status_is_free(
    one: Agenda, window: Interval, taken: list[Spoken]
) -> None:
    expected = {c for c in cells(one, window) if status_of(c, taken, one.capacity) == "free"}

    found = grid.free(one, window, grid.blocks(taken))

    assert len(found) == len(set(found))
    assert set(found) == expected
    runs = [*grid.free_runs(one, window, grid.blocks(taken))]
    assert sum(len(run.starts) for run in runs) == len(expected)
    assert {(run.service, start) for run in runs for start in run.starts} == {
        (c.service, c.start) for c in expected
    }


@settings(max_examples=80, deadline=None)
@given(st.lists(agendas(), max_size=4), windows(), st.integers(1, 40), st.booleans())
def test_steps_cut_the_window_in_order_and_hold_enough_cells(
    several: list[Agenda], window: Interval, least: int, backwards: bool
) -> None:
    parts = [
        part for part in grid.steps(several, window, least, backwards=backwards) if part.start < part.end
    ]

    joined = parts[::-1] if backwards else parts
    assert (joined[0].start, joined[-1].end) == window
    assert all(one.end == other.start for one, other in pairwise(joined))
    first = sum(len([*cells(one, parts[0])]) for one in several)
    whole = sum(len([*cells(one, window)]) for one in several)
    assert first >= min(least, whole) or parts[0].end - parts[0].start == DAY


def test_an_inactive_agenda_has_no_run_and_an_empty_window_neither() -> None:
    rule = opening((2026, 10, 20, 8), (2026, 10, 20, 18), Recurrence("DAILY"))

    assert not [*grid.runs(agenda(rule, active=False), Interval(FIRST, FIRST + DAY))]
    assert not [*grid.runs(agenda(rule), Interval(FIRST, FIRST))]
    assert len([*grid.runs(agenda(rule), Interval(FIRST, FIRST + DAY - HOUR))]) == 1
