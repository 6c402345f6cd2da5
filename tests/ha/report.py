"""Shows results, and writes the page docs/reliability-ha.md with its JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).with_name("page.md")
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
    found = [f"- {one['name']}: {line}" for one in document["results"] for line in one["findings"]]
    parts = [
        f"The last run ({'one round of each' if document['short'] else 'all rounds'}): {facts}.",
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


def write(document: dict[str, Any], target: Path) -> None:
    """Write the page, and its JSON beside it."""
    target.with_suffix(".json").write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target.write_text(page(document), "utf-8")


def rendered(target: Path) -> None:
    """Write the page again from the JSON of the last run."""
    target.write_text(page(json.loads(target.with_suffix(".json").read_text("utf-8"))), "utf-8")
