"""One measured run against a server, and what is said of several: medians, spread, the ratio to the reference of the same round."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from bench.cpu import cpu_seconds
from bench.disk import filesystem
from bench.load import ClosedLoop, OpenLoop, Record
from bench.mix import Request
from bench.stats import middle, percentile
from bench.wire import Target


class Shape(NamedTuple):
    """How a run is driven: connections, seconds, and the fixed rate of an open loop (None: closed)."""

    clients: int
    seconds: float
    rate: float | None = None


class Sample(NamedTuple):
    """One run: CPU microseconds of the server a request (None without a pid), and what the clients saw."""

    cpu_us: float | None
    record: Record

    @property
    def per_second(self) -> float:
        """Requests answered a second."""
        return self.record.answered / self.record.seconds if self.record.seconds else 0.0


async def sample(target: Target, pid: int | None, take: Callable[[], Request], shape: Shape) -> Sample:
    """Drive the target once."""
    if shape.rate is None:
        loop: ClosedLoop | OpenLoop = ClosedLoop(target, take, shape.seconds)
    else:
        loop = OpenLoop(target, take, shape.seconds, shape.rate)
    before = cpu_seconds(pid) if pid is not None else 0.0
    record = await loop.run(shape.clients)
    spent = cpu_seconds(pid) - before if pid is not None else 0.0
    asked = max(record.answered, 1)
    return Sample(spent / asked * 1e6 if pid is not None else None, record)


@dataclass(slots=True)
class Series:
    """The samples of one thing over the rounds, the reference's CPU cost in the same rounds, and samples at half the load."""

    name: str
    title: str
    samples: list[Sample] = field(default_factory=list)
    references: list[float] = field(default_factory=list)
    steady: list[Sample] = field(default_factory=list)

    def add(self, one: Sample, reference_us: float | None = None) -> None:
        """Keep one round."""
        self.samples.append(one)
        if reference_us:
            self.references.append(reference_us)

    def half_load(self) -> dict[str, Any] | None:
        """What clients saw in the open loops at half the rate; None without any."""
        if not self.steady:
            return None
        found = latencies(self.steady)
        return {
            "per_second": round(middle([one.per_second for one in self.steady]), 1),
            "p50_ms": round(percentile(found, 50) * 1e3, 2),
            "p99_ms": round(percentile(found, 99) * 1e3, 2),
            "max_ms": round(max(found, default=0.0) * 1e3, 2),
        }

    def summary(self) -> dict[str, Any]:
        """The row of the report: medians over the rounds, percentiles over all requests; None where there was no pid."""
        costs = [one.cpu_us for one in self.samples if one.cpu_us is not None]
        ratios = [cost / reference for cost, reference in zip(costs, self.references, strict=False)]
        seen = latencies(self.samples)
        return {
            "name": self.name,
            "title": self.title,
            "requests": sum(one.record.answered for one in self.samples),
            "failures": failures([one.record for one in self.samples]),
            "unserved": sum(one.record.unserved for one in self.samples),
            "cpu_us": round(middle(costs), 1) if costs else None,
            "cpu_us_least": round(min(costs), 1) if costs else None,
            "cpu_us_most": round(max(costs), 1) if costs else None,
            "ratio": round(middle(ratios), 2) if ratios else None,
            "per_second": round(middle([one.per_second for one in self.samples]), 1),
            "p50_ms": round(percentile(seen, 50) * 1e3, 2),
            "p99_ms": round(percentile(seen, 99) * 1e3, 2),
            "max_ms": round(max(seen, default=0.0) * 1e3, 2),
            "half_load": self.half_load(),
        }


def latencies(samples: Iterable[Sample]) -> list[float]:
    """Every latency of these runs, seconds."""
    return [each for one in samples for values in one.record.latencies.values() for each in values]


def failures(records: list[Record]) -> dict[str, int]:
    """How many answers of each unexpected kind: {"create 500": 2, "read lost": 1}."""
    counted: dict[str, int] = {}
    for record in records:
        for (operation, kind), count in record.failures.items():
            counted[f"{operation} {kind}"] = counted.get(f"{operation} {kind}", 0) + count
    return counted


def environment(directory: Path) -> dict[str, Any]:
    """Facts about the machine that a figure depends on, none that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "processor": processor(),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "file_system": filesystem(directory),
        "load_average": round(os.getloadavg()[0], 2),
        **versions(),
    }


def processor() -> str:
    """The processor's model, "" when the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def versions() -> dict[str, str]:
    """Versions of what the measured server is made of, where they can be told."""
    import sqlite3
    from importlib.metadata import PackageNotFoundError, version

    found = {"sqlite": sqlite3.sqlite_version}
    for name in ("creneau", "uvicorn", "uvloop", "httptools", "msgspec"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
