"""Code systems that the demo uses, with the few codes it needs, and the JSON they make.

FR Core 2.0.1 and R4 4.0.1; TRE_R38 and TRE_G15 are NOS nomenclatures (GAP-NOS-01, GAP-NOS-03).
"""

from __future__ import annotations

from typing import Any, Final

Resource = dict[str, Any]

FRC: Final = "https://hl7.fr/ig/fhir/core"
GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap"
NOS: Final = "https://mos.esante.gouv.fr/NOS"
HL7: Final = "http://terminology.hl7.org/CodeSystem"

SPECIALTY: Final = f"{NOS}/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"
PROFESSION: Final = f"{NOS}/TRE_G15-ProfessionSante/FHIR/TRE-G15-ProfessionSante"
PRACTICE_MODE: Final = f"{NOS}/TRE_R23-ModeExercice/FHIR/TRE-R23-ModeExercice"
MAILBOX: Final = f"{NOS}/TRE_R256-TypeMessagerie/FHIR/TRE-R256-TypeMessagerie"
CONTACT_ROLE: Final = f"{NOS}/TRE_R260-HL7RoleClass/FHIR/TRE-R260-HL7RoleClass"
RELATION: Final = f"{NOS}/TRE_R216-HL7RoleCode/FHIR/TRE-R216-HL7RoleCode"

FR_IDENTIFIER: Final = f"{FRC}/CodeSystem/fr-core-cs-v2-0203"
HL7_IDENTIFIER: Final = f"{HL7}/v2-0203"
LOCATION_IDENTIFIER: Final = f"{FRC}/CodeSystem/fr-core-cs-location-identifier-type"
LOCATION_TYPE: Final = f"{FRC}/CodeSystem/fr-core-cs-location-type"
LOCATION_SHAPE: Final = f"{FRC}/CodeSystem/fr-core-cs-location-physical-type"
ORGANIZATION_TYPE: Final = f"{FRC}/CodeSystem/fr-core-cs-v2-3307"
RELIABILITY: Final = f"{FRC}/CodeSystem/fr-core-cs-v2-0445"
AVAILABILITY_TYPE: Final = f"{FRC}/CodeSystem/fr-core-cs-schedule-type"
RECURRENCE: Final = "https://www.ietf.org/rfc/rfc2445"
VISIT: Final = f"{HL7}/v2-0276"
CANCELLATION: Final = f"{HL7}/appointment-cancellation-reason"

EDITOR: Final = "https://agenda.example"
"""The invented editor whose software is said to have sent all this."""
SERVICE: Final = f"{EDITOR}/prestation"

SPECIALTIES: Final = {
    "SM02": "Anesthésie-réanimation (SM)",
    "SM04": "Cardiologie et Maladies vasculaires (SM)",
    "SM08": "Chirurgie orthopédique et Traumatologie (SM)",
    "SM15": "Dermatologie et Vénéréologie (SM)",
    "SM20": "Gynécologie-obstétrique (SM)",
    "SM32": "Neurologie (SM)",
    "SM38": "Ophtalmologie (SM)",
    "SM40": "Pédiatrie (SM)",
    "SM42": "Psychiatrie (SM)",
    "SM44": "Radio-diagnostic (SM)",
    "SM54": "Médecine générale (SM)",
}

PROFESSIONS: Final = {
    "10": "Médecin",
    "40": "Chirurgien-Dentiste",
    "50": "Sage-Femme",
    "60": "Infirmier",
    "70": "Masseur-Kinésithérapeute",
    "80": "Pédicure-Podologue",
    "91": "Orthophoniste",
    "92": "Orthoptiste",
    "93": "Psychologue",
    "95": "Diététicien",
    "98": "Manipulateur ERM",
}

SERVICES: Final = {
    "consultation": "Consultation",
    "premiere-consultation": "Première consultation",
    "suivi": "Consultation de suivi",
    "vaccination": "Vaccination",
    "teleconsultation": "Téléconsultation",
    "non-programme": "Soins non programmés",
    "intervention": "Intervention programmée",
    "echographie": "Échographie",
    "irm": "IRM",
    "soins-infirmiers": "Soins infirmiers",
    "pansement": "Pansement",
    "seance": "Séance de rééducation",
    "bilan": "Bilan",
    "entretien": "Entretien",
    "grossesse": "Suivi de grossesse",
    "soin-dentaire": "Soin dentaire",
    "detartrage": "Détartrage",
    "reunion": "Réservation de salle",
}
"""Service types of the invented editor, the same codes in HealthcareService, Schedule and Appointment (GAP-RG-13 to 15)."""

DISPLAYS: Final = {
    SPECIALTY: SPECIALTIES,
    PROFESSION: PROFESSIONS,
    SERVICE: SERVICES,
    PRACTICE_MODE: {"S": "Salarié", "L": "Libéral, indépendant, artisan, commerçant"},
    MAILBOX: {"MSSANTE": "MSSANTE"},
    CONTACT_ROLE: {"GUARD": "Responsable légal", "CAREGIVER": "Aidant"},
    RELATION: {"MTH": "Mère", "FTH": "Père", "DAUC": "Fille", "SONC": "Fils"},
    FR_IDENTIFIER: {
        "IDNPS": "Identifiant National de Professionnel de Santé",
        "RPPS": "N° RPPS",
        "INS-NIR": "NIR définitif",
        "FINEG": "FINESS d'entité géographique",
        "INTRN": "Identifiant interne",
    },
    HL7_IDENTIFIER: {"PI": "Patient internal identifier"},
    LOCATION_IDENTIFIER: {"INTRN": "Identifiant interne"},
    LOCATION_TYPE: {"SL_EXM": "Salle examen", "SL_RN": "Salle de réunion"},
    LOCATION_SHAPE: {"BTMNT": "Bâtiment", "BR": "Bureau", "BX": "Box", "BLC": "Bloc"},
    ORGANIZATION_TYPE: {
        "GHT": "Groupement hospitalier de territoire",
        "GEOGRAPHICAL-ENTITY": "Entité géographique",
    },
    RELIABILITY: {"FICT": "Identité fictive (Attribut d’identité « fictive »)"},
    AVAILABILITY_TYPE: {"free": "Disponibilité", "busy-unavailable": "Indisponibilité"},
    VISIT: {
        "ROUTINE": "Routine appointment - default if not valued",
        "FOLLOWUP": "A follow up visit from a previous appointment",
        "CHECKUP": "A routine check-up, such as an annual physical",
        "WALKIN": "A previously unscheduled walk-in visit",
        "EMERGENCY": "Emergency appointment",
    },
}


def coding(system: str, code: str, display: str | None = None) -> Resource:
    """A Coding; the display comes from the tables above where they have one."""
    shown = display or DISPLAYS.get(system, {}).get(code)
    return {"system": system, "code": code} | ({"display": shown} if shown else {})


def concept(system: str, code: str, display: str | None = None) -> Resource:
    """A CodeableConcept of one Coding, its text the display without the mark of the nomenclature ("(SM)")."""
    one = coding(system, code, display)
    return {"coding": [one]} | ({"text": one["display"].removesuffix(" (SM)")} if "display" in one else {})


def frc(name: str) -> str:
    """The canonical of a profile or extension of FR Core."""
    return f"{FRC}/StructureDefinition/{name}"


def claim(*profiles: str) -> Resource:
    """`meta` claiming these profiles."""
    return {"profile": list(profiles)}


def kind_of_identifier(system: str, code: str) -> Resource:
    """Identifier.type, without a text."""
    return {"coding": [coding(system, code)]}


def to(reference: str, display: str | None = None) -> Resource:
    """A Reference to "Type/id"."""
    return {"reference": reference} | ({"display": display} if display else {})


def duration_of_service(service: str, minutes: int | None) -> Resource:
    """The extension serviceTypeDuration (GAP-OBJ-AGE-08); without minutes the duration is the actor's."""
    parts: list[Resource] = [{"url": "serviceType", "valueCodeableConcept": concept(SERVICE, service)}]
    if minutes is not None:
        value = {"value": minutes, "unit": "minutes", "system": "http://unitsofmeasure.org", "code": "min"}
        parts.append({"url": "duration", "valueDuration": value})
    return {"url": frc("fr-core-service-type-duration"), "extension": parts}
