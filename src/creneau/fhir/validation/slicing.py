"""How the members of a slice are told: discriminators -> tests on values. https://hl7.org/fhir/R4/profiling.html#discriminator"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from creneau.fhir.validation.constraints import Node, Test
from creneau.fhir.validation.package import Json


def slice_tests(node: Node, discriminators: Iterable[Json]) -> list[Test]:
    """The tests that tell the members of the slice; [] when one of its discriminators cannot be decided from the resource alone."""
    found: list[Test] = []
    for discriminator in discriminators:
        test = _test(node, discriminator["type"], discriminator["path"].removeprefix("$this").lstrip("."))
        if test is None:
            return []
        found.append(test)
    return found


def _test(node: Node, kind: str, path: str) -> Test | None:
    if "resolve()" in path:
        return None
    match kind:
        case "value" | "pattern":
            return _by_value(node, path)
        case "exists":
            return _by_presence(node, path)
        case "type":
            types = _at(node, path).types
            return Test("type", path, types) if types else None
        case "profile":
            inner = _at(node, path)
            return Test("profile", path, inner.profiles) if inner.profiles else None
        case _:
            return None


def _by_value(node: Node, path: str) -> Test | None:
    if path == "url" and node.profiles and "url" not in node.children:
        return Test("fixed", "url", node.profiles[0])
    inner = _at(node, path)
    if inner.fixed is not msgspec.UNSET:
        return Test("fixed", path, inner.fixed)
    if inner.pattern is not msgspec.UNSET:
        return Test("pattern", path, inner.pattern)
    if inner.binding:
        return Test("codes", path, inner.binding)
    return _above(node, path)


def _above(node: Node, path: str) -> Test | None:
    """The value may be given whole, further up: a pattern on `type` decides `type.coding.code`, a value set decides `type.coding.system`."""
    names = path.split(".") if path else []
    for length in range(len(names) - 1, -1, -1):
        whole = _at(node, ".".join(names[:length]))
        kind, value = ("fixed", whole.fixed) if whole.pattern is msgspec.UNSET else ("pattern", whole.pattern)
        if value is not msgspec.UNSET:
            return Test(kind, ".".join(names[:length]), value)
        if whole.binding and names[length:] in (["system"], ["coding", "system"]):
            return Test("systems", path, whole.binding)
    return None


def _by_presence(node: Node, path: str) -> Test | None:
    inner = _at(node, path)
    if inner.max == 0:
        return Test("missing", path)
    return Test("exists", path) if inner.min > 0 else None


def _at(node: Node, path: str) -> Node:
    for name in path.split(".") if path else []:
        child = node.children.get(name) or node.children.get(name + "[x]")
        if child is None:
            return Node()
        node = _only(child)
    return node


def _only(node: Node) -> Node:
    # `coding` of a slice is often sliced again into one named part that holds the fixed system.
    return node.slices[0].node if len(node.slices) == 1 and not node.children else node


def values_at(value: Any, path: str) -> list[Any]:
    """The values of a dotted path in a resource's JSON, arrays opened on the way; [] when there is none."""
    found = [value]
    for name in path.split(".") if path else []:
        found = [inner for item in found if isinstance(item, dict) for inner in _listed(item.get(name))]
    return found


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def matches(value: Any, pattern: Any) -> bool:
    """Whether the value holds everything the pattern says; arrays: each item of the pattern is found in some item."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(value[name], part) for name, part in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(matches(item, part) for item in value) for part in pattern)
    return bool(value == pattern) and isinstance(value, bool) == isinstance(pattern, bool)
