"""Resources that tests declare before they book: each call makes new ones, so that tests do not meet."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from tests.client import CREATED, Server

CORE = "https://hl7.fr/ig/fhir/core/StructureDefinition/"
OPERATOR = CORE + "fr-core-appointment-operator"
AVAILABILITY = CORE + "fr-core-schedule-availability-time"
DURATION = CORE + "fr-core-service-type-duration"
SYSTEM = "https://editor.example/rdv"
_days = itertools.count(3)


def identifier(system: str = SYSTEM) -> dict[str, str]:
    return {"system": system, "value": uuid4().hex}


def future(hour: int = 9, minute: int = 0, days: int = 7) -> datetime:
    """A whole hour, UTC, some days from now."""
    day = datetime.now(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
    return day + timedelta(days=days)


def instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def declare(server: Server, resource: dict[str, Any]) -> str:
    """POST it, return "Type/id"."""
    reply = server.post(f"/{resource['resourceType']}", resource)
    assert reply.status == CREATED, reply.body
    return f"{resource['resourceType']}/{reply.id}"


def practitioner(server: Server, **more: Any) -> str:
    rpps = {"system": "https://rpps.esante.gouv.fr", "value": uuid4().hex[:11]}
    return declare(
        server,
        {"resourceType": "Practitioner", "identifier": [rpps], "name": [{"family": "Langdon"}], **more},
    )


def patient(server: Server, **more: Any) -> str:
    return declare(
        server, {"resourceType": "Patient", "name": [{"family": "Martin", "given": ["Zoé"]}], **more}
    )


def role(server: Server, human: str, **more: Any) -> str:
    return declare(server, {"resourceType": "PractitionerRole", "practitioner": {"reference": human}, **more})


def location(server: Server) -> str:
    return declare(server, {"resourceType": "Location", "name": "Salle 3"})


def service_type(code: str = "consultation") -> dict[str, Any]:
    return {"coding": [{"system": "https://editor.example/services", "code": code}]}


def opening(start: datetime, end: datetime, kind: str = "free", **rule: Any) -> dict[str, Any]:
    coding = {"system": "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-schedule-type", "code": kind}
    parts: list[dict[str, Any]] = [
        {"url": "type", "valueCoding": coding},
        {"url": "start", "valueDateTime": instant(start)},
        {"url": "end", "valueDateTime": instant(end)},
        {"url": "identifier", "valueIdentifier": {"value": uuid4().hex}},
    ]
    if rule:
        parts.append({"url": "rrule", "extension": [{"url": key, **value} for key, value in rule.items()]})
    return {"url": AVAILABILITY, "extension": parts}


def duration(minutes: int, code: str = "consultation") -> dict[str, Any]:
    value = {"value": minutes, "unit": "min", "system": "http://unitsofmeasure.org", "code": "min"}
    parts = [
        {"url": "serviceType", "valueCodeableConcept": service_type(code)},
        {"url": "duration", "valueDuration": value},
    ]
    return {"url": DURATION, "extension": parts}


def schedule(*actors: str, minutes: int = 15, openings: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """An agenda open every day from 08:00 to 18:00 UTC-ish for three weeks, unless openings are given."""
    default = [opening(future(8, days=day), future(18, days=day)) for day in range(1, 21)]
    return {
        "resourceType": "Schedule",
        "active": True,
        "extension": [*(default if openings is None else openings), duration(minutes)],
        "actor": [{"reference": actor} for actor in actors],
    }


@dataclass(frozen=True)
class Practice:
    """A professional with an agenda, and a patient."""

    patient: str
    practitioner: str
    role: str
    agenda: str


def practice(server: Server, **more: Any) -> Practice:
    human = practitioner(server)
    office = role(server, human)
    agenda = declare(server, schedule(office, human, **more))
    return Practice(patient(server), human, office, agenda)


def appointment(
    at: Practice, start: datetime | None = None, minutes: int = 15, status: str = "booked", **more: Any
) -> dict[str, Any]:
    """A declaration (booked, accepted) or a request (proposed, needs-action) of this practice."""
    asked = "accepted" if status != "proposed" else "needs-action"
    people = [(at.patient, "accepted"), (at.role, asked), (at.practitioner, asked)]
    sent: dict[str, Any] = {
        "resourceType": "Appointment",
        "identifier": [identifier()],
        "status": status,
        "participant": [
            {"actor": {"reference": who}, "required": "required", "status": said} for who, said in people
        ],
    }
    if start is not None:
        sent |= {"start": instant(start), "end": instant(start + timedelta(minutes=minutes))}
    return {**sent, **more}


def where(resource: dict[str, Any]) -> str:
    """The condition of a 6b on this appointment's identifier."""
    one = resource["identifier"][0]
    return f"/Appointment?identifier={one['system']}|{one['value']}"


def free_slots(server: Server, at: Practice, start: datetime, count: int = 5) -> list[dict[str, Any]]:
    """The first free slots of the practice from an instant on."""
    found = server.get(
        f"/Slot?schedule={at.agenda}&status=free&start=ge{instant(start)}&_count={count}&_sort=start"
    )
    return [entry["resource"] for entry in found.json.get("entry", []) if entry["search"]["mode"] == "match"]
