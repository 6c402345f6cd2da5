"""The checks of R4 types, compiled from the tables into closures when first asked for. https://hl7.org/fhir/R4/json.html

A check returns None for a right value, else findings with paths relative to it; there is one walk, which is quick as long as
nothing is wrong and precise where something is.
"""

from __future__ import annotations

from typing import Any, Final

from creneau.fhir.definitions import Element, elements, is_primitive, is_resource
from creneau.fhir.validation.bindings import binding_check
from creneau.fhir.validation.extensions import extension_check
from creneau.fhir.validation.findings import Check, Findings, is_structural
from creneau.fhir.validation.objects import Shape, object_check
from creneau.fhir.validation.primitives import primitive_check
from creneau.fhir.validation.repeats import repeated
from creneau.fhir.validation.resources import contained_check, resource_check
from creneau.fhir.validation.rulebook import Rulebook
from creneau.fhir.validation.rules import rules_check, rules_on
from creneau.fhir.validation.targets import target_check

# These are attributes in XML: they have no `_` sibling.
ATTRIBUTES: Final = frozenset(("id", "url"))


def type_check(book: Rulebook, type_name: str) -> Check:
    """The check of one value of an R4 type: primitive, datatype, backbone or resource."""
    check = book.checks.get(type_name)
    if check is None:
        check = book.checks[type_name] = _compiled(book, type_name)
    return check


def _compiled(book: Rulebook, type_name: str) -> Check:
    if is_primitive(type_name):
        return primitive_check(type_name)
    known = elements(type_name)
    shape = Shape.of(type_name, known)
    if is_resource(type_name):
        shape.fields["resourceType"] = lambda value: None

    def build(name: str) -> Check | None:
        element = known.get(name)
        if element is not None:
            return _field(book, type_name, element)
        sibling = known.get(name[1:]) if name.startswith("_") else None
        return None if sibling is None else _sibling(book, type_name, sibling)

    return object_check(shape, build, rules_on(type_name))


def _field(book: Rulebook, owner: str, element: Element) -> Check:
    one = _value(book, owner, element)
    place = f"{owner}.{element.name}"
    # A backbone's rules are those of its type, which has the same name.
    here = () if element.type == place else rules_on(place, own=True)
    rules = [*here, *rules_on(element.profile)]
    if rules:
        one = both(one, rules_check(rules))
    return repeated(one) if element.many else one


def _value(book: Rulebook, owner: str, element: Element) -> Check:
    if element.type == "Extension":
        return extension_check(
            book, type_check(book, "Extension"), owner, element.name == "modifierExtension"
        )
    if element.type == "Resource":
        return (
            contained_check(book, type_check)
            if element.name == "contained"
            else resource_check(book, type_check)
        )
    one = type_check(book, element.type)
    if element.binding:
        one = both(one, binding_check(book, element.binding, element.type))
    if element.type == "Reference" and element.targets:
        one = both(one, target_check(element.targets))
    return one


def _sibling(book: Rulebook, owner: str, element: Element) -> Check | None:
    """The check of `_name`: an object with id and extensions only, whose extensions may be made for the primitive's type."""
    if not is_primitive(element.type) or element.type == "xhtml":
        return None
    if element.name == "id" or (owner == "Extension" and element.name in ATTRIBUTES):
        return None
    one = sibling_check(book, element.type)
    return repeated(one) if element.many else one


def sibling_check(book: Rulebook, primitive: str) -> Check:
    """The check of the id and extensions of a primitive of that type."""
    key = "_" + primitive
    check = book.checks.get(key)
    if check is not None:
        return check
    known = elements("Element")
    shape = Shape.of(primitive, known)

    def build(name: str) -> Check | None:
        element = known.get(name)
        return None if element is None else _field(book, primitive, element)

    check = book.checks[key] = object_check(shape, build, ())
    return check


def both(first: Check, second: Check) -> Check:
    """The findings of `first`; and of `second` as well, which needs a value of the right shape."""

    def check(value: Any) -> Findings:
        found = first(value)
        if found is None:
            return second(value)
        if is_structural(found) or any(not finding.at and finding.why.code == "value" for finding in found):
            return found
        return [*found, *(second(value) or ())]

    return check
