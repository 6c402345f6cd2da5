"""Slots are given by start, then id, whatever the ids of their agendas look like (GAP-CDI-03, decision 0010)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from creneau.flows.ordered import by_start, first_of_runs, in_order
from creneau.flows.timetable import Shown
from creneau.scheduling.grid import Run
from creneau.scheduling.slots import Cell

IDS = st.text("a.-Z1", min_size=1, max_size=4)
STARTS = st.integers(0, 4).map(lambda n: n * 900_000_000)
SERVICES = st.sampled_from(["s", "t", None])


@given(st.sets(IDS, max_size=6), st.data(), st.booleans())
def test_the_order_is_that_of_start_and_id(agendas: set[str], data: st.DataObject, backwards: bool) -> None:
    held = [SimpleNamespace(agenda=SimpleNamespace(id=id)) for id in sorted(agendas)]
    found = []
    for one in held:
        cells = data.draw(st.lists(st.tuples(STARTS, SERVICES), max_size=5))
        found += [
            Shown(Cell(one.agenda.id, at, at + 60_000_000, key), "free", cast(Any, one)) for at, key in cells
        ]

    ordered = in_order(cast(Any, held), [*found], backwards=backwards)

    assert [by_start(one) for one in ordered] == sorted(map(by_start, found), reverse=backwards)


@given(st.sets(IDS, max_size=6), st.data(), st.integers(1, 8), st.booleans())
def test_pages_of_runs_joined_are_all_their_cells_in_order(
    agendas: set[str], data: st.DataObject, size: int, backwards: bool
) -> None:
    held = [SimpleNamespace(agenda=SimpleNamespace(id=id)) for id in sorted(agendas)]
    runs = [
        (cast(Any, one), Run(service, range(start, start + count * 900_000_000, 900_000_000)))
        for one in held
        for service in ("s", "t")
        for start, count in data.draw(st.lists(st.tuples(STARTS, st.integers(1, 4)), max_size=1))
    ]
    cells = [
        Cell(one.agenda.id, at, at + run.starts.step, run.service) for one, run in runs for at in run.starts
    ]

    pages, last = [], None
    while page := first_of_runs(cast(Any, held), runs, size, last, backwards=backwards):
        pages.append([one.cell for one in page])
        last = by_start(page[-1])

    assert all(len(page) == size for page in pages[:-1])
    assert [cell for page in pages for cell in page] == sorted(
        cells, key=lambda cell: (cell.start, cell.id), reverse=backwards
    )
