"""Shows results, and writes the page docs/reliability-ha.md with its JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).with_name("page.md")
KEPT: Final = Path(__file__).resolve().parents[2] / "docs" / "reliability-ha.json"
PROMISED: Final = (
    ("killed", "the leader's machine dies", "503 until a standby leads; reads too"),
    ("killed-by-hosts", "the same, several hosts in the URL, no HAProxy", "the same"),
    ("postgres-killed", "PostgreSQL alone dies on the leader", "503 until it has recovered on the same host"),
    ("switchover", "switchover, for maintenance", "some 503, most wait"),
    ("frozen", "the leader's machine hangs, for 40 s, and comes back", "503 until a standby leads"),
    ("split", "the leader is cut off, for 40 s, and comes back", "503 until a standby leads"),
    ("etcd-gone", "etcd is gone whole", "503 to writes after some seconds, until etcd is back"),
    ("alone", "both standbys are gone", "503 to writes, reads go on, until a standby is back"),
)
"""Of each scenario, in an operator's words: what happens, what clients see."""
RESULTS: Final = "<!-- results -->"
COLUMNS: Final = (
    "scenario",
    "",
    "rounds",
    "acknowledged",
    "lost",
    "duplicates",
    "outcome unknown",
    "outages, s",
    "findings",
)


def table(results: Sequence[dict[str, Any]]) -> str:
    """A Markdown table."""
    lines = [COLUMNS, tuple("---" for _ in COLUMNS), *(cells(one) for one in results)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    """A row."""
    notes = result["notes"]
    if "not played" in notes:
        return (result["name"], result["id"], "0", *("-" for _ in COLUMNS[4:]), notes["not played"])
    figures = (str(notes.get(name, "-")) for name in ("acknowledged", "lost", "duplicates", "unknown"))
    outages = ", ".join(f"{one:g}" for one in result["outages"]) or "-"
    return (
        result["name"],
        result["id"],
        str(result["rounds"]),
        *figures,
        outages,
        str(len(result["findings"])),
    )


def page(document: dict[str, Any]) -> str:
    """The page, from what `write` keeps beside it."""
    where = document["environment"]
    facts = ", ".join(f"{name} {value}" for name, value in where.items() if value not in ("", None))
    shown = ("acknowledged", "lost", "duplicates", "unknown")
    notes = [
        f"- **{one['name']}**: "
        + "; ".join(f"{name}: {_value(value)}" for name, value in one["notes"].items() if name not in shown)
        for one in document["results"]
    ]
    counted = Counter((one["name"], line) for one in document["results"] for line in one["findings"])
    found = [f"- {name}: {line} ×{count}" for (name, line), count in counted.items()]
    parts = [
        f"The last run: {facts}. The load of each scenario's time is said below: the machine is shared.",
        table(document["results"]),
        "Findings: none." if not found else "Findings:\n\n" + "\n".join(found),
        "What else was seen:",
        "\n".join(notes),
    ]
    return PAGE.read_text("utf-8").replace(RESULTS, "\n\n".join(parts))


def _value(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    if isinstance(value, dict):
        return ", ".join(f"{name} ×{count}" for name, count in sorted(value.items()))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def write(document: dict[str, Any], target: Path, names: Sequence[str]) -> None:
    """Write the page, and its JSON beside it; scenarios that were not played keep the result that they had."""
    kept = target.with_suffix(".json")
    former = json.loads(kept.read_text("utf-8"))["results"] if kept.exists() else []
    results = {one["name"]: one for one in (*former, *document["results"])}
    document = {**document, "results": [results[name] for name in names if name in results]}
    kept.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target.write_text(page(document), "utf-8")


def rendered(target: Path) -> None:
    """Write the page again from the JSON of the last run."""
    target.write_text(page(json.loads(target.with_suffix(".json").read_text("utf-8"))), "utf-8")


def _kept() -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in json.loads(KEPT.read_text("utf-8"))["results"]}


def promised() -> str:
    """The rows of docs/operations/high-availability.md: what happens, what clients see, what was measured."""
    results = _kept()
    lines = ["| what happens | what clients see | measured |", "| --- | --- | --- |"]
    for name, what, seen in PROMISED:
        lines.append(f"| {what} | {seen} | {_measured(results[name])} |")
    return "\n".join(lines) + "\n"


def _measured(result: dict[str, Any]) -> str:
    notes = result["notes"]
    if "not played" in notes:
        return "not tried"
    said = []
    if result["outages"]:
        said.append(f"no acknowledgement for {_span(result['outages'])} s")
    for name, words in (
        ("wrote on for s", "writes went on for {} s"),
        ("wrote again s after etcd was back", "again {} s after etcd was back"),
        ("wrote again s after the standbys were back", "again {} s after the standbys were back"),
        ("rejoined after s", "whole again after {} s more"),
    ):
        if name in notes:
            said.append(words.format(_span(notes[name])))
    said.append(f"{notes['lost']} lost of {notes['acknowledged']:,} ({result['rounds']} rounds)")
    return ", ".join(said)


def _span(figures: Sequence[float]) -> str:
    least, most = min(figures), max(figures)
    return f"{least:g}" if least == most else f"{least:g} to {most:g}"


def cost() -> str:
    """What waiting for a standby costs, from the scenario of that name."""
    notes = _kept()["cost"]["notes"]
    lines = ["| | p50, ms | p99, ms | acknowledged a second |", "| --- | --- | --- | --- |"]
    for name in ("synchronous", "asynchronous"):
        figures = (_span(notes[f"{name}: {one}"]) for one in ("p50 ms", "p99 ms", "acknowledged a second"))
        lines.append(f"| {name} | " + " | ".join(figures) + " |")
    return "\n".join(lines) + "\n"
