"""Valid resources of every type, of a practice that exists, with a person who exists nowhere."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.fuzz.canaries import BORN, COMMENT, FAMILY, GIVEN, INS, PHONE
from tests.people import (
    Practice,
    appointment,
    duration,
    future,
    instant,
    opening,
    schedule,
    service_type,
)

NEW = "urn:uuid:new"
"""The system of identifiers: `fresh` makes it another one in each body, so that no example meets what another left."""
START, END = "2030-01-01T00:00:00Z", "2030-01-01T00:15:00Z"
"""The time of appointments: `fresh` makes it one that is still free."""
NAME = [{"use": "official", "family": FAMILY, "given": [GIVEN, "Zoé"]}]
TELECOM = [{"system": "phone", "value": PHONE, "use": "mobile"}]


def patient() -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "meta": {"profile": ["http://hl7.org/fhir/StructureDefinition/Patient"], "tag": [{"code": "fuzz"}]},
        "identifier": [{"system": NEW, "value": INS}],
        "name": NAME,
        "telecom": TELECOM,
        "gender": "female",
        "birthDate": BORN,
        "_birthDate": {
            "extension": [
                {
                    "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
                    "valueDateTime": "1975-12-31T08:30:00+01:00",
                }
            ]
        },
        "address": [{"line": ["1 rue des Lilas"], "city": "Sète", "postalCode": "34200"}],
        "contained": [{"resourceType": "Organization", "id": "org", "name": "Cabinet"}],
        "managingOrganization": {"reference": "#org"},
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'},
    }


def agenda(at: Practice) -> dict[str, Any]:
    weekly: dict[str, Any] = {
        "freq": {"valueCoding": {"system": "https://www.ietf.org/rfc/rfc2445", "code": "WEEKLY"}},
        "count": {"valueInteger": 6},
        "interval": {"valueInteger": 2},
        "byDay": {"valueString": "MO"},
    }
    openings = [
        opening(future(8, days=60), future(12, days=60)),
        opening(future(14, days=61), future(18, days=61), **weekly),
        opening(future(15, days=61), future(16, days=61), kind="busy-unavailable"),
    ]
    made = schedule(at.role, at.practitioner, openings=openings)
    return {
        **made,
        "extension": [*made["extension"], duration(30, "bilan")],
        "serviceType": [service_type()],
        "comment": COMMENT,
        "planningHorizon": {"start": instant(future(days=1)), "end": instant(future(days=90))},
    }


def booking(at: Practice) -> dict[str, Any]:
    sent = appointment(at, comment=COMMENT, description=COMMENT, priority=3)
    known = [{"system": NEW, "value": INS}]
    more = {"identifier": known, "serviceType": [service_type()], "minutesDuration": 15}
    return {**sent, **more, "start": START, "end": END}


def reply(at: Practice) -> dict[str, Any]:
    return {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": "Appointment/none"},
        "actor": {"reference": at.patient},
        "participantStatus": "accepted",
        "comment": COMMENT,
    }


def document(at: Practice) -> dict[str, Any]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": at.patient},
        "date": "2026-01-31T08:00:00.123+01:00",
        "content": [{"attachment": {"contentType": "text/plain", "data": "YQ==", "title": COMMENT}}],
    }


def binary(at: Practice) -> dict[str, Any]:
    content = base64.b64encode(FAMILY.encode()).decode()
    return {
        "resourceType": "Binary",
        "contentType": "text/plain",
        "data": content,
        "securityContext": {"reference": at.patient},
    }


def place(at: Practice) -> dict[str, Any]:
    return {
        "resourceType": "Location",
        "name": "Salle 3",
        "position": {"longitude": 3.69, "latitude": 43.4, "altitude": 2.0},
        "hoursOfOperation": [{"daysOfWeek": ["mon"], "allDay": False, "openingTime": "08:00:00"}],
    }


def duty(at: Practice) -> dict[str, Any]:
    return {
        "resourceType": "PractitionerRole",
        "practitioner": {"reference": at.practitioner},
        "telecom": TELECOM,
        "availableTime": [{"daysOfWeek": ["tue"], "availableStartTime": "08:00:00"}],
        "period": {"start": "2020", "end": "2031-05"},
    }


def _entry(resource: dict[str, Any], number: int) -> dict[str, Any]:
    return {
        "fullUrl": f"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e{number}",
        "resource": resource,
        "request": {"method": "POST", "url": resource["resourceType"]},
    }


def group(at: Practice, kind: str = "transaction") -> dict[str, Any]:
    """A person, an appointment of hers by the name of her entry, a conditional update, a read."""
    hers = {**booking(at)}
    hers["participant"] = [
        {"actor": {"reference": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"}, "status": "accepted"},
        *hers["participant"][1:],
    ]
    update = {"resource": hers, "request": {"method": "PUT", "url": f"Appointment?identifier={NEW}|{INS}"}}
    return {
        "resourceType": "Bundle",
        "type": kind,
        "entry": [
            _entry(patient(), 0),
            update,
            _entry(duty(at), 2),
            {"request": {"method": "GET", "url": f"{at.patient}?_summary=true"}},
            {"request": {"method": "GET", "url": f"Slot?schedule={at.agenda}&_count=2"}},
        ],
    }


JSON_PATCH: list[dict[str, Any]] = [
    {"op": "test", "path": "/resourceType", "value": "Patient"},
    {"op": "add", "path": "/name/0/given/-", "value": GIVEN},
    {"op": "replace", "path": "/name/0/family", "value": FAMILY},
    {"op": "copy", "from": "/name/0", "path": "/name/-"},
    {"op": "move", "from": "/name/1", "path": "/name/0"},
    {"op": "remove", "path": "/name/1"},
]


def _operation(kind: str, path: str, **more: Any) -> dict[str, Any]:
    parts = [{"name": "type", "valueCode": kind}, {"name": "path", "valueString": path}]
    return {"name": "operation", "part": [*parts, *({"name": name, **value} for name, value in more.items())]}


PARAMETERS: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        _operation("add", "Patient", name={"valueString": "active"}, value={"valueBoolean": True}),
        _operation("replace", "Patient.name[0].family", value={"valueString": FAMILY}),
        _operation(
            "insert",
            "Patient.name.where(use='official').given",
            value={"valueString": GIVEN},
            index={"valueInteger": 0},
        ),
        _operation("delete", "Patient.telecom.where(system = 'phone').first()"),
    ],
}

SEEDS: dict[str, Callable[[Practice], dict[str, Any]]] = {
    "Patient": lambda at: patient(),
    "Schedule": agenda,
    "Appointment": booking,
    "AppointmentResponse": reply,
    "DocumentReference": document,
    "Binary": binary,
    "Location": place,
    "PractitionerRole": duty,
}

_quarters = itertools.count()


def fresh(body: bytes) -> bytes:
    """The body with identifiers that nobody has and a time that is free."""
    day, quarter = divmod(next(_quarters), 36)
    start = future(8, days=2 + day % 18) + timedelta(minutes=15 * quarter)
    body = body.replace(NEW.encode(), f"urn:uuid:{uuid4()}".encode())
    body = body.replace(START.encode(), instant(start).encode())
    return body.replace(END.encode(), instant(start + timedelta(minutes=15)).encode())
