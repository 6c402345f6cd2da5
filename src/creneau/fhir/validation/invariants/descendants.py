"""The local links (`#id`) of a resource, by the types of its elements: what dom-3 calls descendants. https://hl7.org/fhir/R4/references.html#contained"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from creneau.fhir.definitions import elements, is_known

_URIS: Final = frozenset(("uri", "url", "canonical"))


def local_links(resource: Mapping[str, Any]) -> frozenset[str]:
    """What follows `#` in each Reference.reference, canonical, uri and url of the resource and of those it contains."""
    found: set[str] = set()
    _of_type(resource, "Resource", found)
    return frozenset(found)


def _of_type(value: object, type_name: str, found: set[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _of_type(item, type_name, found)
    elif isinstance(value, Mapping):
        _of_object(value, str(value.get("resourceType")) if type_name == "Resource" else type_name, found)
    elif type_name in _URIS and isinstance(value, str) and value.startswith("#"):
        found.add(value[1:])


def _of_object(value: Mapping[str, Any], type_name: str, found: set[str]) -> None:
    if not is_known(type_name):
        return
    known = elements(type_name)
    for name, child in value.items():
        element = known.get(name)
        if name.startswith("_"):
            _of_type(child, "Element", found)
        elif name == "reference" and type_name == "Reference":
            _of_type(child, "uri", found)
        elif element is not None:
            _of_type(child, element.type, found)
