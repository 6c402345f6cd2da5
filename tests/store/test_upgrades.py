"""A database of every earlier schema, with a past in it, is brought up by this version and goes on (REL-30); on both stores."""

from __future__ import annotations

import sqlite3
from itertools import pairwise

import asyncpg
import pytest

from creneau.store import inspect, postgres_inspect, postgres_reindex, postgres_schema, reindex
from creneau.store.contract import AlreadyClaimed, AlreadyTaken
from creneau.store.migrate import migrate, migrations
from creneau.store.postgres import open_postgres
from creneau.store.postgres_connections import connect
from creneau.store.postgres_migrate import migrate as migrate_postgres
from creneau.store.sqlite import open_sqlite
from tests.databases import created

from .made import DOCTOR, appointment, at, body, plan, put, take
from .test_doctor import extract, indexed

EARLIER = [
    *(("sqlite", known) for known in range(1, len(migrations()) + 1)),
    *(("postgres", known) for known in range(1, len(migrations("postgres")) + 1)),
]
CONTRACTED: dict[str, str] = {}
"""What a step took away from the program of the schema before it: the fact, and since which release no program needs it."""

VERSIONS = [
    ("resource", "Practitioner", "martin", 1, "create"),
    ("resource", "Schedule", "agenda", 1, "create"),
    ("history", "Appointment", "a", 1, "create"),
    ("resource", "Appointment", "a", 2, "update"),
    ("history", "Patient", "gone", 1, "create"),
    ("resource", "Patient", "gone", 2, "delete"),
]


def past(kind):
    """What a program of any schema so far has written, as (table, columns, values)."""
    for table, type_, id_, version, interaction in VERSIONS:
        content = b"" if interaction == "delete" else body(type_, id_, version)
        values = ("default", type_, id_, version, at(0, version), interaction, content)
        yield table, "tenant, type, id, version, updated, interaction, body", values
    yield "identifier", "tenant, type, system, value, id", ("default", "Appointment", "urn:rdv", "1", "a")
    taken = ("default", DOCTOR, at(9), "a", at(10), "", "busy", None, 1, 1)
    columns = "tenant, thing, start, appointment, finish, slot, kind, lapse, capacity, guarded"
    if kind == "postgres":
        yield "thing", "tenant, thing", ("default", DOCTOR)
        yield "taken", f"{columns}, number", (*taken, 0)
    else:
        yield "taken", columns, taken
    yield "owner", "tenant, thing, schedule", ("default", DOCTOR, "agenda")


async def sqlite_of(path, known):
    connection = sqlite3.connect(path, isolation_level=None)
    migrate(connection, migrations()[:known])
    for table, columns, values in past("sqlite"):
        marks = ", ".join("?" * len(values))
        connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", values)
    connection.close()
    store = open_sqlite(path, create=False)
    await reindex.reindex(store, extract, "sum")
    return store


async def postgres_of(url, known):
    connections = connect(url, most=1, pooled=False)
    await migrate_postgres(connections, migrations("postgres")[:known])
    await connections.close()
    connection = await asyncpg.connect(url)
    for table, columns, values in past("postgres"):
        marks = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        await connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", *values)
    await connection.close()
    store = await open_postgres(url, create=False)
    await postgres_reindex.indexed(store, extract, "sum")
    return store


async def ill(store):
    if hasattr(store, "path"):
        return [one async for one in inspect.findings(store, extract, now=at(3))]
    return await postgres_inspect.findings(store, extract, now=at(3))


@pytest.mark.parametrize(("kind", "known"), EARLIER)
def test_what_every_earlier_schema_holds_is_served_and_guarded(kind, known, tmp_path, run, request):
    place = tmp_path / "x.sqlite" if kind == "sqlite" else created(request.getfixturevalue("cluster"))

    async def upgraded():
        store = await (sqlite_of if kind == "sqlite" else postgres_of)(place, known)
        before = await ill(store)
        with pytest.raises(AlreadyTaken):
            await store.commit(plan(indexed(appointment("b", take(at(9, 30), at(10, 30))))))
        with pytest.raises(AlreadyClaimed):
            await store.commit(plan(indexed(appointment("b", claims=("1",)))))
        await store.commit(plan(indexed(appointment("b", take(at(10), at(11)), claims=("2",)))))
        await store.commit(plan(indexed(put("Practitioner", "martin", 2))))
        versions = [(await store.version("Appointment", "a", number)).body for number in (1, 2)]
        gone = (await store.get("Patient", "gone")).deleted
        after = await ill(store)
        await store.close()
        return before, versions, gone, after

    before, versions, gone, after = run(upgraded())

    assert (before, after) == ([], [])
    assert versions == [body("Appointment", "a", 1), body("Appointment", "a", 2)]
    assert gone


def test_a_step_takes_nothing_from_the_program_before_it(cluster, run):
    """Expand, then contract: while hosts are upgraded one by one, the earlier program goes on beside the later schema."""

    url = created(cluster)

    async def by_schema():
        connections = connect(url, most=1, pooled=False)
        made = []
        for known in range(1, len(migrations("postgres")) + 1):
            await migrate_postgres(connections, migrations("postgres")[:known])
            facts = await connections.together(postgres_schema.facts)
            made.append({postgres_schema.plain(fact) for fact in facts})
        await connections.close()
        return made

    for before, after in pairwise(run(by_schema())):
        assert before - after <= set(CONTRACTED)


def test_every_key_and_index_of_postgresql_begins_with_the_tenant():
    keys = [
        fact for fact in postgres_schema.expected() if ": index " in fact and "schema_version" not in fact
    ]

    assert len(keys) >= 15
    assert all("(tenant, " in fact for fact in keys)
