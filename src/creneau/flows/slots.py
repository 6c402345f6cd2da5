"""Slots: cells computed from the agenda, never stored; found again by their id before and after booking (GAP-CRN-08, DEC-04)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from creneau.fhir.reference import Literal, read
from creneau.flows.agendas import Held, held
from creneau.flows.world import World
from creneau.problems import Issue, refusal
from creneau.scheduling.slots import Agenda, Cell, find_cell, read_slot_id

NO_SLOT = refusal(
    "slot-not-found",
    "not-found",
    "Ce créneau n'existe pas dans l'agenda.",
    "There is no such slot in the agenda.",
)


@dataclass(slots=True)
class Named:
    """The slots that an appointment names: their cells, the agendas they belong to, what could not be found."""

    cells: list[tuple[Agenda, Cell]] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


async def named_slots(world: World, sent: Mapping[str, Any], former: Mapping[str, Any] | None) -> Named:
    """The cells of the slots that `sent` names here. A slot that the preceding version named already may be gone since.

    `sent` may not be validated yet: what is not a list of references is left to the validator.
    """
    named = Named()
    known = {slot for _, slot in _ids(world, former)} if former else set()
    lost = False
    for index, slot in _ids(world, sent):
        found = read_slot_id(slot)
        one = await held(world, found.agenda) if found else None
        cell = find_cell(one.agenda, slot) if one else None
        lost = lost or cell is None
        if one and (cell or slot in known):
            named.held += [one] if one not in named.held else []
            named.cells += [(one.agenda, cell)] if cell else []
        elif slot not in known:
            named.issues.append(Issue(NO_SLOT, f"Appointment.slot[{index}]"))
    if lost:
        named.cells.clear()  # what is left of the slots no longer says when the appointment is
    return named


def _ids(world: World, appointment: Mapping[str, Any]) -> list[tuple[int, str]]:
    slots = appointment.get("slot")
    found = []
    for index, reference in enumerate(slots if isinstance(slots, list) else ()):
        match read(reference, world.bases) if isinstance(reference, dict) else None:
            case Literal(type="Slot", id=id):
                found.append((index, id))
    return found
