"""`python -m torture soak`: half the load that a server can take, for minutes; its memory, descriptors, connections must not grow (REL-25)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
from bench import mix
from bench.cpu import cpu_seconds, resident_bytes, tree
from bench.load import ClosedLoop, OpenLoop, Record
from bench.mix import Asking
from bench.seed import seeded
from bench.stats import percentile

from torture.ground import Ground, Setting, cluster_for, fresh
from torture.runner import examined
from torture.stage import Host, ended

MIX: Final = "read=40,create=20,update=15,search=10,slots=10,slots25=5"
CLIENTS: Final = 16
PEOPLE: Final = 50
APPOINTMENTS: Final = 500
FILLING: Final = 60_000
"""Requests before: what is remembered of resources and pages has a bound, which is to be reached first."""
FILLING_SECONDS: Final = 300.0
CAPACITY: Final = 10.0
"""Seconds in which it shows what it can do."""
EVERY: Final = 5.0
WARM: Final = 1 / 3
"""Share of the time that is warming up."""
GROWTH: Final = 0.05
"""Share of the memory that it may have gained at the end, by the line through what came after warming up."""
DESCRIPTORS: Final = 5
MIB: Final = 1024 * 1024
CONNECTIONS: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server's processes hold `at` so many seconds: MiB, descriptors, connections to PostgreSQL, CPU seconds so far."""

    at: float
    memory: float
    descriptors: int
    connections: int
    cpu: float


@dataclass(slots=True)
class Soak:
    """One soak: samples, and per minute p99 in ms, answers, failures; `before`: requests that filled what is remembered."""

    rate: float
    samples: list[Sample]
    minutes: list[dict[str, Any]]
    before: int = 0


def soak(setting: Setting, minutes: int, directory: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """The result: facts, samples, slopes, findings. Raises NotStarted, NoServer, SeedRefused."""
    folder = directory / "soak"
    folder.mkdir()
    with cluster_for(setting) as cluster:
        host = Host(fresh(setting, folder, cluster))
        with ended(host):
            host.start()
            seen = asyncio.run(_soaked(host, minutes, say))
            status = host.process.stop()
        found = judged(seen) + host.faults()
        found += [f"it ended with status {status}"] if status else []
        found += [f"doctor: {line}" for line in examined(host.ground.database)]
    return {
        "store": setting.store,
        "workers": setting.workers,
        "minutes": minutes,
        "mix": MIX,
        "rate": round(seen.rate, 1),
        "before": seen.before,
        "memory_mib": round(middle([one.memory for one in settled(seen)]), 1),
        "memory_slope_mib_h": round(slope([(one.at, one.memory) for one in settled(seen)]) * 3600, 2),
        "descriptors_slope_h": round(slope([(one.at, one.descriptors) for one in settled(seen)]) * 3600, 2),
        "answers": sum(one["answers"] for one in seen.minutes),
        "told_503": sum(
            n for one in seen.minutes for what, n in one["failures"].items() if what.endswith(" 503")
        ),
        "findings": found,
        "per_minute": seen.minutes,
        "samples": [asdict(one) for one in seen.samples],
    }


async def _soaked(host: Host, minutes: int, say: Callable[[str], None]) -> Soak:
    world = await seeded(host.target, "soak", PEOPLE, APPOINTMENTS)
    take = mix.stream(Asking(host.target, world), mix.parsed(MIX))
    filled, end = 0, time.perf_counter() + FILLING_SECONDS
    while filled < FILLING and time.perf_counter() < end:
        filled += (await ClosedLoop(host.target, take, CAPACITY).run(CLIENTS)).answered
    most = await ClosedLoop(host.target, take, CAPACITY).run(CLIENTS)
    seen = Soak(most.answered / most.seconds / 2, [], [], filled)
    say(f"{seen.rate:.0f} requests/s, half of what it did")
    begin = time.perf_counter()
    sampling = asyncio.create_task(_sampled(host, seen.samples, begin))
    for number in range(minutes):
        cpu = cpu_seconds(host.process.pid)
        record = await OpenLoop(host.target, take, 60.0, seen.rate).run(CLIENTS)
        seen.minutes.append(_minute(record, cpu_seconds(host.process.pid) - cpu))
        say(f"minute {number + 1}: {seen.minutes[-1]}, {seen.samples[-1] if seen.samples else ''}")
    sampling.cancel()
    return seen


def _minute(record: Record, cpu: float) -> dict[str, Any]:
    times = [each for several in record.latencies.values() for each in several]
    failures = Counter(
        {f"{operation} {status}": count for (operation, status), count in record.failures.items()}
    )
    return {
        "answers": record.answered,
        "p50_ms": round(percentile(times, 50) * 1e3, 1),
        "p99_ms": round(percentile(times, 99) * 1e3, 1),
        "cpu_us": round(cpu / max(record.answered, 1) * 1e6),
        "failures": dict(failures),
    }


async def _sampled(host: Host, samples: list[Sample], begin: float) -> None:
    while True:
        await asyncio.sleep(EVERY)
        pid, pids = host.process.pid, [one.pid for one in tree(host.process.pid)]
        files = sum(len(list(Path(f"/proc/{one}/fd").iterdir())) for one in pids)
        connections = await _connections(host.ground)
        at = round(time.perf_counter() - begin, 1)
        samples.append(Sample(at, round(resident_bytes(pid) / MIB, 2), files, connections, cpu_seconds(pid)))


async def _connections(ground: Ground) -> int:
    if ground.cluster is None:
        return 0
    connection = await asyncpg.connect(ground.database)
    try:
        return int(await connection.fetchval(CONNECTIONS))
    finally:
        await connection.close()


def settled(seen: Soak) -> list[Sample]:
    """The samples after warming up."""
    return seen.samples[int(len(seen.samples) * WARM) :]


def slope(points: list[tuple[float, float]]) -> float:
    """Of the line through these points, least squares: y per x."""
    mean_x, mean_y = (sum(each) / len(points) for each in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def middle(values: list[float]) -> float:
    """The mean."""
    return sum(values) / len(values)


def judged(seen: Soak) -> list[str]:
    """What grew, and what was neither a success nor a 503: that is a matter of time, which others' work on the machine takes."""
    late = settled(seen)
    span = late[-1].at - late[0].at
    memory = slope([(one.at, one.memory) for one in late]) * span
    files = slope([(one.at, one.descriptors) for one in late]) * span
    links = slope([(one.at, one.connections) for one in late]) * span
    most = GROWTH * middle([one.memory for one in late])
    found = [f"memory grew by {memory:.1f} MiB in {span:.0f} s, {most:.1f} at most"] if memory > most else []
    found += [f"descriptors grew by {files:.0f}"] if files > DESCRIPTORS else []
    found += [f"connections to PostgreSQL grew by {links:.0f}"] if links > DESCRIPTORS else []
    failures = Counter[str]()
    for one in seen.minutes:
        failures.update(one["failures"])
    return found + [f"{count} times {what}" for what, count in failures.items() if not what.endswith(" 503")]
