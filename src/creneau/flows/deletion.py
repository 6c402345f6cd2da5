"""1c, 2c: what goes with a resource that is deleted, what keeps it from being deleted, all in one commit.

GAP-RG-03, GAP-RG-04, GAP-RES-13, GAP-AGE-09, C-28, DEC-09; docs/decisions/0009. An agenda left without owner goes too, one with another
owner loses the actor; what is over and named the resource names it by its identifier; whatever else counts on it refuses.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from creneau.fhir import json
from creneau.flows import agendas, linking, unlinking
from creneau.flows.agendas import Held
from creneau.flows.answers import Deleted
from creneau.flows.turns import in_turns
from creneau.flows.world import World
from creneau.flows.writing import commit, put, removal, stored
from creneau.problems import InUse, Issue, Refusal, refusal
from creneau.profiles import appointment as profile
from creneau.scheduling import lifecycle, ownership
from creneau.store.contract import Put, Seen, StillBooked, Stored
from creneau.store.plan import names

LIMIT: Final = 1_000
"""Resources that one deletion writes, at most: they are one commit, during which others wait."""

NAMED: Final = 20
"""Resources that a refusal names, at most."""

FAR: Final = 100 * 366 * 86_400_000_000
"""A hundred years in microseconds: as far as appointments to come are looked for."""

TURN: Final = 50
"""Resources read before other requests get their turn."""

RECORDS: Final = ("Appointment", "AppointmentResponse")
"""Types that tell what was, and keep doing so when who they name is gone."""

IN_USE = refusal(
    "still-referred-to",
    "conflict",
    "Cette ressource est encore désignée par {count} ressource(s) : {named}. Supprimez-les ou modifiez-les d'abord.",
    "This resource is still referred to by {count} resource(s): {named}. Delete or change them first.",
)
EXPECTED = refusal(
    "appointments-to-come",
    "conflict",
    "{count} rendez-vous à venir comptent sur cette ressource : {named}. Annulez-les ou déplacez-les d'abord.",
    "{count} appointment(s) to come count on this resource: {named}. Cancel or move them first.",
)
BOOKED = refusal(
    "agenda-has-appointments",
    "conflict",
    "Cet agenda a encore {count} rendez-vous à venir : {named}. Annulez-les ou déplacez-les d'abord.",
    "This agenda still has {count} appointment(s) to come: {named}. Cancel or move them first.",
)
TOO_MANY = refusal(
    "deletion-touches-too-much",
    "too-costly",
    "Plus de {limit} ressources désignent celle-ci ; une suppression n'en modifie pas tant. Rendez-la inactive plutôt.",
    "More than {limit} resources refer to this one; a deletion does not change so many. Make it inactive instead.",
)
AGENDAS_GONE = refusal(
    "agendas-deleted-too",
    "informational",
    "{count} agenda(s) sans autre propriétaire supprimé(s) avec elle : {named}.",
    "{count} agenda(s) without another owner deleted with it: {named}.",
)
AGENDAS_KEPT = refusal(
    "actor-removed-from-agendas",
    "informational",
    "{count} agenda(s) gardé(s) sans cet acteur : {named}.",
    "{count} agenda(s) kept without this actor: {named}.",
)
UNLINKED = refusal(
    "references-made-logical",
    "informational",
    "{count} ressource(s) passée(s) la désignent désormais par un identifiant.",
    "{count} past resource(s) now name it by an identifier.",
)


class Kept(NamedTuple):
    """An agenda that stays, and the actors it keeps."""

    held: Held
    actors: tuple[str, ...]


@dataclass(slots=True)
class Leaving:
    """What a deletion is about to do: what goes ("Type/id", the resource itself first), agendas that stay, past resources to change."""

    gone: dict[str, Stored]
    agendas: list[Held] = field(default_factory=list)  # those that go
    kept: dict[str, Kept] = field(default_factory=dict)
    records: list[Stored] = field(default_factory=list)


async def delete(world: World, known: Stored) -> Deleted:
    """Delete the resource and what goes with it. InUse names what keeps it: appointments to come, resources that refer to it."""
    leaving = await _agendas(world, known)
    referring = await _referring(world, leaving)
    needed = [name for name in referring if ownership.kind(name) not in RECORDS]
    records = [name for name in referring if ownership.kind(name) in RECORDS]
    needed.sort(key=lambda name: ownership.kind(name) in ownership.NEVER_TAKEN)  # roles before patients
    issues = [_listed(IN_USE, needed)] if needed else []
    if len(records) + len(leaving.kept) + len(leaving.gone) > LIMIT:
        raise InUse(*issues, Issue(TOO_MANY, values={"limit": LIMIT}))
    leaving.records = await _read(world, records)
    expected = sorted({*await _left_behind(world, leaving), *_to_come(world, leaving.records)})
    if expected:
        issues.append(_listed(_why(known), expected))
    if issues:
        raise InUse(*issues)
    puts = [put async for put in _puts(world, leaving)]
    try:
        await commit(world, puts, await _seen(world, leaving))
    except StillBooked as booked:
        raise still_booked(booked, _why(known)) from booked
    for changed in puts:
        if changed.type == "Schedule":
            world.kept.pop(changed.id, None)  # within a transaction, a version may be decided again
    return Deleted(known.type, stored(puts[0]), tuple(_remarks(leaving)))


def still_booked(found: StillBooked, why: Refusal = EXPECTED) -> InUse:
    """The refusal when the store knows of an appointment to come that the flow did not see."""
    return InUse(_listed(why, [f"Appointment/{found.appointment}"]))


def _why(known: Stored) -> Refusal:
    return BOOKED if known.type == "Schedule" else EXPECTED


def _listed(why: Refusal, found: Iterable[str], severity: str = "error") -> Issue:
    everything = list(found)
    named = ", ".join(everything[:NAMED]) + (", …" if len(everything) > NAMED else "")
    return Issue(why, severity=severity, values={"count": len(everything), "named": named})


async def _agendas(world: World, known: Stored) -> Leaving:
    """The agendas of the resource: those it alone owns go with it (GAP-RG-03), the others lose it (GAP-RG-04)."""
    name = f"{known.type}/{known.id}"
    leaving = Leaving({name: known})
    if known.type == "Schedule":
        held = await agendas.held(world, known.id, known)
        leaving.agendas += [held] if held else []
        return leaving
    for id in await world.store.linked("Schedule", "actor", known.type, known.id, LIMIT + 1):
        held = await agendas.held(world, id)
        if held is None:
            continue
        actors = ownership.left(held.actors, name, await agendas.humans(world, held.actors))
        if actors:
            leaving.kept[f"Schedule/{id}"] = Kept(held, actors)
        else:
            leaving.gone[f"Schedule/{id}"] = held.stored
            leaving.agendas.append(held)
    return leaving


async def _referring(world: World, leaving: Leaving) -> list[str]:
    """Who else refers to what goes, as "Type/id"; of each parameter one more than a deletion may change."""
    found: dict[str, None] = {}
    for target in leaving.gone.values():
        for type, param in linking.referring(target.type):
            for id in await world.store.linked(type, param, target.type, target.id, LIMIT + 1):
                found[f"{type}/{id}"] = None
    return [name for name in found if name not in leaving.gone and name not in leaving.kept]


async def _read(world: World, names: Iterable[str]) -> list[Stored]:
    found = []
    async for name in in_turns(names, TURN):
        stored = await world.store.get(*name.split("/", 1))
        if stored and not stored.deleted:
            found.append(stored)
    return found


def _to_come(world: World, records: Iterable[Stored]) -> Iterator[str]:
    """The appointments among them that are agreed or asked for, and not over."""
    now = world.clock()
    for one in records:
        if one.type == "Appointment":
            appointment = json.load(one.body)
            if lifecycle.to_come(appointment["status"], profile.times(appointment)[1], now):
                yield f"Appointment/{one.id}"


async def _left_behind(world: World, leaving: Leaving) -> set[str]:
    """The appointments to come that name a slot of an agenda that goes, or take time of somebody who would have no agenda left."""
    after = {name: await _owns(world, kept) for name, kept in leaving.kept.items()}
    before = [*leaving.agendas, *(kept.held for kept in leaving.kept.values())]
    lost = {thing for held in before for thing in held.agenda.things if thing not in _of(after, held)}
    changed = {held.agenda.id for held in before}
    owners = await world.store.agendas(sorted(lost))
    alone = {
        thing
        for thing in lost
        if changed.issuperset(owners.get(thing, ())) and not any(thing in owns for owns in after.values())
    }
    closing = [held.agenda.id for held in leaving.agendas]
    now = world.clock()
    return {
        f"Appointment/{one.appointment}"
        for one in await world.store.taken(sorted(lost), now, now + FAR, now=now)
        if one.take.thing in alone or any(names(one.take.slot, id) for id in closing)
    }


def _of(after: Mapping[str, frozenset[str]], held: Held) -> frozenset[str]:
    return after.get(f"Schedule/{held.agenda.id}", frozenset())


async def _owns(world: World, kept: Kept) -> frozenset[str]:
    humans = await agendas.humans(world, kept.actors)
    return frozenset(ownership.owned(f"Schedule/{kept.held.agenda.id}", kept.actors, humans))


async def _puts(world: World, leaving: Leaving) -> AsyncIterator[Put]:
    """Every new version: the deletions, the agendas that stay, the past resources that name what goes."""
    for one in leaving.gone.values():
        gone = removal(world, one)
        yield replace(gone, unreferenced=linking.referring(one.type), unbooked=one.type == "Schedule")
    logical = {name: unlinking.logical(world, one) for name, one in leaving.gone.items()}
    for kept in leaving.kept.values():
        schedule = json.load(kept.held.stored.body)
        unlinking.drop(world, schedule, set(kept.held.actors) - set(kept.actors))
        unlinking.unlink(world, schedule, logical)
        owns = await _owns(world, kept)
        new = put(world, kept.held.stored, schedule, id=kept.held.stored.id, owns=owns)
        yield replace(new, unbooked=True)
    async for one in in_turns(leaving.records, TURN):
        yield await _unlinked(world, one, logical)


async def _unlinked(world: World, known: Stored, logical: Mapping[str, dict[str, Any]]) -> Put:
    resource = json.load(known.body)
    unlinking.unlink(world, resource, logical)
    takes = await world.store.takes(known.id) if known.type == "Appointment" else ()
    return put(world, known, resource, id=known.id, takes=[one for one in takes if one.thing not in logical])


async def _seen(world: World, leaving: Leaving) -> list[Seen]:
    """The roles whose human tells what the agendas that stay are agendas of."""
    roles = {
        one
        for kept in leaving.kept.values()
        for one in kept.actors
        if ownership.kind(one) == "PractitionerRole"
    }
    found = await _read(world, sorted(roles))
    return [Seen(one.type, one.id, one.version) for one in found]


def _remarks(leaving: Leaving) -> Iterator[Issue]:
    """What was done besides, for whoever deleted."""
    agendas_gone = [f"Schedule/{held.agenda.id}" for held in leaving.agendas]
    if agendas_gone and agendas_gone != list(leaving.gone):
        yield _listed(AGENDAS_GONE, agendas_gone, "information")
    if leaving.kept:
        yield _listed(AGENDAS_KEPT, leaving.kept, "information")
    if leaving.records:
        yield Issue(UNLINKED, severity="information", values={"count": len(leaving.records)})
