"""The FHIR interactions on one resource, whatever its type: each finds the flow of the type in a table and runs it.

https://hl7.org/fhir/R4/http.html. Front doors and bundles call these; nothing here knows HTTP.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from creneau.fhir import json
from creneau.flows import (
    ahead,
    conditions,
    f1_resources,
    f2_agenda,
    f4_f5_consultation,
    f6_appointment,
    f6_response,
    reading,
    searching,
)
from creneau.flows.answers import Deleted, Found, Resource, Saved
from creneau.flows.world import World
from creneau.flows.writing import ID_DIFFERS, commit, current, of_type, settle
from creneau.problems import Duplicate, Issue, Malformed, Missing, NotOffered, refusal
from creneau.store.contract import Moved, Seen, Stored

NO_DELETE = refusal(
    "delete-not-offered",
    "not-supported",
    "Une ressource {type} ne se supprime pas ; un rendez-vous s'annule par son statut.",
    "A {type} resource is not deleted; an appointment is cancelled by its status.",
)
COMPUTED = refusal(
    "slots-are-computed",
    "not-supported",
    "Les créneaux sont calculés à partir de l'agenda ; ils ne s'écrivent pas.",
    "Slots are computed from the agenda; they are not written.",
)

NO_MATCH = refusal(
    "condition-without-match",
    "not-found",
    "Aucune ressource {type} ne répond à cette condition.",
    "No {type} resource matches this condition.",
)

Change = Callable[[Resource], Resource]


class Flow(NamedTuple):
    """How a type is created, changed, deleted (None: not offered)."""

    create: Callable[[World, Resource, str | None], Awaitable[Saved]]
    change: Callable[[World, Stored, Resource], Awaitable[Saved]]
    delete: Callable[[World, Stored], Awaitable[Deleted]] | None


DEFAULT: Final = Flow(f1_resources.create, f1_resources.change, f1_resources.delete)
FLOWS: Final[dict[str, Flow]] = {
    "Schedule": Flow(f2_agenda.create, f2_agenda.change, f2_agenda.delete),
    "Appointment": Flow(f6_appointment.create, f6_appointment.change, None),
    "AppointmentResponse": Flow(f6_response.create, f6_response.change, None),
}
"""Types with a flow of their own; every other type kept here goes through 1a, 1b, 1c."""


def flow(type: str) -> Flow:
    """The flow of a type; Slots are computed, so they have none."""
    if type == "Slot":
        raise NotOffered(Issue(COMPUTED))
    return FLOWS.get(type, DEFAULT)


async def read(world: World, type: str, id: str) -> Stored:
    """The current version; Missing or Gone."""
    if type == "Slot":
        return await f4_f5_consultation.read(world, id)
    return await reading.read(world, type, id)


async def search(world: World, type: str, pairs: Sequence[tuple[str, str]], strict: bool) -> Found:
    """A page of what matches; Malformed for a value that cannot be read, or an unknown parameter when `strict`."""
    query = searching.parse(world, type, pairs, strict=strict)
    if type == "Slot":
        return await f4_f5_consultation.search(world, query, strict=strict)
    return await searching.search(world, query)


async def earliest(world: World, pairs: Sequence[tuple[str, str]], most: int, strict: bool) -> Found:
    """The first slots that match of each professional, room or agenda (`Slot/$earliest`)."""
    return await f4_f5_consultation.earliest(
        world, searching.parse(world, "Slot", pairs, strict=strict), most
    )


async def create(
    world: World, type: str, sent: Resource, condition: str | None = None, id: str | None = None
) -> Saved:
    """1a, 2a, 6a. With a condition (`If-None-Exist`), what it matches is the answer instead. `id`: as a transaction minted it."""
    of_type(type, sent)
    if condition is None:

        async def unconditional() -> Saved:
            return await flow(type).create(await ahead.of_write(world, (sent,)), sent, id)

        return await settle(world, unconditional)
    query = conditions.read(world, type, condition)
    conditions.carried(query, sent)

    async def attempt() -> Saved:
        there = await ahead.of_write(world, (sent,), conditions.claims(query))
        _, known = await conditions.one(there, type, condition)
        if known is None:
            return await _first(there, type, condition, sent, id)
        return await _confirmed(there, Saved(known, False, changed=False))

    async with world.turns.of(f"{type}?{condition}"):
        return await settle(world, attempt)


async def update(
    world: World, type: str, id: str, sent: Resource, expected: frozenset[int] | None = None
) -> Saved:
    """1b, 2b, 6b by id. An unknown id is Missing, unless clients may choose ids (setting `client_ids`)."""
    of_type(type, sent)
    if sent.get("id", id) != id:
        raise Malformed(Issue(ID_DIFFERS, f"{type}.id"))

    async def attempt() -> Saved:
        there = await ahead.of_write(world, (sent,), (), (type, id))
        known = await there.store.get(type, id)
        current(expected, known)
        if there.rules.client_ids and type != "Appointment" and (known is None or known.deleted):
            return await (
                flow(type).change(there, known, sent) if known else flow(type).create(there, sent, id)
            )
        return await _confirmed(there, await flow(type).change(there, reading.present(known, type), sent))

    flow(type)
    async with world.turns.of(f"{type}/{id}"):
        return await settle(world, attempt)


async def update_where(
    world: World,
    type: str,
    condition: str,
    sent: Resource,
    expected: frozenset[int] | None = None,
    id: str | None = None,
) -> Saved:
    """6b and its kin: no match creates, one match updates, several are Ambiguous (GAP-RDV-08, GAP-RDV-09, DEC-05)."""
    of_type(type, sent)
    query = conditions.read(world, type, condition)
    conditions.carried(query, sent)

    async def attempt() -> Saved:
        there = await ahead.of_write(world, (sent,), conditions.claims(query))
        _, known = await conditions.one(there, type, condition)
        current(expected, known)
        if known is None:
            return await _first(there, type, condition, sent, id)
        if sent.get("id", known.id) != known.id:
            raise Malformed(Issue(ID_DIFFERS, f"{type}.id"))
        return await _confirmed(there, await flow(type).change(there, known, sent))

    async with world.turns.of(f"{type}?{condition}"):
        return await settle(world, attempt)


async def patch(
    world: World, type: str, id: str, change: Change, expected: frozenset[int] | None = None
) -> Saved:
    """3a, 3b, 3c and any other change by PATCH: the patched resource goes through the same flow as a PUT."""

    async def attempt() -> Saved:
        known = reading.present(await world.store.get(type, id), type)
        current(expected, known)
        sent = change(json.load(known.body))
        saved = await flow(type).change(await ahead.of_write(world, (sent,)), known, sent)
        return await _confirmed(world, saved)

    flow(type)
    async with world.turns.of(f"{type}/{id}"):
        return await settle(world, attempt)


async def patch_where(
    world: World, type: str, condition: str, change: Change, expected: frozenset[int] | None = None
) -> Saved:
    """A PATCH of the one resource that the condition matches; Missing when there is none."""
    _, known = await conditions.one(world, type, condition)
    if known is None:
        raise Missing(Issue(NO_MATCH, values={"type": type}))
    return await patch(world, type, known.id, change, expected)


async def delete(world: World, type: str, id: str, expected: frozenset[int] | None = None) -> Deleted:
    """1c, 2c. Deleting again, or what never was, is not an error (GAP-RET-E03)."""
    remove = flow(type).delete
    if remove is None:
        raise NotOffered(Issue(NO_DELETE, values={"type": type}))

    async def attempt() -> Deleted:
        known = await world.store.get(type, id)
        current(expected, known)
        if known is not None and not known.deleted:
            return await remove(world, known)
        await _still(world, known)
        return Deleted(type, known)

    async with world.turns.of(f"{type}/{id}"):
        return await settle(world, attempt)


async def delete_where(
    world: World, type: str, condition: str, expected: frozenset[int] | None = None
) -> Deleted:
    """1c by business identifier: one resource at the most (GAP-RG-02, GAP-RES-06)."""
    _, known = await conditions.one(world, type, condition)
    return await delete(world, type, known.id, expected) if known else Deleted(type, None)


async def _first(world: World, type: str, condition: str, sent: Resource, id: str | None) -> Saved:
    """Create what the condition did not find. Moved when another process meanwhile created what it finds."""
    try:
        return await flow(type).create(world, sent, id)
    except Duplicate:
        _, rival = await conditions.one(world, type, condition)
        if rival is None:
            raise
        raise Moved from None


async def _confirmed(world: World, saved: Saved) -> Saved:
    """What is answered without a write rests on a write that may not have been acknowledged to anybody: see `_still`."""
    if not saved.changed:
        await _still(world, saved.stored)
    return saved


async def _still(world: World, known: Stored | None) -> None:
    """Commit that the version read is the current one: then it is as durable as if it were written now (REL-19)."""
    if known is not None:
        await commit(world, (), (Seen(known.type, known.id, known.version),))
