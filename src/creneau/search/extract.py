"""The index rows of a resource: closures compiled once from the table of parameters, shared where their paths are.

https://hl7.org/fhir/R4/search.html; measured against FHIRPath engines in `docs/decisions`. A path that is not understood stops the start.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from creneau.fhir.reference import Bases
from creneau.search.datatypes import SINKS, Gathered, Sink, type_of
from creneau.search.parameters import SYNONYMS, TYPES, parameters
from creneau.search.paths import Step, branches
from creneau.search.query import Parameter
from creneau.search.rows import NONE, Rows

FORM: Final = 3
"""Raised by hand when `datatypes.py`, `fold.py` or `flows/linking.py` makes other rows of the same resource."""

NATIVE: Final = frozenset({"_id", "_lastUpdated"})
"""Parameters that stores answer from the resource's own columns."""


class Node:
    """Where some paths have come together: what to add of the values here, and the steps that go on."""

    __slots__ = ("after", "sinks")

    def __init__(self) -> None:
        self.sinks: list[Sink] = []
        self.after: dict[Step, Node] = {}


def rows(resource: Mapping[str, Any], zone: ZoneInfo, bases: Bases) -> Rows:
    """All index rows of a resource; none for a type that cannot be searched.

    Dates without offset are civil time of `zone`; absolute references on one of `bases` are references to this server.
    """
    type = resource.get("resourceType")
    visit = VISITS.get(type) if isinstance(type, str) else None
    if visit is None:
        return NONE
    out = Gathered(zone, bases, resource.get("contained"))
    visit(resource, out)
    return out.rows()


def indexed_parameters(type: str) -> list[Parameter]:
    """The parameters of a type that have index rows of their own."""
    return [row for row in parameters(type) if row.code not in NATIVE and (type, row.code) not in SYNONYMS]


def _tree(type: str) -> Node:
    root = Node()
    for parameter in indexed_parameters(type):
        for branch in branches(parameter):
            node = root
            for step in branch.steps:
                node = node.after.setdefault(step, Node())
            node.sinks.append(sink(parameter, branch.type))
    return root


def sink(parameter: Parameter, type: str) -> Sink:
    """What adds the rows of a value of a FHIR type to a parameter. ValueError for a type that its kind cannot be made of."""
    made = SINKS.get(parameter.kind, {}).get(type)
    if made is None:
        raise ValueError(f"{parameter.type}.{parameter.code}: no {parameter.kind} is made of {type}")
    return made(parameter.code)


def _visit(node: Node) -> Sink:
    """What adds the rows of one value at a node, and of what follows it."""
    fields = tuple(
        (step[1], _each(_visit(after))) for step, after in node.after.items() if step[0] == "field"
    )
    kinds = {step[1]: _visit(after) for step, after in node.after.items() if step[0] == "is"}
    sinks = (
        *node.sinks,
        *([_is(kinds)] if kinds else []),
        *(STEPS[step[0]](step, _visit(after)) for step, after in node.after.items() if step[0] in STEPS),
    )
    if not fields:
        return sinks[0] if len(sinks) == 1 else _all(sinks)
    return _fields(fields, sinks)


def _all(sinks: tuple[Sink, ...]) -> Sink:
    def visit(value: Any, out: Gathered) -> None:
        for sink in sinks:
            sink(value, out)

    return visit


def _fields(fields: tuple[tuple[str, Sink], ...], sinks: tuple[Sink, ...]) -> Sink:
    def visit(value: Any, out: Gathered) -> None:
        for sink in sinks:
            sink(value, out)
        if isinstance(value, dict):
            for name, after in fields:
                if name in value:
                    after(value[name], out)

    return visit


def _each(visit: Sink) -> Sink:
    def each(value: Any, out: Gathered) -> None:
        if isinstance(value, list):
            for one in value:
                visit(one, out)
        else:
            visit(value, out)

    return each


def _is(kinds: Mapping[str, Sink]) -> Sink:
    def go(value: Any, out: Gathered) -> None:
        if isinstance(value, dict):
            visit = kinds.get(type_of(value, out))
            if visit is not None:
                visit(value, out)

    return go


def _where(step: Step, visit: Sink) -> Sink:
    _, name, text = step

    def go(value: Any, out: Gathered) -> None:
        if isinstance(value, dict) and value.get(name) == text:
            visit(value, out)

    return go


def _resolve(step: Step, visit: Sink) -> Sink:
    wanted = step[1]

    def go(value: Any, out: Gathered) -> None:
        inside = out.inside(value) if isinstance(value, dict) else None
        if inside is not None and inside.get("resourceType") == wanted:
            visit(inside, out)

    return go


def _either(step: Step, visit: Sink) -> Sink:
    names = step[1:]

    def go(value: Any, out: Gathered) -> None:
        visit(any(value.get(name) not in (None, False) for name in names), out)

    return go


STEPS: Final[dict[str, Callable[[Step, Sink], Sink]]] = {
    "where": _where,
    "resolve": _resolve,
    "either": _either,
}

VISITS: Final[dict[str, Sink]] = {type: _visit(_tree(type)) for type in TYPES}


@cache
def _checksum() -> str:
    facts = [(row.type, row.code, row.kind, row.paths) for type in TYPES for row in indexed_parameters(type)]
    return hashlib.sha256(msgspec.json.encode([FORM, facts])).hexdigest()[:16]


EXTRACT_VERSION: Final = _checksum()
"""The checksum of what rows are made by: a store whose rows were made by another one is indexed again."""
