"""The part of `creneau doctor` that looks at what resources say (REL-33): each is validated, its references are followed, its time is compared with what is taken.

Resources are looked at a lot at a time: what a lot has to be compared with is read with a few questions, also where each costs a round trip.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from creneau import wiring
from creneau.fhir import json
from creneau.fhir.reference import Literal, read, walk
from creneau.flows.references import HELD
from creneau.flows.world import World
from creneau.flows.writing import claims
from creneau.profiles import appointment as profile
from creneau.scheduling.lifecycle import BUSY, HOLDS
from creneau.store.contract import Claim, Store, Stored, StoreUnavailable, Take
from creneau.store.inspect import wrong_body
from creneau.store.plan import lapsed

LOT: Final = 500


class Case(NamedTuple):
    """A resource, and what it is to be compared with: (path, target) of its references, its identifiers, who it takes time of."""

    stored: Stored
    resource: Mapping[str, Any]
    references: list[tuple[str, Literal]]
    claims: list[Claim]
    actors: list[str]


class Around(NamedTuple):
    """What a lot is compared with: targets that are there, holders of identifiers, takes of appointments, things that own an agenda."""

    live: set[tuple[str, str]]
    holders: Mapping[tuple[str, Claim], str]
    takes: Mapping[str, Sequence[Take]]
    owning: Mapping[str, Sequence[str]]


async def lots(store: Store) -> AsyncIterator[list[Stored]]:
    """Every current, live resource, some at a time."""
    lot: list[Stored] = []
    async for stored in store.scan():
        lot.append(stored)
        if len(lot) == LOT:
            yield lot
            lot = []
    if lot:
        yield lot


async def wrong(world: World, lot: list[Stored]) -> list[str]:
    """A line for each finding in these resources, but for what the store said already."""
    found: list[str] = []
    cases: list[Case] = []
    for stored in lot:
        if wrong_body((stored.type, stored.id, str(stored.version)), stored.interaction, stored.body):
            continue
        try:
            cases.append(_case(world, stored))
        except Exception as error:
            found.append(_unexaminable(stored, error))
    return found + await _compared(world, cases)


async def _compared(world: World, cases: list[Case]) -> list[str]:
    """Their findings. When something in one of them cannot be asked for, each is looked at alone."""
    try:
        around = await _around(world.store, cases)
    except StoreUnavailable:
        raise
    except Exception as error:
        if len(cases) == 1:
            return [_unexaminable(cases[0].stored, error)]
        return [line for case in cases for line in await _compared(world, [case])]
    found: list[str] = []
    for case in cases:
        try:
            found += [f"{case.stored.type}/{case.stored.id}: {line}" for line in _lines(world, case, around)]
        except Exception as error:
            found.append(_unexaminable(case.stored, error))
    return found


def _unexaminable(stored: Stored, error: Exception) -> str:
    return f"{stored.type}/{stored.id}: its content cannot be examined ({type(error).__name__})"


def _case(world: World, stored: Stored) -> Case:
    resource = json.load(stored.body)
    targets = ((path, read(reference, world.bases)) for path, reference in walk(resource))
    references = [
        (path, target) for path, target in targets if isinstance(target, Literal) and target.type in HELD
    ]
    actors: list[str] = []
    if stored.type == "Appointment":
        actors = [one.actor for one in profile.attendances(resource, world.bases) if one.counts]
    return Case(stored, resource, references, sorted(claims(resource)), actors)


async def _around(store: Store, cases: list[Case]) -> Around:
    wanted: dict[str, set[str]] = {}
    for case in cases:
        for _, target in case.references:
            wanted.setdefault(target.type, set()).add(target.id)
    live = {(type, id) for type, ids in wanted.items() for id in await store.versions(type, sorted(ids))}
    claimed = [(case.stored.type, claim) for case in cases for claim in case.claims]
    appointments = [case.stored.id for case in cases if case.actors]
    owning = await store.agendas(sorted({actor for case in cases for actor in case.actors}))
    if far := wiring.as_postgres(store):
        from creneau.store import postgres_inspect

        holders = await postgres_inspect.holders(far, claimed)
        return Around(live, holders, await postgres_inspect.takes(far, appointments), owning)
    held = {key: holder for key in claimed if (holder := await store.holder(*key)) is not None}
    return Around(live, held, {id: await store.takes(id) for id in appointments}, owning)


def _lines(world: World, case: Case, around: Around) -> list[str]:
    found = [
        f"{one.at}: {one.text('en')}"
        for one in world.validator.check(case.resource)
        if one.severity == "error"
    ]
    found += [
        f"{path}: refers to {target.type}/{target.id}, which is not there"
        for path, target in case.references
        if (target.type, target.id) not in around.live
    ]
    found += _unheld(case, around)
    return found + (_time(world, case, around) if case.stored.type == "Appointment" else [])


def _unheld(case: Case, around: Around) -> list[str]:
    """A business identifier that is kept unique is held by the one resource that has it."""
    found = []
    for claim in case.claims:
        holder = around.holders.get((case.stored.type, claim))
        if holder != case.stored.id:
            by = f"{case.stored.type}/{holder}" if holder else "nobody"
            found.append(f"its business identifier is held by {by}")
    return found


def _time(world: World, case: Case, around: Around) -> list[str]:
    """An agreed appointment takes its whole time of each participant that owns an agenda; one that takes none has no row."""
    start, end = profile.times(case.resource)
    if start is None or end is None:
        return []
    now, takes = world.clock(), around.takes.get(case.stored.id, ())
    mine = [
        take
        for take in takes
        if take.thing in case.actors and take.start < end and take.end > start and not lapsed(take, now)
    ]
    status = case.resource["status"]
    if status not in BUSY | HOLDS and mine:
        return [f"status {status}, and yet it takes time of {mine[0].thing}"]
    if status in BUSY:
        held = {take.thing for take in mine if (take.start, take.end) == (start, end)}
        owning = sorted(actor for actor in set(case.actors) if actor in around.owning)
        return [f"does not take the time of {thing}" for thing in owning if thing not in held]
    return []
