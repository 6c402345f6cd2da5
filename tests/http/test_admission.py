"""More requests than can be done: what is refused is refused before it is read, what is admitted is done (REL-26)."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from creneau.http import admission
from creneau.http.admission import Admission
from creneau.http.settings import HttpSettings
from tests.http.running import Running, received

READ = b"GET /fhir/Patient/1 HTTP/1.1\r\nHost: a\r\n\r\n"


class Loop(asyncio.SelectorEventLoop):
    """A loop that is turned by hand."""

    def turn(self) -> None:
        self.call_soon(self.stop)
        self.run_forever()


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    yield made
    made.close()


def spend(gate: Admission, since: list[float], monkeypatch: pytest.MonkeyPatch, now: float) -> None:
    """All of them end now."""
    monkeypatch.setattr(admission, "perf_counter", lambda: now)
    for one in since:
        gate.leave(one)


def test_of_many_read_in_one_turn_no_more_are_admitted_than_may_be_in_work(loop: Loop) -> None:
    gate = Admission(3)

    first = [gate.begin(loop) for _ in range(5)]
    loop.turn()
    second = [gate.begin(loop) for _ in range(5)]

    assert first == second == [True, True, True, False, False]
    assert gate.turned_away == 4


def test_when_most_are_late_fewer_are_admitted_and_more_again_when_they_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gate = Admission(500)
    monkeypatch.setattr(admission, "perf_counter", lambda: 10.0)
    limits = []

    for second in (11.0, 12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0):
        spend(gate, [gate.enter() for _ in range(400)], monkeypatch, second)
        limits.append(gate.limit)
    for tick in range(40):
        monkeypatch.setattr(admission, "perf_counter", lambda tick=tick: 20.0 + tick)
        spend(gate, [gate.enter()], monkeypatch, 20.0 + tick + 0.01)

    assert limits[0] > limits[1] > limits[2]
    assert limits[-1] == admission.LEAST
    assert gate.limit == 500
    assert gate.in_work == 0


def test_a_few_slow_ones_among_many_quick_ones_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Admission(500)
    slow = [gate.enter() - 4.0 for _ in range(10)]
    quick = [gate.enter() for _ in range(90)]

    spend(gate, quick + slow, monkeypatch, quick[-1] + 0.2)

    assert gate.limit == 500


@contextmanager
def occupied(monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """A server with one place, which a read holds until the end."""
    done = asyncio.Event()
    with Running(HttpSettings(concurrent=1)) as running, ThreadPoolExecutor(1) as pool:

        async def waiting(*_: object) -> None:
            await done.wait()

        monkeypatch.setattr(running.application.front.world.store, "get", waiting)
        reading = pool.submit(running.get, "/fhir/Patient/1")
        while not running.application.admission.in_work:
            pass
        yield running
        monkeypatch.undo()
        running.call_soon(done.set)
        assert reading.result().status == 404


def talk(port: int, sent: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return received(connection)


@pytest.mark.parametrize("times", [1, 3])
def test_one_too_many_is_told_when_to_come_back_and_may_ask_again_on_its_connection(
    monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    body = b"x" * 1000
    write = b"POST /fhir/Patient HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" + body

    with occupied(monkeypatch) as running:
        said = talk(running.port, (READ + write) * times)
        lines = [line for line in running.lines() if line["event"] == "fault"]

    assert said.count(b"HTTP/1.1 503 ") == said.count(b"retry-after: 1") == 2 * times
    assert b"connection: close" not in said
    outcome = json.loads(said.split(b"\r\n\r\n")[1].partition(b"HTTP/1.1")[0])
    assert outcome["issue"][0]["details"]["coding"][0]["code"] == "busy"
    assert lines == []


@pytest.mark.parametrize("path", ["/health/live", "/metrics"])
def test_who_watches_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    with occupied(monkeypatch) as running:
        refused, answered = running.get("/fhir/metadata").status, running.get(path).status

    assert (refused, answered) == (503, 200)


def test_the_figures_tell_how_many_were_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with occupied(monkeypatch) as running:
        talk(running.port, READ)
        figures = running.get("/metrics").body.decode()

    assert "creneau_requests_turned_away_total 1.0" in figures
    assert "creneau_requests_in_work_limit 1.0" in figures
