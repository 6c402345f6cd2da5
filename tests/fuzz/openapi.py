"""The interface as an OpenAPI 3 document, made from the table of routes, the search parameters and the elements of R4.

https://spec.openapis.org/oas/v3.0.3. Bodies are described loosely: what they allow is nearly valid, and often wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from creneau.fhir.definitions import Element, elements, is_primitive
from creneau.fhir.validation.rulebook import Rulebook
from creneau.http.routes import OFFERED, ROUTES, SYSTEM, Route
from creneau.search.parameters import parameters

Json = dict[str, Any]

KNOWN: Final = "known"
"""An id, and the id in references, that the test replaces by that of a resource that exists."""

FULL: Final = ("Appointment", "Patient", "Schedule", "Slot")
"""Types that have paths of their own; the others share one whose type is a parameter."""

DEPTH: Final = 2
SKIPPED: Final = frozenset(
    (
        "contained",
        "extension",
        "modifierExtension",
        "implicitRules",
        "language",
        "text",
        "meta",
        "id",
        "assigner",
    )
)
DAY: Final = r"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
MOMENT: Final = (
    DAY + r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
)
NEAR: Final = "20(26|27)-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
"""A day in a window of some months."""
STRINGS: Final = {
    "date": DAY,
    "dateTime": rf"({DAY}|{MOMENT}|20[0-9]{{2}}|20[0-9]{{2}}-[01][0-9])",
    "instant": MOMENT,
    "time": "[0-2][0-9]:[0-5][0-9]:[0-6][0-9]",
    "code": r"[a-z][a-z-]{0,9}",
    "id": r"[A-Za-z0-9.-]{1,64}",
    "uri": r"(urn:[a-z]{1,8}:[a-z0-9]{1,8}|https?://[a-z]{1,8}(/[a-z]{0,8}){0,2})",
    "base64Binary": r"([A-Za-z0-9+/]{4}){0,6}",
}
WHOLE: Final = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}
VALUES: Final[dict[str, Json]] = {
    "token": {"type": "string", "pattern": r"([a-z:/]{0,12}\|)?[A-Za-z0-9-]{0,12}"},
    "date": {"type": "string", "pattern": rf"(eq|ne|gt|lt|ge|le|sa|eb|ap)?({DAY}|20[0-9]{{2}})"},
    "reference": {"type": "string", "pattern": rf"([A-Z][A-Za-z]{{3,12}}/)?({KNOWN}|[a-z0-9-]{{1,8}})"},
    "special": {
        "type": "string",
        "pattern": r"-?[0-9]{1,3}(\.[0-9]{1,3})?\|-?[0-9]{1,3}\|[0-9]{0,4}\|(km|m)?",
    },
}
CONTROLS: Final[dict[str, Json]] = {
    "_count": {"type": "integer", "minimum": 0, "maximum": 1000},
    "_sort": {"type": "string", "pattern": "-?(_id|_lastUpdated|date|start|name|family)"},
    "_include": {"type": "string", "enum": ["*", "Schedule:actor", "Slot:schedule", "Appointment:*"]},
    "_summary": {"type": "string", "enum": ["true", "text", "data", "count", "false"]},
    "_elements": {"type": "string", "pattern": "[a-z]{2,8}(,[a-z]{2,8})?"},
    "_format": {"type": "string", "enum": ["json", "xml"]},
    "_lastUpdated": VALUES["date"],
}
OPERATIONS: Final[dict[str, dict[str, Json]]] = {
    "$validate": {
        "mode": {"type": "string", "enum": ["create", "update", "delete"]},
        "profile": {"type": "string"},
    },
    "$explain": {
        "schedule": {"type": "string", "enum": [f"Schedule/{KNOWN}", "Schedule/none", "a"]},
        "start": {"type": "string", "pattern": MOMENT},
        "service": VALUES["token"],
    },
    "$availability": {
        "start": {"type": "string", "pattern": NEAR},
        "end": {"type": "string", "pattern": NEAR},
    },
    "$earliest": {
        "n": {"type": "integer", "minimum": 1, "maximum": 60},
        "start": {"type": "string", "pattern": f"ge{NEAR}"},
        "schedule": VALUES["reference"],
    },
    "history": {"_count": CONTROLS["_count"], "_since": {"type": "string", "pattern": MOMENT}},
    "capabilities": {"mode": {"type": "string"}},
}
IDENTIFIER: Final[Json] = {"type": "string", "pattern": "^(urn:a)?[|][a-c]$"}
CONDITIONAL: Final = ("update-conditional", "patch-conditional", "delete-conditional")
NEEDED: Final = {
    **dict.fromkeys(CONDITIONAL, ("identifier",)),
    "$explain": ("schedule", "start"),
    "$availability": ("start", "end"),
}
"""Query parameters without which a row only refuses."""

HEADERS: Final[dict[str, Json]] = {
    "Accept": {
        "type": "string",
        "enum": ["application/fhir+json", "application/fhir+xml", "*/*", "text/html"],
    },
    "Prefer": {"type": "string", "enum": ["return=minimal", "return=OperationOutcome", "handling=strict"]},
    "If-Match": {"type": "string", "pattern": r'(W/)?"[0-9]{1,3}"|\*'},
    "If-None-Match": {"type": "string", "pattern": r'W/"[0-9]{1,3}"|\*'},
}
_book: Final = Rulebook()


def primitive(element: Element) -> Json:
    """What a primitive element may hold."""
    codes = _book.codes(element.binding) if element.binding else None
    if codes is not None and codes.listed and element.type == "code":
        return {"type": "string", "enum": sorted(codes.every)}
    if element.type == "boolean":
        return {"type": "boolean"}
    if element.type == "decimal":
        return {"type": "number"}
    if element.type in WHOLE:
        return {"type": "integer", "minimum": WHOLE[element.type], "maximum": 2**31 - 1}
    form = STRINGS.get("uri" if element.type in ("url", "canonical", "oid", "uuid") else element.type)
    return {"type": "string", "minLength": 1, "maxLength": 40, **({"pattern": f"^{form}$"} if form else {})}


def body_of(type: str, depth: int = DEPTH) -> Json:
    """An object of a type: its required elements, and any of the others down to a depth."""
    found, required = {}, []
    for name, element in elements(type).items():
        if name in SKIPPED or (
            element.choice and element.name not in ("valueString", "valueCode", "valueUri")
        ):
            continue
        if element.min and not element.choice:
            required.append(name)
        schema = _value(element, depth, required=bool(element.min))
        if schema is not None:
            found[name] = (
                {"type": "array", "minItems": 1, "maxItems": 3, "items": schema} if element.many else schema
            )
    schema = {"type": "object", "properties": found, "minProperties": 1, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _value(element: Element, depth: int, *, required: bool) -> Json | None:
    if element.type == "Reference":
        targets = "|".join(element.targets or ("Patient", "Location"))
        reference = {"type": "string", "pattern": f"^({targets})/({KNOWN}|[a-z0-9-]{{1,8}})$"}
        return {"type": "object", "properties": {"reference": reference}, "required": ["reference"]}
    if is_primitive(element.type):
        return primitive(element)
    if element.type == "Resource":
        return resource("Patient", 1)
    return body_of(element.type, depth - 1) if depth > 0 or required else None


def resource(type: str, depth: int = DEPTH) -> Json:
    """A resource of a type."""
    schema = body_of(type, depth)
    named = {"resourceType": {"type": "string", "enum": [type]}, "id": {"type": "string", "enum": [KNOWN]}}
    return {
        **schema,
        "properties": {**named, **schema["properties"]},
        "required": ["resourceType", *schema.get("required", ())],
    }


def patch() -> Json:
    """A JSON Patch."""
    operation = {
        "op": {"type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"]},
        "path": {
            "type": "string",
            "pattern": "^(/(active|name|telecom|status|comment|extension|[0-9]|-|value)){0,3}$",
        },
        "from": {"type": "string", "pattern": "^/(name|telecom|actor)(/[0-9])?$"},
        "value": {},
    }
    items = {
        "type": "object",
        "properties": operation,
        "required": ["op", "path"],
        "additionalProperties": False,
    }
    return {"type": "array", "maxItems": 4, "items": items}


def bundle() -> Json:
    """A batch or a transaction of people and appointments."""
    sent = [resource(type, 1) for type in ("Patient", "Appointment", "Schedule")]
    url = {
        "type": "string",
        "pattern": rf"^(Patient|Schedule|Appointment|Slot)(/{KNOWN}|\?identifier=a\|[a-z]|)$",
    }
    method = {"type": "string", "enum": ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]}
    request = {"type": "object", "properties": {"method": method, "url": url}, "required": ["method", "url"]}
    entry = {
        "type": "object",
        "properties": {"resource": {"oneOf": sent}, "request": request},
        "required": ["request"],
    }
    kinds = {"type": "string", "enum": ["batch", "transaction", "searchset"]}
    return {
        "type": "object",
        "properties": {
            "resourceType": {"type": "string", "enum": ["Bundle"]},
            "type": kinds,
            "entry": {"type": "array", "maxItems": 4, "items": entry},
        },
        "required": ["resourceType", "type"],
    }


def document() -> Json:
    """The whole document, without server."""
    paths: dict[str, Json] = {}
    for row in ROUTES:
        for type in _types(row):
            path = "/" + row.shape.replace("[type]", type or "{type}").replace("[id]", "{id}").replace(
                "[version]", "{version}"
            )
            paths.setdefault(path.rstrip("/") or "/", {})[row.method.lower()] = operation(row, type)
    return {"openapi": "3.0.3", "info": {"title": "Creneau", "version": "0"}, "paths": paths}


def _types(row: Route) -> Iterator[str]:
    """The types that a row has paths for; "" for those that share one."""
    if row.interaction in SYSTEM:
        yield ""
        return
    yield from (type for type in FULL if row.interaction in OFFERED[type])
    if _others(row):
        yield ""


def _others(row: Route) -> list[str]:
    return [type for type, offered in OFFERED.items() if type not in FULL and row.interaction in offered]


def operation(row: Route, type: str) -> Json:
    """One method of one path."""
    spoken = [
        *_path(row, type),
        *(_given("query", name, schema, row) for name, schema in asked(row, type).items()),
        *(_given("header", name, schema) for name, schema in HEADERS.items()),
    ]
    found: Json = {
        "operationId": f"{row.interaction} {row.method} {type} {len(row.shape)}",
        "parameters": spoken,
        "responses": {"default": {"description": "FHIR"}},
    }
    return {**found, "requestBody": {"required": True, "content": content(row, type)}} if row.body else found


def _given(place: str, name: str, schema: Json, row: Route | None = None) -> Json:
    required = place == "path" or (row is not None and name in NEEDED.get(row.interaction, ()))
    return {"in": place, "name": name, "required": required, "schema": schema}


def _path(row: Route, type: str) -> Iterator[Json]:
    if "[type]" in row.shape and not type:
        yield _given("path", "type", {"type": "string", "enum": _others(row)})
    if "[id]" in row.shape:
        yield _given(
            "path", "id", {"type": "string", "pattern": f"^({KNOWN}|{KNOWN}|[A-Za-z0-9.-]{{1,64}})$"}
        )
    if "[version]" in row.shape:
        yield _given("path", "version", {"type": "string", "pattern": "^[0-9]{1,3}$"})


def asked(row: Route, type: str) -> dict[str, Json]:
    """The query parameters of a row, by name."""
    if row.interaction in CONDITIONAL:
        return {"identifier": IDENTIFIER, "_id": VALUES["reference"]}
    if row.interaction == "search-type":
        rows = {one.code: VALUES.get(one.kind, {"type": "string"}) for one in parameters(type or "Location")}
        return {**rows, **CONTROLS}
    return OPERATIONS.get(re.sub("-(type|instance|system)$", "", row.interaction), {})


def content(row: Route, type: str) -> Json:
    """The bodies of a row, by media type."""
    if row.shape.endswith("_search"):
        properties = asked(row, type)
        form = {"type": "object", "properties": properties, "additionalProperties": False}
        return {"application/x-www-form-urlencoded": {"schema": form}}
    if row.interaction.startswith("patch"):
        return {
            "application/json-patch+json": {"schema": patch()},
            "application/fhir+json": {"schema": resource("Parameters", 2)},
        }
    if row.interaction == "bundle":
        return {"application/fhir+json": {"schema": bundle()}}
    return {"application/fhir+json": {"schema": resource(type or "Location")}}
