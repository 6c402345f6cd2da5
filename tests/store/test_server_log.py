"""SEC-41: with the settings that docs/operations.md advises nothing of a patient reaches PostgreSQL's own log, whatever goes wrong; without them it does."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import asyncpg
import pytest

from creneau.store import copying_postgres
from creneau.store.contract import Claim, StoreUnavailable
from creneau.store.copying import IDENTIFIER, NotCopied
from creneau.store.postgres import open_postgres
from creneau.store.postgres_settings import QUIET, warnings
from tests.client import CREATED
from tests.databases import created
from tests.people import appointment, future, practice, where

from .made import plan, put

LOUD = {
    "log_statement": "all",
    "log_error_verbosity": "default",
    "log_min_error_statement": "error",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "-1",
}
BACKWARDS = "INSERT INTO taken VALUES ('t', $1, 2, 'a', 0, 1, '', '', NULL, 1, 1)"
IDENTIFIED = "INSERT INTO identifier VALUES ('t', 'Patient', 'urn:s', $1, 'p')"


async def with_settings(url, settings):
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT current_database()")
    for setting, value in settings.items():
        await connection.execute(f"ALTER DATABASE {name} SET {setting} = '{value}'")
    await connection.close()


def quiet(settings):
    return {one.name: one.good[0] for one in QUIET if "." not in one.name} | settings


async def provoke(url, nir):
    """What a server of ours could ever make PostgreSQL say, with a patient's number in it."""
    store = await open_postgres(url, tenant="t")
    await store.commit(plan(put("Patient", "p", claims=frozenset({Claim("urn:s", nir)}))))
    call, together = store.connections.call, store.connections.together

    async def late(connection):
        await connection.execute("SET LOCAL statement_timeout = '30ms'")
        await connection.fetchval("SELECT $1::text FROM pg_sleep(1)", nir)

    async def copied_twice(connection):
        end = copying_postgres.PostgresEnd(connection, "t")
        await end.add(IDENTIFIER, [("Patient", "p", "urn:s", nir)])

    for kind, failing in [
        (asyncpg.UniqueViolationError, call(IDENTIFIED, nir)),
        (asyncpg.CheckViolationError, call(BACKWARDS, nir)),
        (asyncpg.DataError, call("SELECT $1::text::jsonb", f"{nir} x")),
        (asyncpg.ProgramLimitExceededError, call(IDENTIFIED, f"{nir} {random_text()}")),
        (StoreUnavailable, together(late)),
        (NotCopied, together(copied_twice)),
    ]:
        with pytest.raises(kind):
            await failing
    await deadlock(url, nir)
    await store.close()


def random_text():
    """Too long for a key, and not to be compressed."""
    return "".join(uuid4().hex for _ in range(300))


async def deadlock(url, nir):
    """Two transactions that lock two rows in opposite orders."""
    one, other = [await asyncpg.connect(url) for _ in range(2)]
    change = "UPDATE identifier SET id = $1 WHERE tenant = 't' AND value = $2"
    await one.execute(IDENTIFIED, f"{nir}2")
    for connection in (one, other):
        await connection.execute("SET deadlock_timeout = '10ms'")
        await connection.execute("BEGIN")
    await one.execute(change, nir, nir)
    await other.execute(change, nir, f"{nir}2")
    met = await asyncio.gather(
        one.execute(change, nir, f"{nir}2"), other.execute(change, nir, nir), return_exceptions=True
    )
    assert any(isinstance(each, asyncpg.DeadlockDetectedError) for each in met)
    for connection in (one, other):
        connection.terminate()


def log_of(cluster):
    return (cluster.folder / "log").read_text("utf-8", "replace")


@pytest.mark.parametrize(
    "settings", [quiet({}), quiet({"log_min_duration_statement": "0"})], ids=["advised", "timed"]
)
def test_with_the_advised_settings_no_error_leaves_data_in_the_log(cluster, run, settings):
    url, nir = created(cluster), f"1{uuid4().int % 10**14:014}"
    run(with_settings(url, settings))

    run(provoke(url, nir))

    log = log_of(cluster)
    assert "deadlock detected" in log and "duplicate key value" in log
    assert nir not in log


@pytest.mark.parametrize("setting", ["log_error_verbosity", "log_statement"])
def test_with_one_setting_otherwise_it_does_and_the_setting_is_warned_of(cluster, run, setting):
    """The control: the same errors, and the data are in the log."""
    url, nir = created(cluster), f"1{uuid4().int % 10**14:014}"
    otherwise = dict(LOUD) if setting == "log_statement" else {setting: LOUD[setting]}
    run(with_settings(url, quiet(otherwise)))

    run(provoke(url, nir))

    async def warned():
        store = await open_postgres(url)
        said = await warnings(store.connections)
        await store.close()
        return [line.split()[1] for line in said]

    assert nir in log_of(cluster)
    assert run(warned()) == sorted(otherwise, key=[one.name for one in QUIET].index)


def test_nothing_of_a_day_with_rivals_is_in_the_log(cluster, run, new_server):
    url, nir = created(cluster), f"1{uuid4().int % 10**14:014}"
    run(with_settings(url, quiet({"log_min_duration_statement": "0"})))
    server = new_server(database=url)
    at = practice(server)
    sent = [appointment(at, future(9), description=f"{nir} {n}") for n in range(8)]
    for one in sent[:4]:
        one["identifier"][0]["value"] = nir

    with ThreadPoolExecutor(8) as rivals:
        statuses = list(rivals.map(lambda one: server.put(where(one), one).status, sent))

    assert CREATED in statuses and max(statuses) < 500
    assert len(set(statuses)) > 1
    assert server.get(f"/Appointment?identifier={nir}").json["total"] <= 1
    assert nir not in log_of(cluster)
