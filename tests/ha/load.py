"""Writers that go on through every fault, what they were told, and whether that is what the database holds afterwards."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import asyncpg
from bench import resources, seed
from bench.resources import Visit
from bench.wire import Target
from torture.checkers import no_overlap
from torture.clients import Rider, held
from torture.history import History
from torture.stage import Calendar

WRITERS: Final = 8
PACE: Final = 0.02
"""Seconds between a writer's answer and its next request: the machine has two cores for three nodes, the server and the writers."""
AGAIN: Final = 0.1
UNAVAILABLE: Final = 503
STORED: Final = "SELECT id, body FROM resource WHERE type = 'Appointment' AND interaction <> 'delete'"


@dataclass
class Load:
    """What the writers were told. `acks`: when, identifier, id. `times`: when, seconds to an acknowledgement.

    `doubtful`: identifiers whose outcome was once not known.
    """

    acks: list[tuple[float, str, str]] = field(default_factory=list)
    doubtful: set[str] = field(default_factory=set)
    answers: Counter[str] = field(default_factory=Counter)
    times: list[tuple[float, float]] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)

    def gap(self, since: float) -> float:
        """The longest time between two acknowledgements, from a moment on, in seconds."""
        times = [since, *(at for at, _, _ in self.acks if at > since)]
        return max((b - a for a, b in pairwise(times)), default=float("inf"))

    def after(self, moment: float) -> int:
        """Acknowledgements after a moment."""
        return sum(at > moment for at, _, _ in self.acks)


async def calendar(target: Target, run: str) -> Calendar:
    """A professional with an agenda, and a patient, for each writer."""
    crew = seed.Crew(target, WRITERS)
    try:
        people = await crew.create(resources.practitioner(n, run) for n in range(WRITERS))
        sick = await crew.create(resources.patient(n, run) for n in range(WRITERS))
        world = seed.World(run, people, sick)
        await crew.create(resources.schedule(n, run, (one,), world.first) for n, one in enumerate(people))
        return Calendar(world, [])
    finally:
        crew.close()


@asynccontextmanager
async def writing(target: Target, run: str, load: Load) -> AsyncIterator[None]:
    """Writers at work meanwhile. Half of them repeat what was not acknowledged (6b), half never do (6a)."""
    made = await calendar(target, run)
    ending = asyncio.Event()
    tasks = [asyncio.create_task(_write(n, target, made, load, ending)) for n in range(WRITERS)]
    try:
        yield
    finally:
        ending.set()
        await asyncio.gather(*tasks)


async def _write(number: int, target: Target, made: Calendar, load: Load, ending: asyncio.Event) -> None:
    rider = Rider(number, target, History())
    cell = 0
    while not ending.is_set():
        visit = made.cell(cell, (made.people[number],), number)
        cell += 1
        while not await _once(rider, visit, load, repeats=number % 2 == 0) and number % 2 == 0:
            await asyncio.sleep(AGAIN)
            if ending.is_set():
                break
        await asyncio.sleep(PACE)
    rider.close()


async def _once(rider: Rider, visit: Visit, load: Load, *, repeats: bool) -> bool:
    """Ask once; whether that is settled."""
    begun = time.monotonic()
    seen = await (rider.declare if repeats else rider.book)(visit, visit.identifier)
    if seen.ok:
        load.acks.append((time.monotonic(), visit.identifier, seen.id))
        load.times.append((begun, time.monotonic() - begun))
        load.answers[str(seen.status)] += 1
        return True
    code = _code(seen.body)
    load.answers[f"{seen.status} {code}" if seen.status else "no answer"] += 1
    if seen.status in (0, UNAVAILABLE):
        load.doubtful.add(visit.identifier)
        await asyncio.sleep(AGAIN)
        return False
    load.unexpected.append(f"{seen.status} {code}")
    return True


def _code(body: dict[str, Any]) -> str:
    try:
        return str(body["issue"][0]["details"]["coding"][0]["code"])
    except (KeyError, IndexError):
        return ""


async def judged(url: str, load: Load, notes: dict[str, Any]) -> list[str]:
    """The verdict on what that database holds."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(STORED)
    await connection.close()
    return verdict({id_: json.loads(body) for id_, body in rows}, load, notes)


def verdict(stored: dict[str, Any], load: Load, notes: dict[str, Any]) -> list[str]:
    """Findings: acknowledged and not there, one identifier twice, overlapping time, an answer that is not foreseen.

    `stored`: by id, every live appointment. Figures go into the notes.
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for id_, appointment in stored.items():
        for one in appointment["identifier"]:
            holders[one["value"]].add(id_)
    lost = [name for _, name, id_ in load.acks if id_ not in holders[name]]
    twice = [name for name, ids in holders.items() if len(ids) > 1]
    acknowledged = {name for _, name, _ in load.acks}
    recorded = sum(bool(holders[name]) for name in load.doubtful - acknowledged)
    notes |= {
        "acknowledged": len(load.acks),
        "lost": len(lost),
        "duplicates": len(twice),
        "unknown": len(load.doubtful),
        "unknown, never repeated, in fact recorded": recorded,
        "answers": dict(load.answers),
    }
    return [
        *(f"acknowledged and not there: {name}" for name in lost),
        *(f"identifier of two appointments: {name}" for name in twice),
        *no_overlap([each for one in stored.values() for each in held(one)]),
        *(f"answered {one}" for one in load.unexpected),
    ]
