"""The test vectors of the requirements that go through the interface (`gap-requirements.md` §21): TV-5, 6, 9, 10.

TV-1 to TV-3 are in `tests/scheduling/test_availability.py`, TV-4 and TV-8 in `tests/scheduling/test_slots.py`, TV-7 in
`test_published_examples.py`; TV-8 is here as well, over the interface.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from tests.client import CREATED, OK, Reply, Server
from tests.people import (
    Practice,
    appointment,
    declare,
    future,
    instant,
    opening,
    patient,
    practice,
    practitioner,
    schedule,
)

R38 = "https://mos.esante.gouv.fr/NOS/TRE_R38-SpecialiteOrdinale/FHIR/TRE-R38-SpecialiteOrdinale"


def matches(reply: Reply) -> list[dict[str, Any]]:
    assert reply.status == OK, reply.body
    return [one["resource"] for one in reply.json.get("entry", []) if one["search"]["mode"] == "match"]


def surgery(server: Server, postcode: str, code: str) -> tuple[str, str, str]:
    """A professional of a specialty at a place: role, human, agenda open one morning."""
    address = {"line": ["1 rue de l'Essai"], "postalCode": postcode, "city": "Paris"}
    place = declare(server, {"resourceType": "Location", "name": "Cabinet", "address": address})
    human = practitioner(server)
    office = declare(
        server,
        {
            "resourceType": "PractitionerRole",
            "practitioner": {"reference": human},
            "specialty": [{"coding": [{"system": R38, "code": code}]}],
            "location": [{"reference": place}],
        },
    )
    agenda = declare(server, schedule(office, human, openings=[opening(future(8), future(10))]))
    return office, human, agenda


def test_tv5_the_worked_address_gives_free_slots_their_agenda_and_all_its_actors_in_one_bundle(
    server: Server,
) -> None:
    code = f"T{uuid4().hex[:8]}"
    office, human, agenda = surgery(server, "75015", code)
    server.post("/Appointment", appointment(Practice(patient(server), human, office, agenda), future(9)))
    query = [
        ("_include", "Slot:schedule"),
        ("_include", "Schedule:actor"),
        ("status", "free"),
        ("start", f"ge{instant(future(0))}"),
        ("start", f"le{instant(future(0, days=11))}"),
        ("schedule.actor:PractitionerRole.specialty", f"{R38}|{code}"),
        ("schedule.actor:PractitionerRole.address", "Paris"),
    ]

    reply = server.get(f"/Slot?{urlencode(query)}", Prefer="handling=strict")

    assert len(matches(reply)) == reply.json["total"] == 7
    included = {
        f"{one['resource']['resourceType']}/{one['resource']['id']}"
        for one in reply.json["entry"]
        if one["search"]["mode"] == "include"
    }
    assert included == {agenda, office, human}


@pytest.mark.parametrize(("asked", "there"), [("75015", True), ("75", True), ("75016", False)])
def test_tv6_dentists_are_found_by_the_start_of_the_postal_code_of_where_they_practise(
    server: Server, asked: str, there: bool
) -> None:
    code = f"D{uuid4().hex[:8]}"
    _, _, agenda = surgery(server, "75015", code)
    role = "schedule.actor:PractitionerRole"
    day = instant(future(0))[:10]

    reply = server.get(f"/Slot?{role}.location.address={asked}&{role}.specialty={code}&start={day}")

    assert {one["schedule"]["reference"] for one in matches(reply)} == ({agenda} if there else set())


def test_tv8_a_slot_is_not_free_while_one_of_the_actors_is_busy_elsewhere(server: Server) -> None:
    specialist, nurse = practitioner(server), practitioner(server)
    device = declare(server, {"resourceType": "Device", "deviceName": [{"name": "IRM", "type": "other"}]})
    together = declare(server, schedule(specialist, nurse, device, openings=[opening(future(8), future(9))]))
    alone = declare(server, schedule(nurse, openings=[opening(future(8), future(9))]))
    sent = appointment(Practice(patient(server), nurse, nurse, alone), future(8, 15))
    sent["participant"] = sent["participant"][:2]
    assert server.post("/Appointment", sent).status == CREATED

    free = matches(server.get(f"/Slot?schedule={together}&status=free&start=ge{instant(future(0))}"))

    assert [one["start"][14:16] for one in free] == ["00", "30", "45"]


def test_tv9_an_agenda_goes_with_its_only_owner_and_stays_with_a_co_owner(server: Server) -> None:
    alone, other = practice(server), practice(server)
    room = declare(server, {"resourceType": "Location", "name": "Salle"})
    shared = declare(server, schedule(other.role, other.practitioner, room))

    for one in (alone.role, alone.practitioner, other.role, other.practitioner):
        assert server.call("DELETE", f"/{one}").status in (200, 204)

    assert server.get(f"/{alone.agenda}").status == 410
    kept = server.get(f"/{shared}")
    assert [actor["reference"] for actor in kept.json["actor"]] == [room]


def test_tv10_what_a_delegate_declared_booked_is_found_busy_by_the_hospital(server: Server) -> None:
    at = practice(server)
    assert server.post("/Appointment", appointment(at, future(9))).status == CREATED

    found = matches(server.get(f"/Slot?schedule={at.agenda}&status=busy&start=ge{instant(future(0))}"))

    assert [one["status"] for one in found] == ["busy"]
    assert at.patient.partition("/")[2] not in str(found)
