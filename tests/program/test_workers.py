"""`creneau serve --workers N` on PostgreSQL: one that dies is replaced, a rolling restart breaks nothing, what one writes the others know."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.client import CREATED, OK, Server
from tests.databases import created
from tests.people import appointment, future, instant, practice
from tests.store.cluster import Cluster

from creneau.config import Settings

WORKERS = 3
ROUNDS = 30


@pytest.fixture(scope="module")
def database(cluster: Cluster) -> str:
    return created(cluster)


@pytest.fixture
def server(database: str, new_server: Callable[..., Server]) -> Server:
    return new_server("--workers", str(WORKERS), database=database)


def pids(server: Server) -> list[int]:
    """The workers, those that are starting or leaving included."""
    assert server.process is not None
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True)
    return [int(pid) for pid in done.stdout.split()]


def said(server: Server, words: str) -> int:
    assert server.log is not None
    return server.log.read_text().count(words)


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it takes too long"
        time.sleep(0.05)


class Lasting:
    """A connection that is kept between requests, as those of a proxy; opened anew when an answer said so."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        headers = {"Content-Type": "application/fhir+json"} if body is not None else {}
        sent = json.dumps(body) if body is not None else None
        self._connection.request(method, f"/fhir{path}", sent, headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def connections(server: Server) -> Iterator[list[Lasting]]:
    """Several, opened together, so that more than one worker has some."""
    opened = [Lasting(server) for _ in range(12)]
    with ThreadPoolExecutor(len(opened)) as pool:
        list(pool.map(lambda one: one.call("GET", "/Patient?_count=1"), opened))
    yield opened
    for one in opened:
        one.close()


def test_figures_are_those_of_every_worker(server: Server, connections: list[Lasting]) -> None:
    page = server.call("GET", "/metrics", base="").body.decode()

    assert set(re.findall(r'process_resident_memory_bytes\{worker="(\d)"\}', page)) == {"1", "2", "3"}
    counted = re.findall(
        r'creneau_requests_total\{interaction="search-type",.*type="Patient".*\} (\S+)', page
    )
    assert sum(map(float, counted)) == len(connections)
    assert page.count("# TYPE creneau_requests_total") == 1
    assert 'creneau_database_connections_limit{worker="1"} 10.0' in page


def test_a_worker_that_is_killed_is_replaced_while_the_others_answer(server: Server) -> None:
    before = pids(server)

    os.kill(before[0], signal.SIGKILL)
    replies = [server.get("/Patient").status for _ in range(20)]
    until(lambda: len(pids(server)) == WORKERS)

    assert set(replies) == {OK}
    assert before[0] not in pids(server) and set(before[1:]) < set(pids(server))
    assert said(server, "worker 1 ended (-9); begun again") == 1
    assert server.stop() == 0 and not said(server, "Traceback")


def test_a_worker_whose_supervisor_is_gone_before_it_is_ready_leaves(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs, socket.create_server(("127.0.0.1", 0)) as listening:
        told = {"listening": listening.fileno(), "control": theirs.fileno(), "folder": str(tmp_path)}
        task = {"number": 1, "settings": asdict(Settings(database="memory:")), **told}
        ours.close()

        done = subprocess.run(
            [sys.executable, "-m", "creneau.commands.working"],
            input=json.dumps(task).encode(),
            pass_fds=(listening.fileno(), theirs.fileno()),
            capture_output=True,
            timeout=30,
        )

    assert done.returncode == 0 and b"Traceback" not in done.stderr


def test_a_rolling_restart_breaks_no_request_and_ends_with_new_workers(
    server: Server, connections: list[Lasting]
) -> None:
    at = practice(server)
    before, statuses, ending = pids(server), Counter[Any](), threading.Event()

    def client(number: int) -> None:
        turn = 0
        while not ending.is_set():
            turn += 1
            try:
                wanted = appointment(at, future(8, days=30 + number) + timedelta(minutes=15 * turn))
                method, path, body = (
                    ("POST", "/Appointment", wanted) if turn % 3 == 0 else ("GET", "/Patient", None)
                )
                statuses[connections[number].call(method, path, body)[0]] += 1
            except (OSError, http.client.HTTPException) as error:
                statuses[repr(error)] += 1
            time.sleep(0.01)

    assert server.process is not None
    with ThreadPoolExecutor(len(connections)) as pool:
        running = [pool.submit(client, number) for number in range(len(connections))]
        time.sleep(0.5)
        server.process.send_signal(signal.SIGHUP)
        try:
            until(lambda: said(server, f"worker {WORKERS} replaced") == 1)
        finally:
            ending.set()
        for one in running:
            one.result()

    assert set(statuses) <= {OK, CREATED, 409} and statuses[CREATED] > 0, statuses
    until(lambda: len(pids(server)) == WORKERS)
    assert not set(before) & set(pids(server))


def test_sigterm_under_load_ends_well_and_keeps_what_was_acknowledged(
    server: Server, database: str, new_server: Callable[..., Server]
) -> None:
    at = practice(server)
    acknowledged: list[str] = []

    def client(number: int) -> None:
        for turn in range(1_000):
            try:
                reply = server.post(
                    "/Appointment", appointment(at, future(0, 0, 60 + number) + timedelta(hours=turn))
                )
            except (OSError, http.client.HTTPException):
                return
            if reply.status == CREATED:
                acknowledged.append(reply.id)

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(client, number) for number in range(4)]
        until(lambda: len(acknowledged) > 20)
        assert server.stop() == 0
        for one in running:
            one.result()
    again = new_server(database=database)

    assert {again.get(f"/Appointment/{id}").status for id in acknowledged} == {OK}


def test_one_of_many_wins_a_slot_whichever_worker_is_asked(
    server: Server, connections: list[Lasting]
) -> None:
    at = practice(server)

    for turn in range(ROUNDS):
        wanted = appointment(at, future(9, days=20 + turn))
        with ThreadPoolExecutor(len(connections)) as pool:
            statuses = Counter(
                pool.map(lambda one, body=wanted: one.call("POST", "/Appointment", body)[0], connections)
            )
        assert statuses == {CREATED: 1, 409: len(connections) - 1}


def test_what_one_worker_writes_the_others_read_at_once(server: Server, connections: list[Lasting]) -> None:
    at = practice(server)
    status, schedule = connections[0].call("GET", f"/{at.agenda}")
    start = future(0, days=14)
    slots = f"/Slot?schedule={at.agenda}&start=ge{instant(start)}&start=lt{instant(start + timedelta(days=1))}&_count=200"
    [one.call("GET", slots) for one in connections]  # each worker remembers the agenda

    for turn in range(ROUNDS):
        schedule["active"] = turn % 2 == 1
        status, schedule = connections[turn % 12].call("PUT", f"/{at.agenda}", schedule)
        assert status == OK
        found = [one.call("GET", slots)[1].get("entry", []) for one in connections]
        assert all(bool(entries) is (turn % 2 == 1) for entries in found), turn


def test_several_workers_need_postgresql(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "creneau",
        "serve",
        "--workers",
        "2",
        "--database",
        f"sqlite:{tmp_path}/x",
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "workers" in done.stderr


def test_a_service_whose_database_does_not_answer_says_so_on_one_line() -> None:
    url = "postgresql://me:secret@127.0.0.1:1/none"
    command = [sys.executable, "-m", "creneau", "serve", "--port", "0", "--workers", "2", "--database", url]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "secret" not in done.stderr
