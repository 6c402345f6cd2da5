"""The search parameters of every type: those of R4 (`r4.json`), those that GAP adds, ours.

https://hl7.org/fhir/R4/searchparameter-registry.html, GAP §11.2, §12.2, §20.2, C-30 to C-41. Read by the grammar, the index, `/metadata`
and the documentation; `search/generate.py` writes `r4.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec

from creneau.search.query import Parameter

TABLE: Final = Path(__file__).parent / "r4.json"

TYPES: Final = (
    "Appointment",
    "AppointmentResponse",
    "Binary",
    "Device",
    "DocumentReference",
    "HealthcareService",
    "Location",
    "Organization",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
    "Schedule",
    "Slot",
)
"""The types that can be searched."""

COMPUTED: Final = frozenset({"Slot"})
"""Types of which nothing is stored: they can be searched, and included, but no chain, `_has` or `_revinclude` goes through them."""

GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/SearchParameter/"
OURS: Final = "urn:creneau:search-parameter:"
SERVICE: Final = (
    "extension.where(url='https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-service-type-duration')"
    ".extension.where(url='serviceType').value"
)
NAMED: Final = "(PractitionerRole.extension.where(url='{}').value as HumanName)"
NAMES: Final = tuple(
    f"{scheme}://interop.esante.gouv.fr/ig/fhir/annuaire/StructureDefinition/as-ext-practitionerrole-name"
    for scheme in ("https", "http")
)
"""The extension that the Annuaire had for a name of practice, until 2024 (C-38)."""

ADDED: Final = (
    Parameter(
        "Appointment",
        "start",
        "date",
        "Appointment.start",
        url=GAP + "GAP-Appointment-earliestStart",
        doc="Début du rendez-vous ; synonyme de date (C-33)",
    ),
    Parameter(
        "Appointment",
        "created",
        "date",
        "Appointment.created",
        url=GAP + "GAP-Appointment-created",
        doc="Date de prise du rendez-vous (C-36)",
    ),
    Parameter(
        "Appointment",
        "description",
        "string",
        "Appointment.comment | Appointment.description",
        url=GAP + "GAP-Appointment-description",
        doc="Titre ou commentaire (C-35)",
    ),
    Parameter(
        "Appointment",
        "priority",
        "token",
        "Appointment.priority",
        url=GAP + "GAP-Appointment-priority",
        doc="Priorité, un entier (C-37)",
    ),
    Parameter(
        "HealthcareService",
        "service-type",
        "token",
        f"HealthcareService.type | (HealthcareService.{SERVICE} as CodeableConcept)",
        url="http://hl7.org/fhir/SearchParameter/HealthcareService-service-type",
        doc="Type de service, durées par type comprises (C-50)",
    ),
    Parameter(
        "HealthcareService",
        "telecom",
        "token",
        "HealthcareService.telecom",
        url=OURS + "HealthcareService-telecom",
        doc="Télécommunication de l'organisation interne (GAP-CDI-P33)",
    ),
    Parameter(
        "Location",
        "description",
        "string",
        "Location.description",
        url=OURS + "Location-description",
        doc="Description du lieu (GAP-CDI-P25)",
    ),
    Parameter(
        "Practitioner",
        "qualification-code",
        "token",
        "Practitioner.qualification.code",
        url=OURS + "Practitioner-qualification-code",
        doc="Profession, savoir-faire, diplôme (C-40)",
    ),
    Parameter(
        "PractitionerRole",
        "address",
        "string",
        "PractitionerRole.location.resolve().address",
        url=OURS + "PractitionerRole-address",
        doc="Adresse du lieu d'exercice ; équivaut à location.address (C-39)",
    ),
    Parameter(
        "PractitionerRole",
        "name",
        "string",
        " | ".join(("PractitionerRole.practitioner.resolve().name", *map(NAMED.format, NAMES))),
        url=OURS + "PractitionerRole-name",
        doc="Nom du professionnel, ou d'exercice ; comprend practitioner.name (C-38)",
    ),
    Parameter(
        "Schedule",
        "service-type",
        "token",
        f"Schedule.serviceType | (Schedule.{SERVICE} as CodeableConcept)",
        url="http://hl7.org/fhir/SearchParameter/Schedule-service-type",
        doc="Type de service, durées par type comprises (C-71)",
    ),
)
"""What GAP adds to R4 and what we add; a row of a code that R4 has replaces R4's."""

SYNONYMS: Final = {
    ("Appointment", "start"): "date",
    ("Organization", "phonetic"): "name",
    ("Patient", "phonetic"): "name",
    ("Practitioner", "phonetic"): "name",
    ("RelatedPerson", "phonetic"): "name",
}
"""Parameters that are answered from the index rows of another one."""

WIDENED: Final = {
    ("PractitionerRole", "address"): ("location", "Location", "address"),
    ("PractitionerRole", "name"): ("practitioner", "Practitioner", "name"),
    ("PractitionerRole", "role"): ("practitioner", "Practitioner", "qualification-code"),
    ("PractitionerRole", "specialty"): ("practitioner", "Practitioner", "qualification-code"),
}
"""Parameters that also hold when the resource that a reference leads to has the value: reference, its type, the parameter there."""

ALIASES: Final = {
    ("Appointment", "GAP_Appointment_Actor"): ("actor", ""),
    ("Appointment", "GAP_Appointment_created"): ("created", ""),
    ("Appointment", "GAP_Appointment_description"): ("description", ""),
    ("Appointment", "GAP_Appointment_earliestStart"): ("date", "ge"),
    ("Appointment", "GAP_Appointment_latestStart"): ("date", "le"),
    ("Appointment", "GAP_Appointment_priority"): ("priority", ""),
    ("Slot", "GAP_Schedule_Actor"): ("schedule.actor", ""),
    ("Slot", "GAP_Slot_earliestStart"): ("start", "ge"),
    ("Slot", "GAP_Slot_latestStart"): ("start", "le"),
    ("Slot", "Schedule-actor"): ("schedule.actor", ""),
}
"""Names that the published CapabilityStatements leak, never advertised: what they stand for, and the prefix of a bare value (C-30, C-31)."""


def _read() -> dict[str, dict[str, Parameter]]:
    raw = msgspec.json.decode(TABLE.read_bytes(), type=dict[str, list[tuple[str, str, str, list[str], str]]])
    common = raw.pop("Resource")
    table: dict[str, dict[str, Parameter]] = {}
    for type, found in raw.items():
        rows = [Parameter(type, *row[:3], tuple(row[3]), row[4]) for row in (*common, *found)]
        rows += [row for row in ADDED if row.type == type]
        table[type] = {row.code: row for row in sorted(rows, key=_by_code)}
    return table


def _by_code(row: Parameter) -> str:
    return row.code


_PARAMETERS: Final = _read()


def parameter(type: str, code: str) -> Parameter | None:
    """The parameter of a type by its code, None when there is none. Those of `Resource` (`_tag` …) are parameters of every type."""
    return _PARAMETERS.get(type, {}).get(code)


def parameters(type: str) -> tuple[Parameter, ...]:
    """The parameters of a type in the order of their codes; none for a type that cannot be searched."""
    return tuple(_PARAMETERS.get(type, {}).values())


def indexed(found: Parameter) -> Parameter:
    """The parameter whose index rows answer this one: itself, or the one it is a synonym of."""
    return _PARAMETERS[found.type][SYNONYMS.get((found.type, found.code), found.code)]
