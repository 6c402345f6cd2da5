"""The life of an appointment: which status may follow which, and what each does to time (GAP §14, `shared/design.md`).

A row is a step. GAP-STA-T12 (any to entered-in-error) and GAP-STA-T15 (any to itself) are rules, not rows.
"""

from __future__ import annotations

from typing import Final

BUSY: Final = frozenset({"booked", "arrived", "checked-in", "fulfilled"})
"""Statuses that take time as busy."""

HOLDS: Final = frozenset({"proposed", "pending"})
"""Statuses that take time as busy-tentative, for as long as the hold lasts."""

STATUSES: Final = BUSY | HOLDS | {"cancelled", "noshow", "entered-in-error", "waitlist"}

STEPS: Final[dict[tuple[str, str], str]] = {
    ("proposed", "pending"): "GAP-STA-T03",
    ("proposed", "booked"): "GAP-STA-T04",
    ("pending", "booked"): "GAP-STA-T04",
    ("proposed", "cancelled"): "GAP-STA-T05, GAP-STA-T06",
    ("pending", "cancelled"): "GAP-STA-T05, GAP-STA-T06",
    ("booked", "cancelled"): "GAP-STA-T07",
    ("booked", "arrived"): "GAP-STA-T09",
    ("booked", "checked-in"): "GAP-STA-T09",
    ("arrived", "checked-in"): "decision 0003",
    ("booked", "fulfilled"): "GAP-STA-T10",
    ("arrived", "fulfilled"): "GAP-STA-T10",
    ("checked-in", "fulfilled"): "GAP-STA-T10",
    ("booked", "noshow"): "GAP-STA-T11",
    ("proposed", "waitlist"): "GAP-STA-T13",
    ("waitlist", "proposed"): "decision 0003",
    ("waitlist", "pending"): "decision 0003",
    ("waitlist", "booked"): "decision 0003",
    ("waitlist", "cancelled"): "decision 0003",
    ("noshow", "fulfilled"): "GAP-STA-T14",
    ("fulfilled", "noshow"): "GAP-STA-T14",
    ("cancelled", "booked"): "design: a cancellation by mistake",
}
"""Each step offered, and where it comes from."""


def allowed(before: str, after: str) -> bool:
    """Whether an appointment may go from one status to another."""
    return before == after or after == "entered-in-error" or (before, after) in STEPS


def following(before: str) -> tuple[str, ...]:
    """The statuses that may follow, sorted; for the refusal's sentence."""
    return tuple(sorted({after for start, after in STEPS if start == before} | {"entered-in-error"}))


def to_come(status: str, end: int | None, now: int) -> bool:
    """Whether somebody still counts on the appointment: it is agreed or asked for, and not over; without time, as long as it is asked for."""
    return status in BUSY | HOLDS | {"waitlist"} and (end is None or end > now)
