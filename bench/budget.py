"""`python -m bench budget`: our server on a fresh file, the operations of the design one by one, in interleaved rounds."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bench import mix, reference, seed, server
from bench.budgets import calm, needs_steady
from bench.cpu import resident_bytes
from bench.disk import fsyncs_per_second
from bench.measure import Sample, Series, Shape, environment, sample
from bench.mix import OPERATIONS, Asking, Request
from bench.stats import middle
from bench.wire import Target, target

MIB: Final = 1024 * 1024
GROWTH: Final = (1_000, 10_000, 100_000, 1_000_000)
GROWTH_OPERATIONS: Final = ("read", "create", "update")
SHAPE: Final = Shape(clients=16, seconds=2.0)
Say = Callable[[str], None]
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `budget` is asked: rounds, the shape of each run, how much is seeded, which operations, growth or not, where."""

    operations: tuple[str, ...] = ("read", "create", "update")
    rounds: int = 5
    shape: Shape = SHAPE
    people: int = 200
    appointments: int = 2_000
    growth: tuple[int, ...] = ()
    directory: Path | None = None
    program: Sequence[str] = ("creneau",)


@dataclass(slots=True)
class Bench:
    """What the rounds share: our server, the reference, and the source of requests."""

    ours: server.Server
    hello: server.Server
    target: Target
    asking: Asking
    directory: Path
    clients: int


def budget(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Run it all; the result that `report` shows. `say` is told how it goes. Raises server.NotStarted or seed.SeedRefused."""
    with tempfile.TemporaryDirectory(prefix="creneau-bench-", dir=wanted.directory) as name:
        directory = Path(name)
        port = server.free_port()
        ours = server.Server(
            server.creneau(port, directory / "bench.sqlite", wanted.program), port, directory / "log"
        )
        hello: server.Server | None = None
        try:
            started = ours.wait_ready()
            time.sleep(1.0)
            idle = resident_bytes(ours.pid) / MIB
            hello = reference.start(directory)
            result = run_async(_measured(wanted, ours, hello, directory, say))
        finally:
            ours.stop()
            if hello is not None:
                hello.kill()
    result["memory_mb"] = {"idle": round(idle, 1), **result["memory_mb"]}
    result["start_seconds"] = round(started, 2)
    return result


def run_async(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run on uvloop where it is installed: the load generator shares the cores with what it measures."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work)
    return uvloop.run(work)


async def _measured(
    wanted: Wanted, ours: server.Server, hello: server.Server, directory: Path, say: Say
) -> dict[str, Any]:
    aim = target(ours.base)
    say(f"seeding {wanted.people} practitioners with an agenda, {wanted.appointments} appointments")
    world = await seed.seeded(aim, "banc", wanted.people, wanted.appointments)
    bench = Bench(ours, hello, aim, Asking(aim, world), directory, wanted.shape.clients)
    rows, yardstick, flushes = await _rounds(wanted, bench, say)
    loaded = resident_bytes(ours.pid) / MIB
    return {
        "kind": "budget",
        "environment": environment(directory),
        "rounds": wanted.rounds,
        "clients": wanted.shape.clients,
        "seconds": wanted.shape.seconds,
        "seeded": {"practitioners": wanted.people, "appointments": wanted.appointments},
        "operations": [row.summary() for row in rows],
        "reference": yardstick.summary(),
        "fsync_per_second": spread(flushes),
        "memory_mb": {"loaded": round(loaded, 1)},
        "growth": await _growth(wanted, bench, say),
    }


async def _rounds(wanted: Wanted, bench: Bench, say: Say) -> tuple[list[Series], Series, list[float]]:
    rows = [Series(name, OPERATIONS[name].title) for name in wanted.operations]
    yardstick = Series("reference", "raw ASGI hello")
    flushes: list[float] = []
    for row in rows:
        await _operation(bench, row.name, Shape(bench.clients, 0.5))
    for number in range(1, wanted.rounds + 1):
        say(f"round {number} of {wanted.rounds}")
        flushes.append(fsyncs_per_second(bench.directory))
        hello = await _hello(bench)
        yardstick.add(hello)
        for row in rows:
            row.add(one := await _operation(bench, row.name, wanted.shape), hello.cpu_us)
            if needs_steady(row.name):
                shape = wanted.shape._replace(rate=max(one.per_second / 2, 1.0))
                row.steady.append(await _operation(bench, row.name, shape))
    return rows, yardstick, flushes


async def _operation(bench: Bench, name: str, shape: Shape) -> Sample:
    return await sample(bench.target, bench.ours.pid, mix.stream(bench.asking, {name: 1.0}), shape)


async def _hello(bench: Bench) -> Sample:
    there = target(bench.hello.base)
    request = Request("reference", there.request("GET", "hello"))
    return await sample(there, bench.hello.pid, lambda: request, Shape(bench.clients, 1.0))


async def _growth(wanted: Wanted, bench: Bench, say: Say) -> list[dict[str, Any]]:
    """The cost of the operations as the number of appointments grows: on a calm machine, so that points an hour apart can be compared."""
    if not wanted.growth:
        return []
    crew, points = seed.Crew(bench.target), []
    try:
        for size in wanted.growth:
            world = bench.asking.world
            say(f"growth: {size} appointments")
            await seed.more(crew, world, max(0, size - world.count))
            point: dict[str, Any] = {"appointments": world.count}
            for name in GROWTH_OPERATIONS:
                series = Series(name, name)
                for _ in range(3):
                    hello = await _hello(bench)
                    series.add(await _operation(bench, name, Shape(bench.clients, 1.5)), hello.cpu_us)
                point[name] = round(calm(series.summary()) or 0.0, 1)
            points.append(point)
    finally:
        crew.close()
    return points


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": round(middle(values)), "least": round(min(values)), "most": round(max(values))}
