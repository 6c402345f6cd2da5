"""The invariants that French profiles add. https://hl7.fr/ig/fhir/core/2.0.1/StructureDefinition-fr-core-patient-ins.html"""

from __future__ import annotations

from typing import Any, Final

from creneau.fhir.validation.invariants.row import Element, Invariant, invariant

RELIABILITY: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-identity-reliability"
INS: Final = frozenset(("urn:oid:1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.9"))


def _qualified_identity_has_ins(patient: Element) -> bool:
    statuses = [
        part.get("valueCoding", {}).get("code")
        for extension in patient.get("extension", ())
        if extension.get("url") == RELIABILITY
        for part in extension.get("extension", ())
        if part.get("url") == "identityStatus"
    ]
    systems: set[Any] = {identifier.get("system") for identifier in patient.get("identifier", ())}
    return statuses != ["VALI"] or not INS.isdisjoint(systems)


PROFILE_RULES: Final[dict[str, Invariant]] = {
    "fr-core-1": invariant(
        "fr-core-1",
        "Patient",
        "Une identité qualifiée (VALI) porte un matricule INS (NIR ou NIA)",
        "A qualified identity (VALI) carries an INS identifier (NIR or NIA)",
        _qualified_identity_has_ins,
    ),
}
