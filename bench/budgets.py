"""The budgets of the design, one row per operation: CPU of the server a request, requests a second, p99 (`docs/benchmark.md`)."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Budget(NamedTuple):
    """What an operation may cost: CPU microseconds at most, requests a second at least, p99 milliseconds at most; None: no budget."""

    operation: str
    cpu_us: float | None = None
    per_second: float | None = None
    p99_ms: float | None = None


BUDGETS: Final = {
    one.operation: one
    for one in (
        Budget("read", cpu_us=60),
        Budget("create", cpu_us=350, per_second=2500),
        Budget("update", cpu_us=400),
        Budget("slots", cpu_us=1000, p99_ms=20),
        Budget("slots25", cpu_us=8000, p99_ms=60),
        Budget("city", cpu_us=100_000),
    )
}
IDLE_MB: Final = 120.0
HELLO_US: Final = 24.0
"""What the reference costs where the budgets were set. Other work on the cores inflates every CPU time alike, the reference's too."""


def needs_steady(operation: str) -> bool:
    """Whether its p99 has a budget: it is then measured at half of the rate that the closed loop reached.

    Clients that ask again at once keep the process saturated, and the latency is their number times the cost, whatever the server does.
    """
    budget = BUDGETS.get(operation)
    return budget is not None and budget.p99_ms is not None


def over(row: dict[str, Any]) -> list[str]:
    """What of this row is over its budget, in words; empty when all holds or there is no budget."""
    budget = BUDGETS.get(row["name"])
    if budget is None:
        return []
    said = []
    cost = calm(row)
    if budget.cpu_us is not None and cost is not None and cost > budget.cpu_us:
        said.append(f"{cost:.0f} us CPU, {budget.cpu_us:.0f} allowed")
    if budget.per_second is not None and row["per_second"] < budget.per_second:
        said.append(f"{row['per_second']:.0f}/s, {budget.per_second:.0f} wanted")
    steady = row.get("half_load") or row
    if budget.p99_ms is not None and steady["p99_ms"] > budget.p99_ms:
        said.append(f"p99 {steady['p99_ms']:.1f} ms, {budget.p99_ms:.0f} allowed")
    if row["failures"]:
        said.append(f"failures: {row['failures']}")
    return said


def calm(row: dict[str, Any]) -> float | None:
    """CPU microseconds a request: as measured, or what the ratio to the reference makes of it on a calm machine, whichever is less."""
    if row["cpu_us"] is None:
        return None
    measured = float(row["cpu_us"])
    return min(measured, row["ratio"] * HELLO_US) if row["ratio"] else measured
