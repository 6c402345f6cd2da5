"""What an agenda shows in a window: free cells, the time of appointments, declared closures (GAP-CRN-07, 10, 11; `shared/design.md`, "Slots").

One slot per appointment and agenda, or one per cell when the appointment names cells; cells that an appointment overlaps without naming
them are not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from creneau.flows.agendas import Held
from creneau.flows.world import World
from creneau.problems import Issue, TooCostly, refusal
from creneau.scheduling.availability import intervals
from creneau.scheduling.intervals import Interval
from creneau.scheduling.slots import Cell, Spoken, cells, statuses
from creneau.store.contract import DAY, Occupied

TOO_MANY_SLOTS = refusal(
    "too-many-slots",
    "too-costly",
    "Cette recherche calculerait plus de {limit} créneaux ; réduisez la période ou le nombre d'agendas.",
    "This search would compute more than {limit} slots; ask for a shorter period or fewer agendas.",
)
"""GAP-RET-E18."""

LIMIT: Final = 50_000
CLOSURE_LONGEST: Final = 62 * DAY
"""How far past the window the end of a closure is looked for, so that its slot does not depend on the window."""


class Shown(NamedTuple):
    """One slot: its cell, its status, the agenda it belongs to."""

    cell: Cell
    status: str
    held: Held


async def timetable(
    world: World, agendas: Sequence[Held], window: Interval, wanted: Collection[str]
) -> list[Shown]:
    """The slots of these agendas that start within the window, of the wanted statuses; TooCostly when there are too many."""
    now = world.clock()
    things = sorted({thing for held in agendas for thing in held.agenda.things})
    taken = await world.store.taken(things, window.start, window.end + DAY, now=now)
    by_thing: dict[str, list[Occupied]] = {}
    for one in taken:
        by_thing.setdefault(one.take.thing, []).append(one)
    found: list[Shown] = []
    for held in agendas:
        mine = [one for thing in held.agenda.things for one in by_thing.get(thing, ())]
        found += (Shown(cell, status, held) for cell, status in _slots(held, window, mine, wanted))
        if len(found) > LIMIT:
            raise TooCostly(Issue(TOO_MANY_SLOTS, values={"limit": LIMIT}))
    return found


def _slots(
    held: Held, window: Interval, taken: Sequence[Occupied], wanted: Collection[str]
) -> Iterator[tuple[Cell, str]]:
    agenda = held.agenda
    spoken = [Spoken(one.take.start, one.take.end, one.take.kind, one.take.thing) for one in taken]
    overlapped: list[Cell] = []
    for cell, status in statuses(cells(agenda, window), spoken, agenda.capacity):
        if status != "free":
            overlapped.append(cell)
        elif "free" in wanted:
            yield cell, status
    if "busy" in wanted or "busy-tentative" in wanted:
        for cell, status in _appointments(held, taken, overlapped):
            if status in wanted and window.start <= cell.start < window.end:
                yield cell, status
    if "busy-unavailable" in wanted:
        yield from closures(held, window)


def _appointments(
    held: Held, taken: Iterable[Occupied], overlapped: Iterable[Cell]
) -> Iterator[tuple[Cell, str]]:
    """Each appointment once, by the cells it names on this agenda or by its own time."""
    cells_by_id = {cell.id: cell for cell in overlapped}
    seen: set[str] = set()
    for appointment, take in sorted((one.appointment, one.take) for one in taken):
        named = [cells_by_id[id] for id in take.slot.split() if id in cells_by_id]
        for cell in named or [Cell(held.agenda.id, take.start, take.end, None)]:
            if f"{appointment} {cell.id}" not in seen:
                seen.add(f"{appointment} {cell.id}")
                yield cell, take.kind


def closures(held: Held, window: Interval) -> Iterator[tuple[Cell, str]]:
    """The declared closures that start within the window, whole (GAP-CRN-11)."""
    agenda = held.agenda
    if not agenda.active:
        return
    wide = Interval(window.start - 1, window.end + CLOSURE_LONGEST)
    for spell in intervals(agenda.openings, agenda.zone, agenda.horizon, wide):
        if not spell.open and spell.rule is not None and window.start <= spell.start < window.end:
            yield Cell(agenda.id, spell.start, spell.end, None), "busy-unavailable"
