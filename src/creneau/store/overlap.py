"""Counts how many appointments hold one thing at once (GAP: a thing serves `capacity` of them; DEC-06, DEC-08)."""

from __future__ import annotations

from collections.abc import Iterable


def crowded(holds: Iterable[tuple[int, int, str]], capacity: int) -> tuple[int, int] | None:
    """The first stretch [start, end) in which `capacity` appointments or more hold the thing at once, or None.

    `holds` are (start, end, appointment), end excluded: touching intervals are never held at once. One appointment counts
    once, however many of its intervals run.
    """
    began: int | None = None
    running: dict[str, int] = {}
    for instant, step, appointment in sorted(_edges(holds)):
        running[appointment] = running.get(appointment, 0) + step
        if running[appointment] == 0:
            del running[appointment]
        if began is None and len(running) >= capacity:
            began = instant
        elif began is not None and len(running) < capacity:
            return began, instant
    return None


def _edges(holds: Iterable[tuple[int, int, str]]) -> Iterable[tuple[int, int, str]]:
    for start, end, appointment in holds:
        yield start, 1, appointment
        yield end, -1, appointment
