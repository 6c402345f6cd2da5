"""Compiled profiles as checks on resources and elements that are right for R4. https://hl7.org/fhir/R4/profiling.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from creneau.fhir.definitions import Element, elements, is_primitive
from creneau.fhir.validation.bindings import binding_check
from creneau.fhir.validation.constraints import UNBOUNDED, Node
from creneau.fhir.validation.findings import (
    FIXED,
    MISSING,
    PROFILE_OF_ANOTHER,
    TOO_MANY,
    WRONG_TYPE,
    Check,
    Finding,
    Findings,
    gather,
)
from creneau.fhir.validation.invariants.profiles import PROFILE_RULES
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.slices import Member, slices_check
from creneau.fhir.validation.slicing import matches
from creneau.fhir.validation.targets import target_check

ObjectCheck = Callable[[dict[str, Any]], Findings]


def profile_check(book: Rulebook, url: str) -> Check | None:
    """The check of a value against the profile or extension definition of that URL, or None when it is not known."""
    profile = book.profile(url)
    if profile is None:
        return None
    key = "|" + profile.url
    if key not in book.checks:
        book.checks[key] = _typed(profile.type, node_check(book, profile.node, profile.type))
    return book.checks[key]


def _typed(type_name: str, content: Check) -> Check:
    wrong = [Finding(PROFILE_OF_ANOTHER, values={"type": type_name})]

    def check(value: Any) -> Findings:
        if "resourceType" in value and value["resourceType"] != type_name:
            return wrong
        return content(value)

    return check


def node_check(book: Rulebook, node: Node, type_name: str) -> Check:
    """The check of one value of an element against what a profile demands of it and below it."""
    parts = [*_facts(book, node, type_name), *_children(book, node, type_name)]

    def check(value: Any) -> Findings:
        found: Findings = None
        for part in parts:
            bad = part(value)
            if bad:
                found = gather(found, bad, "")
        return found

    return check


def _facts(book: Rulebook, node: Node, type_name: str) -> Iterator[Check]:
    if node.fixed is not msgspec.UNSET:
        yield _equal(node.fixed, lambda value, fixed: bool(value == fixed))
    if node.pattern is not msgspec.UNSET:
        yield _equal(node.pattern, matches)
    if node.binding:
        yield binding_check(book, node.binding, type_name)
    if node.targets and type_name == "Reference":
        yield target_check(node.targets)
    if type_name not in ("Extension", "Resource") and len(node.profiles) == 1:
        profile = book.profile(node.profiles[0])
        if profile is not None and profile.type == type_name:
            yield _late(book, profile.url)
    for key in node.invariants:
        if key in PROFILE_RULES:
            yield _rule(key)


def _late(book: Rulebook, url: str) -> Check:
    # Looked up at the first value: profiles may name each other.
    def check(value: Any) -> Findings:
        found = profile_check(book, url)
        return None if found is None else found(value)

    return check


def _rule(key: str) -> Check:
    row = PROFILE_RULES[key]
    return lambda value: None if row.holds(value) else [Finding(row.why, severity=row.severity)]


def _equal(expected: Any, same: Callable[[Any, Any], bool]) -> Check:
    bad = [Finding(FIXED, values={"expected": msgspec.json.encode(expected).decode()})]
    return lambda value: None if same(value, expected) else bad


class Place(NamedTuple):
    """A JSON name under which an element of a profile may stand."""

    name: str
    element: Element


def _children(book: Rulebook, node: Node, type_name: str) -> Iterator[ObjectCheck]:
    if is_primitive(type_name):
        return
    known = elements(type_name)
    for name, child in node.children.items():
        places = [Place(json, element) for json, element in known.items() if name in (json, element.choice)]
        if places:
            yield _child(book, child, "." + name.removesuffix("[x]"), places)


def _child(book: Rulebook, node: Node, step: str, places: list[Place]) -> ObjectCheck:
    contents: dict[str, Check] = {}
    slices = slices_check(book, node, node_check)
    quiet = node.min == 0 and not any(part.node.min for part in node.slices)

    def content(type_name: str) -> Check:
        if type_name not in contents:
            contents[type_name] = node_check(book, node, type_name)
        return contents[type_name]

    def check(value: dict[str, Any]) -> Findings:
        members = [member for place in places for member in _members(value, place)]
        if not members and quiet:
            return None
        found = _counted(node, len(members))
        for member in members:
            bad = _one(node, member, content(member.type))
            found = gather(found, bad, member.at) if bad else found
        bad = slices(members) if slices is not None else None
        found = gather(found, bad, "") if bad else found
        return gather(None, found, step) if found else None

    return check


def _members(value: dict[str, Any], place: Place) -> Iterator[Member]:
    name, element = place
    here, sibling = value.get(name), value.get("_" + name)
    if here is None and sibling is None:
        return
    if not element.many:
        yield Member("", element.type, here)
        return
    items = here if here is not None else [None] * len(sibling or ())
    for index, item in enumerate(items):
        yield Member(f"[{index}]", element.type, item)


def _counted(node: Node, count: int) -> Findings:
    if count < node.min:
        return [Finding(MISSING, values={"min": node.min})]
    if node.max not in (UNBOUNDED, *range(count, node.max + 1)):
        return [Finding(TOO_MANY, values={"max": node.max})]
    return None


def _one(node: Node, member: Member, content: Check) -> Findings:
    actual = member.value["resourceType"] if member.type == "Resource" else member.type
    if node.types and actual not in node.types:
        return [Finding(WRONG_TYPE, values={"types": ", ".join(node.types)})]
    # A primitive with extensions only has no value to compare.
    return None if member.value is None else content(member.value)
