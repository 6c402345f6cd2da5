"""Runs scenarios: a server on fresh ground, the scenario, a stop, `creneau doctor`; then negative controls, which must be noticed."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench.stats import percentile
from tests.store.cluster import Cluster

from torture.ground import DEFAULT, Setting, cluster_for, fresh
from torture.history import INFO
from torture.scenarios.disk import ballast
from torture.stage import Host, Stage, ended
from torture.table import CONTROLS, Scenario

MIB: Final = 1024 * 1024
DISK: Final = 24 * MIB
BALLAST: Final = 12 * MIB
CONTROL_ROUNDS: Final = (20, 2)
CONTROL_TRIES: Final = 4
REAL: Final = ("creneau",)
UNGUARDED: Final = "torture.unguarded"
KEPT: Final = 50
"""Findings of a result that are kept, after those that are alike were put together."""
SHORT_PATIENCE: Final = 6.0
SEED: Final = 20261124


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is run: on which store with how many workers, short or full, from which seed of chance; where files are put.

    `guards`: those that negative controls go without; `patience`: 0 for that of the form; `earlier`: a checkout that is
    upgraded from.
    """

    setting: Setting = DEFAULT
    short: bool = False
    seed: int = SEED
    directory: Path | None = None
    histories: Path | None = None
    patience: float = 0.0
    guards: Collection[str] = tuple(CONTROLS)
    earlier: Path | None = None

    @property
    def limits(self) -> float:
        """What time limits are multiplied by."""
        return self.patience or (SHORT_PATIENCE if self.short else 1.0)


def run(scenarios: Sequence[Scenario], wanted: Wanted, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """The result of each scenario, with that of its negative control: findings, rounds, latencies, notes.

    Each has a server and a file of its own; in the short form those that do not end the server share one, and so do the controls that go
    without the same guard.
    """
    results: dict[str, dict[str, Any]] = {}
    scenarios = [one for one in scenarios if one.rounds[wanted.short]]
    with cluster_for(wanted.setting) as cluster:
        for group in grouped(scenarios, lambda one: one.name if one.alone or not wanted.short else "shared"):
            say(f"{', '.join(one.name for one in group)}")
            for result in batch(group, wanted, REAL, cluster):
                results[result["name"]] = result | {"at": now(), "patience": wanted.limits}
                say(f"{result['name']}: {said(result)}")
        for guard in dict.fromkeys(name for one in scenarios for name in controls(one, wanted)):
            guarded = [one for one in scenarios if guard in controls(one, wanted)]
            for group in grouped(guarded, lambda one: "" if wanted.short else one.name):
                say(f"negative control without {guard}: {', '.join(one.name for one in group)}")
                for control in without(guard, group, wanted, cluster):
                    _controlled(results[control["name"]], control)
    return list(results.values())


def without(
    guard: str, scenarios: Sequence[Scenario], wanted: Wanted, cluster: Cluster | None
) -> list[dict[str, Any]]:
    """The controls of these scenarios without this guard. They are races: one that noticed nothing is tried again, from other chance."""
    last: dict[str, dict[str, Any]] = {}
    for number in range(1, CONTROL_TRIES + 1):
        left = [one for one in scenarios if one.name not in last or not last[one.name]["noticed"]]
        if not left:
            break
        again = replace(wanted, seed=wanted.seed + number - 1)
        for control in batch(left, again, (UNGUARDED, "--without", guard), cluster):
            last[control["name"]] = {"without": guard, "tries": number, **control}
    return list(last.values())


def now() -> str:
    """The minute, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


def controls(scenario: Scenario, wanted: Wanted) -> list[str]:
    """The guards without which it is tried on this store."""
    return [
        one for one in scenario.controls if wanted.setting.store in CONTROLS[one] and one in wanted.guards
    ]


def grouped(scenarios: Sequence[Scenario], key: Callable[[Scenario], str]) -> list[list[Scenario]]:
    """Scenarios of the same key together, in the order of the first of each."""
    groups: dict[str, list[Scenario]] = {}
    for one in scenarios:
        groups.setdefault(key(one), []).append(one)
    return list(groups.values())


def said(result: dict[str, Any]) -> str:
    """The outcome in a few words."""
    return f"{result['findings_total']} FINDING(S)" if result["findings_total"] else "no finding"


def _controlled(result: dict[str, Any], control: dict[str, Any]) -> None:
    result["controls"].append(control)
    if not control["noticed"]:
        result["findings"].append(f"negative control: a server without {control['without']} was not noticed")
        result["findings_total"] += 1


def batch(
    scenarios: Sequence[Scenario], wanted: Wanted, program: tuple[str, ...], cluster: Cluster | None = None
) -> list[dict[str, Any]]:
    """These scenarios one after the other on one server and one database, then its stop and `creneau doctor` (findings of the last)."""
    with small_disk(scenarios, wanted) as directory:
        earlier = wanted.earlier if program == REAL and scenarios[0].upgrade else None
        host = Host(fresh(wanted.setting, directory, cluster), program, checkout=earlier)
        with ended(host):
            stages = asyncio.run(_played(scenarios, host, wanted))
            status = host.process.stop()
        noticed = [bool(stage.findings) and not stage.broken for stage in stages]
        last = stages[-1]
        last.report(
            [f"the server ended with status {status}\n{host.process.printed()[-4000:]}"] if status else []
        )
        if program == REAL:
            last.report(host.faults())
            last.report([f"doctor: {line}" for line in examined(host.ground.database, host.program)])
    kind = "" if program == REAL else "-control"
    for stage in stages if wanted.histories else ():
        keep(stage, wanted.histories, f"{stage.name}{kind}.jsonl")
    facts = [{"name": one.name, "ids": one.ids, "title": one.title} for one in scenarios]
    return [
        fact | summary(stage) | {"noticed": seen, "controls": []}
        for fact, stage, seen in zip(facts, stages, noticed, strict=True)
    ]


def keep(stage: Stage, directory: Path | None, name: str) -> None:
    """Write the history of a stage."""
    assert directory is not None
    directory.mkdir(parents=True, exist_ok=True)
    stage.history.write(directory / name)


async def _played(scenarios: Sequence[Scenario], host: Host, wanted: Wanted) -> list[Stage]:
    stages = []
    for one in scenarios:
        rounds = one.rounds[wanted.short]
        seconds = one.seconds[wanted.short]
        if host.program != REAL:
            rounds, seconds = min(rounds, CONTROL_ROUNDS[wanted.short]), one.seconds[1]
        stage = Stage(host, rounds, seconds, random.Random(wanted.seed), one.name)
        stage.patience = wanted.limits
        stages.append(stage)
        await _one(one, stage)
    return stages


async def _one(scenario: Scenario, stage: Stage) -> None:
    """Run it; what stops it is a finding, not an end of the whole."""
    try:
        if stage.host.running is None:
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
        "findings": alike(stage.findings)[:KEPT],
        "findings_total": len(stage.findings),
        "notes": stage.notes,
    }


def alike(findings: Sequence[str]) -> list[str]:
    """Each finding once, its first line says how often."""
    told = []
    for one, count in Counter(findings).items():
        first, line_end, rest = one.partition("\n")
        told.append(f"{first}{f' ×{count}' if count > 1 else ''}{line_end}{rest}")
    return told


def examined(database: str, program: tuple[str, ...] = REAL) -> list[str]:
    """What `creneau doctor` (of that program) finds in a database that no server has open."""
    command = [sys.executable, "-m", *program, "doctor", "--database", database]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode == 0:
        return []
    return done.stdout.splitlines() or [f"exit {done.returncode}: {done.stderr[-400:]}"]


@contextmanager
def small_disk(scenarios: Sequence[Scenario], wanted: Wanted) -> Iterator[Path]:
    """A directory for the database; on a small tmpfs where the scenario wants one and we may mount."""
    with tempfile.TemporaryDirectory(prefix="creneau-torture-", dir=wanted.directory) as name:
        directory = Path(name) / scenarios[0].name
        directory.mkdir()
        mounted = any(one.small_disk for one in scenarios) and mount(directory)
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
