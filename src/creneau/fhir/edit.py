"""Elements put into and cut from the objects of a resource, the two JSON properties of a primitive kept in step.

https://hl7.org/fhir/R4/json.html#primitive
"""

from __future__ import annotations

from typing import Any, NamedTuple

from creneau.fhir.path import Place, inside


class Content(NamedTuple):
    """What an element holds: `value`, and for a primitive what stands in `_name` beside it."""

    value: Any
    sibling: Any = None


def put(holder: dict[str, Any], key: str, item: int | None, content: Content) -> None:
    """Set an element, in its place among several when `item` is not None."""
    for name, one in ((key, content.value), (f"_{key}", content.sibling)):
        if item is None:
            holder.pop(name, None)
            if one is not None:
                holder[name] = one
        elif one is not None or name in holder:
            items = _items(holder, name, item + 1)
            items[item] = one
    _drop_empty(holder, key)


def insert(holder: dict[str, Any], key: str, at: int, content: Content) -> None:
    """Insert one among the repetitions of an element, which there may be none of yet."""
    for name, one in ((key, content.value), (f"_{key}", content.sibling)):
        if one is not None or name in holder:
            _items(holder, name, at).insert(at, one)


def cut(holder: dict[str, Any], key: str, item: int | None) -> None:
    """Take an element away, or one of its repetitions."""
    for name in (key, f"_{key}"):
        items = holder.get(name)
        if item is None:
            holder.pop(name, None)
        elif isinstance(items, list):
            del items[item : item + 1]
    _drop_empty(holder, key)


def move(holder: dict[str, Any], key: str, source: int, destination: int) -> None:
    """Give one of the repetitions of an element another index."""
    length = count(holder, key)
    for name in (key, f"_{key}"):
        if name in holder:
            items = _items(holder, name, length)
            items.insert(destination, items.pop(source))


def count(holder: dict[str, Any], key: str) -> int:
    """How many repetitions of the element there are."""
    return max(
        len(items) if isinstance(items, list) else 0 for items in (holder.get(key), holder.get(f"_{key}"))
    )


def opened(place: Place) -> dict[str, Any] | None:
    """The object that holds the children of the place, made when a primitive has none yet; None when the place cannot have any."""
    if isinstance(place.value, dict):
        return place.value
    node = inside(place)
    if not node and place.key:
        put(place.holder, place.key, place.item, Content(place.value, node))
    return node if place.key else None


def _items(holder: dict[str, Any], name: str, length: int) -> list[Any]:
    """The array of that name, at least that long."""
    found = holder.get(name)
    items: list[Any] = found if isinstance(found, list) else []
    items.extend([None] * (length - len(items)))
    holder[name] = items
    return items


def _drop_empty(holder: dict[str, Any], key: str) -> None:
    for name in (key, f"_{key}"):
        items = holder.get(name)
        if isinstance(items, list) and all(item is None for item in items):
            del holder[name]
