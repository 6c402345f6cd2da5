"""Shows results: a table for people while it runs, JSON, and the page `docs/reliability.md` rendered from that JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from torture.ground import Setting
from torture.lines import Panel, lines
from torture.table import SCENARIOS

COLUMNS: Final = (
    "scenario",
    "ids",
    "rounds",
    "operations",
    "p50 ms",
    "p99 ms",
    "max ms",
    "findings",
    "negative controls",
    "run at",
)
PAGE: Final = Path(__file__).with_name("page.md")
ANYWHERE: Final = re.compile(r"(?<![:/\w])/(?:[\w.\-]+/)+([\w.\-]+)")
"""An absolute path of more than one part; its last part is kept."""
TABLE: Final = "<!-- results -->"
SOAKS: Final = "<!-- soaks -->"


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
        _when(result),
    )


def _when(result: dict[str, Any]) -> str:
    """When it was run, UTC; what its time limits were multiplied by."""
    times = result.get("patience", 1.0)
    return result.get("at", "").replace("T", " ").removesuffix("Z") + (f" ×{times:g}" if times != 1 else "")


def control(result: dict[str, Any]) -> str:
    """What became of the negative controls, in a few words each."""
    return "; ".join(map(_control, result["controls"])) or "-"


def _control(one: dict[str, Any]) -> str:
    if not one["noticed"]:
        return f"without {one['without']}: NOT NOTICED"
    many = f"{one['findings_total']} finding(s) in {one['bad_rounds']} of {one['rounds']} round(s)"
    late = f", at try {one['tries']}" if one.get("tries", 1) > 1 else ""
    return f"without {one['without']}: {many}{late}"


def findings(results: Sequence[dict[str, Any]]) -> list[str]:
    """Every finding kept, under the name of its scenario."""
    return [f"{one['name']}: {line}" for one in results for line in one["findings"]]


def page(document: dict[str, Any]) -> str:
    """The page, from the document that `write` keeps beside it."""
    parts = [_summary(document["runs"]), *(_run(one) for one in document["runs"])]
    text = PAGE.read_text("utf-8").replace(TABLE, "\n\n".join(parts))
    return text.replace(SOAKS, _soaks(document.get("soaks", [])) if document.get("soaks") else "Not run yet.")


def _summary(runs: Sequence[dict[str, Any]]) -> str:
    """One line a run: what it tried and found."""
    rows = [
        "| store and workers | scenarios | rounds | operations | findings | controls noticed |",
        "|---|---|---|---|---|---|",
    ]
    for one in runs:
        results = one["results"]
        controls = [each["noticed"] for result in results for each in result["controls"]]
        figures = (
            Setting(one["store"], one["workers"]).name,
            len(results),
            sum(result["rounds"] for result in results),
            sum(result["operations"] for result in results),
            sum(result["findings_total"] for result in results),
            f"{sum(controls)} of {len(controls)}",
        )
        rows.append("| " + " | ".join(map(str, figures)) + " |")
    return "\n".join(rows)


def _run(one: dict[str, Any]) -> str:
    where = one["environment"]
    facts = ", ".join(f"{name} {value}" for name, value in where.items() if value not in ("", None))
    notes = [_note(each) for each in one["results"] if each["notes"]]
    found = findings(one["results"]) + [line for each in one["results"] for line in _not_kept(each)]
    parts = [
        f"### {Setting(one['store'], one['workers']).name}",
        f"{'Short' if one['short'] else 'Full'} run, the last part of it: {facts}.",
        table(one["results"]),
        "Findings: " + ("none." if not found else ""),
        "\n".join(f"- {line}" + (f" ×{n}" if n > 1 else "") for line, n in Counter(found).items()),
        "What else was counted:",
        "\n".join(notes),
    ]
    return "\n\n".join(part for part in parts if part)


def _not_kept(result: dict[str, Any]) -> list[str]:
    """How many findings the result has beyond those that it tells."""
    times = [re.search(r" ×(\d+)$", line) for line in result["findings"]]
    more = result["findings_total"] - sum(int(found[1]) if found else 1 for found in times)
    return [f"{result['name']}: {more} more were not kept"] if more > 0 else []


def _note(result: dict[str, Any]) -> str:
    said = ", ".join(f"{name}: {_value(value)}" for name, value in result["notes"].items())
    return f"- {result['name']}: {said}"


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name} ×{count}" for name, count in value.items())
    return str(value)


def write(run: dict[str, Any], target: Path) -> None:
    """Write the page, and beside it the JSON it is rendered from: this run in place of the former one of its store and workers.

    Scenarios that were not run this time keep what they had and its date, when the form (short or full) is the same.
    """
    data = target.with_suffix(".json")
    document = json.loads(data.read_text("utf-8")) if data.exists() else {"runs": []}
    runs = {(one["store"], one["workers"]): one for one in document["runs"]}
    key = run["store"], run["workers"]
    results = [published(one) for one in run["results"]]
    if key in runs and runs[key]["short"] == run["short"]:
        results = merged([_dated(one, runs[key]) for one in runs[key]["results"]], results)
    runs[key] = {**run, "results": results}
    document = {
        **document,
        "runs": [runs[each] for each in sorted(runs, key=lambda each: (each[0] != "sqlite", each))],
    }
    data.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target.write_text(page(document), "utf-8")


def write_soak(result: dict[str, Any], target: Path) -> None:
    """Write the page anew with this soak in place of the former one of its store and workers, and its chart."""
    data = target.with_suffix(".json")
    document = json.loads(data.read_text("utf-8")) if data.exists() else {"runs": []}
    kept = {(one["store"], one["workers"]): one for one in document.get("soaks", [])}
    kept[result["store"], result["workers"]] = {
        **result,
        "findings": [_line(each) for each in result["findings"]],
    }
    document["soaks"] = [kept[each] for each in sorted(kept, key=lambda each: (each[0] != "sqlite", each))]
    data.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")
    target.write_text(page(document), "utf-8")
    target.with_name(chart_of(result)).write_text(drawn(result), "utf-8")


def chart_of(soak: dict[str, Any]) -> str:
    """The name of its chart."""
    return f"soak-{soak['store']}-{soak['workers']}.svg"


def drawn(soak: dict[str, Any]) -> str:
    """Its chart."""
    samples, minutes = soak["samples"], soak["per_minute"]
    panels = [
        Panel("resident memory of all processes", "MiB", [(one["at"], one["memory"]) for one in samples]),
        Panel("open descriptors", "", [(one["at"], one["descriptors"]) for one in samples]),
        Panel("p99 of each minute", "ms", [(60 * n + 30, one["p99_ms"]) for n, one in enumerate(minutes)]),
        Panel(
            "CPU per request, each minute",
            "us",
            [(60 * n + 30, one["cpu_us"]) for n, one in enumerate(minutes)],
        ),
    ]
    if soak["store"] != "sqlite":
        panels.insert(
            2, Panel("connections to PostgreSQL", "", [(one["at"], one["connections"]) for one in samples])
        )
    name = Setting(soak["store"], soak["workers"]).name
    return lines(
        f"Soak: {name}, {soak['rate']:.0f} requests/s",
        panels,
        f"Mix: {soak['mix']}. Clients share the machine.",
    )


def _soaks(soaks: Sequence[dict[str, Any]]) -> str:
    """The soaks: a table, the charts, the findings."""
    head = [
        "store and workers",
        "minutes",
        "date",
        "requests/s",
        "answers",
        "before them",
        "of them 503",
        "memory (MiB)",
        "its slope (MiB/h)",
        "p99 first, last minute (ms)",
    ]
    rows = [f"| {' | '.join(head)} | findings |", "|---" * (len(head) + 1) + "|"]
    for one in soaks:
        name, ends = Setting(one["store"], one["workers"]).name, (one["per_minute"][0], one["per_minute"][-1])
        said = [
            name,
            one["minutes"],
            one.get("environment", {}).get("date", ""),
            one["rate"],
            one["answers"],
            one.get("before", 0),
            one["told_503"],
            one["memory_mib"],
            one["memory_slope_mib_h"],
        ]
        said += [", ".join(str(each["p99_ms"]) for each in ends), "; ".join(one["findings"]) or "none"]
        rows.append("| " + " | ".join(map(str, said)) + " |")
    charts = [f"![{Setting(one['store'], one['workers']).name}]({chart_of(one)})" for one in soaks]
    return "\n".join(rows) + "\n\n" + "\n\n".join(charts)


def merged(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The new results and those of other scenarios, in the order of the table."""
    results = {one["name"]: one for one in [*old, *new]}
    return [results[one.name] for one in SCENARIOS if one.name in results]


def _dated(result: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """A result with the date of its run where it has none of its own."""
    return {"at": run["environment"].get("date", ""), "patience": run.get("patience", 1.0), **result}


def published(result: dict[str, Any]) -> dict[str, Any]:
    """A result as it may be kept in a repository: findings in one line each, without paths of this machine, few of the controls."""
    one = {**result, "findings": [_line(each) for each in result["findings"]]}
    one["controls"] = [
        {**control, "findings": [_line(each) for each in control.get("findings", [])[:3]]}
        for control in result["controls"]
    ]
    return one


def _line(finding: str) -> str:
    first = finding.splitlines()[0] if finding else ""
    return ANYWHERE.sub(r"…/\1", first)[:300]


def rendered(target: Path) -> None:
    """Write the page again from the JSON of the last run. Raises OSError when there is none."""
    document = json.loads(target.with_suffix(".json").read_text("utf-8"))
    target.write_text(page(document), "utf-8")
