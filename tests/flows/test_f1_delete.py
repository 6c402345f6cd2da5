"""Flows 1c and 2c over real sockets: what goes with an actor, what keeps it, and no reference to nothing (GAP-RG-03, GAP-RG-04, C-28)."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from tests.client import CREATED, OK, Reply, Server
from tests.people import (
    OPERATOR,
    Practice,
    appointment,
    declare,
    free_slots,
    future,
    identifier,
    instant,
    location,
    patient,
    practice,
    practitioner,
    role,
    schedule,
    where,
)

GONE, REFUSED = 410, 409
PAST = timedelta(days=30)


def delete(server: Server, name: str, **headers: str) -> Reply:
    return server.call("DELETE", f"/{name}", **headers)


def actors(server: Server, agenda: str) -> list[str]:
    return [one["reference"] for one in server.get(f"/{agenda}").json["actor"]]


def texts(reply: Reply) -> str:
    return " ".join(one["details"]["text"] for one in reply.json["issue"])


def booked(server: Server, at: Practice, **more: Any) -> str:
    start = more.pop("start", future(9))
    return declare(server, appointment(at, start, **more))


def dangling(server: Server, name: str) -> list[str]:
    """The literal references of a resource that lead to nothing."""
    found: list[str] = []

    def look(node: Any) -> None:
        if isinstance(node, dict):
            target = node.get("reference")
            if isinstance(target, str) and not target.startswith(("#", "Slot/")):
                found.extend([target] * (server.get(f"/{target}").status != OK))
            for value in node.values():
                look(value)
        elif isinstance(node, list):
            for value in node:
                look(value)

    look(server.get(f"/{name}").json)
    return found


def test_the_last_owner_takes_its_agenda_along(server: Server) -> None:
    at = practice(server)
    start = instant(future(9))

    reply = delete(server, at.role, Accept_Language="en")

    assert (reply.status, reply.keys) == (OK, ["deletion-done", "agendas-deleted-too"])
    assert at.agenda in texts(reply)
    assert [server.get(f"/{one}").status for one in (at.role, at.agenda)] == [GONE, GONE]
    assert server.get(f"/{at.practitioner}").status == OK
    assert server.get(f"/Slot?schedule={at.agenda}&start=ge{start}").json["total"] == 0
    assert len(server.get(f"/{at.agenda}/_history").json["entry"]) == 2


def test_a_practitioner_is_kept_while_his_role_refers_to_him(server: Server) -> None:
    at = practice(server)

    refused = delete(server, at.practitioner)
    delete(server, at.role)
    done = delete(server, at.practitioner)

    assert (refused.status, refused.keys) == (REFUSED, ["still-referred-to"])
    assert at.role in texts(refused)
    assert (done.status, done.keys) == (OK, ["deletion-done"])


def test_an_agenda_with_another_owner_loses_the_role_and_its_human(server: Server) -> None:
    human, room = practitioner(server), location(server)
    office = role(server, human)
    agenda = declare(server, schedule(office, human, room))

    reply = delete(server, office)

    assert reply.keys == ["deletion-done", "actor-removed-from-agendas"]
    assert actors(server, agenda) == [room]
    assert server.get(f"/{agenda}").version == "2"
    assert actors(server, f"{agenda}/_history/1") == [office, human, room]


def test_a_human_stays_on_the_agenda_with_another_of_his_roles(server: Server) -> None:
    human = practitioner(server)
    one, two = role(server, human), role(server, human)
    agenda = declare(server, schedule(one, human, two))

    delete(server, one)

    assert actors(server, agenda) == [human, two]
    assert delete(server, two).keys == ["deletion-done", "agendas-deleted-too"]
    assert server.get(f"/{agenda}").status == GONE


def test_the_time_of_who_stays_on_the_agenda_is_still_guarded(server: Server) -> None:
    human, room = practitioner(server), location(server)
    office = role(server, human)
    declare(server, schedule(office, human, room))
    delete(server, office)
    sent = appointment(Practice(patient(server), human, office, ""), future(9))
    sent["participant"] = [
        {"actor": {"reference": room}, "status": "accepted"},
        {"actor": {"reference": human}, "status": "accepted"},
    ]

    first = server.post("/Appointment", sent)
    second = server.post("/Appointment", {**sent, "identifier": [identifier()]})

    assert (first.status, second.status, second.keys) == (CREATED, REFUSED, ["time-taken"])
    assert room in texts(second)


@pytest.mark.parametrize("status", ["booked", "proposed", "waitlist"])
@pytest.mark.parametrize("who", ["role", "patient"])
def test_an_appointment_to_come_keeps_whoever_it_names(server: Server, status: str, who: str) -> None:
    at = practice(server)
    made = booked(server, at, status=status)

    reply = delete(server, getattr(at, who), Accept_Language="en")

    assert (reply.status, reply.keys) == (REFUSED, ["appointments-to-come"])
    assert made in texts(reply)
    assert "1 appointment" in texts(reply)
    assert "Martin" not in reply.body.decode()
    assert server.get(f"/{getattr(at, who)}").version == "1"
    assert server.get(f"/{at.agenda}").version == "1"


def test_a_refusal_names_twenty_appointments_and_counts_them_all(server: Server) -> None:
    at = practice(server)
    for number in range(22):
        booked(server, at, start=future(8) + timedelta(minutes=15 * number))

    reply = delete(server, at.role)

    assert "22 rendez-vous" in texts(reply)
    assert texts(reply).count("Appointment/") == 20


def test_an_appointment_of_the_human_without_his_role_keeps_his_last_agenda(server: Server) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    del sent["participant"][1]
    made = declare(server, sent)

    reply = delete(server, at.role)

    assert (reply.status, reply.keys) == (REFUSED, ["appointments-to-come"])
    assert made in texts(reply)


def test_an_agenda_goes_while_appointments_are_in_the_other_one_of_the_human(server: Server) -> None:
    at = practice(server)
    other = role(server, at.practitioner)
    second = declare(server, schedule(other, at.practitioner))
    slot = free_slots(server, at, future(9))[0]
    made = declare(server, appointment(at, status="booked", slot=[{"reference": f"Slot/{slot['id']}"}]))

    kept, gone = delete(server, at.agenda), delete(server, other)

    assert (kept.status, kept.keys) == (REFUSED, ["agenda-has-appointments"])
    assert made in texts(kept)
    assert (gone.status, server.get(f"/{second}").status) == (OK, GONE)


@pytest.mark.parametrize("status", ["fulfilled", "noshow", "cancelled", "entered-in-error", "booked"])
def test_a_past_appointment_names_who_is_gone_by_an_identifier(server: Server, status: str) -> None:
    at = practice(server)
    sent = appointment(at, future(9) - PAST, status="booked")
    sent["extension"] = [{"url": OPERATOR, "valueReference": {"reference": at.practitioner}}]
    made = declare(server, sent)
    server.put(f"/{made}", {**server.get(f"/{made}").json, "status": status})
    before = server.get(f"/{made}").json

    gone = [delete(server, one) for one in (at.role, at.practitioner, at.patient)]

    assert [one.status for one in gone] == [OK] * 3, gone[0].body
    assert "references-made-logical" in gone[0].keys
    after = server.get(f"/{made}").json
    assert dangling(server, made) == []
    assert after["participant"][1]["actor"]["type"] == "PractitionerRole"
    human = after["participant"][2]["actor"]
    assert human["identifier"]["system"] == "https://rpps.esante.gouv.fr"
    assert human["display"] == "Langdon"
    assert after["participant"][0]["actor"]["identifier"]["value"] == at.patient.split("/")[1]
    assert "Martin" not in json.dumps(after)
    assert (after["status"], after["start"]) == (before["status"], before["start"])
    assert int(after["meta"]["versionId"]) == int(before["meta"]["versionId"]) + 3


def test_a_cancelled_appointment_to_come_keeps_nobody(server: Server) -> None:
    at = practice(server)
    made = booked(server, at)
    server.put(f"/{made}", {**server.get(f"/{made}").json, "status": "cancelled"})

    assert delete(server, at.role).status == OK
    assert dangling(server, made) == []


def test_an_answer_to_an_appointment_keeps_nobody(server: Server) -> None:
    at = practice(server)
    made = booked(server, at, status="proposed")
    said = {
        "appointment": {"reference": made},
        "actor": {"reference": at.role},
        "participantStatus": "declined",
    }
    response = declare(server, {"resourceType": "AppointmentResponse", **said})

    reply = delete(server, at.role)

    assert reply.status == OK, reply.body
    assert (dangling(server, response), dangling(server, made)) == ([], [])


def test_who_else_refers_is_named_and_keeps_it(server: Server) -> None:
    site = declare(server, {"resourceType": "Organization", "name": "Clinique"})
    office = role(server, practitioner(server), organization={"reference": site})
    issuer = {"reference": site}
    told = declare(
        server,
        {"resourceType": "Device", "identifier": [{**identifier(), "assigner": issuer}], "status": "active"},
    )

    reply = delete(server, site, Accept_Language="en")

    assert (reply.status, reply.keys) == (REFUSED, ["still-referred-to"])
    assert "2 resource(s)" in texts(reply)
    assert office in texts(reply)
    assert told in texts(reply)


def test_a_deletion_that_would_change_too_much_is_refused(server: Server) -> None:
    at = practice(server)
    for part in range(3):
        starts = (future(0) - PAST * (2 + part) + timedelta(minutes=n) for n in range(340))
        entries = [
            {
                "request": {"method": "POST", "url": "Appointment"},
                "resource": appointment(at, start, minutes=1),
            }
            for start in starts
        ]
        sent = server.post("", {"resourceType": "Bundle", "type": "transaction", "entry": entries})
        assert sent.status == OK, sent.body[:500]

    reply = delete(server, at.role)

    assert (reply.status, reply.keys) == (REFUSED, ["deletion-touches-too-much"])
    assert "1000" in texts(reply)
    assert server.get(f"/{at.role}").version == "1"


def test_a_condition_deletes_alike(server: Server) -> None:
    at = practice(server)
    rpps = server.get(f"/{at.practitioner}").json["identifier"][0]
    made = booked(server, at)

    reply = server.call("DELETE", f"/Practitioner?identifier={rpps['system']}|{rpps['value']}")

    assert reply.status == REFUSED
    assert set(reply.keys) == {"still-referred-to", "appointments-to-come"}
    assert made in texts(reply)


def entry(method: str, url: str, resource: Any = None) -> dict[str, Any]:
    return {"request": {"method": method, "url": url}, **({"resource": resource} if resource else {})}


def bundle(kind: str, *entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_transaction_deletes_a_human_his_role_and_their_agenda_in_any_order(server: Server) -> None:
    at = practice(server)
    made = booked(server, at, start=future(9) - PAST)

    reply = server.post(
        "", bundle("transaction", *(entry("DELETE", one) for one in (at.practitioner, at.agenda, at.role)))
    )

    assert reply.status == OK, reply.body
    assert [server.get(f"/{one}").status for one in (at.practitioner, at.agenda, at.role)] == [GONE] * 3
    assert dangling(server, made) == []
    assert server.get(f"/{made}").version == "2"


def test_a_transaction_takes_two_actors_off_one_agenda(server: Server) -> None:
    rooms = [location(server) for _ in range(3)]
    agenda = declare(server, schedule(*rooms))

    reply = server.post("", bundle("transaction", *(entry("DELETE", one) for one in rooms[:2])))

    assert reply.status == OK, reply.body
    assert actors(server, agenda) == rooms[2:]
    assert server.get(f"/{agenda}").version == "2"
    assert len(server.get(f"/{agenda}/_history").json["entry"]) == 2


def test_a_transaction_deletes_an_actor_and_writes_its_agenda(server: Server) -> None:
    rooms = [location(server) for _ in range(2)]
    agenda = declare(server, schedule(*rooms))
    sent = {**server.get(f"/{agenda}").json, "comment": "sans la salle"}
    still = bundle("transaction", entry("DELETE", rooms[0]), entry("PUT", agenda, sent))
    without = bundle(
        "transaction", entry("DELETE", rooms[0]), entry("PUT", agenda, {**sent, "actor": sent["actor"][1:]})
    )

    refused, done = server.post("", still), server.post("", without)

    assert (refused.status, refused.keys) == (422, ["reference-not-found"])
    assert done.status == OK, done.body
    assert server.get(f"/{agenda}").json["comment"] == "sans la salle"
    assert server.get(f"/{agenda}").version == "2"


def test_a_refused_deletion_undoes_its_transaction_and_only_its_entry_of_a_batch(server: Server) -> None:
    at, free = practice(server), location(server)
    made = booked(server, at)
    asked = [entry("DELETE", free), entry("DELETE", at.role)]

    together = server.post("", bundle("transaction", *asked))
    apart = server.post("", bundle("batch", *asked))

    assert (together.status, together.keys) == (REFUSED, ["appointments-to-come"])
    assert made in texts(together)
    assert [one["response"]["status"][:3] for one in apart.json["entry"]] == ["200", "409"]


def run(act: Callable[[], Reply]) -> Reply:
    return act()


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "in a transaction"])
def test_an_agenda_whose_role_changed_hands_is_kept_by_the_time_it_was_booked_for(
    server: Server, alone: bool
) -> None:
    at = practice(server)
    sent = appointment(at, future(9))
    del sent["participant"][1]
    made = declare(server, sent)
    server.put(f"/{at.agenda}", {**server.get(f"/{at.agenda}").json, "actor": [{"reference": at.role}]})
    other = {"reference": practitioner(server)}
    server.put(f"/{at.role}", {**server.get(f"/{at.role}").json, "practitioner": other})

    deletions = bundle("transaction", entry("DELETE", at.agenda))
    reply = delete(server, at.agenda) if alone else server.post("", deletions)

    assert reply.status == REFUSED, reply.body
    assert made in texts(reply)


def test_a_slot_of_an_agenda_that_is_gone_is_not_there(server: Server) -> None:
    at = practice(server)
    slot = free_slots(server, at, future(9))[0]

    delete(server, at.role)

    assert server.get(f"/Slot/{slot['id']}").status == 404


def test_nothing_dangles_when_deletions_meet_new_references(new_server: Callable[..., Server]) -> None:
    """Many rounds: an actor is deleted while a role, an agenda, appointments that name it are being made."""
    server = new_server()
    winners = {"deleted": 0, "kept": 0}
    with ThreadPoolExecutor(6) as pool:
        for number in range(60):
            human = practitioner(server)
            at = Practice(patient(server), human, human, "")
            office = {"resourceType": "PractitionerRole", "practitioner": {"reference": human}}
            made = [
                appointment(at, future(9)),
                appointment(at, future(9) - PAST),
                office,
                schedule(human),
            ]
            acts = [
                partial(server.post, f"/{made[n % 4]['resourceType']}", made[n % 4])
                for n in range(number, number + 1 + number % 3)
            ]
            acts.insert(number % (len(acts) + 1), partial(delete, server, human))
            replies = list(pool.map(run, acts))
            assert {one.status for one in replies} <= {OK, CREATED, REFUSED, 422}, [r.body for r in replies]
            new = [f"{one.json['resourceType']}/{one.id}" for one in replies if one.status == CREATED]
            live = [one for one in new if server.get(f"/{one}").status == OK]
            assert [dangling(server, one) for one in live] == [[] for _ in live]
            winners["kept" if server.get(f"/{human}").status == OK else "deleted"] += 1
    assert min(winners.values()) > 0, winners

    assert server.stop() == 0
    command = [sys.executable, "-m", "creneau", "doctor", "--database", server.database]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def late(server: Server, sent: dict[str, Any], seconds: float) -> Reply:
    time.sleep(seconds)
    return server.post("/Appointment", sent)


def test_an_agenda_that_is_gone_has_no_appointment_to_come(new_server: Callable[..., Server]) -> None:
    """Many rounds: the agenda is deleted while one of its slots is being booked; one of both is refused."""
    server = new_server()
    gone = 0
    with ThreadPoolExecutor(2) as pool:
        for number in range(40):
            at = practice(server)
            slot = {"reference": f"Slot/{free_slots(server, at, future(9))[0]['id']}"}
            sent = appointment(at, status="booked", slot=[slot])
            head_start = number % 8 * 0.005  # else bookings, quicker to decide, may win every round
            acts = [partial(delete, server, at.agenda), partial(late, server, sent, head_start)]
            list(pool.map(run, acts if number % 2 else acts[::-1]))
            deleted = server.get(f"/{at.agenda}").status == GONE
            gone += deleted
            assert server.get(where(sent)).json["total"] == (0 if deleted else 1)
    assert 0 < gone < 40
