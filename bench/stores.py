"""`python -m bench stores`: SQLite, PostgreSQL with one worker and with several, the same operations in the same rounds."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.databases import created
from tests.store.cluster import Cluster

from bench import mix, reference, seed, server
from bench.budget import Say, run_async, spread
from bench.cpu import cpu_seconds
from bench.disk import fsyncs_per_second
from bench.measure import Sample, Series, Shape, environment, sample
from bench.mix import OPERATIONS, Asking, Request
from bench.stats import middle
from bench.wire import target

WARM: Final = 0.5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: operations, rounds, shape, what is seeded on each, how many workers PostgreSQL is served by (1: one process)."""

    operations: tuple[str, ...]
    rounds: int
    shape: Shape
    people: int
    appointments: int
    workers: tuple[int, ...]
    directory: Path | None = None


@dataclass(slots=True)
class Standing:
    """A store that is measured: its name, its server, the source of requests, the pid of its database if that is another process."""

    name: str
    server: server.Server
    database: int | None
    asking: Asking | None = None


def stores(wanted: Wanted, say: Say) -> dict[str, Any]:
    """Run it all; the result that `report` shows. Raises server.NotStarted, seed.SeedRefused, tests.store.cluster.NoServer."""
    with ExitStack() as stack:
        directory = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="creneau-bench-", dir=wanted.directory))
        )
        cluster = Cluster()
        stack.callback(cluster.close)
        standing = [stack.enter_context(_served(*one)) for one in _settings(wanted, directory, cluster)]
        hello = reference.start(directory)
        stack.callback(hello.kill)
        return run_async(_measured(wanted, standing, hello, directory, say))


def _settings(wanted: Wanted, directory: Path, cluster: Cluster) -> Iterator[tuple[Any, ...]]:
    """Name, database, options, log, pid of the database's server."""
    yield "SQLite", directory / "bench.sqlite", (), directory / "log", None
    for count in wanted.workers:
        name = f"PostgreSQL, {count} worker{'s' if count > 1 else ''}"
        options = ("--workers", str(count))
        yield name, created(cluster), options, directory / f"log-{count}", cluster.processes()[0]


@contextmanager
def _served(
    name: str, database: Path | str, options: Sequence[str], log: Path, pid: int | None
) -> Iterator[Standing]:
    port = server.free_port()
    ours = server.Server([*server.creneau(port, database), *options], port, log)
    try:
        ours.wait_ready(90.0)
        yield Standing(name, ours, pid)
    finally:
        ours.stop()


async def _measured(
    wanted: Wanted, standing: list[Standing], hello: server.Server, directory: Path, say: Say
) -> dict[str, Any]:
    for one in standing:
        say(f"{one.name}: seeding {wanted.people} practitioners, {wanted.appointments} appointments")
        aim = target(one.server.base)
        one.asking = Asking(aim, await seed.seeded(aim, "banc", wanted.people, wanted.appointments))
    pairs = [(name, one) for name in wanted.operations for one in standing]
    rows = [Series(f"{name}, {one.name}", f"{OPERATIONS[name].title}; {one.name}") for name, one in pairs]
    databases: list[list[float]] = [[] for _ in pairs]
    yardstick = Series("reference", "raw ASGI hello")
    flushes = []
    for name, one in pairs:
        await _once(name, one, Shape(wanted.shape.clients, WARM))
    for number in range(1, wanted.rounds + 1):
        say(f"round {number} of {wanted.rounds}")
        flushes.append(fsyncs_per_second(directory))
        greeted = await _greeted(hello, wanted.shape.clients)
        yardstick.add(greeted)
        for row, spent, (name, one) in zip(rows, databases, pairs, strict=True):
            before = cpu_seconds(one.database) if one.database else 0.0
            row.add(run := await _once(name, one, wanted.shape), greeted.cpu_us)
            if one.database:
                spent.append((cpu_seconds(one.database) - before) / max(run.record.answered, 1) * 1e6)
    costs = [round(middle(spent), 1) if spent else None for spent in databases]
    return {
        "kind": "stores",
        "environment": environment(directory),
        "rounds": wanted.rounds,
        "clients": wanted.shape.clients,
        "seconds": wanted.shape.seconds,
        "seeded": {"practitioners": wanted.people, "appointments": wanted.appointments},
        "operations": [
            row.summary() | {"database_cpu_us": cost} for row, cost in zip(rows, costs, strict=True)
        ],
        "reference": yardstick.summary(),
        "fsync_per_second": spread(flushes),
    }


async def _once(name: str, one: Standing, shape: Shape) -> Sample:
    assert one.asking is not None
    return await sample(one.asking.target, one.server.pid, mix.stream(one.asking, {name: 1.0}), shape)


async def _greeted(hello: server.Server, clients: int) -> Sample:
    there = target(hello.base)
    said = Request("reference", there.request("GET", "hello"))
    return await sample(there, hello.pid, lambda: said, Shape(clients, 1.0))
