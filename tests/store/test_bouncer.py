"""Behind PgBouncer in transaction mode (`database_pooled`): no call counts on the connection of the one before (SCH-03)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.client import CREATED, OK, Reply, Server
from tests.databases import created
from tests.people import appointment, future, patient, practice

from .bouncer import POOL, PORT, bouncer, program
from .cluster import Cluster

CLIENTS = 24


@pytest.fixture(scope="module")
def folder(cluster: Cluster) -> Iterator[Path]:
    """Where PgBouncer listens."""
    if program() is None:
        pytest.skip("PgBouncer is not installed: the package pgbouncer of the system has it")
    with bouncer(cluster) as found:
        yield found


@pytest.fixture
def database(cluster: Cluster, folder: Path) -> str:
    """A new database, through PgBouncer."""
    return created(cluster).replace(str(cluster.folder), f"{folder}&port={PORT}")


def test_of_many_who_want_one_time_one_gets_it_over_fewer_connections_than_they_use(
    database: str, new_server: Callable[..., Server]
) -> None:
    server = new_server("--workers", "2", database=database, CRENEAU_DATABASE_POOLED="true")
    at = practice(server)
    people = [replace(at, patient=patient(server)) for _ in range(CLIENTS)]

    def book(number: int) -> Reply:
        return server.post("/Appointment", appointment(people[number], future(9 + number % 2)))

    with ThreadPoolExecutor(CLIENTS) as several:
        answers = list(several.map(book, range(CLIENTS)))

    assert POOL < CLIENTS
    assert Counter(one.status for one in answers) == {CREATED: 2, 409: CLIENTS - 2}
    assert server.stop() == 0
    assert doctor(database) == 0


def test_a_day_on_it_and_the_database_gone_and_back(
    cluster: Cluster, database: str, new_server: Callable[..., Server]
) -> None:
    server = new_server(database=database, CRENEAU_DATABASE_POOLED="true")
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9)))
    moved = server.put(f"/Appointment/{made.id}", made.json | times(appointment(at, future(11))))
    cancelled = server.put(f"/Appointment/{made.id}", moved.json | {"status": "cancelled"})

    cluster.stop("immediate")
    try:
        away = server.get(f"/Appointment/{made.id}")
    finally:
        cluster.start()
    limit = time.monotonic() + 20
    while (back := server.get(f"/Appointment/{made.id}/_history")).status != OK:
        assert (back.status, time.monotonic() < limit) == (503, True)
        time.sleep(0.1)

    assert [one.status for one in (made, moved, cancelled, away)] == [CREATED, OK, OK, 503]
    assert back.json["total"] == 3
    assert server.stop() == 0
    assert doctor(database) == 0


def times(resource: dict[str, object]) -> dict[str, object]:
    """Start and end alone."""
    return {name: resource[name] for name in ("start", "end")}


def doctor(database: str) -> int:
    command = [sys.executable, "-m", "creneau", "doctor", "--database", database]
    environment = os.environ | {"CRENEAU_DATABASE_POOLED": "true"}
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode
