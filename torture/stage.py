"""What a scenario is given: a running server it may kill, clients, agendas of its own, chance, and a place for its findings."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from bench import resources, seed, server
from bench.resources import Visit
from bench.wire import Target, target

from torture.checkers import no_overlap, unique_identifier
from torture.clients import Rider, everything, held, warmed
from torture.ground import Ground
from torture.history import History, Operation, paired

ANSWER: Final = 10.0
"""Seconds after which a client waits no longer."""


@dataclass(slots=True)
class Host:
    """The server under torture: how it is started, on which ground; killed and started again at will.

    `checkout`: a folder with another version of the program, to be run instead of this one; `killed`: workers that a scenario killed.
    """

    ground: Ground
    program: tuple[str, ...] = ("creneau",)
    running: server.Server | None = None
    port: int = field(default_factory=server.free_port)
    checkout: Path | None = None
    killed: int = 0

    def start(self) -> float:
        """Start it on its ground; seconds until it was ready. Raises server.NotStarted."""
        self.running = server.Server(self.command(), self.port, self.log)
        return self.running.wait_ready()

    @property
    def log(self) -> Path:
        """Where it prints, beside its folder: that may be a small disk."""
        return self.ground.folder.parent / f"{self.ground.folder.name}.log"

    def faults(self) -> list[str]:
        """What it logged as a fault of ours, once for each place of the code, and workers that ended without having been killed by us."""
        found: dict[str, int] = {}
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        died = [line for line in lines if "; begun again" in line]
        for line in lines:
            if '"event":"fault"' in line:
                fault = json.loads(line)
                said = f"{fault['kind']} at {'; '.join(fault['trace'][-4:])}"
                found[said] = found.get(said, 0) + 1
        faults = [f"{count} fault(s) logged: {said}" for said, count in found.items()]
        return faults + died * (len(died) > self.killed)

    def command(self) -> list[str]:
        """The command that serves."""
        options = ["--host", server.HOST, "--port", str(self.port), "--database", self.ground.database]
        if (workers := self.ground.setting.workers) > 1:
            options += ["--workers", str(workers)]
        other = ["env", f"PYTHONPATH={self.checkout / 'src'}"] if self.checkout else []
        return [*other, sys.executable, "-m", *self.program, "serve", *options]

    @property
    def process(self) -> server.Server:
        """The server that runs."""
        assert self.running is not None
        return self.running

    @property
    def target(self) -> Target:
        """Its FHIR base."""
        return target(self.process.base)


@dataclass(slots=True)
class Stage:
    """One run of one scenario. `rounds` is how often it tries; `bad_rounds` those with a finding; `broken`: it could not go on.

    `patience` multiplies every time limit: the short form runs wherever tests run, beside others.
    """

    host: Host
    rounds: int
    seconds: float
    random: random.Random
    name: str
    history: History = field(default_factory=History)
    findings: list[str] = field(default_factory=list)
    bad_rounds: set[int] = field(default_factory=set)
    patience: float = 1.0
    round: int = 0
    broken: bool = False
    notes: dict[str, Any] = field(default_factory=dict)
    riders: list[Rider] = field(default_factory=list)
    calendars: int = 0

    def each_round(self) -> Iterator[int]:
        """The numbers of the rounds, noted as they pass."""
        for number in range(self.rounds):
            self.round = number
            yield number

    def report(self, lines: list[str]) -> None:
        """Keep findings of this round."""
        if lines:
            self.bad_rounds.add(self.round)
            self.findings += [f"round {self.round + 1}: {line}" for line in lines]

    async def crowd(self, size: int) -> list[Rider]:
        """That many connected clients."""
        self.clients(size - len(self.riders))
        await warmed(self.riders[:size])
        return self.riders[:size]

    def clients(self, many: int) -> list[Rider]:
        """So many more clients, of the server that runs now, not connected yet."""
        first = len(self.riders)
        for number in range(first, first + many):
            self.riders.append(Rider(number, self.host.target, self.history, ANSWER * self.patience))
        return self.riders[first:]

    async def calendar(self, professionals: int = 1, patients: int = 1, places: int = 0) -> Calendar:
        """New professionals and places with an agenda each, and patients."""
        self.calendars += 1
        run = f"{self.name}-{self.calendars}"
        crew = seed.Crew(self.host.target, 8)
        try:
            people = await crew.create(resources.practitioner(n, run) for n in range(professionals))
            rooms = await crew.create(resources.place(n, run) for n in range(places))
            sick = await crew.create(resources.patient(n, run) for n in range(patients))
            world = seed.World(run, people, sick)
            owners = enumerate([*people, *rooms])
            world.schedules = await crew.create(
                resources.schedule(n, run, (who,), world.first) for n, who in owners
            )
            return Calendar(world, rooms)
        finally:
            crew.close()

    def operations(self, since: int = 0) -> list[Operation]:
        """What was done from the event number `since` on."""
        return paired(self.history.events[since:])

    def mark(self) -> int:
        """A number for `operations`: only what comes after."""
        return len(self.history.events)

    async def sweep(self) -> list[str]:
        """Invariants 1 and 4 over all that the server holds of this scenario now."""
        rider = (await self.crowd(1))[0]
        all_ = [one async for one in everything(rider, "Appointment") if self.owns(one)]
        self.notes["appointments"] = len(all_)
        return no_overlap([each for one in all_ for each in held(one)]) + unique_identifier(all_)

    def owns(self, resource: dict[str, Any]) -> bool:
        """Whether this scenario made it: its identifiers begin with the scenario's name."""
        return any(each["value"].startswith(f"{self.name}-") for each in resource["identifier"])

    def leave(self) -> None:
        """End the connections."""
        for one in self.riders:
            one.close()
        self.riders.clear()


@dataclass(slots=True)
class Calendar:
    """Agendas of one scenario, and visits to book in them."""

    world: seed.World
    places: list[str]
    used: int = 0

    @property
    def people(self) -> list[str]:
        """The professionals."""
        return self.world.practitioners

    def patient(self, number: int) -> str:
        """One of the patients."""
        return self.world.patients[number % len(self.world.patients)]

    def cell(self, number: int, who: tuple[str, ...], patient: int = 0, comment: str = "") -> Visit:
        """A visit of 15 minutes in cell `number` (48 a day) with these professionals or places; a new identifier each time."""
        day, cell = divmod(number, seed.CELLS_A_DAY)
        start = self.world.first + timedelta(days=day) + cell * seed.CELL
        return self.between(start - self.world.first, seed.CELL, (self.patient(patient), *who), comment)

    def between(
        self, after: timedelta, length: timedelta, actors: tuple[str, ...], comment: str = ""
    ) -> Visit:
        """A visit that begins that long after the first opening; a new identifier each time."""
        self.used += 1
        start = self.world.first + after
        return Visit(f"{self.world.run}-{self.used}", start, start + length, actors, comment)


@contextmanager
def ended(host: Host) -> Iterator[Host]:
    """End the server whatever happens."""
    try:
        yield host
    finally:
        if host.running is not None:
            host.running.kill()


async def together(tasks: list[Any]) -> list[Any]:
    """Run them at the same time; what each returned. The first failure ends the others."""
    async with asyncio.TaskGroup() as group:
        running = [group.create_task(one) for one in tasks]
    return [one.result() for one in running]
