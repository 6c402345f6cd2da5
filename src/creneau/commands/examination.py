"""`creneau doctor`: the integrity of a whole database (REL-33), from the file itself to what appointments mean.

The store looks at its own tables; here each resource is validated, its references followed, its time compared with what is taken.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress

from creneau import wiring
from creneau.config import Settings, shown
from creneau.fhir import json
from creneau.fhir.reference import Literal, read, walk
from creneau.flows.references import HELD
from creneau.flows.world import World
from creneau.flows.writing import claims
from creneau.profiles import appointment as profile
from creneau.scheduling.lifecycle import BUSY, HOLDS
from creneau.store.contract import Store, Stored, StoreUnavailable
from creneau.store.inspect import Finding, findings, wrong_body
from creneau.store.memory import MemoryStore
from creneau.store.sqlite import SqliteStore


async def examine(world: World) -> tuple[list[str], list[str]]:
    """A line for each finding, none when the database is sound; and the warnings. No line holds anything about a patient but ids."""
    found = [str(one) for one in await _tables(world)]
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("creneau doctor", total=None)
        async for stored in world.store.scan():
            found += [f"{stored.type}/{stored.id}: {line}" for line in await _resource(world, stored)]
            progress.advance(task)
    return found, await _warnings(world.store)


async def server_of(settings: Settings) -> list[str]:
    """Of a PostgreSQL database, the warnings of `doctor`, or why they are not known."""
    try:
        store = wiring.as_it_is(settings)
    except StoreUnavailable as error:
        return [str(error)]
    try:
        return await _warnings(store)
    except StoreUnavailable as error:
        return [f"{shown(settings.database)}: {error}; its server's settings were not looked at"]
    finally:
        await store.close()


async def _warnings(store: Store) -> list[str]:
    """A line for each setting of the database's server that lets patients' data into its log (SEC-41)."""
    if isinstance(store, SqliteStore | MemoryStore):
        return []
    from creneau.store import postgres, postgres_settings

    return (
        await postgres_settings.warnings(store.connections)
        if isinstance(store, postgres.PostgresStore)
        else []
    )


async def _tables(world: World) -> list[Finding]:
    rows = wiring.index_rows(world)
    if isinstance(world.store, SqliteStore):
        return [one async for one in findings(world.store, rows)]
    if isinstance(world.store, MemoryStore):
        return []
    from creneau.store import postgres, postgres_inspect

    store = world.store
    return await postgres_inspect.findings(store, rows) if isinstance(store, postgres.PostgresStore) else []


async def _resource(world: World, stored: Stored) -> list[str]:
    if wrong_body((stored.type, stored.id, str(stored.version)), stored.interaction, stored.body):
        return []  # which the store said already
    try:
        return await _content(world, stored, json.load(stored.body))
    except StoreUnavailable:
        raise
    except Exception as error:
        return [f"its content cannot be examined ({type(error).__name__})"]


async def _content(world: World, stored: Stored, resource: dict[str, object]) -> list[str]:
    found = [
        f"{one.at}: {one.text('en')}" for one in world.validator.check(resource) if one.severity == "error"
    ]
    found += await _dangling(world, resource)
    found += await _unheld(world, stored, resource)
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


async def _unheld(world: World, stored: Stored, resource: dict[str, object]) -> list[str]:
    """A business identifier that is kept unique is held by the one resource that has it."""
    found = []
    for claim in sorted(claims(resource)):
        holder = await world.store.holder(stored.type, claim)
        if holder != stored.id:
            by = f"{stored.type}/{holder}" if holder else "nobody"
            found.append(f"its business identifier is held by {by}")
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
