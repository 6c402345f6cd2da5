"""What a run needs on the server before it is measured: professionals with agendas, patients, appointments.

Works on any FHIR server that lets clients POST Practitioner, Patient, Schedule and Appointment: ids are the server's, read from
`Location` (https://hl7.org/fhir/R4/http.html#create), else from the body.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta

from bench import resources
from bench.connection import Client
from bench.resources import Resource, Visit
from bench.wire import Answer, Target

CELL = timedelta(minutes=15)
CELLS_A_DAY = 48  # from 7:00 to 19:00 UTC, inside the opening in winter as in summer


class SeedRefused(Exception):
    """The server did not create what the run needs; the message says what, with the status and the start of its answer."""


@dataclass(slots=True)
class World:
    """What was seeded: literal references, and appointments as (id, what they say). `next_visit` never gives a time twice."""

    run: str
    practitioners: list[str] = field(default_factory=list)
    patients: list[str] = field(default_factory=list)
    schedules: list[str] = field(default_factory=list)
    appointments: list[tuple[str, Visit]] = field(default_factory=list)
    first: datetime = field(default_factory=lambda: opening_day())
    count: int = 0

    def next_visit(self) -> Visit:
        """The next appointment to declare: cells are handed out practitioner by practitioner, so that load is spread."""
        number, self.count = self.count, self.count + 1
        position, who = divmod(number, len(self.practitioners))
        day, cell = divmod(position, CELLS_A_DAY)
        start = self.first + timedelta(days=day) + cell * CELL
        actors = (self.patients[number % len(self.patients)], self.practitioners[who])
        return Visit(f"{self.run}-{number}", start, start + CELL, actors)


def opening_day(now: datetime | None = None) -> datetime:
    """Tomorrow at 7:00 UTC."""
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    return datetime.combine(today + timedelta(days=1), time(7), UTC)


def reference(answer: Answer, type_: str) -> str:
    """The literal reference "Type/id" of what was created. Raises SeedRefused when it was not."""
    if answer.status not in (200, 201):
        raise SeedRefused(f"{type_}: status {answer.status}, {answer.body[:600]!r}")
    if found := re.search(rf"\b{type_}/([A-Za-z0-9.\-]{{1,64}})", answer.header("location")):
        return f"{type_}/{found[1]}"
    return f"{type_}/{json.loads(answer.body)['id']}"


class Crew:
    """Several clients that create a list of resources together."""

    def __init__(self, target: Target, clients: int = 16) -> None:
        self._clients = [Client(target) for _ in range(clients)]

    async def create(self, wanted: Iterable[Resource]) -> list[str]:
        """Create them all; their references, in the order wanted."""
        work = iter(enumerate(wanted))
        made: dict[int, str] = {}
        await asyncio.gather(*(self._work(client, work, made) for client in self._clients))
        return [made[number] for number in sorted(made)]

    async def _work(self, client: Client, work: Iterator[tuple[int, Resource]], made: dict[int, str]) -> None:
        for number, resource in work:
            type_ = resource["resourceType"]
            made[number] = reference(await client.ask("POST", type_, resources.encoded(resource)), type_)

    def close(self) -> None:
        """End the connections."""
        for client in self._clients:
            client.close()


async def seeded(target: Target, run: str, people: int, appointments: int) -> World:
    """A world of `people` practitioners (each with an agenda), as many patients, and that many appointments."""
    crew = Crew(target)
    try:
        world = World(run)
        world.practitioners = await crew.create(resources.practitioner(n, run) for n in range(people))
        world.patients = await crew.create(resources.patient(n, run) for n in range(people))
        agendas = enumerate(world.practitioners)
        world.schedules = await crew.create(
            resources.schedule(n, run, (who,), world.first) for n, who in agendas
        )
        await more(crew, world, appointments)
        return world
    finally:
        crew.close()


async def more(crew: Crew, world: World, appointments: int) -> None:
    """Declare that many appointments more."""
    visits = [world.next_visit() for _ in range(appointments)]
    made = await crew.create(resources.appointment(visit) for visit in visits)
    world.appointments += [(one.partition("/")[2], visit) for one, visit in zip(made, visits, strict=True)]
