"""The grid of an agenda, day by day: where its cells start in a window, which of them nothing takes, how many these are.

GAP §10 (GAP-CRN-01 to 14). It says what `slots.cells` and `slots.status_of` say, for searches over many agendas: no cell is made before
it is known to be free, and the open time of the days that are asked for again and again is kept.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
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


def _all(_service: str) -> bool:
    return True


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


def free(agenda: Agenda, window: Interval, taken: Sequence[Spoken]) -> list[Cell]:
    """The cells that start within the window and that nothing of `taken`, the time taken of the agenda's things, takes."""
    if agenda.capacity != 1:
        shown = statuses(cells(agenda, window), taken, agenda.capacity)
        return [cell for cell, status in shown if status == "free"]
    begins, ends = _merged(taken)
    found: list[Cell] = []
    make, id = tuple.__new__, agenda.id  # half the time of Cell(...), and cells are made by the thousand
    for service, starts in runs(agenda, window):
        length = starts.step
        left: Iterable[int] = starts
        if _touched(begins, ends, starts):
            left = (one for one in starts if not _overlaps(begins, ends, one, one + length))
        found += [make(Cell, (id, start, start + length, service)) for start in left]
    return found


def count_free(
    agenda: Agenda, window: Interval, taken: Sequence[Spoken], offered: Callable[[str], bool] = _all
) -> int:
    """How many cells `free` finds, of the services that are `offered`; none is made to count them."""
    if agenda.capacity != 1:
        return sum(offered(cell.service or "") for cell in free(agenda, window, taken))
    begins, ends = _merged(taken)
    found = 0
    for service, starts in runs(agenda, window):
        if offered(service):
            found += len(starts) - _blocked(begins, ends, starts)
    return found


def _merged(taken: Sequence[Spoken]) -> tuple[list[int], list[int]]:
    if not taken:
        return [], []
    whole = normalise(Interval(one.start, one.end) for one in taken)
    return [one.start for one in whole], [one.end for one in whole]


def _touched(begins: Sequence[int], ends: Sequence[int], starts: range) -> bool:
    return bool(begins) and _overlaps(begins, ends, starts[0], starts[-1] + starts.step)


def _overlaps(begins: Sequence[int], ends: Sequence[int], start: int, end: int) -> bool:
    before = bisect_left(begins, end)
    return before > 0 and ends[before - 1] > start


def _blocked(begins: Sequence[int], ends: Sequence[int], starts: range) -> int:
    """How many cells of a run are overlapped, each counted once although two intervals may touch it."""
    first, length = starts[0], starts.step
    found, counted = 0, -1
    at = bisect_right(ends, first)
    while at < len(begins) and begins[at] < starts[-1] + length:
        low = max(0, (begins[at] - first) // length, counted + 1)
        high = min(len(starts) - 1, (ends[at] - 1 - first) // length)
        if high >= low:
            found += high - low + 1
            counted = high
        at += 1
    return found


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
