"""Flow 6b over real sockets: conditional update on the business identifier, and every way an appointment changes (GAP §13, §14)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from tests.client import CREATED, OK, Server
from tests.people import (
    appointment,
    declare,
    free_slots,
    future,
    identifier,
    instant,
    location,
    practice,
    practitioner,
    role,
    schedule,
    where,
)

from creneau.scheduling import lifecycle


def slot_status(server: Server, slot: dict[str, Any]) -> str:
    return str(server.get(f"/Slot/{slot['id']}").json["status"])


def test_no_match_creates_and_one_match_updates(server: Server) -> None:
    sent = appointment(practice(server), future(9))

    created = server.put(where(sent), sent)
    updated = server.put(where(sent), {**sent, "comment": "à jeun"})

    assert (created.status, updated.status) == (CREATED, OK)
    assert created.id == updated.id
    assert (created.version, updated.version) == ("1", "2")
    assert updated.json["comment"] == "à jeun"
    assert updated.headers["location"].endswith(f"/fhir/Appointment/{created.id}/_history/2")
    assert updated.headers["content-location"] == updated.headers["location"]


def test_several_matches_are_ambiguous(server: Server) -> None:
    at, value = practice(server), identifier()["value"]
    for system, hour in (("https://a.example", 9), ("https://b.example", 10)):
        body = appointment(at, future(hour), identifier=[{"system": system, "value": value}])
        assert server.post("/Appointment", body).status == CREATED

    reply = server.put(
        f"/Appointment?identifier={value}",
        appointment(at, future(11), identifier=[{"system": "https://a.example", "value": value}]),
    )

    assert (reply.status, reply.json["issue"][0]["code"]) == (412, "multiple-matches")


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("", "condition-needs-identifier"),
        ("?status=booked", "condition-needs-identifier"),
        ("?identifier=https://editor.example/rdv|another", "identifier-differs"),
    ],
)
def test_a_condition_names_an_identifier_that_the_body_carries(server: Server, query: str, key: str) -> None:
    sent = appointment(practice(server), future(9))

    reply = server.put(f"/Appointment{query}", sent)

    assert (reply.status, reply.keys) == (400, [key])


def test_an_unknown_parameter_in_a_condition_is_refused(server: Server) -> None:
    sent = appointment(practice(server), future(9))

    reply = server.put(where(sent) + "&colour=red", sent)

    assert reply.status == 400


def test_the_body_id_must_be_that_of_the_match(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    made = server.put(where(sent), sent)

    same = server.put(where(sent), {**sent, "id": made.id, "comment": "oui"})
    other = server.put(where(sent), {**sent, "id": "another", "comment": "non"})

    assert (same.status, other.status) == (OK, 400)
    assert other.keys == ["id-differs"]


def test_if_match_refuses_what_was_decided_on_an_old_version(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    server.put(where(sent), sent)
    server.put(where(sent), {**sent, "comment": "2"})

    stale = server.put(where(sent), {**sent, "comment": "3"}, If_Match='W/"1"')
    fresh = server.put(where(sent), {**sent, "comment": "3"}, If_Match='W/"1", W/"2"')
    absent = appointment(practice(server), future(9))
    nothing = server.put(where(absent), absent, If_Match="*")

    assert (stale.status, fresh.status, nothing.status) == (412, OK, 412)
    assert stale.json["issue"][0]["code"] == "conflict"


def test_an_equal_put_makes_no_new_version(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    server.put(where(sent), sent)

    replies = [server.put(where(sent), sent) for _ in range(3)]

    assert [(one.status, one.version) for one in replies] == [(OK, "1")] * 3


def test_created_is_kept_from_the_first_version(server: Server) -> None:
    sent = appointment(practice(server), future(9), created="2026-01-02")
    server.put(where(sent), sent)

    other = server.put(where(sent), {**sent, "created": "2026-05-05", "comment": "x"})
    without = {key: value for key, value in sent.items() if key != "created"}
    absent = server.put(where(sent), without)

    assert other.json["created"] == absent.json["created"] == "2026-01-02"


@pytest.mark.parametrize("before", sorted(lifecycle.STATUSES))
def test_a_status_step_is_taken_only_when_the_table_has_it(server: Server, before: str) -> None:
    for after in sorted(lifecycle.STATUSES):
        sent = appointment(practice(server), future(9), status=before)
        made = server.post("/Appointment", sent)
        assert made.status == CREATED, made.body

        reply = server.put(f"/Appointment/{made.id}", {**made.json, "status": after})

        if lifecycle.allowed(before, after):
            assert reply.status == OK, (before, after, reply.body)
        else:
            assert (reply.status, reply.keys, reply.places) == (422, ["status-step"], ["Appointment.status"])


def test_cancelling_frees_the_time_and_keeps_the_reason(server: Server) -> None:
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]
    sent = appointment(at, slot=[{"reference": f"Slot/{slot['id']}"}])
    server.put(where(sent), sent)
    assert slot_status(server, slot) == "busy"

    reason = {"text": "empêchement"}
    reply = server.put(where(sent), {**sent, "status": "cancelled", "cancelationReason": reason})

    assert reply.status == OK, reply.body
    assert reply.json["cancelationReason"] == reason
    assert slot_status(server, slot) == "free"
    assert server.post("/Appointment", appointment(at, slot=sent["slot"])).status == CREATED


def test_a_cancellation_by_mistake_is_undone_only_while_the_time_is_free(server: Server) -> None:
    at = practice(server)
    mine, other = appointment(at, future(9)), appointment(at, future(9))
    server.put(where(mine), mine)
    server.put(where(mine), {**mine, "status": "cancelled"})
    server.put(where(other), other)

    taken = server.put(where(mine), mine)
    server.put(where(other), {**other, "status": "cancelled"})
    free = server.put(where(mine), mine)

    assert (taken.status, free.status) == (409, OK)


def test_moving_frees_the_old_time_and_takes_the_new_one(server: Server) -> None:
    at = practice(server)
    first, second = free_slots(server, at, future(9))[:2]
    sent = appointment(at, slot=[{"reference": f"Slot/{first['id']}"}])
    server.put(where(sent), sent)

    moved = server.put(where(sent), {**sent, "slot": [{"reference": f"Slot/{second['id']}"}]})

    assert moved.status == OK, moved.body
    assert moved.json["start"] == second["start"]
    assert (slot_status(server, first), slot_status(server, second)) == ("free", "busy")


def test_moving_onto_taken_time_is_refused_and_changes_nothing(server: Server) -> None:
    at = practice(server)
    mine, other = appointment(at, future(9)), appointment(at, future(10))
    server.put(where(mine), mine)
    server.put(where(other), other)

    reply = server.put(where(mine), {**mine, "start": other["start"], "end": other["end"]})

    assert (reply.status, reply.keys) == (409, ["time-taken"])
    kept = server.get(where(mine)).json["entry"][0]["resource"]
    assert (kept["start"], kept["meta"]["versionId"]) == (mine["start"], "1")
    assert server.post("/Appointment", appointment(at, future(9))).status == 409


def test_moving_within_its_own_time_is_no_conflict_with_itself(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9), minutes=30)
    server.put(where(sent), sent)

    reply = server.put(where(sent), {**sent, "start": instant(future(9, 15)), "end": instant(future(9, 45))})

    assert reply.status == OK, reply.body


def test_a_participant_is_added_and_removed_with_his_time(server: Server) -> None:
    at, room = practice(server), location(server)
    declare(server, schedule(room))
    sent = appointment(at, future(9))
    server.put(where(sent), sent)
    elsewhere = practice(server)
    with_room = appointment(elsewhere, future(9))
    with_room["participant"].append({"actor": {"reference": room}, "status": "accepted"})

    added = {
        **sent,
        "participant": [*sent["participant"], {"actor": {"reference": room}, "status": "accepted"}],
    }
    assert server.put(where(sent), added).status == OK
    refused = server.post("/Appointment", with_room)
    assert server.put(where(sent), sent).status == OK
    accepted = server.post("/Appointment", with_room)

    assert (refused.status, accepted.status) == (409, CREATED)


def test_a_declined_participant_is_not_taken(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    for participant in sent["participant"][1:]:
        participant["status"] = "declined"
    assert server.post("/Appointment", sent).status == CREATED

    reply = server.post("/Appointment", appointment(at, future(9)))

    assert reply.status == CREATED, reply.body


def test_confirming_a_request_makes_its_slot_busy(server: Server) -> None:
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]
    sent = appointment(at, status="proposed", slot=[{"reference": f"Slot/{slot['id']}"}])
    server.put(where(sent), sent)
    held = slot_status(server, slot)

    reply = server.put(where(sent), {**sent, "status": "booked"})

    assert (held, reply.status, slot_status(server, slot)) == ("busy-tentative", OK, "busy")


def test_plain_put_reads_and_history(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    made = server.post("/Appointment", sent)
    server.put(f"/Appointment/{made.id}", {**made.json, "comment": "deux"})

    first = server.get(f"/Appointment/{made.id}/_history/1")
    now = server.get(f"/Appointment/{made.id}")
    history = server.get(f"/Appointment/{made.id}/_history").json

    assert "comment" not in first.json and now.json["comment"] == "deux"
    assert [one["response"]["status"][:3] for one in history["entry"]] == ["200", "201"]
    assert [one["request"]["method"] for one in history["entry"]] == ["PUT", "POST"]
    assert history["total"] == 2


def test_json_patch_goes_through_the_same_flow(server: Server) -> None:
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9)))
    kind = "application/json-patch+json"

    def patch(*operations: dict[str, Any]) -> Any:
        return server.call(
            "PATCH", f"/Appointment/{made.id}", json.dumps(operations).encode(), Content_Type=kind
        )

    done = patch(
        {"op": "replace", "path": "/status", "value": "arrived"},
        {"op": "add", "path": "/comment", "value": "ici"},
    )
    forbidden = patch({"op": "replace", "path": "/status", "value": "proposed"})
    nowhere = patch({"op": "remove", "path": "/description"})

    assert (done.status, done.json["status"], done.json["comment"]) == (OK, "arrived", "ici")
    assert (forbidden.status, forbidden.keys) == (422, ["status-step"])
    assert (nowhere.status, nowhere.json["issue"][0]["code"]) == (422, "processing")


def test_fhirpath_patch_goes_through_the_same_flow(server: Server) -> None:
    made = server.post("/Appointment", appointment(practice(server), future(9)))
    operation = [
        {"name": "type", "valueCode": "replace"},
        {"name": "path", "valueString": "Appointment.status"},
        {"name": "value", "valueCode": "cancelled"},
    ]
    body = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": operation}]}

    reply = server.call("PATCH", f"/Appointment/{made.id}", body)

    assert (reply.status, reply.json["status"]) == (OK, "cancelled"), reply.body


def test_an_unknown_patch_format_is_not_supported(server: Server) -> None:
    made = server.post("/Appointment", appointment(practice(server), future(9)))

    reply = server.call(
        "PATCH", f"/Appointment/{made.id}", b"{}", Content_Type="application/merge-patch+json"
    )

    assert reply.status == 415


def test_an_appointment_is_not_deleted(server: Server) -> None:
    made = server.post("/Appointment", appointment(practice(server), future(9)))

    reply = server.call("DELETE", f"/Appointment/{made.id}")

    assert reply.status == 405
    assert "PUT" in reply.headers["allow"] and "DELETE" not in reply.headers["allow"]


def test_unknown_ids_are_not_found_and_not_created(server: Server) -> None:
    sent = appointment(practice(server), future(9))

    replies = [server.get("/Appointment/none"), server.put("/Appointment/none", {**sent, "id": "none"})]

    assert [one.status for one in replies] == [404, 404]


def test_concurrent_puts_of_one_new_identifier_make_one_appointment(server: Server) -> None:
    sent = appointment(practice(server), future(9))
    bodies = [{**sent, "comment": str(number)} for number in range(16)]

    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda body: server.put(where(sent), body), bodies))

    assert sorted(one.status for one in replies) == [OK] * 15 + [CREATED]
    assert len({one.id for one in replies}) == 1
    assert sorted(int(one.version) for one in replies) == list(range(1, 17))
    assert server.get(where(sent)).json["total"] == 1


def test_a_lapsed_or_active_hold_of_another_request_counts_only_while_it_lasts(new_server: Any) -> None:
    server: Server = new_server()
    at = practice(server)
    held = appointment(at, future(9), status="proposed")
    assert server.put(where(held), held).status == CREATED

    blocked = server.post("/Appointment", appointment(at, future(9)))

    assert blocked.status == 409


def test_a_role_moved_to_two_agendas_stays_one_human(server: Server) -> None:
    human = practitioner(server)
    first, second = role(server, human), role(server, human)
    declare(server, schedule(first, human))
    at = practice(server)
    one = appointment(at, future(15))
    one["participant"] = [{"actor": {"reference": first}, "status": "accepted"}]
    other = appointment(at, future(15) + timedelta(minutes=5))
    other["participant"] = [{"actor": {"reference": second}, "status": "accepted"}]

    statuses = [server.post("/Appointment", body).status for body in (one, other)]

    assert statuses == [CREATED, 409]


@pytest.mark.parametrize(
    "written",
    ["identifier=https%3A%2F%2Feditor.example%2Frdv%7C{}", "identifier=https://editor.example/rdv|{}"],
)
def test_a_condition_is_read_the_same_however_it_is_written(server: Server, written: str) -> None:
    sent = appointment(practice(server), future(9))
    server.put(where(sent), sent)

    reply = server.put(
        "/Appointment?" + written.format(sent["identifier"][0]["value"]), {**sent, "comment": "x"}
    )

    assert (reply.status, reply.version) == (OK, "2")


def test_a_condition_that_is_no_text_is_refused(server: Server) -> None:
    sent = appointment(practice(server), future(9), identifier=[{"system": "s", "value": "\ufffd"}])

    assert server.put("/Appointment?identifier=s|%FF", sent).status == 400
