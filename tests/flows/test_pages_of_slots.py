"""Pages of a search of slots, of many agendas: joined they are the whole, whatever is written meanwhile (GAP-CDI-03, decision 0010)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from tests.client import CREATED, OK, Reply, Server
from tests.people import Practice, appointment, future, instant, opening, practice, service_type

FORM = "application/x-www-form-urlencoded"
Slot = dict[str, Any]


def slots(reply: Reply) -> list[Slot]:
    assert reply.status == OK, reply.body
    return [one["resource"] for one in reply.json.get("entry", []) if one["search"]["mode"] == "match"]


def link(reply: Reply, relation: str) -> str:
    found = [one["url"] for one in reply.json["link"] if one["relation"] == relation]
    return str(found[0]).partition("/fhir")[2] if found else ""


def pages(server: Server, query: str) -> Iterator[list[Slot]]:
    """The pages of a search, each asked for when the one before has been looked at."""
    path = f"/Slot?{query}"
    while path:
        reply = server.get(path)
        yield slots(reply)
        path = link(reply, "next")


def key(slot: Slot) -> tuple[datetime, str]:
    return datetime.fromisoformat(slot["start"]), slot["id"]


@pytest.fixture
def several(server: Server) -> list[Practice]:
    """Four practices open two mornings, cells of 15 and of 20 minutes."""
    mornings = [opening(future(8, days=day), future(10, days=day)) for day in (7, 9)]
    return [practice(server, minutes=minutes, openings=mornings) for minutes in (15, 15, 20, 20)]


def everywhere(several: list[Practice]) -> str:
    return f"schedule={','.join(one.agenda for one in several)}&start=ge{instant(future(0, days=6))}"


@pytest.mark.parametrize("count", [1, 7, 1000])
@pytest.mark.parametrize("order", ["", "&_sort=start", "&_sort=-start"])
def test_pages_joined_are_all_slots_in_order(
    server: Server, several: list[Practice], count: int, order: str
) -> None:
    server.post("/Appointment", appointment(several[0], future(8)))

    found = [one for page in pages(server, everywhere(several) + f"&_count={count}{order}") for one in page]

    assert len(found) == 2 * (8 + 8 + 6 + 6)
    assert found == sorted(found, key=key, reverse="-" in order)
    assert sum(one["status"] == "busy" for one in found) == 1


def test_pages_neither_repeat_nor_lose_a_slot_while_others_book(
    server: Server, several: list[Practice]
) -> None:
    query = everywhere(several) + "&status=free&_count=5"
    before = [one for page in pages(server, query) for one in page]
    booked = {before[2]["id"], before[9]["id"], before[30]["id"]}
    places = {one.agenda: one for one in several}

    found: list[Slot] = []
    for number, page in enumerate(pages(server, query)):
        found += page
        if number < 3:
            slot = before[(2, 9, 30)[number]]
            start = datetime.fromisoformat(slot["start"])
            minutes = int((datetime.fromisoformat(slot["end"]) - start).total_seconds()) // 60
            sent = appointment(places[slot["schedule"]["reference"]], start, minutes)
            assert server.post("/Appointment", sent).status == CREATED

    ids = [one["id"] for one in found]
    assert len(ids) == len(set(ids))
    assert {one["id"] for one in before} - booked <= set(ids) <= {one["id"] for one in before}
    assert before[30]["id"] not in ids


def test_pages_of_appointments_are_the_whole_while_others_book(server: Server) -> None:
    at = practice(server)
    made = [server.post("/Appointment", appointment(at, future(9, 15 * n))).id for n in range(4)]
    path = f"/Appointment?actor={at.practitioner}&_count=1&_sort=date"

    found: list[str] = []
    while path:
        reply = server.get(path)
        found += [one["resource"]["id"] for one in reply.json.get("entry", [])]
        path = link(reply, "next")
        if len(found) < 4:
            assert server.post("/Appointment", appointment(at, future(8, 15 * len(found)))).status == CREATED

    assert found == made


def test_without_an_upper_bound_many_agendas_give_a_first_page_and_no_total_unless_asked(
    server: Server, several: list[Practice]
) -> None:
    query = everywhere(several) + "&status=free&_count=3"

    page = server.get(f"/Slot?{query}")
    counted = server.get(f"/Slot?{query}&_total=accurate")
    last = server.get(f"/Slot?{everywhere(several)}&status=free&_count=1000")

    assert len(slots(page)) == 3
    assert link(page, "next")
    assert "total" not in page.json
    assert (counted.json["total"], last.json["total"]) == (56, 56)
    assert server.get(f"/Slot?{query}&_summary=count").json["total"] == 56
    assert "total" not in server.get(f"/Slot?{query}&_total=none&_count=1000").json


def test_the_total_of_few_days_is_said_on_every_page(server: Server, several: list[Practice]) -> None:
    query = everywhere(several) + f"&start=lt{instant(future(0, days=12))}&_count=50"

    first = server.get(f"/Slot?{query}")
    second = server.get(link(first, "next"))

    assert (first.json["total"], second.json["total"]) == (56, 56)
    assert (len(slots(first)), len(slots(second))) == (50, 6)


def test_the_total_counts_what_the_page_shows_whatever_is_asked_of_slots(
    server: Server, several: list[Practice]
) -> None:
    server.post("/Appointment", appointment(several[0], future(8)))
    code = service_type()["coding"][0]
    for more in (
        "status=free",
        "status=busy",
        "status=busy,free",
        f"service-type={code['system']}|{code['code']}",
        "service-type=none",
        f"start=gt{instant(future(9))}",
        f"start=ne{instant(future(9))}",
        f"start={future(9).date()}",
        "status=free&status=busy",
    ):
        path = f"/Slot?{everywhere(several)}&{more}"

        whole, counted = server.get(f"{path}&_count=1000"), server.get(f"{path}&_summary=count")

        assert len(slots(whole)) == whole.json["total"] == counted.json["total"], more
        assert (whole.json["total"] == 0) == (more in ("service-type=none", "status=free&status=busy")), more


def test_a_form_and_an_address_find_the_same_and_strict_refuses_what_is_unknown(
    server: Server, several: list[Practice]
) -> None:
    query = everywhere(several) + "&_count=6&_sort=-start"

    form = server.call("POST", "/Slot/_search", query.encode(), Content_Type=FORM)

    assert slots(form) == slots(server.get(f"/Slot?{query}"))
    assert server.get(f"/Slot?{query}&colour=red", Prefer="handling=strict").status == 400
    assert server.get(f"/Slot?{query}&_sort=status", Prefer="handling=strict").status == 400
    assert len(slots(server.get(f"/Slot?{query}&colour=red"))) == 6


def test_slots_named_by_their_ids_are_found_however_far_apart(
    server: Server, several: list[Practice]
) -> None:
    found = slots(server.get(f"/Slot?{everywhere(several)}&_count=1000"))
    wanted = sorted((found[0], found[-1]), key=key)

    reply = server.get(f"/Slot?_id={wanted[1]['id']},{wanted[0]['id']},none")

    assert slots(reply) == wanted
    assert reply.json["total"] == 2


def test_the_self_link_of_the_earliest_leads_to_the_same(server: Server, several: list[Practice]) -> None:
    reply = server.get(f"/Slot/$earliest?n=2&status=free&{everywhere(several)}")

    here = link(reply, "self")
    assert here.startswith("/Slot/$earliest?")
    assert "n=2" in here
    assert len(slots(reply)) == 8
    assert slots(server.get(here)) == slots(reply)
