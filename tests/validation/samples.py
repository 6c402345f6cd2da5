"""Valid resources for the tests, small edits of them, and the packages beside the repository."""

from __future__ import annotations

import copy
import tarfile
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from creneau.fhir.validation import Validator

SHARED = Path(__file__).resolve().parents[2].parent / "shared"
PACKAGES = SHARED / "conformance" / "packages"
DECODER = msgspec.json.Decoder(float_hook=Decimal)

FRC = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
GAP = "https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/"
R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"

VALIDATOR = Validator()


def shared(path: Path) -> Path:
    """The path, or a skipped test when the material is not there."""
    if not path.exists():
        pytest.skip("shared/ is not beside the repository")
    return path


def read(content: bytes) -> Any:
    """JSON as the server reads it: numbers with a point are Decimal."""
    return DECODER.decode(content)


def in_package(name: str, folder: str) -> Iterator[tuple[str, Any]]:
    """The JSON files of one folder of a package, by name."""
    with tarfile.open(shared(PACKAGES / name)) as archive:
        for member in archive:
            stream = archive.extractfile(member)
            if stream is not None and member.name.startswith(folder) and member.name.endswith(".json"):
                yield member.name.rpartition("/")[2], read(stream.read())


@cache
def official() -> dict[str, Any]:
    """The official R4 examples by file name."""
    folder = shared(SHARED / "conformance" / "r4-examples" / "json")
    return {path.name: read(path.read_bytes()) for path in sorted(folder.glob("*.json"))}


def found(resource: Any, *, severity: str = "error", profiles: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    """(key of the refusal, place) of everything found of one severity."""
    issues = VALIDATOR.check(resource, profiles=profiles)
    return [(issue.why.key, issue.at) for issue in issues if issue.severity == severity]


def changed(resource: dict[str, Any], **values: Any) -> dict[str, Any]:
    """A copy with some properties replaced; None takes one away."""
    copied = {**copy.deepcopy(resource), **values}
    return {name: value for name, value in copied.items() if value is not None or name not in values}


def concept(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept of one coding."""
    return {"coding": [{"system": system, "code": code}]}


def operator(reference: str = "Practitioner/2") -> dict[str, Any]:
    """The extension that says who booked."""
    return {"url": FRC + "fr-core-appointment-operator", "valueReference": {"reference": reference}}


APPOINTMENT: dict[str, Any] = {
    "resourceType": "Appointment",
    "id": "a1",
    "meta": {"profile": [GAP + "gap-fr-appointment", FRC + "fr-core-appointment"]},
    "extension": [operator()],
    "identifier": [{"system": "urn:oid:1.2.250.1.999.1", "value": "RDV-1"}],
    "status": "booked",
    "serviceType": [
        {**concept("http://terminology.hl7.org/CodeSystem/service-type", "124"), "text": "Consultation"}
    ],
    "specialty": [concept(R38, "SM54")],
    "priority": 5,
    "description": "Suivi\u00a0: contrôle à 6\u202fmois",
    "start": "2026-12-01T09:00:00+01:00",
    "end": "2026-12-01T09:30:00+01:00",
    "minutesDuration": 30,
    "slot": [{"reference": "Slot/s1"}],
    "created": "2026-11-24",
    "participant": [
        {"actor": {"reference": "Patient/p1"}, "required": "required", "status": "accepted"},
        {
            "type": [concept("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF")],
            "actor": {"reference": "PractitionerRole/r1", "display": "Dr Durand"},
            "status": "accepted",
            "period": {"start": "2026-12-01T09:00:00+01:00", "end": "2026-12-01T09:30:00+01:00"},
        },
    ],
}

PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "name": [{"use": "official", "family": "Martin", "given": ["Jeanne", "Lise"]}],
    "telecom": [{"system": "phone", "value": "+33 1 02 03 04 05", "rank": 1}],
    "gender": "female",
    "birthDate": "1970-02-28",
    "deceasedBoolean": False,
    "contact": [{"name": {"family": "Martin"}}],
}


SLOT: dict[str, Any] = {
    "resourceType": "Slot",
    "schedule": {"reference": "Schedule/1"},
    "status": "free",
    "start": "2026-12-01T09:00:00+01:00",
    "end": "2026-12-01T09:30:00+01:00",
}


def part(url: str, **value: Any) -> dict[str, Any]:
    """One sub-extension."""
    return {"url": url, **value}


AVAILABILITY: dict[str, Any] = {
    "url": FRC + "fr-core-schedule-availability-time",
    "extension": [
        part(
            "type",
            valueCoding={
                "system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type",
                "code": "free",
            },
        ),
        part("start", valueDateTime="2026-01-05T09:00:00+01:00"),
        part("end", valueDateTime="2026-01-05T12:00:00+01:00"),
        part("identifier", valueIdentifier={"system": "urn:x", "value": "1"}),
        {
            "url": "rrule",
            "extension": [
                part("freq", valueCoding={"system": "https://www.ietf.org/rfc/rfc2445", "code": "WEEKLY"})
            ],
        },
    ],
}

DURATION: dict[str, Any] = {
    "url": FRC + "fr-core-service-type-duration",
    "extension": [
        part("serviceType", valueCodeableConcept={"text": "Consultation"}),
        part("duration", valueDuration={"value": 30, "system": "http://unitsofmeasure.org", "code": "min"}),
    ],
}

SCHEDULE: dict[str, Any] = {
    "resourceType": "Schedule",
    "meta": {"profile": [GAP + "gap-fr-schedule"]},
    "extension": [DURATION, AVAILABILITY],
    "active": True,
    "specialty": [concept(R38, "SM54")],
    "actor": [{"reference": "PractitionerRole/r1"}],
    "planningHorizon": {"start": "2026-01-01", "end": "2026-12-31"},
}
