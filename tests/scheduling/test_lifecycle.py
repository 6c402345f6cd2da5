"""The status table of GAP §14, row by row."""

from __future__ import annotations

import pytest

from creneau.scheduling import lifecycle

GAP = {
    ("proposed", "pending"),
    ("proposed", "booked"),
    ("pending", "booked"),
    ("proposed", "cancelled"),
    ("pending", "cancelled"),
    ("booked", "cancelled"),
    ("booked", "arrived"),
    ("booked", "checked-in"),
    ("booked", "fulfilled"),
    ("arrived", "fulfilled"),
    ("checked-in", "fulfilled"),
    ("booked", "noshow"),
    ("proposed", "waitlist"),
    ("noshow", "fulfilled"),
    ("fulfilled", "noshow"),
}
ADDED = {("cancelled", "booked"), ("arrived", "checked-in")} | {
    ("waitlist", after) for after in ("proposed", "pending", "booked", "cancelled")
}


@pytest.mark.parametrize("before", sorted(lifecycle.STATUSES))
@pytest.mark.parametrize("after", sorted(lifecycle.STATUSES))
def test_a_step_is_allowed_when_gap_or_a_decision_says_so(before: str, after: str) -> None:
    expected = before == after or after == "entered-in-error" or (before, after) in GAP | ADDED

    assert lifecycle.allowed(before, after) is expected


def test_every_row_names_its_source_and_known_statuses() -> None:
    for (before, after), source in lifecycle.STEPS.items():
        assert source and {before, after} <= lifecycle.STATUSES


def test_a_refusal_can_name_what_may_follow() -> None:
    assert lifecycle.following("booked") == (
        "arrived",
        "cancelled",
        "checked-in",
        "entered-in-error",
        "fulfilled",
        "noshow",
    )


def test_statuses_that_take_time_are_told_from_those_that_do_not() -> None:
    assert lifecycle.BUSY == {"booked", "arrived", "checked-in", "fulfilled"}
    assert lifecycle.HOLDS == {"proposed", "pending"}


@pytest.mark.parametrize("status", sorted(lifecycle.STATUSES))
def test_an_appointment_is_to_come_while_somebody_counts_on_it(status: str) -> None:
    counts = status not in {"cancelled", "noshow", "entered-in-error"}

    assert lifecycle.to_come(status, 10, 9) is counts
    assert lifecycle.to_come(status, None, 9) is counts
    assert not lifecycle.to_come(status, 10, 10)
