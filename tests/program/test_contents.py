"""What `creneau doctor` asks of a database for its resources: a few questions for a lot of them; what is odd in one keeps no other from being looked at."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from tests.databases import created
from tests.store.cluster import Cluster

from creneau import wiring
from creneau.commands import contents, examination
from creneau.config import Settings
from creneau.flows.world import World
from creneau.store.contract import Plan, Put
from creneau.store.memory import MemoryStore
from creneau.store.postgres_connections import Connections


def patients(*identifiers: object) -> Plan:
    """Patients of whom nothing is claimed, whatever identifiers they say they have."""
    puts = []
    for number, value in enumerate(identifiers):
        id_ = f"p{number}"
        said: dict[str, Any] = {"resourceType": "Patient", "id": id_, "meta": {"versionId": "1"}}
        body = json.dumps(said | {"identifier": [{"system": "urn:x", "value": value}]}).encode()
        puts.append(Put("Patient", id_, 1, 0, "create", body))
    return Plan(tuple(puts), 0)


async def lines(world: World) -> list[str]:
    return [line async for lot in contents.lots(world.store) for line in await contents.wrong(world, lot)]


def test_lots_hold_every_resource_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "LOT", 3)
    store = MemoryStore()

    async def read() -> list[list[str]]:
        await store.commit(patients(*"abcdefg"))
        return [[one.id for one in lot] async for lot in contents.lots(store)]

    made = asyncio.run(read())

    assert [len(lot) for lot in made] == [3, 3, 1]
    assert sorted(id_ for lot in made for id_ in lot) == [f"p{n}" for n in range(7)]


@pytest.mark.parametrize("kind", ["memory", "postgres"])
def test_an_odd_identifier_keeps_no_other_resource_from_being_looked_at(
    kind: str, request: pytest.FixtureRequest
) -> None:
    database = "memory:" if kind == "memory" else created(request.getfixturevalue("cluster"))

    async def said() -> list[str]:
        settings = Settings(database=database)
        store = await wiring.open_store(settings)
        await store.commit(patients("a", ["no text"], 7, "b"))
        found = await lines(wiring.world(settings, store))
        await store.close()
        return found

    found = asyncio.run(said())

    assert {"Patient/p0", "Patient/p3"} == {
        line.partition(":")[0] for line in found if "is held by nobody" in line and "/p2" not in line
    }
    assert any(line.startswith("Patient/p1: its content cannot be examined") for line in found)
    assert any(line.startswith("Patient/p2: ") for line in found)


def test_questions_to_postgresql_do_not_grow_with_the_resources(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    rows, settings = Connections.rows, Settings(database=created(cluster))

    async def counted(self: Connections, statement: str, *args: Any) -> Any:
        asked.append(statement)
        return await rows(self, statement, *args)

    async def examined() -> int:
        store = await wiring.open_store(settings)
        await store.commit(patients(*map(str, range(400))))
        monkeypatch.setattr(Connections, "rows", counted)
        found, _ = await examination.examine(wiring.world(settings, store))
        await store.close()
        return len(found)

    assert asyncio.run(examined()) >= 400
    assert len(asked) < 20
