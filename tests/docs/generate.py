"""Writes what the pages take from tables: `python -m tests.docs.generate`.

Every refusal (docs/errors.md), every setting (docs/operations.md), every status step (docs/flows/6b-update.md), the files of a cluster
and what its last run measured (docs/operations/high-availability.md). A test fails when a committed page is not what this writes.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import creneau
from creneau import config, problems
from creneau.fhir.validation.invariants import INVARIANTS
from creneau.fhir.validation.invariants.profiles import PROFILE_RULES
from creneau.http import outcomes
from creneau.problems import Problem, Refusal
from creneau.scheduling import lifecycle
from tests.ha import files
from tests.ha import report as ha_report

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
SOURCE: Final = Path(creneau.__file__).parent

SECTIONS: Final = {
    "Requests, formats, patches": ("creneau.http", "creneau.fhir"),
    "Searches and conditions": ("creneau.search",),
    "Actors, agendas, slots, appointments, bundles": ("creneau.flows", "creneau.scheduling", "creneau.store"),
    "Availability and durations of an agenda": ("creneau.profiles",),
    "Validation": ("creneau.fhir.validation",),
}
"""The parts of docs/errors.md: the modules that declare their rows; the longest name wins."""

TOGETHER: Final = {"creneau.search": "400", "creneau": "422"}
"""The status of rows that are gathered first, then refused together; `structure` is always 400."""

ELSEWHERE: Final = {
    "agenda-has-appointments": "409",
    "all-ok": "200, information",
    "appointments-to-come": "409",
    "binding-not-checked": "information",
    "compression-ratio": "413",
    "deletion-done": "200, information",
    "deletion-touches-too-much": "409",
    "exception": "500",
    "identifier-in-use": "409",
    "time-taken": "409",
    "out-of-time": "503",
    "too-many-connections": "503",
    "still-referred-to": "409",
    "slot-not-found": "404, 422 in an appointment",
    "update-without-id": "`$validate`",
    "outside-availability": "422, warning on a declaration",
    "duration-does-not-fit": "422, warning on a declaration",
    "reference-not-found": "422, warning when the version before had it",
    "wrong-resource-type": "400",
    **dict.fromkeys(
        (
            *("availability-offset", "availability-outside-horizon", "availability-type", "recurrence-zero"),
            *("identifier-not-resolved", "parameter-ignored", "patient-busy", "reference-elsewhere"),
            *("type-not-held", "unknown-profile", "appointment-outside", "appointments-outside"),
        ),
        "warning",
    ),
    **dict.fromkeys(
        (
            *("recurrence-as-envelope", "recurrence-as-occurrence", "search-from-now"),
            *("no-agenda", "fewer-than-two-participants"),
        ),
        "information",
    ),
}
"""What the source says in a way that is not read here: rows that never refuse, and those whose kind is chosen elsewhere."""

_ROW = re.compile(r"^(\w+)(?:: Final)? = refusal\(\s*\"([^\"]+)\"", re.MULTILINE)


class Place(NamedTuple):
    """Where a row is declared: module and name."""

    module: str
    name: str


def refusals() -> dict[str, Refusal]:
    """Every row of `problems.REFUSALS`, once every module that declares some is imported."""
    for module in pkgutil.walk_packages([str(SOURCE)], "creneau."):
        if not module.name.endswith(("__main__", ".generate")):
            importlib.import_module(module.name)
    return problems.REFUSALS


def sources() -> dict[str, str]:
    """The text of each module."""
    return {
        ".".join(("creneau", *path.relative_to(SOURCE).with_suffix("").parts)): path.read_text("utf-8")
        for path in sorted(SOURCE.rglob("*.py"))
    }


def places(texts: Mapping[str, str]) -> dict[str, Place]:
    """By key, where the row is declared; invariants are declared through a function and have none."""
    return {
        found[2]: Place(module, found[1]) for module, text in texts.items() for found in _ROW.finditer(text)
    }


def kinds() -> dict[str, int]:
    """The status of each kind of Problem, by the name of its class."""
    found: dict[str, int] = {}
    waiting: list[type[Problem]] = [Problem]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        found[kind.__name__] = outcomes.status_of(kind())
    return found


@cache
def imports(text: str) -> tuple[tuple[str, str, str], ...]:
    """What a module imports: from where, what, under which name."""
    found = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom))
    return tuple(
        (node.module or "", alias.name, alias.asname or alias.name) for node in found for alias in node.names
    )


def spellings(module: str, text: str, place: Place) -> Iterator[str]:
    """How a module may write the name of a row."""
    if module == place.module:
        yield place.name
    for source, what, name in imports(text):
        if (source, what) == place:
            yield name
        elif f"{source}.{what}" == place.module:
            yield f"{name}.{place.name}"


def raised(texts: Mapping[str, str], place: Place) -> set[int]:
    """The statuses with which the source raises a row: `Kind(Issue(NAME`, `Kind.of(NAME`, `_turn_away(431, NAME`."""
    by_kind = kinds()
    found: set[int] = set()
    for module, text in texts.items():
        for name in spellings(module, text, place) if place.name in text else ():
            kind = rf"\b(\w+)(?:\.of\(|\(\s*Issue\()\s*{re.escape(name)}\b"
            found |= {by_kind[one[1]] for one in re.finditer(kind, text) if one[1] in by_kind}
            found |= {int(one[1]) for one in re.finditer(rf"_turn_away\((\d+), {name}\b", text)}
            found |= {400 for _ in re.finditer(rf"raise malformed\(\s*{name}\b", text)}
    return found


def status(row: Refusal, texts: Mapping[str, str], place: Place | None) -> str:
    """What docs/errors.md says of the status of a row."""
    if row.key in ELSEWHERE:
        return ELSEWHERE[row.key]
    if found := raised(texts, place) if place else set():
        return ", ".join(map(str, sorted(found)))
    if row.code in ("structure", "informational"):
        return "400" if row.code == "structure" else "information"
    return next(code for prefix, code in TOGETHER.items() if place is None or place.module.startswith(prefix))


def section(place: Place) -> str:
    """The part of docs/errors.md that a row belongs to."""
    prefixes = {prefix: title for title, found in SECTIONS.items() for prefix in found}
    return prefixes[max((one for one in prefixes if place.module.startswith(one)), key=len)]


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = tuple(head)
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(one.replace("|", "\\|") for one in line) + " |\n" for line in lines)


def errors() -> str:
    """Every code, part by part."""
    rows, texts = refusals(), sources()
    declared = places(texts)
    parts: dict[str, list[tuple[str, ...]]] = {title: [] for title in SECTIONS}
    for key in sorted(set(rows) & set(declared)):
        row, place = rows[key], declared[key]
        line = (f"`{key}`", status(row, texts, place), row.code, words(row.fr), words(row.en))
        parts[section(place)].append(line)
    head = ("key", "HTTP", "code FHIR", "français", "English")
    written = "".join(f"## {title}\n\n{table(head, found)}\n" for title, found in parts.items())
    checked = sorted((*INVARIANTS, *PROFILE_RULES.values()), key=lambda one: one.key)
    reported = [
        (
            f"`{one.key}`",
            "422" if one.severity == "error" else one.severity,
            ", ".join(one.on),
            words(one.why.fr),
            words(one.why.en),
        )
        for one in checked
        if one.severity in ("error", "warning")
    ]
    said = "Of code `invariant`; the key is the one of FHIR or FR Core.\n\n"
    return f"{written}## Invariants\n\n{said}{table(('key', 'HTTP', 'on', 'français', 'English'), reported)}"


def words(sentence: str) -> str:
    """A sentence, `…` where words of the situation stand."""
    return re.sub(r"\{[^}]*\}", "…", sentence)


def settings() -> str:
    """Every setting with its default, its bound and its sentence."""
    rows = []
    for one in fields(config.Settings):
        default: Any = one.default
        shown = str(default).lower() if isinstance(default, bool) else "" if default == () else str(default)
        least = one.metadata["least"]
        rows.append((f"`{one.name}`", shown, "" if least is None else f"≥ {least}", one.metadata["doc"]))
    return table(("setting", "default", "", "meaning"), rows)


def steps() -> str:
    """The status table: a row for each status that may change, a column for each it may become."""
    rows = []
    for before in dict.fromkeys(start for start, _ in lifecycle.STEPS):
        after = [end for start, end in lifecycle.STEPS if start == before]
        rows.append((before, *("●" if status in after else "" for status in COLUMNS)))
    return table(("from \\ to", *COLUMNS), rows)


COLUMNS: Final = tuple(dict.fromkeys(end for _, end in lifecycle.STEPS))

MADE: Final = {
    "errors.md": {"errors": errors},
    "operations.md": {"settings": settings},
    "flows/6b-update.md": {"steps": steps},
    "operations/high-availability.md": {
        "files": files.shown,
        "measured": ha_report.promised,
        "cost": ha_report.cost,
    },
}
"""By page: its marked parts, and what writes each."""


def page(name: str) -> str:
    """The page as it should be: its own text, the marked parts written anew."""
    text = (DOCS / name).read_text("utf-8")
    for mark, make in MADE[name].items():
        begin, end = f"<!-- {mark}: begin (tests/docs/generate.py) -->\n", f"<!-- {mark}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}{make()}{end}{rest.split(end)[1]}"
    return text


if __name__ == "__main__":
    for name in MADE:
        (DOCS / name).write_text(page(name), "utf-8")
