"""Shows a result: a table for people, JSON for programs, an SVG chart for a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from bench.budgets import BUDGETS, IDLE_MB, calm, over
from bench.chart import Bar, chart

HEAD: Final = (
    "operation",
    "CPU us",
    "calm",
    "least-most",
    "x hello",
    "req/s",
    "p50 ms",
    "p99 ms",
    "p99 half load",
    "max ms",
    "requests",
    "budget",
)


def text(result: dict[str, Any]) -> str:
    """The result as lines to read."""
    parts = [facts(result), table(result)]
    if result["kind"] == "stores":
        parts.append(databases(result["operations"]))
    if result.get("growth"):
        parts.append(growth(result["growth"]))
    return "\n\n".join(parts)


def facts(result: dict[str, Any]) -> str:
    """Where and how it was measured."""
    known = ", ".join(
        f"{name} {value}" for name, value in result["environment"].items() if value not in ("", None)
    )
    lines = [known]
    if seeded := result.get("seeded"):
        lines.append("in the base: " + ", ".join(f"{count} {what}" for what, count in seeded.items()))
    lines.append(
        f"{result['rounds']} round(s) of {result['seconds']:g} s, {result['clients']} clients, {loop(result)}"
    )
    if flushes := result.get("fsync_per_second"):
        lines.append(f"disk: {flushes['median']} fsync/s (from {flushes['least']} to {flushes['most']})")
    if memory := result.get("memory_mb"):
        said = ", ".join(f"{name} {value} MB" for name, value in memory.items() if value is not None)
        lines.append(f"memory: {said} (budget when idle {IDLE_MB:.0f} MB)")
    return "\n".join(lines)


def loop(result: dict[str, Any]) -> str:
    """Which loop it was."""
    return f"open loop at {result['rate']:g}/s" if result.get("rate") else "closed loop"


def table(result: dict[str, Any]) -> str:
    """The operations, as a Markdown table in columns of equal width."""
    ours = result["kind"] == "budget"
    rows = [_cells(row, ours) for row in [*result["operations"], *filter(None, [result.get("reference")])]]
    widths = [max(map(len, column)) for column in zip(HEAD, *rows, strict=True)]
    lines = [_line(HEAD, widths), _line(["-" * width for width in widths], widths)]
    return "\n".join(lines + [_line(row, widths) for row in rows])


def _line(cells: Any, widths: list[int]) -> str:
    first, *rest = (
        cell.ljust(width) if not at else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join([first, *rest]) + " |"


def _cells(row: dict[str, Any], ours: bool) -> list[str]:
    cost = row["cpu_us"]
    return [
        row["title"],
        "-" if cost is None else f"{cost:.0f}",
        "-" if cost is None else f"{calm(row):.0f}",
        "-" if cost is None else f"{row['cpu_us_least']:.0f}-{row['cpu_us_most']:.0f}",
        "-" if row["ratio"] is None else f"{row['ratio']:.1f}",
        f"{row['per_second']:.0f}",
        f"{row['p50_ms']:.2f}",
        f"{row['p99_ms']:.2f}",
        half_load(row),
        f"{row['max_ms']:.1f}",
        str(row["requests"]),
        verdict(row, ours),
    ]


def half_load(row: dict[str, Any]) -> str:
    """The p99 in milliseconds in an open loop at half the rate, and that rate."""
    found = row.get("half_load")
    return f"{found['p99_ms']:.2f} at {found['per_second']:.0f}/s" if found else "-"


def verdict(row: dict[str, Any], ours: bool) -> str:
    """Whether the budget holds, in a few words; budgets are for our server, measured by `budget`."""
    if ours and (said := over(row)):
        return "OVER: " + "; ".join(said)
    if row["failures"] or row.get("unserved"):
        return f"failures: {row['failures']}, unserved: {row['unserved']}"
    budget = BUDGETS.get(row["name"])
    return "-" if not ours or budget is None else f"holds ({budget.cpu_us:.0f} us)"


def databases(rows: list[dict[str, Any]]) -> str:
    """CPU of the database's own processes, where it has some."""
    lines = ["| operation | CPU us of the database |", "|---|---|"]
    known = [row for row in rows if row["database_cpu_us"] is not None]
    return "\n".join(lines + [f"| {row['title']} | {row['database_cpu_us']:.0f} |" for row in known])


def growth(points: list[dict[str, Any]]) -> str:
    """CPU of each operation by how much is in the base; the first key of a point says of what."""
    what, *names = points[0]
    lines = [
        f"| {what} | " + " | ".join(f"{name} CPU us" for name in names) + " |",
        "|---" * (len(names) + 1) + "|",
    ]
    return "\n".join(
        lines + [f"| {p[what]} | " + " | ".join(f"{p[n]:.0f}" for n in names) + " |" for p in points]
    )


def svg(result: dict[str, Any]) -> str:
    """The chart of CPU a request where there was a pid, else of p99."""
    rows = [*result["operations"], *filter(None, [result.get("reference")])]
    where = result["environment"]
    note = f"{where['processor']}, {where['cores']} cores, {where['python']}, {where['date']}"
    if costly := [row for row in rows if row["cpu_us"] is not None]:
        ours = result["kind"] == "budget"
        bars = [Bar(row["title"], row["cpu_us"], _limit(row) if ours else None) for row in costly]
        return chart(
            "CPU time of the server per request", "µs", bars, f"Median of {result['rounds']} round(s). {note}"
        )
    bars = [Bar(row["title"], row["p99_ms"]) for row in rows]
    return chart("99th percentile of the response time", "ms", bars, note)


def growth_svg(points: list[dict[str, Any]]) -> str:
    """The chart of CPU a request as the base grows, operation by operation."""
    what, *names = points[0]
    bars = [Bar(f"{name}, {point[what]} {what}", point[name] or 0.0) for name in names for point in points]
    return chart(f"CPU time of the server per request, by number of {what}", "µs", bars)


def _limit(row: dict[str, Any]) -> float | None:
    budget = BUDGETS.get(row["name"])
    return budget.cpu_us if budget else None


def write(result: dict[str, Any], directory: Path) -> list[Path]:
    """Write bench.json, bench.md and bench.svg there; what was written."""
    directory.mkdir(parents=True, exist_ok=True)
    files = {
        "bench.json": json.dumps(result, indent=2, ensure_ascii=False) + "\n",
        "bench.md": text(result) + "\n",
        "bench.svg": svg(result),
    }
    if result.get("growth"):
        files["growth.svg"] = growth_svg(result["growth"])
    for name, content in files.items():
        (directory / name).write_text(content, "utf-8")
    return [directory / name for name in files]
