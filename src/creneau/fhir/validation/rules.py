"""Invariants as checks. https://hl7.org/fhir/R4/conformance-rules.html#constraints"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from creneau.fhir.definitions import elements, is_resource
from creneau.fhir.validation.findings import Check, Finding, Findings
from creneau.fhir.validation.invariants import INVARIANTS, Invariant

# The walk itself decides ele-1 (an element without content) and settles ref-1 where the contained resources are known.
_WALKED: Final = frozenset(("ele-1",))
QUANTITIES: Final = frozenset(("Age", "Count", "Distance", "Duration"))

REF_1: Final = next(row for row in INVARIANTS if row.key == "ref-1")
ELE_1: Final = next(row for row in INVARIANTS if row.key == "ele-1")


def rules_on(place: str, own: bool = False) -> tuple[Invariant, ...]:
    """The invariants checked on values of a type, inherited ones included; with `own`, on exactly that place ("Organization.telecom")."""
    if not place:
        return ()
    places = {place} if own else {place, *_parents(place)}
    return tuple(
        row
        for row in INVARIANTS
        if row.severity != "best practice" and row.key not in _WALKED and not places.isdisjoint(row.on)
    )


def _parents(type_name: str) -> tuple[str, ...]:
    if type_name in QUANTITIES:
        return ("Quantity",)
    if is_resource(type_name) and "contained" in elements(type_name):
        return ("DomainResource",)
    return ()


def rules_check(rules: Sequence[Invariant]) -> Check:
    """The check of a value of the right shape against invariants."""

    def check(value: Any) -> Findings:
        found = [Finding(rule.why, severity=rule.severity) for rule in rules if not rule.holds(value)]
        return found or None

    return check
