"""Percentiles, medians, rates: what is said of a list of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median


def percentile(values: Sequence[float], rank: float) -> float:
    """The smallest value with at least `rank` per cent of the values at or below it (nearest rank); 0 when there are none."""
    if not 0 < rank <= 100:
        raise ValueError("a rank above 0, at most 100")
    if not values:
        return 0.0
    ordered = sorted(values)
    at = -(-len(ordered) * rank // 100)  # rounded up
    return ordered[max(int(at), 1) - 1]


def middle(values: Sequence[float]) -> float:
    """The median; 0 when there are none."""
    return median(values) if values else 0.0
