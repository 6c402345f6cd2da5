"""Value sets -> the codes they allow, by system. https://hl7.org/fhir/R4/valueset.html#compose"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from creneau.fhir.validation.package import Json

Codes: TypeAlias = dict[str, list[str]]

# Grammars rather than lists: nothing to enumerate, and saying so at each use would help nobody.
OPEN: Final = frozenset(
    "http://hl7.org/fhir/ValueSet/" + name
    for name in ("mimetypes", "currencies", "ucum-units", "all-languages", "languages")
)


class NotEnumerable(Exception):
    """The value set cannot be listed with the definitions at hand."""


@dataclass(frozen=True, slots=True)
class Terminology:
    """The value sets and code systems that can be looked up, by canonical URL without version."""

    value_sets: Mapping[str, Json]
    code_systems: Mapping[str, Json]


def codes_of(url: str, known: Terminology) -> Codes | None:
    """The codes by system, in a stable order; None when they cannot all be listed."""
    try:
        found = _members(url, known, 0)
    except NotEnumerable:
        return None
    return {system: sorted(codes) for system, codes in sorted(found.items())}


Members: TypeAlias = dict[str, set[str]]


def _members(url: str, known: Terminology, depth: int) -> Members:
    value_set = known.value_sets.get(url.partition("|")[0])
    if value_set is None or depth > 8:
        raise NotEnumerable(url)
    compose = value_set.get("compose")
    if not compose:
        return _expanded(value_set)
    found: Members = {}
    for include in compose.get("include", ()):
        for system, codes in _included(include, known, depth).items():
            found.setdefault(system, set()).update(codes)
    for exclude in compose.get("exclude", ()):
        for system, codes in _included(exclude, known, depth).items():
            found.get(system, set()).difference_update(codes)
    return found


def _expanded(value_set: Json) -> Members:
    expansion = value_set.get("expansion", {})
    found: Members = {}
    for item in _flat(expansion.get("contains", ())):
        if "code" in item:
            found.setdefault(str(item.get("system", "")), set()).add(item["code"])
    if not found or expansion.get("total", 0) > sum(map(len, found.values())):
        raise NotEnumerable
    return found


def _flat(items: Any) -> Iterator[Json]:
    for item in items:
        yield item
        yield from _flat(item.get("contains", ()))


def _included(include: Json, known: Terminology, depth: int) -> Members:
    parts = [_members(url, known, depth + 1) for url in include.get("valueSet", ())]
    if "system" in include:
        parts.append({include["system"]: _of_system(include, known)})
    first, *others = parts
    return {
        system: codes.intersection(*(o.get(system, set()) for o in others)) for system, codes in first.items()
    }


def _of_system(include: Json, known: Terminology) -> set[str]:
    if "concept" in include:
        return {concept["code"] for concept in include["concept"]}
    system = known.code_systems.get(include["system"])
    if system is None or system.get("content") != "complete":
        raise NotEnumerable(include["system"])
    concepts = list(_concepts(system.get("concept", ()), ()))
    for condition in include.get("filter", ()):
        keep = _filter(condition)
        concepts = [concept for concept in concepts if keep(concept)]
    return {concept.code for concept in concepts}


@dataclass(frozen=True, slots=True)
class _Concept:
    code: str
    above: frozenset[str]
    properties: Mapping[str, Any]


def _concepts(items: Any, above: tuple[str, ...]) -> Iterator[_Concept]:
    for item in items:
        properties = {p["code"]: _value(p) for p in item.get("property", ())}
        parents = {
            p["valueCode"]
            for p in item.get("property", ())
            if p["code"] in ("parent", "subsumedBy") and "valueCode" in p
        }
        yield _Concept(item["code"], frozenset(above) | parents, properties)
        yield from _concepts(item.get("concept", ()), (*above, item["code"]))


def _value(item: Json) -> object:
    return next((value for name, value in item.items() if name.startswith("value")), None)


def _filter(condition: Json) -> Callable[[_Concept], bool]:
    name, wanted = condition["property"], condition["value"]
    match condition["op"]:
        case "is-a":
            return lambda concept: concept.code == wanted or wanted in concept.above
        case "descendent-of":
            return lambda concept: wanted in concept.above
        case "is-not-a":
            return lambda concept: concept.code != wanted and wanted not in concept.above
        case "=":
            return lambda concept: str(concept.properties.get(name)).lower() == str(wanted).lower()
        case "in":
            return lambda concept: str(concept.properties.get(name, concept.code)) in wanted.split(",")
        case _:
            raise NotEnumerable(condition["op"])
