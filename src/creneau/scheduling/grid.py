"""The grid of an agenda, day by day: where its cells start in a window, which of them nothing takes, how many these are.

GAP §10 (GAP-CRN-01 to 14). It says what `slots.cells` and `slots.status_of` say, for searches over many agendas: no cell is made before
it is known to be free, and the open time of the days that are asked for again and again is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from creneau.scheduling.availability import stretches
from creneau.scheduling.civil import DAY
from creneau.scheduling.intervals import Interval, normalise
from creneau.scheduling.slots import Agenda, Cell, Spoken, cells, statuses

NEAR: Final = 4 * DAY
FAR: Final = 32 * DAY
"""Open time is unfolded so much at once: a day costs almost as much as four, and 32 cost three times as much."""

KEPT: Final = 32_768
"""Spans kept, some 500 bytes each."""


FULL_DAY: Final = 64
"""Cells of a day that is open long."""


class Run(NamedTuple):
    """Cells of one service that follow each other within one open stretch: their starts, each `step` after the other."""

    service: str
    starts: range


class Blocks(NamedTuple):
    """Time taken of the things of an agenda, and the same merged: where each stretch begins and ends."""

    taken: Sequence[Spoken]
    begins: Sequence[int]
    ends: Sequence[int]


@lru_cache(maxsize=KEPT)
def _open(agenda: Agenda, start: int, end: int) -> tuple[Interval, ...]:
    """The open stretches that overlap a span of days of UTC. Agendas are compared by identity: an edited one is another."""
    window = Interval(start, end)
    return tuple(stretches(agenda.openings, agenda.zone, agenda.horizon, window))


def runs(agenda: Agenda, window: Interval) -> Iterator[Run]:
    """The cells that start within the window, none for an inactive agenda. TooCostly when its rules unfold into too much."""
    if not agenda.active:
        return
    span = NEAR if window.end - window.start < 2 * NEAR else FAR
    for start in range(window.start // span * span, window.end, span):
        low, high = max(window.start, start), min(window.end, start + span)
        for opens, closes in _open(agenda, start, start + span):
            if opens >= high or closes <= low:
                continue
            for service, duration in agenda.services:
                first = opens if opens >= low else low + (opens - low) % duration
                last = min(closes - duration, high - 1)
                if first <= last:
                    yield Run(service, range(first, last + 1, duration))


def blocks(taken: Sequence[Spoken]) -> Blocks:
    """Merged once for all the parts of a window that are looked at."""
    whole = normalise((one.start, one.end) for one in taken)
    return Blocks(taken, [one.start for one in whole], [one.end for one in whole])


def free_runs(agenda: Agenda, window: Interval, blocked: Blocks) -> Iterator[Run]:
    """The cells that start within the window and that nothing blocks; `blocked` is the time taken of the agenda's things."""
    if agenda.capacity != 1:
        for cell, status in statuses(cells(agenda, window), blocked.taken, agenda.capacity):
            if status == "free":
                yield Run(cell.service or "", range(cell.start, cell.end, cell.end - cell.start))
        return
    _, begins, ends = blocked
    for run in runs(agenda, window):
        if begins and _overlaps(begins, ends, run.starts[0], run.starts[-1] + run.starts.step):
            for left in _left(begins, ends, run.starts):
                yield Run(run.service, left)
        else:
            yield run


def free(agenda: Agenda, window: Interval, blocked: Blocks) -> list[Cell]:
    """The cells of `free_runs`, one by one."""
    make, id = tuple.__new__, agenda.id  # half the time of Cell(...), and cells are made by the thousand
    return [
        make(Cell, (id, start, start + starts.step, service))
        for service, starts in free_runs(agenda, window, blocked)
        for start in starts
    ]


def _left(begins: Sequence[int], ends: Sequence[int], starts: range) -> Iterator[range]:
    """What is left of a run, each cell that something overlaps taken out."""
    first, length, size = starts[0], starts.step, len(starts)
    kept, at = 0, bisect_right(ends, first)
    while at < len(begins) and begins[at] < starts[-1] + length:
        overlapped = (begins[at] - first) // length
        if overlapped > kept:
            yield starts[kept:overlapped]
        kept = max(kept, (ends[at] - 1 - first) // length + 1)
        at += 1
    if kept < size:
        yield starts[kept:]


def _overlaps(begins: Sequence[int], ends: Sequence[int], start: int, end: int) -> bool:
    before = bisect_left(begins, end)
    return before > 0 and ends[before - 1] > start


def steps(agendas: Sequence[Agenda], window: Interval, least: int, *, backwards: bool) -> Iterator[Interval]:
    """The window in parts, one after another, each of at least so many cells (taken or not), then of twice as many.

    Cells that start at one instant are in one part. What reads the parts may stop at any: those after are not looked at.
    """
    days = max(1, least // (FULL_DAY * max(1, len(agendas))))
    rest = window
    while rest.start < rest.end:
        if backwards:
            chunk = Interval(max(rest.start, rest.end - days * DAY), rest.end)
            rest = Interval(rest.start, chunk.start)
        else:
            chunk = Interval(rest.start, min(rest.end, rest.start + days * DAY))
            rest = Interval(chunk.end, rest.end)
        for part in _parts(agendas, chunk, least, backwards):
            yield part
            least *= 2
        days *= 2


def _parts(agendas: Sequence[Agenda], chunk: Interval, least: int, backwards: bool) -> Iterator[Interval]:
    starts: list[int] = []
    for agenda in agendas:
        for _, run in runs(agenda, chunk):
            starts += run
    starts.sort()
    low, high = 0, len(starts)
    while high - low > least:
        if backwards:
            cut = starts[high - least]
            high = bisect_left(starts, cut)
            yield Interval(cut, chunk.end)
            chunk = Interval(chunk.start, cut)
        else:
            cut = starts[low + least - 1] + 1
            low = bisect_left(starts, cut)
            yield Interval(chunk.start, cut)
            chunk = Interval(cut, chunk.end)
        least *= 2
    yield chunk
