"""$validate over real sockets: everything a write would say, and nothing stored."""

from __future__ import annotations

from typing import Any

import pytest
from tests.client import CREATED, OK, Server
from tests.people import appointment, future, opening, practice, practitioner, schedule, where

FRENCH = "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-schedule"


def severities(reply: Any) -> set[str]:
    return {one["severity"] for one in reply.json["issue"]}


def test_a_valid_appointment_is_found_so_and_not_stored(server: Server) -> None:
    sent = appointment(practice(server), future(9))

    reply = server.post("/Appointment/$validate", sent)

    assert reply.status == OK
    assert "error" not in severities(reply)
    assert server.get(where(sent)).json["total"] == 0


def test_a_reference_that_leads_nowhere_is_a_warning_there(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    sent["participant"][0]["actor"]["reference"] = "Patient/nobody"

    reply = server.post("/Appointment/$validate", sent)

    assert (reply.status, reply.keys, severities(reply)) == (OK, ["reference-not-found"], {"warning"})
    assert reply.places == ["Appointment.participant[0].actor"]


def test_every_error_is_told_with_its_place(server: Server) -> None:
    sent = appointment(practice(server), future(9), status="maybe", priority="high")
    sent["colour"] = "red"

    reply = server.post("/Appointment/$validate", sent)

    assert reply.status == OK and severities(reply) == {"error"}
    assert {"Appointment.status", "Appointment.priority"} <= set(reply.places)


def test_a_profile_can_be_asked_for(server: Server) -> None:
    sent = schedule(practitioner(server))
    sent["serviceType"] = [{"text": "interdit"}]
    asked = {
        "resourceType": "Parameters",
        "parameter": [{"name": "resource", "resource": sent}, {"name": "profile", "valueUri": FRENCH}],
    }

    free, held = server.post("/Schedule/$validate", sent), server.post("/Schedule/$validate", asked)

    assert "error" not in severities(free)
    assert "Schedule.serviceType" in {place.partition("[")[0] for place in held.places}


@pytest.mark.parametrize(("mode", "ok"), [("create", True), ("update", False), ("delete", True)])
def test_the_mode_says_what_is_about_to_be_done(server: Server, mode: str, ok: bool) -> None:
    sent = appointment(practice(server), future(9))

    reply = server.post(f"/Appointment/$validate?mode={mode}", sent)

    assert reply.status == OK
    assert ("error" not in severities(reply)) is ok


def test_a_stored_resource_is_checked_by_its_id(server: Server) -> None:
    made = server.post("/Appointment", appointment(practice(server), future(9)))
    assert made.status == CREATED

    found = server.post(f"/Appointment/{made.id}/$validate", None)
    absent = server.post("/Appointment/none/$validate", None)

    assert (found.status, absent.status) == (OK, 404)


def test_what_the_rules_of_an_agenda_mean_is_told(server: Server) -> None:
    sent = schedule(practitioner(server), openings=[opening(future(18), future(8))])

    reply = server.post("/Schedule/$validate", sent)

    assert reply.status == OK and "error" in severities(reply)
    assert any(place.startswith("Schedule.extension[0]") for place in reply.places)
