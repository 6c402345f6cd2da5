"""A step of the PostgreSQL schema that is broken off, by the death of the program or of its connection, leaves the last whole one (REL-30)."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager

import asyncpg
import pytest

from creneau.store.contract import StoreUnavailable
from creneau.store.migrate import Migration, migrations
from creneau.store.postgres import open_postgres
from creneau.store.postgres_connections import connect
from creneau.store.postgres_migrate import migrate
from tests.databases import created

from .made import plan, put

NEXT = len(migrations("postgres")) + 1
NOTE = "ALTER TABLE meta ADD COLUMN note text;"
SLOW = Migration(NEXT, "next.sql", f"{NOTE} SELECT pg_sleep(1.5); UPDATE meta SET note = 'half';")
COLUMN = Migration(NEXT, "next.sql", NOTE)
BROKEN = Migration(NEXT, "next.sql", f"{NOTE} INSERT INTO nowhere VALUES (1);")
KILLED = """
import asyncio, sys
from creneau.store.postgres_connections import connect
from creneau.store.postgres_migrate import migrate
from tests.store.test_migrate_postgres import SLOW, migrations
asyncio.run(migrate(connect(sys.argv[1], most=1, pooled=False), [*migrations("postgres"), SLOW]))
"""
ASLEEP = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


@asynccontextmanager
async def reached(url):
    connections = connect(url, most=2, pooled=False)
    yield connections
    await connections.close()


async def prepared(cluster):
    """A database of this schema with a resource in it."""
    url = await asyncio.to_thread(created, cluster)
    store = await open_postgres(url)
    await store.commit(plan(put("Patient", "p")))
    await store.close()
    return url


async def asleep(watch):
    while (pid := await watch.fetchval(ASLEEP)) is None:
        await asyncio.sleep(0.01)
    return pid


async def left(url):
    """What is there after the break, and what the next program then makes of it."""
    async with reached(url) as connections:
        applied = await migrate(connections, [*migrations("postgres"), COLUMN])
        again = await migrate(connections, [*migrations("postgres"), COLUMN])
        notes = [row["note"] for row in await connections.rows("SELECT note FROM meta")]
        kept = await connections.row("SELECT count(*) FROM resource")
    return applied, again, set(notes) <= {None}, kept[0]


RESUMED = (["next.sql"], [], True, 1)


def test_the_steps_are_numbered_from_one_without_gap():
    assert [step.number for step in migrations("postgres")] == list(range(1, NEXT))


def test_a_program_killed_in_a_step_leaves_the_last_whole_one_and_the_next_resumes(cluster, run):
    async def broken():
        url = await prepared(cluster)
        program = subprocess.Popen([sys.executable, "-c", KILLED, url], env=os.environ)
        watch = await asyncpg.connect(url)
        await asleep(watch)
        program.send_signal(signal.SIGKILL)
        await asyncio.to_thread(program.wait)
        schema = await watch.fetchval("SELECT max(version) FROM schema_version")
        await watch.close()
        return program.returncode, schema, await left(url)

    assert run(broken()) == (-signal.SIGKILL, NEXT - 1, RESUMED)


def test_a_connection_ended_in_a_step_leaves_the_last_whole_one_and_the_next_resumes(cluster, run):
    async def broken():
        url = await prepared(cluster)
        watch = await asyncpg.connect(url)
        async with reached(url) as connections:
            step = asyncio.create_task(migrate(connections, [*migrations("postgres"), SLOW]))
            await watch.execute("SELECT pg_terminate_backend($1)", await asleep(watch))
            with pytest.raises(StoreUnavailable):
                await step
        schema = await watch.fetchval("SELECT max(version) FROM schema_version")
        await watch.close()
        return schema, await left(url)

    assert run(broken()) == (NEXT - 1, RESUMED)


def test_a_step_that_fails_leaves_the_last_whole_one(cluster, run):
    async def broken():
        url = await prepared(cluster)
        async with reached(url) as connections:
            with pytest.raises(asyncpg.UndefinedTableError):
                await migrate(connections, [*migrations("postgres"), BROKEN])
        return await left(url)

    assert run(broken()) == RESUMED


def test_an_earlier_program_on_a_later_schema_is_refused_by_name_and_one_that_runs_goes_on(cluster, run):
    async def beside():
        url = await prepared(cluster)
        earlier = await open_postgres(url)
        async with reached(url) as connections:
            await migrate(connections, [*migrations("postgres"), COLUMN])
        await earlier.commit(plan(put("Patient", "q")))
        found = await earlier.get("Patient", "q")
        await earlier.close()
        with pytest.raises(Exception, match=f"schema {NEXT}.*up to {NEXT - 1}.*newer creneau"):
            await open_postgres(url)
        return found.version

    assert run(beside()) == 1
