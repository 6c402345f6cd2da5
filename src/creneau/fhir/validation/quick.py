"""Accepting a right resource quickly: a compiled schema, then the few rules it cannot say. https://github.com/Stranger6667/jsonschema

It only ever accepts; what it does not accept goes to the walk, the one truth about errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

import jsonschema_rs
from msgspec.json import encode

from creneau.fhir.definitions import Element, elements
from creneau.fhir.validation.extensions import extension_check
from creneau.fhir.validation.findings import Check, Findings
from creneau.fhir.validation.invariants import Invariant
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.rules import rules_on
from creneau.fhir.validation.schema import WHOLE, schema_of

Accepts: TypeAlias = Callable[[Mapping[str, Any]], bool]


def quick_check(book: Rulebook, type_name: str) -> Accepts:
    """Whether a resource of that type is right for R4 and its extensions, profiles apart; False also when it takes the walk to tell."""
    known = elements(type_name)
    if "contained" not in known:
        return lambda resource: False
    # Rust's own engine: linear time whatever is matched (SEC-25).
    validator = jsonschema_rs.validator_for(
        schema_of(book, type_name), pattern_options=jsonschema_rs.RegexOptions(), validate_formats=False
    )
    fits = validator.is_valid
    rules = tuple(rule.holds for rule in rules_on(type_name) if not rule.key.startswith("dom-"))
    parts = tuple(_parts(book, type_name, known))

    def accepts(resource: Mapping[str, Any]) -> bool:
        try:
            # Encoding costs little and stops at Python's recursion limit; the schema's recursion has no limit but the stack.
            encode(resource)
            if not fits(resource):
                return False
        except (ValueError, TypeError, RecursionError):  # nested too deeply, or a value that JSON cannot hold
            return False
        for name, right in parts:
            if name in resource and not right(resource[name]):
                return False
        return all(holds(resource) for holds in rules)

    return accepts


def _parts(book: Rulebook, owner: str, known: Mapping[str, Element]) -> Iterator[tuple[str, Accepts]]:
    """What the schema leaves open, by property of the resource: whole numbers, rules of the first level, extensions."""
    for name, element in known.items():
        if element.type in WHOLE:
            yield name, _whole
        own = element.type in ("Period", f"{owner}.{name}")
        rules = rules_on(element.type) if own else rules_on(f"{owner}.{name}", own=True)
        if rules:
            yield name, _all_hold(rules) if element.many else _one_holds(rules)
    yield "extension", _extensions(extension_check(book, _nothing, owner, modifier=False))


def _whole(value: Any) -> bool:
    # The schema takes 5.0 for a whole number, FHIR does not.
    return type(value) is int or (type(value) is list and all(type(item) is int for item in value))


def _one_holds(rules: tuple[Invariant, ...]) -> Accepts:
    return lambda value: all(rule.holds(value) for rule in rules)


def _all_hold(rules: tuple[Invariant, ...]) -> Accepts:
    return lambda values: all(rule.holds(value) for value in values for rule in rules)


def _extensions(check: Check) -> Callable[[Any], bool]:
    return lambda values: all(check(value) is None for value in values)


def _nothing(value: Any) -> Findings:
    return None
