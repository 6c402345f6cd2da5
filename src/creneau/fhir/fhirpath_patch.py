"""FHIRPath Patch of a resource: add, insert, delete, replace, move.

https://hl7.org/fhir/R4/fhirpatch.html

The paths are those of `path.py`. A value is given as `value[x]`, as a resource, or, for the parts of a resource that are no datatype,
as parts named after the elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from creneau.fhir import edit
from creneau.fhir.definitions import Element, elements, is_primitive, is_resource
from creneau.fhir.edit import Content
from creneau.fhir.json import encode, load
from creneau.fhir.patch import (
    BAD_VALUE,
    NO_PLACE,
    OCCUPIED,
    SEVERAL_PLACES,
    check_count,
    finished,
    grown,
    malformed,
    unfit,
)
from creneau.fhir.path import Path, Place, Visits, children, named, owner_type, parse, select
from creneau.problems import Invalid, Issue, Malformed, Refusal, refusal

NOT_PARAMETERS = refusal(
    "fhirpath-patch-parameters",
    "structure",
    "Un FHIRPath Patch est une ressource Parameters dont chaque paramètre s'appelle operation.",
    "A FHIRPath Patch is a Parameters resource whose parameters are all named operation.",
)


class Operation(NamedTuple):
    """One operation: its parts by name (`name`, `index`, `source`, `destination` as far as the type has them) and its value part."""

    type: str
    path: Path
    words: Mapping[str, Any]
    value: Mapping[str, Any]


Patch = tuple[Operation, ...]

# The parts that each type cannot do without; how each part is written, but for the value.
_NEEDED: Final[dict[str, tuple[str, ...]]] = {
    "add": ("name", "value"),
    "insert": ("index", "value"),
    "delete": (),
    "replace": ("value",),
    "move": ("source", "destination"),
}
_WORDS: Final[dict[str, tuple[str, type]]] = {
    "type": ("valueCode", str),
    "path": ("valueString", str),
    "name": ("valueString", str),
    "index": ("valueInteger", int),
    "source": ("valueInteger", int),
    "destination": ("valueInteger", int),
}


def read(parameters: object) -> Patch:
    """The patch in a decoded Parameters resource.

    Malformed, naming the operation, when a part is missing or not of its type; Invalid when a path cannot be read or calls a function
    that is not offered.
    """
    if not isinstance(parameters, Mapping) or parameters.get("resourceType") != "Parameters":
        raise Malformed.of(NOT_PARAMETERS, "resourceType")
    sent = parameters.get("parameter", [])
    if not isinstance(sent, list):
        raise Malformed.of(NOT_PARAMETERS, "Parameters.parameter")
    check_count(len(sent))
    return tuple(_operation(number, parameter) for number, parameter in enumerate(sent))


def _operation(number: int, parameter: object) -> Operation:
    at = f"Parameters.parameter[{number}]"
    if not isinstance(parameter, Mapping) or parameter.get("name") != "operation":
        raise Malformed.of(NOT_PARAMETERS, f"{at}.name")
    parts = {part["name"]: part for part in _parts(number, parameter, at)}
    words = {name: _word(number, parts[name], at) for name in _WORDS if name in parts}
    if words.get("type") not in _NEEDED:
        raise malformed(number, at, "type = add|insert|delete|replace|move")
    for name in ("path", *_NEEDED[words["type"]]):
        if name not in parts:
            raise malformed(number, at, name)
    return Operation(words["type"], _path(words["path"], at), words, parts.get("value", {}))


def _parts(number: int, holder: Mapping[str, Any], at: str) -> list[dict[str, Any]]:
    parts = holder.get("part", [])
    if not isinstance(parts, list):
        raise malformed(number, f"{at}.part", "part[]")
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise malformed(number, f"{at}.part", "part[].name")
    return parts


def _word(number: int, part: Mapping[str, Any], at: str) -> Any:
    key, wanted = _WORDS[part["name"]]
    # Clients write the type and the names as string or code alike.
    value = part.get(key, part.get("valueString", part.get("valueCode")))
    if not isinstance(value, wanted) or isinstance(value, bool):
        raise malformed(number, at, f"{part['name']} ({key})")
    return value


def _path(text: str, at: str) -> Path:
    try:
        return parse(text)
    except Invalid as problem:
        raise _placed(problem, at) from None


def _placed(problem: Invalid, at: str) -> Invalid:
    return Invalid(*(Issue(issue.why, at, values=issue.values) for issue in problem.issues))


def apply(resource: dict[str, Any], patch: Patch) -> dict[str, Any]:
    """The resource after every operation in turn; the one given is not changed.

    Invalid, naming the operation, when one does not apply: a path that leads to nothing (but for delete) or to several elements, an
    element already there, a value that does not fit, a result over the limits; or when resourceType, id or meta.versionId changed.
    """
    after = load(encode(resource))
    size, visits = 0, Visits()
    for number, operation in enumerate(patch):
        size = grown(number, operation.value, size)
        at = f"Parameters.parameter[{number}]"
        try:
            _APPLIED[operation.type](after, operation, visits)
        except _Unfit as unfitting:
            raise unfit(unfitting.why, number, at) from None
        except Invalid as problem:
            raise _placed(problem, at) from None
    grown(len(patch) - 1, after, 0)
    return finished(resource, after)


# The operations, each on the copy of the resource that it changes.


class _Unfit(Exception):
    """The operation does not apply."""

    def __init__(self, why: Refusal) -> None:
        super().__init__(why.key)
        self.why = why


def _add(resource: dict[str, Any], operation: Operation, visits: Visits) -> None:
    place = _one(select(operation.path, resource, visits))
    element, content = _typed(owner_type(place), operation.words["name"], operation.value)
    if not element.many and any(True for _ in children(place, _stem(element))):
        raise _Unfit(OCCUPIED)
    _added(_opened(place), element, content)


def _added(node: dict[str, Any], element: Element, content: Content) -> None:
    if element.many:
        edit.insert(node, element.name, edit.count(node, element.name), content)
    elif element.name in node:
        raise _Unfit(BAD_VALUE)
    else:
        edit.put(node, element.name, None, content)


def _insert(resource: dict[str, Any], operation: Operation, visits: Visits) -> None:
    place, name = _list_at(resource, operation, visits)
    element, content = _typed(owner_type(place), name, operation.value)
    node, at = _opened(place), operation.words["index"]
    if not element.many or not 0 <= at <= edit.count(node, element.name):
        raise _Unfit(NO_PLACE)
    edit.insert(node, element.name, at, content)


def _delete(resource: dict[str, Any], operation: Operation, visits: Visits) -> None:
    """Deleting what is not there is no error (fhirpatch.html)."""
    places = select(operation.path, resource, visits)
    if places:
        place = _inner(places)
        edit.cut(place.holder, place.key, place.item)


def _replace(resource: dict[str, Any], operation: Operation, visits: Visits) -> None:
    place = _inner(select(operation.path, resource, visits))
    element, content = _typed(place.owner, place.name, operation.value)
    if element.name != place.key:
        edit.cut(place.holder, place.key, place.item)
    edit.put(place.holder, element.name, place.item, content)


def _move(resource: dict[str, Any], operation: Operation, visits: Visits) -> None:
    place, name = _list_at(resource, operation, visits)
    node, key = _opened(place), named(owner_type(place), name)[0].name
    source, destination = operation.words["source"], operation.words["destination"]
    if not (0 <= source < edit.count(node, key) and 0 <= destination < edit.count(node, key)):
        raise _Unfit(NO_PLACE)
    edit.move(node, key, source, destination)


_APPLIED: Final[dict[str, Callable[[dict[str, Any], Operation, Visits], None]]] = {
    "add": _add,
    "insert": _insert,
    "delete": _delete,
    "replace": _replace,
    "move": _move,
}


def _one(places: list[Place]) -> Place:
    if len(places) != 1:
        raise _Unfit(SEVERAL_PLACES if places else NO_PLACE)
    return places[0]


def _inner(places: list[Place]) -> Place:
    """The one place, which is not the resource itself."""
    place = _one(places)
    if not place.key:
        raise _Unfit(NO_PLACE)
    return place


def _list_at(resource: dict[str, Any], operation: Operation, visits: Visits) -> tuple[Place, str]:
    """What holds the list that the path names, and the list's name; the list may have no item yet."""
    above, last = operation.path[:-1], operation.path[-1]
    if last.kind != "child":
        raise _Unfit(NO_PLACE)
    return _one(select(above, resource, visits)), last.argument


def _opened(place: Place) -> dict[str, Any]:
    node = edit.opened(place)
    if node is None:
        raise _Unfit(NO_PLACE)
    return node


def _stem(element: Element) -> str:
    """The name of the element in FHIRPath, where all types of a choice have one."""
    return element.choice.removesuffix("[x]") or element.name


# Values


def _typed(owner: str, name: str, part: Mapping[str, Any]) -> tuple[Element, Content]:
    """The element of `owner` that the value is for (a choice is settled by the type of the value), and its content."""
    options = named(owner, name)
    if "part" in part:
        return options[0], Content(_from_parts(options, part["part"]))
    if "resource" in part:
        return options[0], Content(_resource(options[0], part["resource"]))
    key = next((key.removeprefix("_") for key in part if key.startswith(("value", "_value"))), "")
    chosen = options[0] if len(options) == 1 else elements(owner).get(f"{name}{key.removeprefix('value')}")
    if chosen is None or not _fits(chosen, part.get(key), part.get(f"_{key}")):
        raise _Unfit(BAD_VALUE)
    return chosen, Content(_copied(part.get(key)), _copied(part.get(f"_{key}")))


def _fits(element: Element, value: Any, sibling: Any) -> bool:
    """Whether the JSON forms are those of the element; what they hold is for validation to say."""
    if not is_primitive(element.type):
        return isinstance(value, dict) and sibling is None
    given = value is not None or sibling is not None
    return given and not isinstance(value, dict | list) and isinstance(sibling, dict | None)


def _copied(value: Any) -> Any:
    """A copy: the patch may be applied again, and later operations change what earlier ones put."""
    return load(encode(value))


def _resource(element: Element, value: Any) -> Any:
    if (
        element.type != "Resource"
        or not isinstance(value, dict)
        or not is_resource(str(value.get("resourceType")))
    ):
        raise _Unfit(BAD_VALUE)
    return _copied(value)


def _from_parts(options: tuple[Element, ...], parts: Any) -> dict[str, Any]:
    """The backbone or datatype whose elements are given one by one, repeated where they repeat."""
    if len(options) != 1 or is_primitive(options[0].type) or not isinstance(parts, list):
        raise _Unfit(BAD_VALUE)
    built: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, dict) or not isinstance(part.get("name"), str):
            raise _Unfit(BAD_VALUE)
        _added(built, *_typed(options[0].type, part["name"], part))
    return built
