"""A resource with fewer elements, for `_summary` and `_elements`, marked SUBSETTED so that nobody puts it back as it is.

https://hl7.org/fhir/R4/search.html#summary and https://hl7.org/fhir/R4/search.html#elements
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from creneau.fhir import definitions
from creneau.fhir.definitions import Element

SUBSETTED: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
}
_ALWAYS: Final = frozenset(("resourceType", "id", "meta", "implicitRules", "modifierExtension"))


def summarise(resource: Mapping[str, Any], mode: str) -> dict[str, Any]:
    """The resource as `_summary` wants it: "true" the elements the specification marks, "text" the narrative, "data" all but it.

    Mandatory elements of the resource stay in every mode, and those of its parts in "true". Any other mode ("false", and "count", which
    leaves no resource to show) gives the whole resource.
    """
    if mode == "true":
        return _subset(_marked(resource, str(resource["resourceType"])))
    if mode == "text":
        return _subset(_only(resource, lambda element: element.min > 0 or element.name == "text"))
    if mode == "data":
        return _subset(_only(resource, lambda element: element.name != "text"))
    return dict(resource)


def elements(resource: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """The resource with the root elements named, and the mandatory ones; a choice is named with or without `[x]`.

    A name may carry its type (`Appointment.status`); deeper names keep their root element whole; unknown names are ignored.
    """
    prefix = f"{resource['resourceType']}."
    wanted = {name.strip().removeprefix(prefix).partition(".")[0].removesuffix("[x]") for name in names}

    def kept(element: Element) -> bool:
        return element.min > 0 or element.name in wanted or element.choice.removesuffix("[x]") in wanted

    return _subset(_only(resource, kept))


def _only(resource: Mapping[str, Any], kept: Callable[[Element], bool]) -> dict[str, Any]:
    known = definitions.elements(str(resource["resourceType"]))
    return {
        key: value
        for key, value in resource.items()
        if key in _ALWAYS or ((element := known.get(key.removeprefix("_"))) is not None and kept(element))
    }


def _marked(node: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    """The elements marked for the summary; parts of a resource are searched too, datatypes are kept whole."""
    known = definitions.elements(type_name)
    found: dict[str, Any] = {}
    for key, value in node.items():
        element = known.get(key.removeprefix("_"))
        if key in _ALWAYS:
            found[key] = value
        elif element is not None and (element.summary or element.min > 0):
            found[key] = _part(value, element.type) if "." in element.type else value
    return found


def _part(value: Any, type_name: str) -> Any:
    if isinstance(value, list):
        return [_marked(item, type_name) if isinstance(item, dict) else item for item in value]
    return _marked(value, type_name) if isinstance(value, dict) else value


def _subset(resource: dict[str, Any]) -> dict[str, Any]:
    meta = resource.get("meta") or {}
    tags = [tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"]
    return {**resource, "meta": {**meta, "tag": [*tags, dict(SUBSETTED)]}}
