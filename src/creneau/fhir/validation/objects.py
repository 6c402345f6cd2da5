"""The check of a JSON object of a type: its names, what is mandatory, choices, invariants. https://hl7.org/fhir/R4/json.html"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from creneau.fhir.definitions import Element
from creneau.fhir.validation.findings import (
    A_LIST,
    CHOICE,
    EMPTY,
    MISSING,
    NOT_AN_OBJECT,
    NULL,
    UNKNOWN_ELEMENT,
    Check,
    Finding,
    Findings,
    add,
    gather,
    is_structural,
)
from creneau.fhir.validation.invariants import Invariant
from creneau.fhir.validation.rules import ELE_1, REF_1
from creneau.fhir.validation.settling import settled

# A name that is no element's may be anything, a patient's name too: only one that looks like an element is repeated.
_NAME: Final = re.compile(r"_?[A-Za-z][A-Za-z0-9]{0,63}").fullmatch


@dataclass(frozen=True, slots=True)
class Shape:
    """What a type's table says, arranged for the walk.

    `required` gives for each mandatory element its JSON names and its step in a path; `choices` the element each JSON name
    of a choice stands for; `steps` the FHIRPath step of the names that differ from it (".value" for "valueString", "_value").
    """

    type: str
    required: tuple[tuple[frozenset[str], str], ...]
    choices: Mapping[str, str]
    steps: Mapping[str, str]
    fields: dict[str, Check] = field(default_factory=dict)

    @classmethod
    def of(cls, type_name: str, known: Mapping[str, Element]) -> Shape:
        """The shape of a type from its elements."""
        names: dict[str, set[str]] = {}
        for element in known.values():
            names.setdefault(element.choice or element.name, set()).update((element.name, "_" + element.name))
        mandatory = {element.choice or element.name for element in known.values() if element.min}
        choices = {e.name: e.choice for e in known.values() if e.choice}
        return cls(
            type_name,
            tuple((frozenset(names[name]), "." + _stem(name)) for name in names if name in mandatory),
            {prefix + name: choice for name, choice in choices.items() for prefix in ("", "_")},
            {json: "." + _stem(name) for name, all_ in names.items() for json in all_ if json != name},
        )

    def step(self, name: str) -> str:
        """The step of a path for a JSON name."""
        return self.steps.get(name) or (f".{name}" if _NAME(name) else "")


def _stem(name: str) -> str:
    return name.removesuffix("[x]")


def object_check(shape: Shape, build: Callable[[str], Check | None], rules: Sequence[Invariant]) -> Check:
    """The check of an object: `build` makes the check of a JSON name when it is first met, or None for an unknown one."""
    fields = shape.fields
    simple = tuple((min(names, key=len), names, step) for names, step in shape.required)

    def walked(value: Any) -> Findings:
        found: Findings = None
        for name, child in value.items():
            bad = (fields.get(name) or _built(name, build, fields))(child)
            if bad is not None:
                found = _gathered(found, bad, shape, name, value)
        for name, names, step in simple:
            if name not in value and names.isdisjoint(value):
                found = add(found, Finding(MISSING, step, values={"min": 1}))
        return found

    return _ruled(walked, shape, rules)


def _ruled(walked: Check, shape: Shape, rules: Sequence[Invariant]) -> Check:
    several, element = bool(shape.choices), "resourceType" not in shape.fields
    holds = tuple((rule.holds, rule) for rule in rules)

    def check(value: Any) -> Findings:
        if type(value) is not dict or not value:
            return _not_an_object(value)
        found = walked(value)
        if several and len(value) > 1:
            found = _one_choice(found, shape, value)
        if element and len(value) == 1 and "id" in value:
            found = add(found, Finding(ELE_1.why, note="only-id"))
        for hold, rule in holds if found is None or not is_structural(found) else ():
            if not hold(value):
                found = add(found, _broken(rule, value))
        return found

    return check


def _built(name: str, build: Callable[[str], Check | None], fields: dict[str, Check]) -> Check:
    made = build(name)
    if made is None:
        # Not kept: the names a client invents must not fill the memory.
        return _unknown
    fields[name] = made
    return made


def _unknown(value: Any) -> Findings:
    return [Finding(UNKNOWN_ELEMENT)]


def _not_an_object(value: object) -> Findings:
    if value is None:
        return [Finding(NULL, note="hole")]
    if isinstance(value, list):
        return [Finding(A_LIST)]
    return [Finding(EMPTY if value == {} else NOT_AN_OBJECT)]


def _gathered(
    found: Findings, bad: list[Finding], shape: Shape, name: str, value: Mapping[str, Any]
) -> Findings:
    step = shape.step(name)
    left = [
        finding for finding in bad if not finding.note or not settled(finding, shape.type + step, name, value)
    ]
    return gather(found, left, step) if left else found


def _one_choice(found: Findings, shape: Shape, value: Mapping[str, Any]) -> Findings:
    chosen = [name for name in value if name in shape.choices]
    if len(chosen) < 2:
        return found
    seen: dict[str, str] = {}
    for name in chosen:
        choice, bare = shape.choices[name], name.removeprefix("_")
        if seen.setdefault(choice, bare) != bare:
            found = add(found, Finding(CHOICE, "." + _stem(choice), values={"element": choice}))
    return found


def _broken(rule: Invariant, value: Mapping[str, Any]) -> Finding:
    if rule is REF_1:
        return Finding(rule.why, note="local", about=value["reference"][1:])
    return Finding(rule.why, severity=rule.severity)
