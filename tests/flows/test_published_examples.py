"""The request printed in the GAP IG, and the SAS appointments of regulators, sent as they are (GAP-RDV-24, TV-7, DEC-12)."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from tests.client import CREATED, OK, Server
from tests.people import declare, free_slots, future, identifier, practice, practitioner, schedule, where

PACKAGES = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "packages"


def example(package: str, name: str) -> Any:
    """A published example, as its package has it."""
    archive = PACKAGES / f"{package}.tgz"
    if not archive.exists():
        pytest.skip("shared/ is not beside the repository")
    with tarfile.open(archive) as opened:
        found = next(one for one in opened.getmembers() if one.name.endswith(name))
        read = opened.extractfile(found)
        assert read is not None
        return json.loads(read.read())


def test_the_gap_request_is_accepted_as_it_is_and_holds_no_time_of_another_server(server: Server) -> None:
    sent = example("ans.fhir.fr.gap-3.0.0.ci-20240826", "Appointment-example-req-appointment.json")

    reply = server.post("/Appointment", sent)
    kept = server.get(f"/Appointment/{reply.id}").json
    warned = server.post(
        "/Appointment", {**sent, "identifier": [identifier()]}, Prefer="return=OperationOutcome"
    )

    assert reply.status == CREATED, reply.body
    unchanged = (
        "text",
        "extension",
        "identifier",
        "status",
        "serviceType",
        "specialty",
        "priority",
        "slot",
        "created",
    )
    assert {key: kept[key] for key in unchanged} == {key: sent[key] for key in unchanged}
    assert set(warned.keys) >= {"reference-elsewhere"}


def test_the_gap_request_with_local_references_holds_its_slot_and_is_confirmed(server: Server) -> None:
    sent = example("ans.fhir.fr.gap-3.0.0.ci-20240826", "Appointment-example-req-appointment.json")
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]
    actors = dict(
        zip(
            ("Patient", "PractitionerRole", "Practitioner"),
            (at.patient, at.role, at.practitioner),
            strict=True,
        )
    )
    for participant in sent["participant"]:
        kind = participant["actor"]["reference"].split("/")[-2]
        participant["actor"]["reference"] = actors[kind]
    sent["extension"][0]["valueReference"]["reference"] = at.patient
    sent["slot"][0]["reference"] = f"Slot/{slot['id']}"
    sent["identifier"] = [identifier("http://example.org/sampleappointment-identifier")]

    asked = server.post("/Appointment", sent)
    del sent["id"]
    held = server.get(f"/Slot/{slot['id']}").json["status"]
    confirmed = server.put(
        where(sent), {**sent, "status": "booked", "start": slot["start"], "end": slot["end"]}
    )

    assert asked.status == CREATED, asked.body
    assert (held, confirmed.status) == ("busy-tentative", OK)
    assert server.get(f"/Slot/{slot['id']}").json["status"] == "busy"


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("ans.fhir.fr.sas-1.1.0", "Appointment-1.json"),
        ("ans.fhir.fr.sas-1.1.0", "Appointment-2.json"),
        ("ans.fhir.fr.sas-1.2.0.ci-20260629", "Appointment-1.json"),
        ("ans.fhir.fr.sas-1.2.0.ci-20260629", "Appointment-12345678.json"),
    ],
)
def test_a_sas_appointment_is_accepted_as_it_is(new_server: Any, package: str, name: str) -> None:
    server: Server = new_server()
    sent = example(package, name)

    created = server.put(where(sent), {key: value for key, value in sent.items() if key != "id"})
    again = server.put(where(sent), sent | {"id": created.id})

    assert created.status == CREATED, created.body
    assert (again.status, again.version) == (OK, "1"), again.body


def test_a_sas_appointment_takes_the_time_of_the_professional_known_by_his_number(new_server: Any) -> None:
    server: Server = new_server()
    sent = example("ans.fhir.fr.sas-1.1.0", "Appointment-1.json")
    number = sent["participant"][0]["actor"]["identifier"]
    known = practitioner(server, identifier=[{"system": number["system"], "value": number["value"]}])
    declare(server, schedule(known))

    first = server.post("/Appointment", sent)
    second = server.post("/Appointment", {**sent, "identifier": [identifier()]})

    assert (first.status, second.status) == (CREATED, 409), first.body
    assert first.json["participant"][0]["actor"]["reference"] == known
