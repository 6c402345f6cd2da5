"""Agendas as the rules see them, read from their Schedules and kept for as long as these do not change.

GAP §8, §9; `shared/design.md`, "Who is taken, and when" (a PractitionerRole stands for its Practitioner).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from creneau.fhir import json
from creneau.fhir.reference import Literal, read
from creneau.flows.ahead import company, of_keys
from creneau.flows.world import World, note
from creneau.profiles.agenda import agenda as read_agenda
from creneau.profiles.agenda import durations
from creneau.scheduling.intervals import Interval
from creneau.scheduling.ownership import kind, owned
from creneau.scheduling.slots import Agenda
from creneau.store.contract import DAY, Ahead, Stored

KEPT: Final = 20_000
"""Agendas kept in memory; the oldest goes first."""


LOOKED_AT: Final = frozenset({"PractitionerRole", "HealthcareService"})
"""Actors that say something of their agenda: durations."""

UNREAD: Final = DAY // 12
"""The longest slot that an agenda not read yet is expected to have, in microseconds."""

TOGETHER: Final = 50
"""Schedules read at once, before other requests get their turn."""


class Held(NamedTuple):
    """An agenda, its Schedule, the actors that are resources here."""

    agenda: Agenda
    stored: Stored
    actors: tuple[str, ...]

    @property
    def schedule(self) -> dict[str, Any]:
        """The Schedule, read anew: kept, it would take twice as much memory as all the rest."""
        return json.load(self.stored.body)


@dataclass(frozen=True, slots=True)
class _Kept:
    held: Held
    rests_on: tuple[tuple[str, int], ...]


def local_actors(schedule: Mapping[str, Any], world: World) -> tuple[str, ...]:
    """The Schedule's actors that are resources of this server, as "Type/id", in order."""
    found = (read(actor, world.bases) for actor in schedule.get("actor", ()))
    return tuple(f"{one.type}/{one.id}" for one in found if isinstance(one, Literal))


async def humans(
    world: World, actors: Iterable[str], known: Mapping[str, Stored] = MappingProxyType({})
) -> dict[str, str]:
    """For each "PractitionerRole/id" that names a Practitioner of this server: that "Practitioner/id" (GAP-RG-12).

    `known`: resources by "Type/id" that the caller has read already.
    """
    found: dict[str, str] = {}
    for actor in actors:
        if kind(actor) == "PractitionerRole":
            stored = known.get(actor) or await world.store.get("PractitionerRole", actor.partition("/")[2])
            if stored and not stored.deleted and (human := _human(world, stored)):
                found[actor] = human
                note(world, actor, (human,))
    return found


def _human(world: World, role: Stored) -> str | None:
    match read(json.load(role.body).get("practitioner") or {}, world.bases):
        case Literal(type="Practitioner", id=id):
            return f"Practitioner/{id}"
    return None


async def held(world: World, schedule_id: str, stored: Stored | None = None) -> Held | None:
    """The agenda of a live Schedule (its current version, when the caller has read it), None when there is none."""
    stored = stored or await world.store.get("Schedule", schedule_id)
    if stored is None or stored.deleted:
        return None
    kept: _Kept | None = world.kept.get(schedule_id)
    if kept and kept.held.stored.version == stored.version and await _still(world, kept):
        return kept.held
    return _keep(world, await _read(world, stored)).held


async def held_of(world: World, versions: Mapping[str, int]) -> list[Held]:
    """The agendas of many live Schedules, whose current versions are given by id, in the order of their ids: few reads for all."""
    known = _remembered(world, versions)
    await _drop_stale(world, known)
    unknown = [id for id in versions if id not in known]
    for first in range(0, len(unknown), TOGETHER):
        some = await world.store.several("Schedule", unknown[first : first + TOGETHER])
        there = await of_keys(world, _actors_of(world, some)) if world.store.far else world
        for stored in some:
            known[stored.id] = _keep(world, await _read(there, stored))
        await asyncio.sleep(0)
    return [known[id].held for id in sorted(known)]


def _remembered(world: World, versions: Mapping[str, int]) -> dict[str, _Kept]:
    """Those kept of that version; what they rest on may have changed."""
    found = ((id, world.kept.get(id), version) for id, version in versions.items())
    return {id: kept for id, kept, version in found if kept and kept.held.stored.version == version}


async def of_search(
    world: World, versions: Mapping[str, int], within: Interval | None, *, actors: bool
) -> World:
    """The same world, what a search of slots of these agendas looks at being read: their Schedules, the time taken `within`, their `actors`."""
    if not world.store.far:
        return world
    known = _remembered(world, versions)
    others = tuple(id for id in versions if id not in known)
    wanted = [_key(one) for id in others for one in company(world, f"Schedule/{id}")]
    things: dict[str, None] = {}
    longest = UNREAD if others else 0
    for kept in known.values():
        named = {*(kept.held.actors if actors else ()), *(actor for actor, _ in kept.rests_on)}
        wanted += map(_key, named)
        things.update(dict.fromkeys(kept.held.agenda.things))
        longest = max(longest, *(one.duration for one in kept.held.agenda.services), 0)
    have = tuple(kept.held.stored for kept in known.values())
    if within is None:
        return replace(world, store=await world.store.ahead(Ahead(tuple(wanted), known=have)))
    reach = Ahead(
        tuple(wanted),
        things=tuple(things),
        schedules=others,
        start=within.start,
        end=within.end + longest,
        now=world.clock(),
        known=have,
    )
    return replace(world, store=await world.store.ahead(reach))


def _actors_of(world: World, schedules: Iterable[Stored]) -> Iterator[tuple[str, str]]:
    """The actors that reading these Schedules looks at."""
    for stored in schedules:
        for actor in local_actors(json.load(stored.body), world):
            if kind(actor) in LOOKED_AT:
                yield _key(actor)


def _key(one: str) -> tuple[str, str]:
    type, _, id = one.partition("/")
    return type, id


async def _drop_stale(world: World, known: dict[str, _Kept]) -> None:
    """Leave out the agendas whose actors are no longer what they were read from."""
    rests: dict[str, dict[str, None]] = {}
    for kept in known.values():
        for actor, _ in kept.rests_on:
            type, _, id = actor.partition("/")
            rests.setdefault(type, {})[id] = None
    current: dict[str, int] = {}
    for type, ids in rests.items():
        found = await world.store.versions(type, list(ids))
        current.update((f"{type}/{id}", version) for id, version in found.items())
    for id, kept in list(known.items()):
        if any(current.get(actor) != version for actor, version in kept.rests_on):
            del known[id]


def _keep(world: World, kept: _Kept) -> _Kept:
    id = kept.held.agenda.id
    world.kept.pop(id, None)
    if len(world.kept) >= KEPT:
        del world.kept[next(iter(world.kept))]
    world.kept[id] = kept
    note(world, f"Schedule/{id}", (actor for actor, _ in kept.rests_on))
    return kept


async def _still(world: World, kept: _Kept) -> bool:
    for actor, version in kept.rests_on:
        stored = await world.store.get(*actor.split("/", 1))
        if stored is None or stored.version != version:
            return False
    return True


async def _read(world: World, stored: Stored) -> _Kept:
    schedule = json.load(stored.body)
    agenda, actors, rests_on = await _agenda(world, schedule)
    return _Kept(Held(agenda, stored, actors), rests_on)


async def of_schedule(world: World, schedule: dict[str, Any]) -> Held:
    """The agenda of a Schedule that is not stored, with an id."""
    agenda, actors, _ = await _agenda(world, schedule)
    body = json.encode(schedule)
    return Held(agenda, Stored("Schedule", schedule["id"], 0, world.clock(), "create", body), actors)


async def _agenda(
    world: World, schedule: Mapping[str, Any]
) -> tuple[Agenda, tuple[str, ...], tuple[tuple[str, int], ...]]:
    """The agenda, its actors here, and the versions of those whose durations it rests on."""
    actors = local_actors(schedule, world)
    rests_on: list[tuple[str, int]] = []
    of_actors: dict[str, int] = {}
    for actor in actors:
        if kind(actor) in LOOKED_AT:
            resource = await world.store.get(*actor.split("/", 1))
            if resource and not resource.deleted:
                rests_on.append((actor, resource.version))
                of_actors.update(durations(json.load(resource.body)))
    agenda = read_agenda(
        schedule,
        zone_default=world.rules.zone,
        default_duration=world.rules.default_duration,
        actor_durations=of_actors,
        things=owned(f"Schedule/{schedule['id']}", actors, await humans(world, actors)),
    )
    return agenda, actors, tuple(rests_on)


async def owning(world: World, things: Iterable[str]) -> list[Held]:
    """The agendas of these things, each once, in the order of their ids."""
    wanted = sorted(set(things))
    if world.store.far and (store := await world.store.ahead(Ahead(owners=tuple(wanted)))) is not world.store:
        world = replace(world, store=store)
    agendas = await world.store.agendas(wanted)
    for thing, of_thing in agendas.items() if world.store.far else ():
        note(world, thing, (f"Schedule/{id}" for id in of_thing))
    ids = sorted({id for found in agendas.values() for id in found})
    return [one for id in ids if (one := await held(world, id))]


async def services_alone(world: World, actors: Iterable[str]) -> dict[str, str]:
    """For each HealthcareService or Organization that has exactly one agenda of its own: that agenda, the thing taken."""
    found: dict[str, str] = {}
    for actor in actors:
        if kind(actor) in ("HealthcareService", "Organization"):
            type, _, id = actor.partition("/")
            ids = await world.store.linked("Schedule", "actor", type, id)
            alone = [
                one
                for id in ids
                if (one := await held(world, id)) and one.agenda.things == (f"Schedule/{id}",)
            ]
            if len(alone) == 1:
                found[actor] = f"Schedule/{alone[0].agenda.id}"
    return found
