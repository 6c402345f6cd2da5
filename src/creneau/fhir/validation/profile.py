"""Compiled profiles as checks on resources and elements that are right for R4. https://hl7.org/fhir/R4/profiling.html"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from creneau.fhir.definitions import elements, is_primitive
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
from creneau.fhir.validation.members import Member, Members, members_named, members_of
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.slices import slices_check
from creneau.fhir.validation.slicing import matches
from creneau.fhir.validation.targets import target_check

ObjectCheck = Callable[[dict[str, Any]], Findings]


def profile_check(book: Rulebook, url: str) -> Check | None:
    """The check of a value against the profile or extension definition of that URL, or None when it is not known."""
    known = book.profile_checks.get(url)
    if known is not None:
        return known
    profile = book.profile(url)
    if profile is None:
        return None
    # Profiles that demand the same share one check: a resource may claim both gap-fr-slot and fr-core-slot.
    key = f"{profile.type}|{msgspec.json.encode(profile.node).decode()}"
    check = book.checks.get(key)
    if check is None:
        check = book.checks[key] = _typed(profile.type, node_check(book, profile.node, profile.type))
    book.profile_checks[url] = check
    return check


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
    yield from (_late(book, url) for url in node.profiles if _applies(book, url, type_name, node))
    yield from (_rule(key) for key in node.invariants if key in PROFILE_RULES)


def _applies(book: Rulebook, url: str, type_name: str, node: Node) -> bool:
    # Extensions and inline resources are checked where they stand; of several profiles any one would do, so none is demanded.
    return (
        len(node.profiles) == 1
        and type_name not in ("Extension", "Resource")
        and book.types.get(url) == type_name
    )


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


def _children(book: Rulebook, node: Node, type_name: str) -> Iterator[ObjectCheck]:
    if is_primitive(type_name):
        return
    known = elements(type_name)
    for name, child in node.children.items():
        places = {json: element for json, element in known.items() if name in (json, element.choice)}
        if places:
            members = members_of(places) if name.endswith("[x]") else members_named(places[name])
            yield _child(book, child, "." + name.removesuffix("[x]"), members)


def _child(book: Rulebook, node: Node, step: str, members_in: Members) -> ObjectCheck:
    contents: dict[str, Check] = {}
    slices = slices_check(book, node, node_check)
    quiet = node.min == 0 and not any(part.node.min for part in node.slices)

    def content(type_name: str) -> Check:
        if type_name not in contents:
            contents[type_name] = node_check(book, node, type_name)
        return contents[type_name]

    def check(value: dict[str, Any]) -> Findings:
        members = members_in(value)
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


def _counted(node: Node, count: int) -> Findings:
    if count < node.min:
        return [Finding(MISSING, values={"min": node.min})]
    if node.max != UNBOUNDED and count > node.max:
        return [Finding(TOO_MANY, values={"max": node.max})]
    return None


def _one(node: Node, member: Member, content: Check) -> Findings:
    actual = member.value["resourceType"] if member.type == "Resource" else member.type
    if node.types and actual not in node.types:
        return [Finding(WRONG_TYPE, values={"types": ", ".join(node.types)})]
    # A primitive with extensions only has no value to compare.
    return None if member.value is None else content(member.value)
