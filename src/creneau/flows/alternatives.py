"""A refusal that helps: up to three free slots that would do instead of the time that is taken (contract, BEY-05).

Same service, same duration, same professional or room, nearest in time; found by the engine of flow 4a, so they can be booked.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from creneau.fhir import instant
from creneau.flows.agendas import Held, held
from creneau.flows.timetable import Shown, timetable
from creneau.flows.world import World
from creneau.problems import Offer
from creneau.scheduling.booking import Wish
from creneau.scheduling.intervals import Interval, overlaps
from creneau.store.contract import DAY

MOST: Final = 3
REACHES: Final = (DAY // 8, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 28 * DAY)
"""How far around the time asked for free slots are looked for, ring after ring: a refusal is to cost no more than a booking."""


async def alternatives(world: World, wish: Wish, thing: str) -> tuple[Offer, ...]:
    """Free slots of the agendas of `thing` ("Type/id") that would do for this wish, nearest first."""
    if wish.start is None or wish.end is None:
        return ()
    known = {
        agenda.id: agenda
        for agenda in (*(one for one, _ in wish.cells), *wish.agendas)
        if thing in agenda.things
    }
    agendas = [
        one for id in known if (one := await held(world, id)) and _has_cells(one, wish.end - wish.start)
    ]
    if not agendas:
        return ()
    asked, now = wish.start, world.clock()
    found: list[Shown] = []
    for inner, outer in pairwise((0, *REACHES)):
        for window in (Interval(asked - outer, asked - inner), Interval(asked + inner, asked + outer)):
            if window.end > now:
                ahead = Interval(max(now, window.start), window.end)
                found += await _fitting(world, wish, agendas, ahead)
        if len(found) >= MOST:
            break
    found.sort(key=lambda one: (abs(one.cell.start - asked), one.cell.start))
    return tuple(_offer(one) for one in found[:MOST])


async def _fitting(world: World, wish: Wish, agendas: Sequence[Held], window: Interval) -> list[Shown]:
    assert wish.start is not None and wish.end is not None
    services = {cell.service for _, cell in wish.cells} or {wish.service}
    others = set(wish.things) - {thing for one in agendas for thing in one.agenda.things}
    taken = await world.store.taken(sorted(others), window.start, window.end + DAY, now=world.clock())
    busy = [Interval(one.take.start, one.take.end) for one in taken]
    return [
        one
        for one in await timetable(world, agendas, window, {"free"})
        if one.cell.end - one.cell.start == wish.end - wish.start
        and _serves(one, services)
        and not any(overlaps(Interval(one.cell.start, one.cell.end), other) for other in busy)
    ]


def _has_cells(one: Held, length: int) -> bool:
    """Whether any slot of the agenda lasts that long; if none does, looking through weeks of them is in vain."""
    return any(service.duration == length for service in one.agenda.services)


def _serves(one: Shown, services: set[str | None]) -> bool:
    """Whether it is a slot of the service asked for; any will do when the agenda does not know that service."""
    known = {service.key for service in one.held.agenda.services}
    return one.cell.service in services or not services & known


def _offer(one: Shown) -> Offer:
    zone = one.held.agenda.zone
    start, end = instant.show_in(one.cell.start, zone), instant.show_in(one.cell.end, zone)
    return Offer(f"Slot/{one.cell.id}", start, end)
