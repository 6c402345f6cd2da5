"""The FHIR resources that benchmark and torture send: professionals, patients, rooms, agendas open every day, declared appointments.

Fictional, and in identifier systems of their own, so that they can be told from anything else a server holds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

NAMES: Final = "https://creneau.example/essai/"
"""Prefix of every identifier system used here."""
APPOINTMENTS: Final = NAMES + "rendez-vous"
PROFESSIONALS: Final = NAMES + "professionnel"
PATIENTS: Final = NAMES + "patient"
PLACES: Final = NAMES + "lieu"
AGENDAS: Final = NAMES + "agenda"
FRENCH: Final = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
GAP: Final = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/"
SPECIALTY: Final = {
    "coding": [
        {
            "system": "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale",
            "code": "SM54",
            "display": "Médecine générale (SM)",
        }
    ]
}
SERVICE: Final = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/service-type",
            "code": "124",
            "display": "General Practice",
        }
    ]
}

Resource = dict[str, Any]


def encoded(resource: Resource) -> bytes:
    """The resource as JSON bytes."""
    return json.dumps(resource, ensure_ascii=False, separators=(",", ":")).encode()


def instant(at: datetime) -> str:
    """An instant as FHIR writes it, in UTC when it ends a whole second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def practitioner(number: int, run: str) -> Resource:
    """A professional; `run` keeps two runs on one server apart."""
    return {
        "resourceType": "Practitioner",
        "identifier": [{"system": PROFESSIONALS, "value": f"{run}-{number}"}],
        "active": True,
        "name": [{"family": f"Essai{number}", "given": ["Camille"], "prefix": ["DR"]}],
    }


def patient(number: int, run: str) -> Resource:
    """A fictional patient."""
    return {
        "resourceType": "Patient",
        "identifier": [{"system": PATIENTS, "value": f"{run}-{number}"}],
        "active": True,
        "name": [{"use": "official", "family": f"Fictif{number}", "given": ["Dominique"]}],
        "gender": "unknown",
        "birthDate": "1970-01-01",
    }


def place(number: int, run: str) -> Resource:
    """A consultation room."""
    kind = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "RI"}]}
    return {
        "resourceType": "Location",
        "identifier": [{"type": kind, "system": PLACES, "value": f"{run}-{number}"}],
        "status": "active",
        "name": f"Salle {number}",
    }


def schedule(number: int, run: str, actors: tuple[str, ...], first: datetime) -> Resource:
    """An agenda of these actors, open every day from 6:00 to 22:00 (Paris, winter) from `first` on, in cells of 15 minutes."""
    minutes = {"value": 15, "unit": "minute", "system": "http://unitsofmeasure.org", "code": "min"}
    service = [
        {"url": "serviceType", "valueCodeableConcept": SERVICE},
        {"url": "duration", "valueDuration": minutes},
    ]
    return {
        "resourceType": "Schedule",
        "meta": {"profile": [GAP + "gap-fr-schedule"]},
        "extension": [
            opening(f"{run}-{number}", first),
            {"url": FRENCH + "fr-core-service-type-duration", "extension": service},
        ],
        "identifier": [{"system": AGENDAS, "value": f"{run}-{number}"}],
        "active": True,
        "specialty": [SPECIALTY],
        "actor": [{"reference": one} for one in actors],
    }


def opening(identifier: str, first: datetime) -> Resource:
    """The availabilityTime of such an agenda (GAP flow 3a)."""
    day = first.strftime("%Y-%m-%d")
    kind = {"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type", "code": "free"}
    daily = {"url": "freq", "valueCoding": {"system": "https://www.ietf.org/rfc/rfc2445", "code": "DAILY"}}
    parts = [
        {"url": "identifier", "valueIdentifier": {"system": AGENDAS + "/ouverture", "value": identifier}},
        {"url": "type", "valueCoding": kind},
        {"url": "start", "valueDateTime": f"{day}T06:00:00+01:00"},
        {"url": "end", "valueDateTime": f"{day}T22:00:00+01:00"},
        {"url": "rrule", "extension": [daily]},
    ]
    return {"url": FRENCH + "fr-core-schedule-availability-time", "extension": parts}


@dataclass(frozen=True, slots=True)
class Visit:
    """What an appointment of the benchmark says: its identifier's value, when, with whom, and words that may change."""

    identifier: str
    start: datetime
    end: datetime
    actors: tuple[str, ...]
    comment: str = ""
    status: str = "booked"
    slot: str = ""


def appointment(visit: Visit) -> Resource:
    """A declared appointment (GAP flow 6a), with the elements that a GAP client fills."""
    return {
        "resourceType": "Appointment",
        "meta": {"profile": [GAP + "gap-fr-appointment"]},
        "identifier": [{"system": APPOINTMENTS, "value": visit.identifier}],
        "status": visit.status,
        "serviceType": [SERVICE],
        "specialty": [SPECIALTY],
        "description": "Consultation de suivi",
        "start": instant(visit.start),
        "end": instant(visit.end),
        "minutesDuration": max(1, int((visit.end - visit.start) / timedelta(minutes=1))),
        **({"slot": [{"reference": visit.slot}]} if visit.slot else {}),
        "created": "2026-11-02T09:30:00+01:00",
        "comment": visit.comment or "Première version",
        "participant": [
            {"actor": {"reference": actor}, "required": "required", "status": "accepted"}
            for actor in visit.actors
        ],
    }
