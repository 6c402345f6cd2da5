"""A page of free slots of very many agendas is the page of all of them, although most are not read (docs/decisions/0012)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client import OK, Server
from tests.people import duration, future, instant, opening

from creneau import config, wiring
from creneau.flows import f4_f5_consultation, foremost, interactions
from creneau.flows.world import World
from creneau.problems import Taken
from creneau.store.memory import MemoryStore


def hours(day: int, hour: int, lasts: int) -> dict[str, Any]:
    start = future(0, days=day) + timedelta(hours=hour)
    return opening(start, start + timedelta(hours=lasts))


def agenda(number: int, openings: list[dict[str, Any]], actor: str) -> dict[str, Any]:
    return {
        "resourceType": "Schedule",
        "identifier": [{"system": "https://creneau.example/nombreux", "value": str(number)}],
        "active": True,
        "extension": [*openings, duration(30)],
        "actor": [{"reference": actor}],
    }


OPENINGS = st.lists(st.tuples(st.integers(1, 3), st.integers(6, 20), st.integers(1, 4)), max_size=2)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if ten agendas were very many."""
    monkeypatch.setattr(f4_f5_consultation, "MANY", 3)
    monkeypatch.setattr(foremost, "BATCH", 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(OPENINGS, min_size=4, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(1, 3), st.integers(12, 40)), max_size=12),
    st.integers(1, 7),
    st.integers(0, 30),
)
def pages_are_those_of_all(
    rules: list[list[tuple[int, int, int]]], booked: list[tuple[int, int, int]], size: int, hour: int
) -> None:
    with asyncio.Runner() as runner:
        runner.run(_compare(rules, booked, size, hour))


async def _compare(
    rules: list[list[tuple[int, int, int]]], booked: list[tuple[int, int, int]], size: int, hour: int
) -> None:
    world = wiring.world(config.load(None, {}, {"database": "memory:"}), MemoryStore())
    people = []
    for number, openings in enumerate(rules):
        person = await _made(world, {"resourceType": "Practitioner", "name": [{"family": "X"}]})
        people.append(person)
        await _made(world, agenda(number, [hours(*one) for one in openings], person))
    for who, day, half in booked:
        start = future(0, days=day) + timedelta(minutes=30 * half)
        await _book(world, people[who % len(people)], start)
    low, high = future(0, days=1) + timedelta(hours=hour), future(0, days=5)
    criteria = [("status", "free"), ("start", f"ge{instant(low)}"), ("start", f"lt{instant(high)}")]

    whole = await _pages(world, [*criteria, ("_total", "accurate")], 1_000)
    found = await _pages(world, criteria, size)

    assert found == whole


async def _made(world: World, resource: dict[str, Any]) -> str:
    made = (await interactions.create(world, resource["resourceType"], resource)).stored
    return f"{made.type}/{made.id}"


async def _book(world: World, person: str, start: datetime) -> None:
    sent = {
        "resourceType": "Appointment",
        "status": "booked",
        "start": instant(start),
        "end": instant(start + timedelta(minutes=30)),
        "participant": [{"actor": {"reference": person}, "status": "accepted"}],
    }
    with suppress(Taken):  # drawn twice
        await interactions.create(world, "Appointment", sent)


async def _pages(world: World, criteria: list[tuple[str, str]], size: int) -> list[str]:
    ids: list[str] = []
    after: str | None = None
    while True:
        pairs = [*criteria, ("_count", str(size)), *([("_page", after)] if after else [])]
        found = await interactions.search(world, "Slot", pairs, False)
        ids += [one.id for one in found.entries]
        after = found.next
        if after is None:
            return ids


@pytest.mark.usefixtures("small")
def test_pages_of_many_agendas_joined_are_all_the_slots() -> None:
    pages_are_those_of_all()


def test_over_a_socket_with_more_agendas_than_are_read(new_server: Callable[..., Server]) -> None:
    server, start, agendas = new_server(), future(0, days=3), 4 * foremost.MANY + 40
    entries = []
    for number in range(agendas):
        urn = f"urn:uuid:00000000-0000-4000-8000-{number:012}"
        person = {"resourceType": "Practitioner", "name": [{"family": f"N{number}"}]}
        entries.append(
            {"fullUrl": urn, "resource": person, "request": {"method": "POST", "url": "Practitioner"}}
        )
        open_at = start + timedelta(hours=8 + number % 5, minutes=15 * (number % 3))
        made = agenda(number, [opening(open_at, open_at + timedelta(hours=2))], urn)
        entries.append({"resource": made, "request": {"method": "POST", "url": "Schedule"}})
    for first in range(0, len(entries), 500):
        sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries[first : first + 500]}
        assert server.post("/", sent).status == OK
    query = f"/Slot?status=free&start=ge{instant(start)}&start=lt{instant(start + timedelta(days=1))}"

    whole = server.get(f"{query}&_count=1000&_total=accurate").json
    ids: list[str] = []
    reply = server.get(f"{query}&_count=150")
    while len(ids) < 900:
        assert reply.status == OK
        ids += [one["resource"]["id"] for one in reply.json["entry"]]
        following = next(link["url"] for link in reply.json["link"] if link["relation"] == "next")
        reply = server.get(following.partition("/fhir")[2])

    assert whole["total"] == 4 * agendas
    assert ids == [one["resource"]["id"] for one in whole["entry"]][:900]
    assert "total" not in reply.json
