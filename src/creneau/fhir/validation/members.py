"""The occurrences of an element in an object, whatever its JSON names. https://hl7.org/fhir/R4/json.html"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from creneau.fhir.definitions import Element


class Member(NamedTuple):
    """One occurrence of an element: its index in a path ("[2]" or ""), its type, its value (None: extensions only)."""

    at: str
    type: str
    value: Any


Members: TypeAlias = Callable[[Mapping[str, Any]], list[Member]]


def members_named(element: Element) -> Members:
    """How to find the occurrences of an element with one JSON name."""
    name, sibling, type_name = element.name, "_" + element.name, element.type

    def members(value: Mapping[str, Any]) -> list[Member]:
        here = value.get(name)
        if here is None:
            here = _nothing(value.get(sibling))
            if here is None:
                return []
        if not element.many:
            return [Member("", type_name, here if here is not _NOTHING else None)]
        return [Member(f"[{index}]", type_name, item) for index, item in enumerate(here)]

    return members


_NOTHING: tuple[None, ...] = (None,)


def _nothing(sibling: Any) -> list[None] | tuple[None, ...] | None:
    if sibling is None:
        return None
    return [None] * len(sibling) if isinstance(sibling, list) else _NOTHING


def members_of(places: Mapping[str, Element]) -> Members:
    """How to find the occurrences of a choice, under any of its JSON names."""
    finders = {name: members_named(element) for name, element in places.items()}

    def members(value: Mapping[str, Any]) -> list[Member]:
        names = dict.fromkeys(name.removeprefix("_") for name in value)
        return [member for name in names if name in finders for member in finders[name](value)]

    return members
