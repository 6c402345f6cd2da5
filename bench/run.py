"""`python -m bench run`: a stated mix against any FHIR base URL, closed or open loop."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import mix, seed
from bench.budget import MIB, run_async, spread
from bench.cpu import resident_bytes
from bench.disk import fsyncs_per_second
from bench.load import Record
from bench.measure import Sample, Series, Shape, environment, sample
from bench.mix import OPERATIONS, Asking
from bench.wire import Target


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `run` is asked. `pid` is the server's process on this machine, None when it is elsewhere."""

    target: Target
    pid: int | None
    mix: dict[str, float]
    shape: Shape
    rounds: int = 1
    people: int = 50
    appointments: int = 500


def run(wanted: Wanted, say: Callable[[str], None]) -> dict[str, Any]:
    """Seed, drive, and say what was seen. Raises seed.SeedRefused, OSError, ProcessLookupError."""
    return run_async(_run(wanted, say))


async def _run(wanted: Wanted, say: Callable[[str], None]) -> dict[str, Any]:
    name = "r" + secrets.token_hex(4)
    say(f"seeding {wanted.people} practitioners with an agenda, {wanted.appointments} appointments")
    world = await seed.seeded(wanted.target, name, wanted.people, wanted.appointments)
    take = mix.stream(Asking(wanted.target, world), wanted.mix)
    await sample(wanted.target, wanted.pid, take, Shape(wanted.shape.clients, 0.5))
    directory, samples, flushes = Path(tempfile.gettempdir()), [], []
    for number in range(1, wanted.rounds + 1):
        say(f"round {number} of {wanted.rounds}")
        flushes.append(fsyncs_per_second(directory))
        samples.append(await sample(wanted.target, wanted.pid, take, wanted.shape))
    resident = round(resident_bytes(wanted.pid) / MIB, 1) if wanted.pid is not None else None
    return {
        "kind": "run",
        "environment": environment(directory),
        "rounds": wanted.rounds,
        "clients": wanted.shape.clients,
        "seconds": wanted.shape.seconds,
        "rate": wanted.shape.rate,
        "mix": {each: round(share, 4) for each, share in wanted.mix.items()},
        "operations": rows(samples, wanted.mix),
        "fsync_per_second": spread(flushes),
        "memory_mb": {"loaded": resident},
    }


def rows(samples: list[Sample], shares: dict[str, float]) -> list[dict[str, Any]]:
    """A row for the mix as a whole, with its CPU cost, and one per operation, whose cost cannot be told apart."""
    whole = "mix " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
    if len(shares) == 1:
        only = next(iter(shares))
        return [Series(only, OPERATIONS[only].title, samples).summary()]
    answer = [Series("mix", whole, samples).summary()]
    for name in shares:
        parts = [Sample(None, _part(one.record, name)) for one in samples]
        answer.append(Series(name, OPERATIONS[name].title, parts).summary())
    return answer


def _part(record: Record, operation: str) -> Record:
    part = Record({operation: record.latencies.get(operation, [])}, seconds=record.seconds)
    part.failures.update({key: count for key, count in record.failures.items() if key[0] == operation})
    return part
