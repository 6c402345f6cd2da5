"""Reads from replicas: a client reads what was written, whichever worker answers, whatever the replica does (REL-06, read-your-writes).

A real streaming standby. The negative controls show that it does serve stale data when it is not asked how far it is.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

import asyncpg
import pytest

from creneau.store import postgres_replicas
from creneau.store.postgres import PostgresStore, open_postgres
from creneau.store.postgres_replicas import open_replicas
from tests.client import CREATED, OK, Server
from tests.databases import created
from tests.people import appointment, free_slots, future, instant, patient, practice

from .cluster import Cluster, NoServer
from .made import plan, put
from .standby import Standby, value

ROUNDS = 60
REPLAYED = "SELECT pg_last_wal_replay_lsn() - '0/0' >= {}"


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    try:
        started = Cluster()
    except NoServer as missing:
        pytest.skip(str(missing))
    yield started
    started.close()


@pytest.fixture(scope="module")
def replica(primary: Cluster) -> Iterator[Standby]:
    started = Standby(primary)
    yield started
    started.close()


@pytest.fixture
def urls(primary: Cluster, replica: Standby) -> Iterator[tuple[str, str]]:
    """A new database, which the replica has too; its replay goes on afterwards."""
    url = created(primary)
    caught_up(primary, replica)
    yield url, url.replace(str(primary.folder), str(replica.folder))
    replica.resume()


@pytest.fixture
def served(urls: tuple[str, str], new_server: Callable[..., Server]) -> Server:
    server = new_server("--workers", "2", "--read-database", urls[1], database=urls[0])
    until(lambda: said(server, "read database 1: read from") == 2)
    return server


def caught_up(primary: Cluster, replica: Standby) -> None:
    replica.until(REPLAYED.format(asyncio.run(value(primary.url, "SELECT pg_current_wal_lsn()"))))


def said(server: Server, words: str) -> int:
    assert server.log is not None
    return server.log.read_text().count(words)


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.05)


def reads(server: Server) -> dict[str, float]:
    """Requests whose reads began on the replica, on the primary."""
    page = server.call("GET", "/metrics", base="").body.decode()
    found = re.findall(r'creneau_reads_total\{from="(\w+)",worker="\d"\} (\S+)', page)
    return {
        place: sum(float(count) for one, count in found if one == place) for place in ("replica", "primary")
    }


def stale(server: Server, rounds: int = ROUNDS) -> int:
    """How many of so many reads, each right after a write, do not show it; whichever worker answers."""
    who, wrong = patient(server), 0
    for turn in range(2, rounds + 2):
        body = {
            "resourceType": "Patient",
            "id": who.partition("/")[2],
            "name": [{"family": f"Martin{turn}"}],
        }
        assert server.put(f"/{who}", body).status == OK
        read = server.get(f"/{who}").version
        found = server.get(f"/Patient?_id={body['id']}&family=Martin{turn}").json
        wrong += int(read) < turn or len(found.get("entry", ())) != 1
    return wrong


Work = Callable[[PostgresStore], Awaitable[object]]


async def on_replicas(urls: tuple[str, str], work: Work) -> object:
    store = await open_postgres(urls[0])
    try:
        store.replicas = await open_replicas([urls[1]], store.connections, most=3, say=lambda _: None)
        for _ in range(100):  # its tables reach the replica
            if store.replicas.figures()[2]:
                break
            await asyncio.sleep(0.05)
        return await work(store)
    finally:
        await store.close()


async def read_after_write(store: PostgresStore) -> object:
    """Whether what was just committed is seen by a reading request."""
    await store.commit(plan(put("Patient", "zoe")))
    await asyncio.sleep(0.2)
    seen = store.reading()
    assert seen is not None and store.replicas is not None
    found = await seen.get("Patient", "zoe")
    return found is not None, store.replicas.figures()[0]


def test_a_replica_that_stands_still_is_not_read_from(urls, replica):
    asyncio.run(on_replicas(urls, read_after_write))
    replica.pause()

    async def update(store: PostgresStore) -> object:
        await store.commit(plan(put("Patient", "zoe", 2)))
        seen = store.reading()
        assert seen is not None
        found = await seen.get("Patient", "zoe")
        again = await seen.get("Patient", "zoe")
        return found and found.version, again and again.version

    assert asyncio.run(on_replicas(urls, update)) == (2, 2)


def test_without_the_check_of_positions_the_same_read_is_stale(urls, replica, monkeypatch):
    """The negative control."""
    asyncio.run(on_replicas(urls, read_after_write))
    replica.pause()
    unchecked = "SELECT 0::bigint, left(pg_walfile_name(pg_current_wal_flush_lsn()), 8)"
    monkeypatch.setattr(postgres_replicas, "POSITION", unchecked)

    async def update(store: PostgresStore) -> object:
        await store.commit(plan(put("Patient", "zoe", 2)))
        seen = store.reading()
        assert seen is not None
        found = await seen.get("Patient", "zoe")
        return found and found.version

    assert asyncio.run(on_replicas(urls, update)) == 1


def test_a_replica_that_has_replayed_answers(urls):
    assert asyncio.run(on_replicas(urls, read_after_write)) == (True, 1)


def test_a_statement_that_checks_its_own_position_may_have_looked_too_early(urls, primary, replica):
    """Why the check is a statement of its own: this one finds the position reached, and does not show what was written before it."""
    url, standby = urls
    late = """
    WITH later AS MATERIALIZED (SELECT pg_sleep(1))
    SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn, (SELECT count(*) FROM seen) FROM later
    """

    async def race() -> object:
        writing, reading = await asyncpg.connect(url), await asyncpg.connect(standby)
        await writing.execute("CREATE TABLE seen AS SELECT 1 AS one")
        await asyncio.sleep(0.5)
        await reading.execute("SELECT pg_wal_replay_pause()")
        await asyncio.sleep(0.2)
        await writing.execute("INSERT INTO seen VALUES (2)")
        needed = await writing.fetchval("SELECT pg_current_wal_flush_lsn()::text")
        asked = asyncio.create_task(reading.fetchrow(late, needed))
        await asyncio.sleep(0.3)
        other = await asyncpg.connect(standby)
        await other.execute("SELECT pg_wal_replay_resume()")
        answer = tuple(await asked)
        for one in (writing, reading, other):
            await one.close()
        return answer

    assert asyncio.run(race()) == (True, 1)


def test_what_is_written_is_read_at_once_by_either_worker(served):
    assert stale(served) == 0
    assert reads(served)["replica"] > ROUNDS / 2, reads(served)


def test_what_is_written_is_read_at_once_while_the_replica_stands_still(served, replica):
    replica.pause()

    assert stale(served, 20) == 0
    assert reads(served)["primary"] >= 20


def test_a_slot_is_offered_no_more_once_it_is_booked(served):
    at = practice(served)
    for minute in range(0, 240, 15):
        start = future(8 + minute // 60, minute % 60)

        assert served.post("/Appointment", appointment(at, start)).status == CREATED
        offered = free_slots(served, at, start, 1)

        assert all(slot["start"] != instant(start) for slot in offered)
    assert reads(served)["replica"] > 4


def test_a_replica_that_stops_is_replaced_by_the_primary_until_it_is_back(served, replica):
    replica.stop("immediate")
    try:
        assert stale(served, 10) == 0
        assert said(served, "read database 1: not read from: it does not answer") >= 1
    finally:
        replica.start()
    known = reads(served)["replica"]

    until(lambda: stale(served, 2) == 0 and reads(served)["replica"] > known)

    assert not said(served, "Traceback")


def test_a_database_of_another_cluster_is_no_replica(urls, cluster, new_server):
    server = new_server("--read-database", created(cluster), database=urls[0])

    assert said(server, "read database 1: not read from: it is of another cluster or database") == 1
    assert stale(server, 3) == 0


def test_the_password_of_a_replica_is_not_printed(tmp_path):
    file = tmp_path / "creneau.toml"
    file.write_text(
        'database = "postgresql://a:secret1@h/n"\n'
        'read_database = ["postgresql://a:secret2@h:1,i:2/n", "postgresql://h/n?password=secret3"]\n'
    )
    command = [sys.executable, "-m", "creneau", "check", "--config", str(file)]

    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "200"}
    )

    assert "secret" not in done.stdout and "h:1,i:2" in done.stdout


def test_a_replica_that_was_promoted_is_not_read_from(primary, urls, new_server):
    """Last, with a standby of its own: it is written to by others afterwards."""
    promoted = Standby(primary)
    try:
        caught_up(primary, promoted)
        url = urls[0].replace(str(primary.folder), str(promoted.folder))
        server = new_server("--workers", "2", "--read-database", url, database=urls[0])
        until(lambda: said(server, "read database 1: read from") == 2)
        who = patient(server)
        search = f"/Patient?_id={who.partition('/')[2]}"
        until(lambda: len(server.get(search).json["entry"]) == 1 and reads(server)["replica"] > 0)

        promoted.asked("SELECT pg_promote()")
        asyncio.run(value(url, f"DELETE FROM resource WHERE id = '{who.partition('/')[2]}' RETURNING id"))
        time.sleep(postgres_replicas.AGAIN)
        found = [len(server.get(search).json.get("entry", ())) for _ in range(20)]

        assert found == [1] * 20
        assert stale(server, 10) == 0
        assert said(server, "read database 1: not read from: it is no replica (any more)") >= 1
    finally:
        promoted.close()
