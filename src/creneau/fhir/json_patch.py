"""JSON Patch of a resource: add, remove, replace, move, copy, test.

https://hl7.org/fhir/R4/http.html#patch and https://www.rfc-editor.org/rfc/rfc6902

The input is never changed: each operation copies the objects and arrays on its way and shares the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from creneau.fhir.patch import NO_PLACE, TEST_FAILED, check_count, finished, grown, malformed, unfit
from creneau.fhir.path import same
from creneau.problems import Malformed, refusal

NOT_AN_ARRAY = refusal(
    "json-patch-array",
    "structure",
    "Un JSON Patch est un tableau d'opérations.",
    "A JSON Patch is an array of operations.",
)

Pointer = tuple[str, ...]


class Operation(NamedTuple):
    """One operation; `source` is the pointer `from` of move and copy, `value` that of add, replace and test."""

    op: str
    path: Pointer
    source: Pointer = ()
    value: Any = None


Patch = tuple[Operation, ...]

_WITH_VALUE: Final = frozenset(("add", "replace", "test"))
_WITH_SOURCE: Final = frozenset(("move", "copy"))
_OPS: Final = _WITH_VALUE | _WITH_SOURCE | {"remove"}
_POINTER: Final = re.compile(r"(?:/(?:[^~/]|~[01])*)*").fullmatch
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}").fullmatch


def read(operations: object) -> Patch:
    """The patch in a decoded JSON array. Malformed, naming the operation, when it is not one (RFC 6902 section 4)."""
    if not isinstance(operations, list):
        raise Malformed.of(NOT_AN_ARRAY)
    check_count(len(operations))
    return tuple(_operation(number, operation) for number, operation in enumerate(operations))


def _operation(number: int, operation: object) -> Operation:
    if not isinstance(operation, Mapping):
        raise malformed(number, f"[{number}]", "{op, path}")
    op = operation.get("op")
    if not isinstance(op, str) or op not in _OPS:
        raise malformed(number, f"[{number}].op", "add|remove|replace|move|copy|test")
    if op in _WITH_VALUE and "value" not in operation:
        raise malformed(number, f"[{number}].value", "value")
    source = _pointer(number, operation, "from") if op in _WITH_SOURCE else ()
    return Operation(op, _pointer(number, operation, "path"), source, operation.get("value"))


def _pointer(number: int, operation: Mapping[str, Any], name: str) -> Pointer:
    """RFC 6901."""
    text = operation.get(name)
    if not isinstance(text, str) or not _POINTER(text):
        raise malformed(number, f"[{number}].{name}", "JSON Pointer (RFC 6901)")
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in text.split("/")[1:])


def apply(resource: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """The resource after every operation in turn; the one given is not changed.

    Invalid, naming the operation, when one does not apply: a path that leads nowhere, a test that fails, a result over the limits of a
    resource; or when resourceType, id or meta.versionId changed. What removals left empty goes away with its property.
    """
    after: Any = resource
    size = 0
    for number, operation in enumerate(patch):
        if operation.op in _WITH_SOURCE:
            added = _read(after, operation.source, number)
            size = grown(number, added, size if operation.op == "copy" else 0, len(operation.path))
        elif operation.op in _WITH_VALUE:
            size = grown(number, operation.value, size, len(operation.path))
        after = _APPLIED[operation.op](after, operation, number)
    return finished(resource, after)


def _add(document: Any, operation: Operation, number: int) -> Any:
    return _put(document, operation.path, operation.value, number)


def _replace(document: Any, operation: Operation, number: int) -> Any:
    if not operation.path:
        return operation.value

    def change(holder: Any, key: Any) -> None:
        holder[key] = operation.value

    return _edited(document, operation.path, change, number)


def _remove(document: Any, operation: Operation, number: int) -> Any:
    return _without(document, operation.path, number)


def _move(document: Any, operation: Operation, number: int) -> Any:
    source, path = operation.source, operation.path
    value = _read(document, source, number)
    if path == source:
        return document
    if path[: len(source)] == source:
        raise unfit(NO_PLACE, number)
    return _put(_without(document, source, number), path, value, number)


def _copy(document: Any, operation: Operation, number: int) -> Any:
    return _put(document, operation.path, _read(document, operation.source, number), number)


def _test(document: Any, operation: Operation, number: int) -> Any:
    if not same(_read(document, operation.path, number), operation.value):
        raise unfit(TEST_FAILED, number)
    return document


_APPLIED: Final[dict[str, Callable[[Any, Operation, int], Any]]] = {
    "add": _add,
    "replace": _replace,
    "remove": _remove,
    "move": _move,
    "copy": _copy,
    "test": _test,
}


def _read(document: Any, path: Pointer, number: int) -> Any:
    for token in path:
        document = document[_key(document, token, number)]
    return document


def _put(document: Any, path: Pointer, value: Any, number: int) -> Any:
    """RFC 6902 section 4.1: a member is set, an item is inserted, `-` is the end of an array."""
    if not path:
        return value
    *above, last = path
    holder = _read(document, tuple(above), number)
    if isinstance(holder, dict):
        changed: Any = {**holder, last: value}
    elif isinstance(holder, list):
        at = len(holder) if last == "-" else _item(last, len(holder), number)
        changed = [*holder[:at], value, *holder[at:]]
    else:
        raise unfit(NO_PLACE, number)
    return _with(document, tuple(above), changed, number)


def _without(document: Any, path: Pointer, number: int) -> Any:
    if not path:
        raise unfit(NO_PLACE, number)

    def change(holder: Any, key: Any) -> None:
        del holder[key]

    return _edited(document, path, change, number)


def _with(document: Any, path: Pointer, value: Any, number: int) -> Any:
    def change(holder: Any, key: Any) -> None:
        holder[key] = value

    return _edited(document, path, change, number) if path else value


def _edited(document: Any, path: Pointer, change: Callable[[Any, Any], None], number: int) -> Any:
    """The document with `change` made to a copy of what holds the end of the path, and copies of all above."""
    key = _key(document, path[0], number)
    copied = document.copy()
    if len(path) == 1:
        change(copied, key)
    else:
        copied[key] = _edited(document[key], path[1:], change, number)
    return copied


def _key(holder: Any, token: str, number: int) -> str | int:
    """The key of an existing member or item."""
    if isinstance(holder, dict) and token in holder:
        return token
    if isinstance(holder, list) and holder:
        return _item(token, len(holder) - 1, number)
    raise unfit(NO_PLACE, number)


def _item(token: str, last: int, number: int) -> int:
    if not _INDEX(token) or int(token) > last:
        raise unfit(NO_PLACE, number)
    return int(token)
