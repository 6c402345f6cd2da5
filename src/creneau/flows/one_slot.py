"""A slot by its id, whoever needs it: a read, or what an appointment includes (GAP-CRN-08, GAP-CRV-05)."""

from __future__ import annotations

from creneau.flows.agendas import held
from creneau.flows.timetable import Shown, timetable
from creneau.flows.walking import EVERY_STATUS, stored
from creneau.flows.world import World
from creneau.scheduling.intervals import Interval
from creneau.scheduling.slots import find_cell, own_cell, read_slot_id
from creneau.store.contract import Stored


async def find(world: World, slot_id: str) -> Stored | None:
    """The slot as it is now, before and after it is booked; None when no agenda has it."""
    found = read_slot_id(slot_id)
    one = await held(world, found.agenda) if found else None
    if one is None or found is None:
        return None
    start = found.start
    for slot in await timetable(world, [one], Interval(start, start + 1), EVERY_STATUS):
        if slot.cell.id == slot_id:
            return stored(world, slot)
    cell = find_cell(one.agenda, slot_id) or own_cell(slot_id)
    holder = await _holder(world, slot_id)
    if cell and (holder or cell.service is not None):
        return stored(world, Shown(cell, holder or "busy", one))
    return None


async def _holder(world: World, slot_id: str) -> str | None:
    """A slot that an appointment names stays readable although its agenda no longer has it: free once the appointment left it."""
    ids = await world.store.linked("Appointment", "slot", "Slot", slot_id)
    return "free" if ids else None
