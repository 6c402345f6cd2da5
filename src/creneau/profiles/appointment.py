"""Appointment: from its JSON to the values of the rules, and what the server writes into it.

FrAppointment (`fr-core-appointment`, `gap-fr-appointment`), GAP §6.9. Contact between JSON and rules; nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from creneau.fhir import instant
from creneau.fhir.reference import Bases, Literal, read
from creneau.profiles.agenda import service_key
from creneau.scheduling.lifecycle import HOLDS
from creneau.scheduling.ownership import NEVER_TAKEN, Attendance

UTC: Final = ZoneInfo("UTC")


def local_actor(participant: Mapping[str, Any], bases: Bases) -> str:
    """The participant's actor as "Type/id", "" when it is not a resource of this server."""
    actor = participant.get("actor")
    match read(actor, bases) if actor else None:
        case Literal(type=type, id=id):
            return f"{type}/{id}"
    return ""


def attendances(appointment: Mapping[str, Any], bases: Bases) -> list[Attendance]:
    """The participants in order, as the rules see them. Without `required`, R4 says a participant is required."""
    return [
        Attendance(
            local_actor(one, bases), one.get("required", "required"), one.get("status", "needs-action")
        )
        for one in appointment.get("participant", ())
    ]


def times(appointment: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """start and end, microseconds UTC, None where absent."""
    start, end = appointment.get("start"), appointment.get("end")
    return (instant.instant(start) if start else None, instant.instant(end) if end else None)


def service(appointment: Mapping[str, Any]) -> str:
    """The key of the appointment's first service type, as in an agenda's services; "" without (GAP-RG-15)."""
    concepts = appointment.get("serviceType") or ()
    return service_key(concepts[0]) if concepts else ""


def slots(appointment: Mapping[str, Any], bases: Bases) -> list[tuple[int, str]]:
    """The slots of this server that are named: index in `Appointment.slot`, slot id."""
    found = []
    for index, reference in enumerate(appointment.get("slot", ())):
        match read(reference, bases):
            case Literal(type="Slot", id=id):
                found.append((index, id))
    return found


def complete(appointment: dict[str, Any], actors: Iterable[str], present: Iterable[str]) -> None:
    """Add, as required participants, the actors of the slots' agendas that are not there yet (C-10, GAP-RDV-14)."""
    status = "needs-action" if appointment["status"] in HOLDS else "accepted"
    known = set(present)
    for actor in actors:
        if actor not in known:
            known.add(actor)
            added = {"actor": {"reference": actor}, "required": "required", "status": status}
            appointment.setdefault("participant", []).append(added)


def asked(attendances: Iterable[Attendance], participants: Iterable[Mapping[str, Any]]) -> int:
    """How many participants are resources asked for: an actor, of this server or known by its identifier, who is no patient."""
    count = 0
    for attendance, participant in zip(attendances, participants, strict=True):
        reference = participant.get("actor") or {}
        kind = attendance.actor.partition("/")[0] or reference.get("type", "")
        count += bool(reference) and kind not in NEVER_TAKEN
    return count
