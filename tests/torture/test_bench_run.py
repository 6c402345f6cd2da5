"""The benchmark against a small FHIR server over real sockets: closed and open loop, figures that add up."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from bench import mix, run, seed
from bench.load import ClosedLoop, OpenLoop
from bench.measure import Shape
from bench.mix import Request
from bench.server import NotStarted, Server, free_port
from bench.wire import Target, target

ROOT = Path(__file__).resolve().parents[2]


def wanted(server: Server, text: str, rate: float | None = None) -> run.Wanted:
    return run.Wanted(target(server.base), server.pid, mix.parsed(text), Shape(4, 0.5, rate), 2, 4, 20)


def test_a_mix_is_driven_and_its_parts_add_up(standin: Server) -> None:
    result = run.run(wanted(standin, "read=60,create=30,update=10"), lambda line: None)

    whole, *parts = result["operations"]
    assert whole["failures"] == {}
    assert whole["requests"] == sum(one["requests"] for one in parts) > 20
    assert whole["cpu_us"] > 0
    assert whole["p50_ms"] <= whole["p99_ms"] <= whole["max_ms"]
    assert parts[0]["requests"] > parts[1]["requests"] > parts[2]["requests"]


def test_an_open_loop_keeps_its_rate(standin: Server) -> None:
    result = run.run(wanted(standin, "read", rate=100.0), lambda line: None)

    (only,) = result["operations"]
    assert only["requests"] == pytest.approx(100, abs=2)
    assert only["per_second"] == pytest.approx(100, rel=0.1)


def test_seeded_appointments_never_share_a_time() -> None:
    world = seed.World("r", ["Practitioner/1", "Practitioner/2"], ["Patient/1"])

    visits = [world.next_visit() for _ in range(500)]

    assert len({(one.start, one.actors[1]) for one in visits}) == 500
    assert len({one.identifier for one in visits}) == 500
    assert all(7 <= one.start.hour < 19 for one in visits)
    assert seed.opening_day(datetime(2026, 10, 24, 23, tzinfo=UTC)) == datetime(2026, 10, 25, 7, tzinfo=UTC)


Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(answering: Answering) -> AsyncIterator[Target]:
    """A server of one function, on a free port; its connections are ended with it."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await answering(reader, writer)
        writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield target(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir")
    finally:
        server.close()
        await asyncio.sleep(0.1)


def stalling(seconds: float) -> Answering:
    """Answers at once, but for the first request, which it answers after that long."""
    stalled = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            if not stalled.is_set():
                stalled.set()
                await asyncio.sleep(seconds)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    return answer


async def slow_answers(rate: float | None) -> int:
    """How many answers took over half a second of a server that stalled once for two."""
    async with served(stalling(2.0)) as aim:
        request = Request("read", aim.request("GET", "x"))
        loop = OpenLoop(aim, lambda: request, 2.2, rate) if rate else ClosedLoop(aim, lambda: request, 2.2)
        record = await loop.run(1)
    return sum(one > 0.5 for one in record.latencies["read"])


def test_an_open_loop_charges_a_stall_to_all_that_waited_for_it() -> None:
    """Coordinated omission: a closed loop has one slow answer, an open one as many as were due meanwhile."""
    closed = asyncio.run(slow_answers(None))
    opened = asyncio.run(slow_answers(100))

    assert closed == 1
    assert opened >= 100


def test_a_server_that_goes_away_is_counted_as_lost() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async def lost() -> int:
        async with served(hang_up) as aim:
            record = await ClosedLoop(aim, lambda: Request("read", aim.request("GET", "x")), 0.2).run(2)
        return record.failures["read", "lost"]

    assert asyncio.run(lost()) >= 2


def test_the_command_says_what_it_saw_and_writes_it(standin: Server, tmp_path: Path) -> None:
    options = [
        "--base",
        standin.base,
        "--pid",
        str(standin.pid),
        "--mix",
        "read=1,create=1",
        "--seconds",
        "0.3",
    ]
    options += ["--people", "3", "--appointments", "6", "--clients", "2", "--out", str(tmp_path)]

    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert re.search(r"\| mix read 50%, create 50% +\| +\d+ \|", done.stdout)
    assert sorted(one.name for one in tmp_path.iterdir() if one.name.startswith("bench")) == [
        "bench.json",
        "bench.md",
        "bench.svg",
    ]


def test_a_base_where_nobody_listens_is_said_without_a_trace() -> None:
    options = ["--base", f"http://127.0.0.1:{free_port()}/fhir", "--seconds", "0.1"]

    done = subprocess.run(
        [sys.executable, "-m", "bench", "run", *options],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_server_that_ends_at_once_is_said_with_what_it_printed(tmp_path: Path) -> None:
    server = Server(
        [sys.executable, "-c", "raise SystemExit('no such thing')"], free_port(), tmp_path / "log"
    )

    with pytest.raises(NotStarted, match="no such thing"):
        server.wait_ready()
