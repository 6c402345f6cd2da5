"""Runs scenarios: a server on a fresh file each, the scenario, a stop, `creneau doctor`; then the negative control, which must be noticed."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench.stats import percentile

from torture.history import INFO
from torture.scenarios.disk import ballast
from torture.stage import Host, Stage, ended
from torture.table import Scenario

MIB: Final = 1024 * 1024
DISK: Final = 24 * MIB
BALLAST: Final = 12 * MIB
CONTROL_ROUNDS: Final = (20, 2)
UNGUARDED: Final = "torture.unguarded"
SEED: Final = 20261124


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is run: short or full, from which seed of chance; where the databases and histories are put."""

    short: bool = False
    seed: int = SEED
    directory: Path | None = None
    histories: Path | None = None


def run(scenario: Scenario, wanted: Wanted, say: Callable[[str], None]) -> dict[str, Any]:
    """The result of one scenario, with that of its negative control: findings, rounds, latencies, notes."""
    say(f"{scenario.name} ({scenario.ids}): {scenario.title}")
    result = once(scenario, wanted, ("creneau",), scenario.rounds[wanted.short])
    result |= {"name": scenario.name, "ids": scenario.ids, "title": scenario.title}
    if scenario.control:
        say(f"{scenario.name}: negative control, without {scenario.control}")
        rounds = min(CONTROL_ROUNDS[wanted.short], scenario.rounds[wanted.short])
        control = once(scenario, wanted, (UNGUARDED, "--without", scenario.control), rounds)
        result["control"] = {"without": scenario.control, **control}
        if not control["noticed"]:
            result["findings"].append(
                f"negative control: a server without {scenario.control} was not noticed"
            )
    return result


def once(scenario: Scenario, wanted: Wanted, program: tuple[str, ...], rounds: int) -> dict[str, Any]:
    begin = time.perf_counter()
    with small_disk(scenario, wanted) as directory:
        host = Host(directory / "torture.sqlite", program)
        stage = Stage(host, rounds, scenario.seconds[wanted.short], random.Random(wanted.seed), scenario.name)
        with ended(host):
            asyncio.run(_played(scenario, stage))
            status = host.process.stop()
            stage.report(
                []
                if status == 0
                else [f"the server ended with status {status}: {host.process.printed()[-400:]}"]
            )
        noticed = bool(stage.findings) and not stage.broken
        doctor = examined(host.database)
        stage.report([f"doctor: {line}" for line in doctor])
    if wanted.histories is not None:
        wanted.histories.mkdir(parents=True, exist_ok=True)
        name = scenario.name if program == ("creneau",) else f"{scenario.name}-control"
        stage.history.write(wanted.histories / f"{name}.jsonl")
    return summary(stage) | {
        "noticed": noticed,
        "doctor": len(doctor),
        "took_seconds": round(time.perf_counter() - begin, 1),
    }


async def _played(scenario: Scenario, stage: Stage) -> None:
    """Run it; what stops it is a finding, not an end of the whole."""
    try:
        await asyncio.to_thread(stage.host.start)
        await scenario.run(stage)
    except* Exception as several:
        stage.broken = True
        for error in _leaves(several):
            stage.report([f"it could not go on: {type(error).__name__}: {error}"])
    finally:
        stage.leave()


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _leaves(one)
    else:
        yield error


def summary(stage: Stage) -> dict[str, Any]:
    """What the history and the findings say, in figures."""
    operations = [one for one in stage.operations() if one.what != "read"]
    times = [one.seconds * 1e3 for one in operations if one.kind != INFO]
    return {
        "rounds": stage.rounds,
        "bad_rounds": len(stage.bad_rounds),
        "operations": len(operations),
        "unknown": sum(one.kind == INFO for one in operations),
        "p50_ms": round(percentile(times, 50), 1),
        "p99_ms": round(percentile(times, 99), 1),
        "max_ms": round(max(times, default=0.0), 1),
        "findings": stage.findings[:50],
        "findings_total": len(stage.findings),
        "notes": stage.notes,
    }


def examined(database: Path) -> list[str]:
    """What `creneau doctor` finds in a database that no server has open."""
    command = [sys.executable, "-m", "creneau", "doctor", "--database", f"sqlite:{database}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode == 0:
        return []
    return done.stdout.splitlines() or [f"exit {done.returncode}: {done.stderr[-400:]}"]


@contextmanager
def small_disk(scenario: Scenario, wanted: Wanted) -> Iterator[Path]:
    """A directory for the database; on a small tmpfs where the scenario wants one and we may mount."""
    with tempfile.TemporaryDirectory(prefix="creneau-torture-", dir=wanted.directory) as name:
        directory = Path(name) / scenario.name
        directory.mkdir()
        mounted = scenario.small_disk and mount(directory)
        try:
            if mounted:
                ballast(directory, BALLAST)
            yield directory
        finally:
            if mounted:
                subprocess.run(["umount", "-l", str(directory)], check=True)


def mount(directory: Path) -> bool:
    """Whether a tmpfs could be mounted there."""
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=700", "tmpfs", str(directory)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
