"""Flows 2b and 3a to 3c over booked appointments, over real sockets: the edit succeeds and says which appointments it closes over."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.client import CREATED, OK, Reply, Server
from tests.people import (
    appointment,
    declare,
    duration,
    free_slots,
    future,
    opening,
    practice,
    role,
    schedule,
)

MORNING = [opening(future(8, days=day), future(12, days=day)) for day in range(1, 21)]


def edit(server: Server, agenda: str, **more: Any) -> Reply:
    """PUT of the agenda, its warnings asked for."""
    sent = {**server.get(f"/{agenda}").json, **more}
    return server.put(f"/{agenda}", sent, Prefer="return=OperationOutcome", Accept_Language="en")


def mornings() -> dict[str, Any]:
    return {"extension": [*MORNING, duration(15)]}


def outside(reply: Reply) -> list[str]:
    """The appointments that the answer names."""
    assert reply.status == OK, reply.body
    return [
        found[0]
        for one in reply.json["issue"]
        if one["details"]["coding"][0]["code"] == "appointment-outside"
        and (found := re.findall(r"Appointment/[^,]+", one["details"]["text"]))
    ]


def test_an_edit_names_the_appointments_it_closes_over_and_keeps_them(server: Server) -> None:
    at = practice(server)
    kept = declare(server, appointment(at, future(9)))
    lost = declare(server, appointment(at, future(14)))

    reply = edit(server, at.agenda, **mornings())

    assert (reply.status, reply.version) == (OK, "2")
    assert outside(reply) == [lost]
    assert kept not in reply.body.decode()
    issues = [one for one in reply.json["issue"] if "outside" in one["details"]["coding"][0]["code"]]
    assert [one["details"]["coding"][0]["code"] for one in issues] == [
        "appointments-outside",
        "appointment-outside",
    ]
    assert {(one["severity"], one["expression"][0]) for one in issues} == {("warning", "Schedule")}
    local = future(14).strftime("%Y-%m-%dT15:00:00+01:00"), future(14).strftime("%Y-%m-%dT16:00:00+02:00")
    assert any(moment in issues[1]["details"]["text"] for moment in local)
    assert f"appointment-outside: {lost}" in reply.headers["warning"]
    assert server.get(f"/{lost}").json["status"] == "booked"


@pytest.mark.parametrize(
    "change",
    [
        {"active": False},
        {"planningHorizon": {"start": "2020-01-01", "end": "2020-12-31"}},
        {"extension": [duration(15)]},
    ],
    ids=["inactive", "horizon", "no range left"],
)
def test_whatever_closes_the_agenda_is_told(server: Server, change: dict[str, Any]) -> None:
    at = practice(server)
    made = declare(server, appointment(at, future(9), status="proposed"))

    assert outside(edit(server, at.agenda, **change)) == [made]
    assert outside(edit(server, at.agenda, comment="fermé")) == []


def test_a_patch_tells_it_too(server: Server) -> None:
    at = practice(server)
    made = declare(server, appointment(at, future(9)))

    reply = server.call(
        "PATCH",
        f"/{at.agenda}",
        b'[{"op": "replace", "path": "/active", "value": false}]',
        Content_Type="application/json-patch+json",
    )

    assert reply.status == OK
    assert f"appointment-outside: {made}" in reply.headers["warning"]


def test_what_was_outside_before_is_over_or_is_cancelled_is_not_told(server: Server) -> None:
    at = practice(server, openings=MORNING)
    declare(server, appointment(at, future(14)))
    declare(server, appointment(at, future(9) - timedelta(days=30)))
    cancelled = declare(server, appointment(at, future(9)))
    server.put(f"/{cancelled}", {**server.get(f"/{cancelled}").json, "status": "cancelled"})

    assert outside(edit(server, at.agenda, active=False)) == []


def test_an_edit_that_opens_more_or_changes_no_rule_tells_nothing(server: Server) -> None:
    at = practice(server, openings=MORNING)
    declare(server, appointment(at, future(9)))
    more = [opening(future(8, days=day), future(18, days=day)) for day in range(1, 21)]

    assert outside(edit(server, at.agenda, comment="1er étage")) == []
    assert outside(edit(server, at.agenda, extension=[*more, duration(20)])) == []


def test_an_appointment_in_the_other_agenda_of_the_human_is_not_told(server: Server) -> None:
    at = practice(server)
    other = role(server, at.practitioner)
    second = declare(server, schedule(other, at.practitioner))
    slot = free_slots(server, at, future(14))[0]
    made = declare(server, appointment(at, slot=[{"reference": f"Slot/{slot['id']}"}]))

    assert outside(edit(server, second, **mornings())) == []
    assert outside(edit(server, at.agenda, **mornings())) == [made]


def test_ten_are_named_and_all_are_counted(server: Server) -> None:
    at = practice(server)
    for number in range(12):
        sent = appointment(at, future(13) + timedelta(minutes=15 * number))
        assert server.post("/Appointment", sent).status == CREATED

    reply = edit(server, at.agenda, **mornings())

    assert len(outside(reply)) == 10
    assert "12 appointment(s)" in reply.json["issue"][0]["details"]["text"]
