"""`creneau serve --database postgresql://…`: a day on it, the database gone and back, a start that is refused on one line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.client import CREATED, OK, Server
from tests.databases import created
from tests.people import appointment, future, practice

from .cluster import Cluster

AWAY = 503


@pytest.fixture
def database(cluster: Cluster) -> str:
    """A new database."""
    return created(cluster)


def creneau(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "creneau", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_while_the_database_is_away_requests_are_told_to_come_back_and_then_all_goes_on(
    cluster: Cluster, database: str, new_server: Callable[..., Server]
) -> None:
    server = new_server(database=database)
    at = practice(server)
    first = server.post("/Appointment", appointment(at, future(9)))

    cluster.stop("immediate")
    try:
        read = server.get(f"/Appointment/{first.id}")
        write = server.post("/Appointment", appointment(at, future(10)))
    finally:
        cluster.start()
    again = server.get(f"/Appointment/{first.id}")
    taken = server.post("/Appointment", appointment(at, future(9)))
    second = server.post("/Appointment", appointment(at, future(10)))
    figures = server.call("GET", "/metrics", base="").body.decode()

    assert (first.status, read.status, write.status) == (CREATED, AWAY, AWAY)
    assert "retry-after" in read.headers and "retry-after" in write.headers
    assert (again.status, taken.status, second.status) == (OK, 409, CREATED)
    assert again.body == first.body
    for figure in (
        'connections{state="lent"} 0',
        'connections{state="idle"} ',
        "connections_limit 10",
        "waiting 0",
    ):
        assert f"creneau_database_{figure}" in figures
    assert server.stop() == 0
    assert creneau("doctor", "--database", database).returncode == 0


def test_data_of_an_earlier_run_are_there_and_found(database: str, new_server: Callable[..., Server]) -> None:
    server = new_server(database=database)
    at = practice(server)
    made = server.post("/Appointment", appointment(at, future(9)))
    assert server.stop() == 0

    found = new_server(database=database).get(f"/Appointment?patient={at.patient}")

    assert [entry["resource"]["id"] for entry in found.json["entry"]] == [made.id]


def test_without_a_server_the_start_is_refused_on_one_line_without_the_password(cluster: Cluster) -> None:
    done = creneau("serve", "--port", "0", "--database", "postgresql://me:secret@127.0.0.1:1/none")
    checked = creneau("check", "--database", "postgresql://me:secret@127.0.0.1:1/none")

    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "PostgreSQL" in done.stderr
    assert "secret" not in done.stdout + done.stderr + checked.stdout + checked.stderr
