"""Sets of time: half-open intervals of microseconds since 1970 UTC, and what can be done with them.

Used by every rule on time (GAP §9, §10). A set is a list of intervals sorted by start, without overlap, contact or empty interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Interval(NamedTuple):
    """Time from `start` to `end`, which it excludes; empty when `end` is not after `start`."""

    start: int
    end: int


def overlaps(one: Interval, other: Interval) -> bool:
    """Whether the two share some time. Touching intervals do not, an empty interval overlaps nothing."""
    return max(one.start, other.start) < min(one.end, other.end)


def normalise(intervals: Iterable[tuple[int, int]]) -> list[Interval]:
    """The set of time that these intervals (start, end) cover together, in any order given."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if end <= start:
            continue
        if found and start <= found[-1].end:
            found[-1] = Interval(found[-1].start, max(found[-1].end, end))
        else:
            found.append(Interval(start, end))
    return found


def union(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """The time of either."""
    return normalise([*one, *other])


def intersect(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """The time of both."""
    left, right = normalise(one), normalise(other)
    found: list[Interval] = []
    i = j = 0
    while i < len(left) and j < len(right):
        shared = Interval(max(left[i].start, right[j].start), min(left[i].end, right[j].end))
        if shared.start < shared.end:
            found.append(shared)
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1
    return found


def subtract(one: Iterable[Interval], other: Iterable[Interval]) -> list[Interval]:
    """The time of `one` that is not of `other`."""
    holes = normalise(other)
    found: list[Interval] = []
    first = 0
    for start, end in normalise(one):
        while first < len(holes) and holes[first].end <= start:
            first += 1
        hole = first
        while hole < len(holes) and holes[hole].start < end:
            if start < holes[hole].start:
                found.append(Interval(start, holes[hole].start))
            start = holes[hole].end
            hole += 1
        if start < end:
            found.append(Interval(start, end))
    return found


def clip(intervals: Iterable[Interval], window: Interval) -> list[Interval]:
    """The time inside the window."""
    return intersect(intervals, [window])


def depth(intervals: Iterable[Interval]) -> int:
    """How many intervals there are at once at most: 0 without any."""
    steps: list[tuple[int, int]] = []
    for start, end in intervals:
        if start < end:
            steps += [(start, 1), (end, -1)]
    most = now = 0
    for _, step in sorted(steps):  # at one instant the ends (-1) sort before the starts
        now += step
        most = max(most, now)
    return most
