"""$availability, $explain and $earliest over real sockets: what the rules open, why a time is offered or not, the first slots of each."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

from tests.client import CREATED, OK, Reply, Server
from tests.people import appointment, declare, future, instant, opening, practice, practitioner, schedule


def intervals(reply: Reply) -> list[dict[str, Any]]:
    """The intervals of a $availability, each part by its name."""
    found = []
    for parameter in reply.json["parameter"]:
        parts = {
            part["name"]: next(value for key, value in part.items() if key != "name")
            for part in parameter["part"]
        }
        found.append(parts)
    return found


def day(server: Server) -> Any:
    """A practice open from 8 to 18 with a closure from 12 to 14, an appointment at 9 and a request at 10."""
    rules = [opening(future(8), future(18)), opening(future(12), future(14), "busy-unavailable")]
    at = practice(server, openings=rules)
    assert server.post("/Appointment", appointment(at, future(9))).status == CREATED
    assert server.post("/Appointment", appointment(at, future(10), status="proposed")).status == CREATED
    return at


def test_the_availability_of_a_day_tells_open_closed_and_taken_time_each_with_its_reason(
    server: Server,
) -> None:
    at = day(server)

    reply = server.get(f"/{at.agenda}/$availability?start={instant(future(7))}&end={instant(future(19))}")

    assert reply.status == OK, reply.body
    told = intervals(reply)
    assert [one["state"] for one in told] == [
        "busy-unavailable",
        "free",
        "busy",
        "free",
        "busy-tentative",
        "free",
        "busy-unavailable",
        "free",
        "busy-unavailable",
    ]
    assert [one.get("expression") for one in told[5:8]] == [
        "Schedule.extension[0]",
        "Schedule.extension[1]",
        "Schedule.extension[0]",
    ]
    assert all(one["end"] == following["start"] for one, following in pairwise(told))
    assert "rendez-vous" in told[2]["reason"] and "rule" not in told[2]
    assert at.patient.encode() not in reply.body


def test_rules_can_be_tried_before_they_are_sent(server: Server) -> None:
    human = practitioner(server)
    tried = schedule(human, openings=[opening(future(8), future(9))])
    before = server.get("/Schedule?_count=0").json["total"]

    reply = server.post(
        f"/Schedule/$availability?start={instant(future(7))}&end={instant(future(10))}", tried
    )

    assert reply.status == OK, reply.body
    assert [one["state"] for one in intervals(reply)] == ["busy-unavailable", "free", "busy-unavailable"]
    assert server.get("/Schedule?_count=0").json["total"] == before


def test_an_availability_without_bounds_or_over_too_long_is_refused(server: Server) -> None:
    at = practice(server)

    without = server.get(f"/{at.agenda}/$availability?start={instant(future(7))}")
    backwards = server.get(f"/{at.agenda}/$availability?start=2026-02-02&end=2026-01-01")
    long = server.get(f"/{at.agenda}/$availability?start=2026-01-01&end=2028-01-01")
    unknown = server.get("/Schedule/none/$availability?start=2026-01-01&end=2026-01-02")

    assert [one.status for one in (without, backwards, long, unknown)] == [400, 400, 422, 404]


def explained(server: Server, at: Any, moment: datetime, **more: str) -> tuple[str, list[dict[str, Any]]]:
    query = f"schedule={at.agenda}&start={instant(moment)}" + "".join(f"&{k}={v}" for k, v in more.items())
    reply = server.get(f"/Slot/$explain?{query}", Accept_Language="en")
    assert reply.status == OK, reply.body
    steps = [
        {part["name"]: next(value for key, value in part.items() if key != "name") for part in one["part"]}
        for one in reply.json["parameter"]
        if one["name"] == "step"
    ]
    return reply.json["parameter"][0]["valueCode"], steps


def test_explain_says_what_the_search_says_and_which_rule_did_it(server: Server) -> None:
    at = day(server)

    free, why_free = explained(server, at, future(11))
    closed, why_closed = explained(server, at, future(13))
    taken, why_taken = explained(server, at, future(9, 5))
    night, why_night = explained(server, at, future(20))

    assert (free, closed, taken, night) == ("free", "busy-unavailable", "busy", "busy-unavailable")
    assert [one["effect"] for one in why_free] == ["kept", "none", "kept"]
    assert [(one["effect"], one.get("expression")) for one in why_closed[:2]] == [
        ("none", "Schedule.extension[0]"),
        ("removed", "Schedule.extension[1]"),
    ]
    assert "prevails" in why_closed[0]["text"]
    assert any(at.practitioner in one["text"] for one in why_taken)
    assert {one["effect"] for one in why_night} == {"none", "removed"}


def test_explain_says_when_the_service_is_not_offered(server: Server) -> None:
    at = day(server)

    _, steps = explained(server, at, future(11), service="https://editor.example/services|surgery")

    assert any("does not offer this service" in one["text"] for one in steps)


def test_explain_wants_an_agenda_and_an_instant(server: Server) -> None:
    at = practice(server)

    replies = [
        server.get("/Slot/$explain"),
        server.get(f"/Slot/$explain?schedule={at.agenda}&start=tomorrow"),
        server.get("/Slot/$explain?schedule=Schedule/none&start=2026-01-01T10:00:00Z"),
    ]

    assert [one.status for one in replies] == [400, 400, 404]


def test_the_earliest_slots_of_each_professional_come_in_one_call(server: Server) -> None:
    several = [practice(server) for _ in range(3)]
    server.post("/Appointment", appointment(several[0], future(9)))
    agendas = ",".join(one.agenda for one in several)

    reply = server.get(f"/Slot/$earliest?schedule={agendas}&status=free&start=ge{instant(future(9))}&n=2")

    assert reply.status == OK, reply.body
    found: dict[str, list[str]] = {}
    for entry in reply.json["entry"]:
        found.setdefault(entry["resource"]["schedule"]["reference"], []).append(entry["resource"]["start"])
    starts = {agenda: [datetime.fromisoformat(start) for start in found[agenda]] for agenda in found}
    assert starts[several[0].agenda] == [future(9, 15), future(9, 30)]
    assert starts[several[1].agenda] == starts[several[2].agenda] == [future(9), future(9, 15)]


def test_the_number_of_earliest_slots_is_bounded(server: Server) -> None:
    assert [
        server.get(f"/Slot/$earliest?n={n}").status for n in ("0", "51", "x", "00019999", "1" * 5_000)
    ] == [400] * 5


def test_the_agenda_of_a_role_tried_with_an_unknown_actor_is_still_told(server: Server) -> None:
    tried = schedule("Practitioner/unknown", openings=[opening(future(8), future(9))])

    reply = server.post(
        f"/Schedule/$availability?start={instant(future(7))}&end={instant(future(10))}", tried
    )

    assert reply.status == OK, reply.body
    assert declare(server, schedule(practitioner(server))).startswith("Schedule/")
