"""Batch, transaction and AppointmentResponse over real sockets (REL-10, C-14)."""

from __future__ import annotations

from typing import Any

from tests.client import CREATED, OK, Server
from tests.people import appointment, future, identifier, instant, practice, schedule, where


def entry(method: str, url: str, resource: Any = None, full_url: str = "", **request: str) -> dict[str, Any]:
    made: dict[str, Any] = {"request": {"method": method, "url": url, **request}}
    if full_url:
        made["fullUrl"] = full_url
    if resource is not None:
        made["resource"] = resource
    return made


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def statuses(reply: Any) -> list[str]:
    return [one["response"]["status"][:3] for one in reply.json["entry"]]


def everything(status: str = "booked") -> dict[str, Any]:
    """A transaction in which an appointment comes before all that it refers to."""
    urn = {name: f"urn:uuid:{identifier()['value']}" for name in ("human", "role", "patient", "agenda")}
    meeting = {
        "resourceType": "Appointment",
        "status": status,
        "start": instant(future(9)),
        "end": instant(future(9, 15)),
        "participant": [
            {"actor": {"reference": urn["patient"]}, "status": "accepted"},
            {"actor": {"reference": urn["role"]}, "status": "accepted"},
        ],
    }
    return bundle(
        "transaction",
        entry("POST", "Appointment", meeting),
        entry("POST", "Schedule", schedule(urn["role"], urn["human"]), urn["agenda"]),
        entry(
            "POST",
            "PractitionerRole",
            {"resourceType": "PractitionerRole", "practitioner": {"reference": urn["human"]}},
            urn["role"],
        ),
        entry(
            "POST",
            "Practitioner",
            {"resourceType": "Practitioner", "name": [{"family": "Bloc"}]},
            urn["human"],
        ),
        entry("POST", "Patient", {"resourceType": "Patient", "name": [{"family": "Martin"}]}, urn["patient"]),
    )


def test_a_transaction_creates_everything_whatever_the_order_of_its_entries(server: Server) -> None:
    reply = server.post("", everything())

    assert reply.status == OK, reply.body
    assert reply.json["type"] == "transaction-response"
    assert statuses(reply) == ["201"] * 5
    made = server.get(
        reply.json["entry"][0]["response"]["location"].split("/fhir")[-1].partition("/_history")[0]
    )
    human = reply.json["entry"][3]["response"]["location"]
    again = appointment(practice(server), future(9))
    again["participant"] = [{"actor": {"reference": "/".join(human.split("/")[-4:-2])}, "status": "accepted"}]
    assert made.json["participant"][1]["actor"]["reference"].startswith("PractitionerRole/")
    assert server.post("/Appointment", again).status == 409


def test_a_transaction_that_fails_writes_nothing(server: Server) -> None:
    sent = everything()
    marked = identifier()
    sent["entry"][4]["resource"]["identifier"] = [marked]
    sent["entry"][1]["resource"]["actor"].append({"reference": "Location/nowhere"})

    reply = server.post("", sent)

    assert (reply.status, reply.keys) == (422, ["reference-not-found"])
    assert reply.places == ["Bundle.entry[1].resource.actor[2]"]
    assert server.get(f"/Patient?identifier={marked['system']}|{marked['value']}").json["total"] == 0


def test_two_entries_of_a_transaction_may_not_take_the_same_time(server: Server) -> None:
    at = practice(server)
    one, two = appointment(at, future(9)), appointment(at, future(9))

    reply = server.post(
        "", bundle("transaction", entry("POST", "Appointment", one), entry("POST", "Appointment", two))
    )

    assert (reply.status, reply.keys) == (409, ["time-taken"])
    assert reply.places[0].startswith("Bundle.entry[1]")
    assert server.get(where(one)).json["total"] == 0


def test_two_entries_of_a_transaction_may_not_carry_one_identifier(server: Server) -> None:
    at = practice(server)
    one, two = appointment(at, future(9)), appointment(at, future(10))
    two["identifier"] = one["identifier"]

    reply = server.post(
        "", bundle("transaction", entry("POST", "Appointment", one), entry("POST", "Appointment", two))
    )

    assert (reply.status, reply.keys) == (409, ["identifier-in-use"])


def test_a_transaction_exchanges_the_times_of_two_appointments(server: Server) -> None:
    at = practice(server)
    one, two = appointment(at, future(9)), appointment(at, future(10))
    for body in (one, two):
        assert server.put(where(body), body).status == CREATED
    swapped = [
        {**one, "start": two["start"], "end": two["end"]},
        {**two, "start": one["start"], "end": one["end"]},
    ]

    alone = server.put(where(one), swapped[0])
    together = server.post(
        "", bundle("transaction", *(entry("PUT", where(body)[1:], body) for body in swapped))
    )

    assert (alone.status, together.status) == (409, OK)
    assert statuses(together) == ["200", "200"]


def test_a_batch_runs_each_entry_on_its_own(server: Server) -> None:
    at = practice(server)
    one, two = appointment(at, future(9)), appointment(at, future(9))

    reply = server.post(
        "",
        bundle(
            "batch",
            entry("POST", "Appointment", one),
            entry("POST", "Appointment", two),
            entry("GET", at.patient),
            entry("GET", where(one)[1:]),
            entry("DELETE", "Appointment/x"),
        ),
    )

    assert (reply.status, reply.json["type"]) == (OK, "batch-response")
    assert statuses(reply) == ["201", "409", "200", "200", "405"]
    assert reply.json["entry"][1]["response"]["outcome"]["resourceType"] == "OperationOutcome"
    assert reply.json["entry"][3]["resource"]["total"] == 1


def answer(server: Server, appointment_id: str, actor: str, status: str, **more: Any) -> Any:
    sent = {
        "resourceType": "AppointmentResponse",
        "appointment": {"reference": f"Appointment/{appointment_id}"},
        "actor": {"reference": actor},
        "participantStatus": status,
        **more,
    }
    return server.post("/AppointmentResponse", sent)


def test_the_professional_accepts_and_the_request_becomes_booked(server: Server) -> None:
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9), status="proposed"))

    reply = answer(server, made.id, at.role, "accepted")

    assert reply.status == CREATED, reply.body
    after = server.get(f"/Appointment/{made.id}").json
    assert after["status"] == "booked"
    assert {one["status"] for one in after["participant"]} == {"accepted"}


def test_the_professional_declines_and_the_time_is_free_again(server: Server) -> None:
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9), status="proposed"))

    reply = answer(server, made.id, at.practitioner, "declined")

    assert reply.status == CREATED, reply.body
    assert server.get(f"/Appointment/{made.id}").json["status"] == "cancelled"
    assert server.post("/Appointment", appointment(at, future(9))).status == CREATED


def test_the_professional_hesitates_and_the_request_is_pending(server: Server) -> None:
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9), status="proposed"))

    answer(server, made.id, at.role, "tentative")

    after = server.get(f"/Appointment/{made.id}").json
    assert (after["status"], after["participant"][1]["status"]) == ("pending", "tentative")


def test_a_request_without_a_time_takes_the_one_of_the_response(server: Server) -> None:
    at = practice(server)
    made = server.post("/Appointment", appointment(at, status="proposed"))

    reply = answer(server, made.id, at.role, "accepted", start=instant(future(9)), end=instant(future(9, 15)))

    assert reply.status == CREATED, reply.body
    after = server.get(f"/Appointment/{made.id}").json
    assert (after["status"], after["start"]) == ("booked", instant(future(9)))
    assert server.post("/Appointment", appointment(at, future(9))).status == 409


def test_who_is_not_invited_cannot_answer(server: Server) -> None:
    at, other = practice(server), practice(server)
    made = server.post("/Appointment", appointment(at, future(9), status="proposed"))

    reply = answer(server, made.id, other.practitioner, "accepted")

    assert (reply.status, reply.keys) == (422, ["not-a-participant"])
    assert server.get(f"/Appointment/{made.id}").json["status"] == "proposed"


def test_a_transaction_whose_read_finds_nothing_writes_nothing(server: Server) -> None:
    known = identifier()
    patient = {"resourceType": "Patient", "identifier": [known]}
    sent = bundle("transaction", entry("POST", "Patient", patient), entry("GET", "Patient/nowhere"))

    reply = server.post("/", sent)

    assert reply.status == 404, reply.body
    assert reply.json["issue"][0]["expression"] == ["Bundle.entry[1]"]
    found = server.get(f"/Patient?identifier={known['system']}|{known['value']}")
    assert found.json["total"] == 0


def test_a_batch_of_reads_stops_where_an_answer_is_full_and_still_writes(server: Server) -> None:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{"a" * 900_000}</p></div>'
    heavy = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
    where_it_is = f"Patient/{server.post('/Patient', heavy).id}"
    reads = [entry("GET", where_it_is) for _ in range(30)]
    written = entry("POST", "Patient", {"resourceType": "Patient", "identifier": [identifier()]})

    reply = server.post("/", bundle("batch", *reads, written))

    assert len(reply.body) < 20 << 20
    codes = statuses(reply)
    assert codes[0] == "200"
    assert codes[29] == "422"
    assert codes[30] == "201"
    refused = reply.json["entry"][29]["response"]["outcome"]["issue"][0]
    assert refused["code"] == "too-costly"
