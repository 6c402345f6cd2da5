"""Flow 6a over real sockets: a request or a declaration of an appointment becomes one, or is refused with a reason (GAP §13)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.client import CREATED, OK, Server
from tests.people import (
    OPERATOR,
    appointment,
    declare,
    free_slots,
    future,
    identifier,
    instant,
    location,
    opening,
    patient,
    practice,
    practitioner,
    role,
    schedule,
    where,
)

PARIS = ZoneInfo("Europe/Paris")


def test_a_declaration_is_created_with_its_headers(server: Server) -> None:
    sent = appointment(practice(server), future(9))

    reply = server.post("/Appointment", sent)

    assert reply.status == CREATED, reply.body
    assert reply.headers["location"].endswith(f"/fhir/Appointment/{reply.id}/_history/1")
    assert reply.headers["etag"] == 'W/"1"'
    assert "last-modified" in reply.headers
    assert reply.json["status"] == "booked"
    assert reply.json["identifier"] == sent["identifier"]


def test_a_request_on_a_slot_takes_its_times_from_it_and_its_participants_from_the_agenda(
    server: Server,
) -> None:
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]
    sent = {
        "resourceType": "Appointment",
        "status": "proposed",
        "slot": [{"reference": f"Slot/{slot['id']}"}],
        "participant": [{"actor": {"reference": at.patient}, "status": "accepted"}],
    }

    reply = server.post("/Appointment", sent)

    assert reply.status == CREATED, reply.body
    made = reply.json
    assert (made["start"], made["end"]) == (slot["start"], slot["end"])
    people = {one["actor"]["reference"]: one["status"] for one in made["participant"]}
    assert people == {at.patient: "accepted", at.role: "needs-action", at.practitioner: "needs-action"}
    assert made["created"] and made["identifier"][0]["value"]
    assert server.get(f"/Slot/{slot['id']}").json["status"] == "busy-tentative"


def test_several_slots_are_taken_together(server: Server) -> None:
    at = practice(server)
    first, second = free_slots(server, at, future(9))[:2]
    sent = appointment(at, slot=[{"reference": f"Slot/{one['id']}"} for one in (first, second)])

    reply = server.post("/Appointment", sent)

    assert reply.status == CREATED, reply.body
    assert (reply.json["start"], reply.json["end"]) == (first["start"], second["end"])
    assert server.get(f"/Slot/{second['id']}").json["status"] == "busy"


def test_a_request_without_slot_nor_resource_is_refused_by_rule_c2(server: Server) -> None:
    only_patient = [{"actor": {"reference": patient(server)}, "status": "accepted"}]

    reply = server.post(
        "/Appointment", {"resourceType": "Appointment", "status": "proposed", "participant": only_patient}
    )

    assert (reply.status, reply.keys) == (422, ["request-without-target"])
    assert reply.json["issue"][0]["code"] == "business-rule"


@pytest.mark.parametrize("offset", [-10, -1, 0, 1, 14])
def test_an_overlap_is_refused_with_the_interval_and_without_the_patient(server: Server, offset: int) -> None:
    at = practice(server)
    server.post("/Appointment", appointment(at, future(9)))

    reply = server.post("/Appointment", appointment(at, future(9) + timedelta(minutes=offset)))

    assert (reply.status, reply.keys) == (409, ["time-taken"])
    assert reply.json["issue"][0]["code"] == "conflict"
    assert at.practitioner in reply.json["issue"][0]["details"]["text"]
    assert at.patient.encode() not in reply.body


@pytest.mark.parametrize("offset", [-15, 15])
def test_touching_intervals_do_not_overlap(server: Server, offset: int) -> None:
    at = practice(server)
    server.post("/Appointment", appointment(at, future(9)))

    reply = server.post("/Appointment", appointment(at, future(9) + timedelta(minutes=offset)))

    assert reply.status == CREATED, reply.body


def test_one_human_in_two_places_is_one_human(server: Server) -> None:
    human = practitioner(server)
    here, there = role(server, human), role(server, human)
    agendas = [declare(server, schedule(one, human)) for one in (here, there)]
    sick = patient(server)

    replies = [
        server.post(
            "/Appointment",
            {
                "resourceType": "Appointment",
                "status": "booked",
                "start": instant(future(10)),
                "end": instant(future(10, 15)),
                "participant": [
                    {"actor": {"reference": sick}, "status": "accepted"},
                    {"actor": {"reference": one}, "status": "accepted"},
                ],
            },
        )
        for one in (here, there)
    ]

    assert len(set(agendas)) == 2
    assert [one.status for one in replies] == [CREATED, 409]


def test_a_site_without_agenda_is_not_taken_and_a_room_with_one_is(server: Server) -> None:
    first, second, site, room = practice(server), practice(server), location(server), location(server)
    declare(server, schedule(room))

    def book(at: object, where_: str, minute: int) -> int:
        sent = appointment(at, future(11, minute))  # type: ignore[arg-type]  # a Practice
        sent["participant"].append({"actor": {"reference": where_}, "status": "accepted"})
        return server.post("/Appointment", sent).status

    assert (book(first, site, 0), book(second, site, 0)) == (CREATED, CREATED)
    assert (book(first, room, 30), book(second, room, 30)) == (CREATED, 409)


def test_of_many_simultaneous_requests_for_one_slot_one_wins(server: Server) -> None:
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]
    bodies = [
        appointment(at, status="proposed", slot=[{"reference": f"Slot/{slot['id']}"}]) for _ in range(16)
    ]

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(
            reply.status for reply in pool.map(lambda body: server.post("/Appointment", body), bodies)
        )

    assert statuses == [CREATED] + [409] * 15


def test_a_request_in_the_past_is_refused_and_a_declaration_is_not(server: Server) -> None:
    at = practice(server)
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)

    request = server.post("/Appointment", appointment(at, past, status="proposed"))
    declaration = server.post("/Appointment", appointment(at, past))

    assert request.status == 422 and "request-in-the-past" in request.keys
    assert declaration.status == CREATED


def test_a_request_outside_the_availability_is_refused_and_a_declaration_is_warned(server: Server) -> None:
    at = practice(server)
    night = future(23)

    request = server.post("/Appointment", appointment(at, night, status="proposed"))
    declaration = server.post("/Appointment", appointment(at, night), Prefer="return=OperationOutcome")

    assert (request.status, request.keys) == (422, ["outside-availability"])
    assert declaration.status == CREATED
    assert "outside-availability" in declaration.keys
    assert {one["severity"] for one in declaration.json["issue"]} <= {"warning", "information"}


def test_a_request_whose_duration_does_not_fit_the_service_is_refused(server: Server) -> None:
    at = practice(server, minutes=20)

    reply = server.post("/Appointment", appointment(at, future(9), minutes=50, status="proposed"))

    assert (reply.status, reply.keys) == (422, ["duration-does-not-fit"])


def test_an_unknown_reference_is_named_with_its_place(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    sent["participant"][1]["actor"]["reference"] = "PractitionerRole/nobody"
    sent["participant"].append({"actor": {"reference": "Location/nowhere"}, "status": "accepted"})

    reply = server.post("/Appointment", sent)

    assert (reply.status, reply.keys) == (422, ["reference-not-found"] * 2)
    assert reply.places == ["Appointment.participant[1].actor", "Appointment.participant[3].actor"]
    assert reply.json["issue"][0]["code"] == "not-found"


def test_a_logical_reference_is_resolved_by_business_identifier_and_guarded(server: Server) -> None:
    rpps = {"system": "https://rpps.esante.gouv.fr", "value": identifier()["value"][:11]}
    human = practitioner(server, identifier=[rpps])
    declare(server, schedule(human))
    logical = {"identifier": rpps, "type": "Practitioner"}

    def sent() -> dict[str, object]:
        return {
            "resourceType": "Appointment",
            "status": "booked",
            "start": instant(future(9)),
            "end": instant(future(9, 15)),
            "participant": [{"actor": dict(logical), "status": "accepted"}],
        }

    first, second = server.post("/Appointment", sent()), server.post("/Appointment", sent())

    assert first.status == CREATED
    actor = first.json["participant"][0]["actor"]
    assert actor["identifier"] == rpps and actor["reference"] == human
    assert second.status == 409


def test_an_unresolved_logical_reference_is_kept_with_a_warning(server: Server) -> None:
    sent = {
        "resourceType": "Appointment",
        "status": "booked",
        "start": instant(future(9)),
        "end": instant(future(9, 15)),
        "participant": [{"actor": {"identifier": identifier()}, "status": "accepted"}],
    }

    reply = server.post("/Appointment", sent, Prefer="return=OperationOutcome")

    assert reply.status == CREATED and "identifier-not-resolved" in reply.keys


def test_a_contained_person_travels_with_the_appointment(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    sent["contained"] = [{"resourceType": "Patient", "id": "p", "name": [{"family": "Nouvelle"}]}]
    sent["participant"][0]["actor"] = {"reference": "#p"}

    reply = server.post("/Appointment", sent)

    assert reply.status == CREATED, reply.body
    assert reply.json["contained"][0]["name"][0]["family"] == "Nouvelle"


def test_an_attachment_is_stored_and_served_as_it_was(server: Server) -> None:
    scan = bytes(range(256))
    binary = server.call("POST", "/Binary", scan, Content_Type="application/pdf")
    document = declare(
        server,
        {
            "resourceType": "DocumentReference",
            "status": "current",
            "content": [{"attachment": {"contentType": "application/pdf", "url": f"Binary/{binary.id}"}}],
        },
    )
    sent = appointment(practice(server), future(9), supportingInformation=[{"reference": document}])

    reply = server.post("/Appointment", sent)

    assert reply.status == CREATED, reply.body
    raw = server.get(f"/Binary/{binary.id}", Accept="application/pdf")
    assert raw.body == scan and raw.headers["content-type"].startswith("application/pdf")


def test_operator_priority_type_and_reason_are_kept(server: Server) -> None:
    at = practice(server)
    more = {
        "extension": [{"url": OPERATOR, "valueReference": {"reference": at.patient}}],
        "priority": 3,
        "appointmentType": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0276", "code": "EMERGENCY"}]
        },
        "reasonCode": [{"text": "lombalgie"}],
        "description": "Suivi",
        "comment": "à jeun",
    }

    reply = server.post("/Appointment", appointment(at, future(9), **more))

    assert reply.status == CREATED, reply.body
    assert {key: reply.json[key] for key in more} == more


def test_two_operators_are_one_too_many(server: Server) -> None:
    at = practice(server)
    operator = {"url": OPERATOR, "valueReference": {"reference": at.patient}}
    profile = {
        "profile": ["https://interop.esante.gouv.fr/ig/fhir/gap/StructureDefinition/gap-fr-appointment"]
    }

    reply = server.post(
        "/Appointment", appointment(at, future(9), extension=[operator, operator], meta=profile)
    )

    assert reply.status == 422


def test_the_same_business_identifier_twice_is_a_duplicate(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    first = server.post("/Appointment", sent)

    again = server.post(
        "/Appointment", {**sent, "start": instant(future(12)), "end": instant(future(12, 15))}
    )

    assert (again.status, again.keys) == (409, ["identifier-in-use"])
    assert again.json["issue"][0]["code"] == "duplicate"
    assert again.places == ["Appointment.identifier[0]"]
    assert f"Appointment/{first.id}" in again.json["issue"][0]["details"]["text"]


def test_if_none_exist_answers_with_what_is_there(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    condition = where(sent).partition("?")[2]

    first = server.post("/Appointment", sent, If_None_Exist=condition)
    again = server.post("/Appointment", sent, If_None_Exist=condition)

    assert (first.status, again.status) == (CREATED, OK)
    assert again.id == first.id and again.version == "1"


def test_a_slot_that_no_agenda_has_is_not_found(server: Server) -> None:
    at = practice(server)

    reply = server.post("/Appointment", appointment(at, future(9), slot=[{"reference": "Slot/unknown"}]))

    assert (reply.status, reply.keys, reply.places) == (422, ["slot-not-found"], ["Appointment.slot[0]"])


def test_a_closure_refuses_requests(server: Server) -> None:
    day = [opening(future(8), future(18)), opening(future(12), future(14), "busy-unavailable")]
    at = practice(server, openings=day)

    lunch = server.post("/Appointment", appointment(at, future(12, 30), status="proposed"))
    later = server.post("/Appointment", appointment(at, future(14), status="proposed"))

    assert (lunch.status, later.status) == (422, CREATED)


def test_what_is_wrong_is_said_all_at_once(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    sent["status"] = "reserved"
    sent["priority"] = -1
    del sent["participant"][2]["status"]

    reply = server.post("/Appointment", sent)

    assert reply.status == 422
    assert set(reply.places) == {
        "Appointment.status",
        "Appointment.priority",
        "Appointment.participant[2].status",
    }


@pytest.mark.parametrize(
    ("end", "key"), [(future(9), "end-not-after-start"), (future(8), "end-not-after-start")]
)
def test_an_end_not_after_the_start_is_refused(server: Server, end: datetime, key: str) -> None:
    sent = appointment(practice(server), future(9), end=instant(end))

    reply = server.post("/Appointment", sent)

    assert (reply.status, reply.keys) == (422, [key])


def test_a_refusal_offers_three_free_slots_nearest_to_the_time_asked_that_can_be_booked(
    server: Server,
) -> None:
    at = practice(server)
    server.post("/Appointment", appointment(at, future(12)))

    refused = server.post("/Appointment", appointment(at, future(12)))
    offers = [one["valueReference"] for one in refused.json["issue"][0]["extension"]]
    booked = server.post("/Appointment", appointment(at, slot=[{"reference": offers[0]["reference"]}]))

    starts = [server.get(f"/{one['reference']}").json["start"] for one in offers[1:]]
    assert len(offers) == 3
    assert booked.status == CREATED and booked.json["start"].startswith(offers[0]["display"][:16])
    nearest = {future(11, 45), future(12, 15), future(11, 30), future(12, 30)}
    assert {datetime.fromisoformat(start) for start in starts} <= nearest


def test_a_refusal_offers_only_slots_that_suit_every_resource(server: Server) -> None:
    at, room = practice(server), location(server)
    declare(server, schedule(room))
    other = practice(server)
    in_room = appointment(other, future(12, 15), minutes=30)
    in_room["participant"].append({"actor": {"reference": room}, "status": "accepted"})
    assert server.post("/Appointment", in_room).status == CREATED
    server.post("/Appointment", appointment(at, future(12)))
    wanted = appointment(at, future(12))
    wanted["participant"].append({"actor": {"reference": room}, "status": "accepted"})

    refused = server.post("/Appointment", wanted)

    offered = [one["valueReference"]["display"][11:16] for one in refused.json["issue"][0]["extension"]]
    taken = {datetime.fromisoformat(in_room["start"]).astimezone(PARIS).strftime("%H:%M")}
    assert len(offered) == 3 and not taken & set(offered)


def test_a_patient_expected_elsewhere_is_a_warning_that_names_nobody(server: Server) -> None:
    first, second = practice(server), practice(server)
    here = appointment(first, future(9))
    there = appointment(second, future(9))
    there["participant"][0] = here["participant"][0]
    assert server.post("/Appointment", here).status == CREATED

    reply = server.post("/Appointment", there)

    assert reply.status == CREATED, reply.body
    assert "patient-busy" in reply.headers["warning"]
    assert first.patient not in reply.headers["warning"]
