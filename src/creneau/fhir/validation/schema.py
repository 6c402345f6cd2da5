"""A JSON schema per resource type, made from the tables: what it accepts, the walk accepts too. https://json-schema.org/draft/2020-12

It says less than the walk: whatever it cannot say exactly (siblings `_x`, contained resources, narratives, integers below the
first level, which it could not tell from 5.0) it does not accept, and the walk decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeAlias

from creneau.fhir.definitions import Element, elements, is_primitive
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.rules import rules_on

Schema: TypeAlias = dict[str, Any]

_VISIBLE: Final = r"[^\s\x00-\x1f\x7f-\x9f]"
_ID: Final = r"[A-Za-z0-9.\-]{1,64}"
_VERSIONED: Final = rf"{_ID}(?:/_history/{_ID})?"
_DAY: Final = (
    r"[12][0-9]{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
)
_MOMENT: Final = (
    _DAY + r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
)

PATTERNS: Final[dict[str, str]] = {
    "string": rf"^{_VISIBLE}[^\x00-\x1f\x7f-\x9f]*$",
    "markdown": rf"^{_VISIBLE}[^\x00-\x1f\x7f-\x9f]*$",
    "code": rf"^{_VISIBLE}+$",
    "id": rf"^{_ID}$",
    "uri": rf"^{_VISIBLE}+$",
    "url": rf"^{_VISIBLE}+$",
    "canonical": rf"^{_VISIBLE}+$",
    "date": rf"^{_DAY}$",
    "dateTime": rf"^(?:{_DAY}|{_MOMENT})$",
    "instant": rf"^{_MOMENT}$",
    "time": r"^(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$",
}

# Invariants as schema; a type with any other is left to the walk.
FRAGMENTS: Final[dict[str, Schema]] = {
    "ext-1": {},
    "ref-1": {},
    "per-1": {"not": {"required": ["start", "end"]}},
    "cpt-2": {"dependentRequired": {"value": ["system"]}},
    "att-1": {"dependentRequired": {"data": ["contentType"]}},
    "qty-3": {"dependentRequired": {"code": ["system"]}},
    "drt-1": {
        "dependentRequired": {"code": ["value"]},
        "properties": {"system": {"const": "http://unitsofmeasure.org"}},
    },
}

# The types an extension usually holds; a schema with all fifty would cost more than it saves.
HELD: Final = frozenset(
    [
        "boolean",
        "code",
        "date",
        "dateTime",
        "instant",
        "string",
        "uri",
        "Coding",
        "CodeableConcept",
        "Duration",
        "Identifier",
        "Reference",
    ]
)
WHOLE: Final = frozenset(("integer", "positiveInt", "unsignedInt"))
SKIPPED: Final = frozenset(("contained", "modifierExtension"))
MOST_CHOICES: Final = 3


def schema_of(book: Rulebook, type_name: str) -> Schema:
    """The schema of a resource type. Left to its user: the rules of the resource, of its own backbones and elements, extensions of the resource, periods of the first level, integers, profiles."""
    definitions: dict[str, Schema] = {}
    build = Builder(book, definitions, sorted(book.known_profiles()))
    top = build.object(type_name, top=True)
    top["properties"]["resourceType"] = {"const": type_name}
    top["required"] = ["resourceType", *top["required"]]
    return {**top, "$defs": definitions}


class Builder:
    """The definitions gathered so far, by name; one is begun before it is filled, since types name each other."""

    def __init__(self, book: Rulebook, definitions: dict[str, Schema], known: list[str]) -> None:
        """`known` are the extension urls whose definitions the schema does not know."""
        self._book, self._definitions, self._known = book, definitions, known

    def object(self, type_name: str, top: bool = False) -> Schema:
        """The schema of an object of that type."""
        known = elements(type_name)
        properties = {
            name: schema
            for name, element in known.items()
            if (top or name != "id") and (schema := self._property(type_name, element, top)) is not None
        }
        schema = {
            "type": "object",
            "properties": properties,
            "additionalProperties": False,
            "minProperties": 1,
            "required": [e.name for e in known.values() if e.min and not e.choice],
        }
        return _with(schema, _choices(known))

    def _property(self, owner: str, element: Element, top: bool) -> Schema | None:
        one = self._value(owner, element, top)
        if one is None or element.name in SKIPPED or _ruled(owner, element, top):
            return None
        return {"type": "array", "minItems": 1, "items": one} if element.many else one

    def _value(self, owner: str, element: Element, top: bool) -> Schema | None:
        if is_primitive(element.type):
            return self._primitive(element, top)
        if element.binding or element.type in ("Resource", "Narrative"):
            return None
        if element.type == "Reference":
            return self._named(
                f"Reference {' '.join(element.targets)}", lambda: self._reference(element.targets)
            )
        if element.type == "Extension":
            return self._named(f"Extension {top}", lambda: self._extension(top))
        own = top and (element.type == "Period" or element.type == f"{owner}.{element.name}")
        return self._typed(element.type, own)

    def _typed(self, type_name: str, own: bool) -> Schema | None:
        rules = [] if own else [rule.key for rule in rules_on(type_name)]
        if any(key not in FRAGMENTS for key in rules):
            return None
        return self._named(
            f"{type_name} {own}",
            lambda: _with(self.object(type_name), [FRAGMENTS[key] for key in rules if FRAGMENTS[key]]),
        )

    def _named(self, name: str, make: Any) -> Schema:
        key = re.sub(r"[^A-Za-z0-9.]", "-", name)
        if key not in self._definitions:
            self._definitions[key] = {}
            self._definitions[key].update(make())
        return {"$ref": f"#/$defs/{key}"}

    def _primitive(self, element: Element, top: bool) -> Schema | None:
        if element.binding:
            codes = self._book.codes(element.binding)
            if codes is None:
                return None
            return (
                {"enum": sorted(codes.every)}
                if codes.listed
                else {"type": "string", "pattern": PATTERNS["code"]}
            )
        if element.type in PATTERNS:
            return {"type": "string", "pattern": PATTERNS[element.type]}
        if element.type in WHOLE:
            return (
                {"type": "integer", "minimum": int(element.type == "positiveInt"), "maximum": 2**31 - 1}
                if top
                else None
            )
        return {"boolean": {"type": "boolean"}, "decimal": {"type": "number"}}.get(element.type)

    def _reference(self, targets: Iterable[str]) -> Schema:
        schema = self.object("Reference")
        schema["properties"].pop("type")
        schema["properties"]["reference"] = {"type": "string", "pattern": _reference_pattern(targets)}
        return schema

    def _extension(self, top: bool) -> Schema:
        # Two properties: the url, and either one value or extensions (ext-1).
        known = elements("Extension")
        held = {
            name: schema
            for name, element in known.items()
            if element.type in HELD and (schema := self._value("Extension", element, top=False)) is not None
        }
        inner = self._named("Extension False", lambda: self._extension(top=False))
        url: Schema = {"type": "string", "pattern": PATTERNS["uri"]}
        nested: Schema = {"type": "array", "minItems": 1, "items": inner}
        return {
            "type": "object",
            "properties": {
                **held,
                "url": url if top else {**url, "not": {"enum": self._known}},
                "extension": nested,
            },
            "additionalProperties": False,
            "required": ["url"],
            "minProperties": 2,
            "maxProperties": 2,
        }


def _ruled(owner: str, element: Element, top: bool) -> bool:
    place = f"{owner}.{element.name}"
    return bool(element.profile or (not top and element.type != place and rules_on(place, own=True)))


def _with(schema: Schema, fragments: list[Schema]) -> Schema:
    every = [*schema.get("allOf", ()), *fragments]
    return {**schema, "allOf": every} if every else schema


def _choices(known: Mapping[str, Element]) -> list[Schema]:
    names: dict[str, list[str]] = {}
    for element in known.values():
        if element.choice:
            names.setdefault(element.choice, []).append(element.name)
    found: list[Schema] = []
    for choice, forms in names.items():
        kept = forms if len(forms) <= MOST_CHOICES else []
        pairs = [[one, other] for index, one in enumerate(kept) for other in kept[index + 1 :]]
        found += [{"not": {"required": pair}} for pair in pairs]
        found += [{"properties": dict.fromkeys(forms, False)}] if not kept else []
        if any(element.min for element in known.values() if element.choice == choice):
            found.append({"anyOf": [{"required": [form]} for form in forms]})
    return found


def _reference_pattern(targets: Iterable[str]) -> str:
    types = "|".join(targets)
    if not types:
        return rf"^[^#\s\x00-\x1f\x7f-\x9f]{_VISIBLE}*$"
    local = rf"(?:{types})/{_VERSIONED}"
    return rf"^(?:{local}|https?://[A-Za-z0-9.:\-]+(?:/[A-Za-z0-9.\-]+)*/{local}|urn:uuid:[0-9a-f\-]{{36}})$"
