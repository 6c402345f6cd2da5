"""Sets of time, held equal to sets of whole numbers."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from creneau.scheduling import intervals
from creneau.scheduling.intervals import Interval

INTERVALS = st.lists(st.builds(Interval, st.integers(0, 40), st.integers(0, 40)), max_size=8)


def points(found: list[Interval]) -> set[int]:
    return {point for start, end in found for point in range(start, end)}


def is_a_set(found: list[Interval]) -> bool:
    return all(one.start < one.end for one in found) and all(
        before.end < after.start for before, after in itertools.pairwise(found)
    )


@given(INTERVALS)
def test_normalising_keeps_the_time_and_leaves_no_contact(given_ones: list[Interval]) -> None:
    found = intervals.normalise(given_ones)

    assert points(found) == points(given_ones)
    assert is_a_set(found)


@given(INTERVALS, INTERVALS, st.builds(Interval, st.integers(0, 40), st.integers(0, 40)))
def test_union_difference_and_intersection_are_those_of_sets(
    one: list[Interval], other: list[Interval], window: Interval
) -> None:
    both, either, rest = (
        intervals.intersect(one, other),
        intervals.union(one, other),
        intervals.subtract(one, other),
    )

    assert points(both) == points(one) & points(other)
    assert points(either) == points(one) | points(other)
    assert points(rest) == points(one) - points(other)
    assert points(intervals.clip(one, window)) == points(one) & points([window])
    assert is_a_set(both) and is_a_set(either) and is_a_set(rest)


@given(INTERVALS)
def test_depth_is_the_most_intervals_over_one_point(given_ones: list[Interval]) -> None:
    counts = [sum(start <= point < end for start, end in given_ones) for point in range(40)]

    assert intervals.depth(given_ones) == max(counts)


def test_touching_intervals_do_not_overlap() -> None:
    assert not intervals.overlaps(Interval(0, 5), Interval(5, 9))
    assert intervals.overlaps(Interval(0, 6), Interval(5, 9))
    assert not intervals.overlaps(Interval(5, 5), Interval(0, 9))
    assert intervals.depth([Interval(0, 5), Interval(5, 9)]) == 1
