"""The appointments that an edit of an agenda closes over: 2b, 3a, 3b, 3c succeed all the same, and say which they are.

GAP §9, DEC-08: an appointment is a fact; whoever changes the opening hours moves it or keeps it. docs/flows/3-availability.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from creneau.fhir import instant
from creneau.flows import agendas
from creneau.flows.answers import Resource
from creneau.flows.turns import in_turns
from creneau.flows.world import World
from creneau.problems import Issue, TooCostly, refusal
from creneau.scheduling.slots import Agenda, closed_over
from creneau.store.contract import DAY, Occupied, Stored
from creneau.store.plan import names

AHEAD: Final = 731 * DAY
"""How far appointments to come are looked at, in microseconds."""

MOST: Final = 5_000
"""Appointments looked at, the nearest first."""

NAMED: Final = 10
TURN: Final = 50
"""Appointments looked at before other requests get their turn."""

RULES: Final = ("extension", "planningHorizon", "active")
"""The elements of a Schedule that say when it is open."""

OUTSIDE = refusal(
    "appointments-outside",
    "business-rule",
    "{count} rendez-vous à venir tombent désormais hors des disponibilités de l'agenda ; ils sont maintenus.",
    "{count} appointment(s) to come are now outside the availability of the agenda; they are kept.",
)
ONE_OUTSIDE = refusal(
    "appointment-outside",
    "business-rule",
    "{appointment}, le {start}, tombe désormais hors des disponibilités de l'agenda.",
    "{appointment}, at {start}, is now outside the availability of the agenda.",
)


async def closed(world: World, known: Stored, former: Mapping[str, Any], sent: Resource) -> list[Issue]:
    """Warnings: how many appointments to come the agenda was open for and is not any more, and the first of them, by id and start."""
    if all(former.get(name) == sent.get(name) for name in RULES):
        return []
    before = await agendas.held(world, known.id, known)
    assert before is not None  # `former` is its content
    now = world.clock()
    taken = await world.store.taken(before.agenda.things, now, now + AHEAD, now=now)
    if not taken:
        return []
    after = (await agendas.of_schedule(world, {**sent, "id": known.id})).agenda
    return list(_told(await _outside(before.agenda, after, taken), after))


async def _outside(before: Agenda, after: Agenda, taken: Sequence[Occupied]) -> dict[str, int]:
    """The start of each, by appointment; of those that name slots, only the agenda's own. Rules too costly to unfold tell nothing more."""
    found: dict[str, int] = {}
    nearest = sorted(taken, key=lambda one: (one.take.start, one.appointment))[:MOST]
    async for take, appointment in in_turns(nearest, TURN):
        if take.slot and not names(take.slot, before.id):
            continue
        try:
            if closed_over(before, after, take.start, take.end):
                found.setdefault(appointment, take.start)
        except TooCostly:
            break
    return found


def _told(found: Mapping[str, int], agenda: Agenda) -> Iterator[Issue]:
    if found:
        yield Issue(OUTSIDE, "Schedule", "warning", {"count": len(found)})
    for appointment, start in list(found.items())[:NAMED]:
        values = {"appointment": f"Appointment/{appointment}", "start": instant.show_in(start, agenda.zone)}
        yield Issue(ONE_OUTSIDE, "Schedule", "warning", values)
