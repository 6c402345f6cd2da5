"""R4 snapshots -> rows of the table that `creneau.fhir.definitions` reads. https://hl7.org/fhir/R4/elementdefinition.html"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

from creneau.fhir.validation.package import Json

Row: TypeAlias = list[Any]

CORE: Final = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM: Final = "http://hl7.org/fhirpath/System."


def base_types(structures: Iterable[Json]) -> Json:
    """The whole table: primitives, resources, and the rows of every type and backbone. Profiles are left out."""
    kept = sorted(filter(_is_base, structures), key=lambda structure: str(structure["type"]))
    types = {name: rows for structure in kept for name, rows in _types_of(structure)}
    return {
        "primitives": sorted(s["type"] for s in kept if s["kind"] == "primitive-type"),
        "resources": sorted(s["type"] for s in kept if s["kind"] == "resource" and not s["abstract"]),
        "types": {name: _without_inherited(name, types) for name in sorted(types)},
    }


def _is_base(structure: Json) -> bool:
    return structure["kind"] != "logical" and structure.get("derivation") != "constraint"


def _types_of(structure: Json) -> Iterator[tuple[str, list[Row]]]:
    if structure["kind"] == "primitive-type":
        return
    types: dict[str, list[Row]] = {str(structure["type"]): []}
    for element in structure["snapshot"]["element"][1:]:
        parent, _, name = element["path"].rpartition(".")
        types.setdefault(parent, []).append(_row(element, name))
    yield from types.items()


def _row(element: Json, name: str) -> Row:
    extra = [_targets(element), _required(element), _profile(element)]
    row = [
        name,
        _type_codes(element),
        element["min"],
        int(element["max"] != "1"),
        int(bool(element.get("isSummary"))),
        extra,
    ]
    while row[-1] in (0, [[], "", ""]):
        row.pop()
    return row


def _type_codes(element: Json) -> list[str]:
    if "contentReference" in element:
        return [element["contentReference"].partition("#")[2]]
    codes = [type_["code"] for type_ in element["type"]]
    if codes[0].startswith(SYSTEM):
        return [_system_type(element)]
    return [element["path"]] if codes[0] in ("BackboneElement", "Element") else codes


def _system_type(element: Json) -> str:
    # The snapshots say System.String for ids; in JSON a resource's id is an `id`, an element's id a `string`.
    match element["base"]["path"]:
        case "Resource.id":
            return "id"
        case "Extension.url":
            return "uri"
        case _:
            return "string"


def _targets(element: Json) -> list[str]:
    urls = [url for type_ in element.get("type", ()) for url in type_.get("targetProfile", ())]
    names = list(dict.fromkeys(url.removeprefix(CORE) for url in urls))
    return [] if "Resource" in names else names


def _required(element: Json) -> str:
    binding = element.get("binding", {})
    return str(binding["valueSet"]).partition("|")[0] if binding.get("strength") == "required" else ""


def _profile(element: Json) -> str:
    profiles = [url for type_ in element.get("type", ()) for url in type_.get("profile", ())]
    return profiles[0].removeprefix(CORE) if profiles else ""


def _without_inherited(name: str, types: dict[str, list[Row]]) -> list[Any]:
    rows = types[name]
    for base in ("DomainResource", "Resource", "BackboneElement", "Element"):
        known = types[base]
        if base != name and rows[: len(known)] == known:
            return [base, rows[len(known) :]]
    return ["", rows]
