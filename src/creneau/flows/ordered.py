"""Slots in the order of their starts, then of their ids; the first ones of runs of free cells, the only ones that are made."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import chain, groupby, pairwise

from creneau.flows.agendas import Held
from creneau.flows.timetable import Shown
from creneau.scheduling.grid import Run
from creneau.scheduling.slots import Cell


def by_start(one: Shown) -> tuple[int, str]:
    """What orders slots."""
    return one.cell.start, one.cell.id


def in_order(agendas: Sequence[Held], slots: list[Shown], *, backwards: bool) -> list[Shown]:
    """Sorted as by `by_start`, slots given agenda by agenda; ids are made only where slots of one agenda start together."""
    if backwards:
        slots.reverse()
    slots.sort(key=_start, reverse=backwards)  # stable: agendas stay in the order of their ids
    together = _start_and_agenda if _in_order_of_ids([one.agenda.id for one in agendas]) else _start
    if all(together(one) != together(other) for one, other in pairwise(slots)):
        return slots
    found: list[Shown] = []
    for _, several in groupby(slots, together):
        found += sorted(several, key=_id, reverse=backwards)
    return found


def first_of_runs(
    agendas: Sequence[Held],
    runs: Sequence[tuple[Held, Run]],
    size: int,
    last: tuple[int, str] | None,
    *,
    backwards: bool,
) -> list[Shown]:
    """The first `size` of the free cells of these runs, in order, after `last` (the start and id of a slot of the page before).

    All starts are known, so cells are made only between the first and the last of the page.
    """
    starts, most = sorted(chain.from_iterable(run.starts for _, run in runs)), size
    if last is not None:
        at, past = bisect_left(starts, last[0]), bisect_right(starts, last[0])
        most += past - at  # some of those that start with the last one were before it
        starts = starts[:past] if backwards else starts[at:]
    page = starts[-most:] if backwards else starts[:most]
    if not page or size < 1:
        return []
    found = in_order(agendas, _made(runs, page[0], page[-1]), backwards=backwards)
    if last is not None:
        found = [one for one in found if (by_start(one) < last if backwards else by_start(one) > last)]
    return found[:size]


def _made(runs: Iterable[tuple[Held, Run]], low: int, high: int) -> list[Shown]:
    """The cells of the runs that start from `low` to `high`, both included."""
    make, found = tuple.__new__, []  # half the time of Shown(...)
    for held, (service, starts) in runs:
        if starts[0] <= high and starts[-1] >= low:
            agenda, length = held.agenda.id, starts.step
            for start in starts[bisect_left(starts, low) : bisect_right(starts, high)]:
                cell = make(Cell, (agenda, start, start + length, service))
                found.append(make(Shown, (cell, "free", held)))
    return found


def _in_order_of_ids(agendas: Sequence[str]) -> bool:
    """Whether slots that start together are in the order of their ids when they are in that of their agendas, which are given in order."""
    names = [f"{one}." for one in agendas]
    return all(one < other and not other.startswith(one) for one, other in pairwise(names))


def _start(one: Shown) -> int:
    return one[0][1]


def _start_and_agenda(one: Shown) -> tuple[int, str]:
    return one[0][1], one[0][0]


def _id(one: Shown) -> str:
    return one[0].id
