"""Shows results: a table for people while it runs, JSON, and the page `docs/reliability.md` rendered from that JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

COLUMNS: Final = (
    "scenario",
    "ids",
    "rounds",
    "operations",
    "p50 ms",
    "p99 ms",
    "max ms",
    "findings",
    "negative control",
)
PAGE: Final = Path(__file__).with_name("page.md")
ANYWHERE: Final = re.compile(r"(?<![:/\w])/(?:[\w.\-]+/)+([\w.\-]+)")
"""An absolute path of more than one part; its last part is kept."""
TABLE: Final = "<!-- results -->"


def table(results: Sequence[dict[str, Any]]) -> str:
    """A Markdown table in columns of equal width."""
    rows = [COLUMNS, *(cells(one) for one in results)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *lines[1:]])


def cells(result: dict[str, Any]) -> tuple[str, ...]:
    """One row of the table."""
    figures = (f"{result[name]:g}" for name in ("p50_ms", "p99_ms", "max_ms"))
    return (
        result["name"],
        result["ids"],
        str(result["rounds"]),
        str(result["operations"]),
        *figures,
        str(result["findings_total"]),
        control(result),
    )


def control(result: dict[str, Any]) -> str:
    """What became of the negative control, in a few words."""
    one = result.get("control")
    if one is None:
        return "-"
    if not one["noticed"]:
        return f"without {one['without']}: NOT NOTICED"
    many = f"{one['findings_total']} finding(s) in {one['bad_rounds']} of {one['rounds']} round(s)"
    return f"without {one['without']}: {many}"


def findings(results: Sequence[dict[str, Any]]) -> list[str]:
    """Every finding kept, under the name of its scenario."""
    return [f"{one['name']}: {line}" for one in results for line in one["findings"]]


def page(document: dict[str, Any]) -> str:
    """The page, from the document that `write` keeps beside it."""
    where = document["environment"]
    facts = ", ".join(f"{name} {value}" for name, value in where.items() if value not in ("", None))
    notes = [_note(one) for one in document["results"] if one["notes"]]
    found = findings(document["results"])
    parts = [
        f"{'Short' if document['short'] else 'Full'} run: {facts}.",
        table(document["results"]),
        "Findings: " + ("none." if not found else ""),
        *([f"- {line}" for line in found] if found else []),
        "What else was counted:",
        "\n".join(notes),
    ]
    return PAGE.read_text("utf-8").replace(TABLE, "\n\n".join(part for part in parts if part))


def _note(result: dict[str, Any]) -> str:
    said = ", ".join(f"{name}: {_value(value)}" for name, value in result["notes"].items())
    return f"- {result['name']}: {said}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} ×{count}" for name, count in value.items())
    return str(value)


def write(document: dict[str, Any], target: Path) -> None:
    """Write the page, and beside it the JSON it is rendered from."""
    document = {**document, "results": [published(one) for one in document["results"]]}
    data = target.with_suffix(".json")
    data.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target.write_text(page(document), "utf-8")


def published(result: dict[str, Any]) -> dict[str, Any]:
    """A result as it may be kept in a repository: findings in one line each, without paths of this machine, few of the control."""
    one = {**result, "findings": [_line(each) for each in result["findings"]]}
    if control := result.get("control"):
        one["control"] = {**control, "findings": [_line(each) for each in control.get("findings", [])[:3]]}
    return one


def _line(finding: str) -> str:
    first = finding.splitlines()[0] if finding else ""
    return ANYWHERE.sub(r"…/\1", first)[:300]


def rendered(target: Path) -> None:
    """Write the page again from the JSON of the last run. Raises OSError when there is none."""
    document = json.loads(target.with_suffix(".json").read_text("utf-8"))
    target.write_text(page(document), "utf-8")
