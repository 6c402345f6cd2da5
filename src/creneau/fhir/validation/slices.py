"""Slices as checks: which members of a repeating element belong to which, how many, and what is demanded of each. https://hl7.org/fhir/R4/profiling.html#slicing"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from creneau.fhir.validation.constraints import UNBOUNDED, Node, Slice, Test
from creneau.fhir.validation.findings import (
    SLICE_MISSING,
    SLICE_TOO_MANY,
    UNSLICED,
    Check,
    Finding,
    Findings,
    gather,
)
from creneau.fhir.validation.members import Member
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.slicing import matches, values_at

NodeCheck = Callable[[Rulebook, Node, str], Check]


def slices_check(
    book: Rulebook, node: Node, node_check: NodeCheck
) -> Callable[[Sequence[Member]], Findings] | None:
    """The check of all members of a sliced element, or None when it is not sliced."""
    if not node.slices:
        return None
    parts = [_part(book, part, node_check) for part in node.slices]
    if all(_by_url(part) for part in node.slices) and not node.closed:
        return _by_urls(
            {part.tests[0].expected: judge for part, (_, judge) in zip(node.slices, parts, strict=True)}
        )

    def check(members: Sequence[Member]) -> Findings:
        found: Findings = None
        placed: set[str] = set()
        for belongs, judge in parts:
            mine = [member for member in members if belongs(member)]
            placed.update(member.at for member in mine)
            bad = judge(mine)
            found = gather(found, bad, "") if bad else found
        if node.closed:
            left = [Finding(UNSLICED, member.at) for member in members if member.at not in placed]
            found = gather(found, left, "") if left else found
        return found

    return check


def _by_url(part: Slice) -> bool:
    return [(test.kind, test.path) for test in part.tests] == [("fixed", "url")]


def _by_urls(
    judges: Mapping[str, Callable[[Sequence[Member]], Findings]],
) -> Callable[[Sequence[Member]], Findings]:
    """Extensions told by their url, as they nearly always are: one look at each."""

    def check(members: Sequence[Member]) -> Findings:
        mine: dict[str, list[Member]] = {url: [] for url in judges}
        for member in members:
            url = member.value.get("url")
            if url in mine:
                mine[url].append(member)
        found: Findings = None
        for url, judge in judges.items():
            bad = judge(mine[url])
            found = gather(found, bad, "") if bad else found
        return found

    return check


Part = tuple[Callable[[Member], bool], Callable[[Sequence[Member]], Findings]]


def _part(book: Rulebook, part: Slice, node_check: NodeCheck) -> Part:
    tests = [_test(book, test) for test in part.tests]
    contents: dict[str, Check] = {}

    def belongs(member: Member) -> bool:
        return all(test(member) for test in tests)

    def judge(mine: Sequence[Member]) -> Findings:
        found = _counted(part, len(mine))
        for member in mine:
            if member.type not in contents:
                contents[member.type] = node_check(book, part.node, member.type)
            bad = contents[member.type](member.value) if member.value is not None else None
            found = gather(found, bad, member.at) if bad else found
        return found

    return belongs, judge


def _counted(part: Slice, count: int) -> Findings:
    if count < part.node.min:
        return [Finding(SLICE_MISSING, values={"slice": part.name, "min": part.node.min})]
    if part.node.max != UNBOUNDED and count > part.node.max:
        return [Finding(SLICE_TOO_MANY, values={"slice": part.name, "max": part.node.max})]
    return None


def _test(book: Rulebook, test: Test) -> Callable[[Member], bool]:
    path, expected = test.path, test.expected
    match test.kind:
        case "fixed":
            return lambda member: any(value == expected for value in values_at(member.value, path))
        case "pattern":
            return lambda member: any(matches(value, expected) for value in values_at(member.value, path))
        case "codes":
            return lambda member: _coded(book, member.value, path, expected)
        case "systems":
            return lambda member: _in_system(book, member.value, path, expected)
        case "exists":
            return lambda member: bool(values_at(member.value, path))
        case "missing":
            return lambda member: not values_at(member.value, path)
        case "type":
            return lambda member: _of_type(member, path, expected)
        case _:
            return lambda member: any(
                _about(book, value, expected) for value in values_at(member.value, path)
            )


def _coded(book: Rulebook, value: Any, path: str, url: str) -> bool:
    codes = book.codes(url)
    return codes is not None and any(isinstance(v, str) and v in codes.every for v in values_at(value, path))


def _in_system(book: Rulebook, value: Any, path: str, url: str) -> bool:
    codes = book.codes(url)
    return codes is not None and any(
        isinstance(v, str) and v in codes.by_system for v in values_at(value, path)
    )


def _of_type(member: Member, path: str, expected: list[str]) -> bool:
    if not path and member.type != "Resource":
        return member.type in expected
    return any(
        isinstance(v, dict) and v.get("resourceType") in expected for v in values_at(member.value, path)
    )


def _about(book: Rulebook, value: Any, urls: list[str]) -> bool:
    """Whether a resource is of the type that one of the profiles is about; an unknown profile decides nothing."""
    return isinstance(value, dict) and value.get("resourceType") in {book.types.get(url) for url in urls}
