"""Slots are given by start, then id, whatever the ids of their agendas look like (GAP-CDI-03, decision 0010)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from creneau.flows.timetable import Shown
from creneau.flows.walking import Look, _in_order, by_start
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

    ordered = _in_order(cast(Look, SimpleNamespace(agendas=held)), [*found], backwards)

    assert [by_start(one) for one in ordered] == sorted(map(by_start, found), reverse=backwards)
