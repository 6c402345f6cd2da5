"""`creneau doctor`: the integrity of a whole database (REL-33), from the file itself to what appointments mean.

The store looks at its own tables; here each resource is validated, its references followed, its time compared with what is taken.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress

from creneau.fhir import json
from creneau.fhir.reference import Literal, read, walk
from creneau.flows import linking
from creneau.flows.references import HELD
from creneau.flows.world import World
from creneau.profiles import appointment as profile
from creneau.scheduling.lifecycle import BUSY, HOLDS
from creneau.store.contract import Stored
from creneau.store.inspect import findings
from creneau.store.sqlite import SqliteStore


async def examine(world: World) -> list[str]:
    """A line for each finding; none when the database is sound. No line holds anything about a patient but ids."""
    found: list[str] = []
    if isinstance(world.store, SqliteStore):
        found += [
            str(one) async for one in findings(world.store, lambda resource: linking.rows(world, resource))
        ]
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("creneau doctor", total=None)
        async for stored in world.store.scan():
            found += [f"{stored.type}/{stored.id}: {line}" for line in await _resource(world, stored)]
            progress.advance(task)
    return found


async def _resource(world: World, stored: Stored) -> list[str]:
    resource = json.load(stored.body)
    found = [
        f"{one.at}: {one.text('en')}" for one in world.validator.check(resource) if one.severity == "error"
    ]
    found += await _dangling(world, resource)
    if stored.type == "Appointment":
        found += await _time(world, stored.id, resource)
    return found


async def _dangling(world: World, resource: dict[str, object]) -> list[str]:
    found = []
    for path, reference in walk(resource):
        match read(reference, world.bases):
            case Literal(type=type, id=id) if type in HELD:
                target = await world.store.get(type, id)
                if target is None or target.deleted:
                    found.append(f"{path}: refers to {type}/{id}, which is not there")
    return found


async def _time(world: World, id: str, appointment: dict[str, object]) -> list[str]:
    """An agreed appointment takes its whole time of each participant that owns an agenda; one that takes none has no row."""
    actors = [one.actor for one in profile.attendances(appointment, world.bases) if one.counts]
    start, end = profile.times(appointment)
    if start is None or end is None:
        return []
    taken = await world.store.taken(actors, start, end, now=world.clock())
    mine = [one.take for one in taken if one.appointment == id]
    status = appointment["status"]
    if status not in BUSY | HOLDS and mine:
        return [f"status {status}, and yet it takes time of {mine[0].thing}"]
    owning = await world.store.agendas(actors)
    if status in BUSY:
        held = {one.thing for one in mine if (one.start, one.end) == (start, end)}
        return [f"does not take the time of {thing}" for thing in sorted(owning) if thing not in held]
    return []
