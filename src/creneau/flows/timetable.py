"""What an agenda shows in a window: free cells, the time of appointments, declared closures (GAP-CRN-07, 10, 11; `shared/design.md`, "Slots").

One slot per appointment and agenda, or one per cell when the appointment names cells; cells that an appointment overlaps without naming
them are not shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from creneau.flows.agendas import Held
from creneau.flows.world import World
from creneau.problems import Issue, TooCostly, refusal
from creneau.scheduling import grid
from creneau.scheduling.availability import Spell, intervals
from creneau.scheduling.intervals import Interval
from creneau.scheduling.ownership import NEVER_TAKEN, kind
from creneau.scheduling.slots import Agenda, Cell, Spoken, find_cell
from creneau.store.contract import DAY, Occupied, Take

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


class Taken(NamedTuple):
    """The time taken that bears on one agenda: by which appointments, and as the rules read it."""

    occupied: tuple[Occupied, ...]
    blocks: grid.Blocks


NOTHING_TAKEN: Final = Taken((), grid.blocks(()))


async def timetable(
    world: World, agendas: Sequence[Held], window: Interval, wanted: Collection[str]
) -> list[Shown]:
    """The slots of these agendas that start within the window, of the wanted statuses; TooCostly when there are too many."""
    found: list[Shown] = []
    taken = await taken_of(world, agendas, window)
    for held in agendas:
        found += shown(held, window, taken.get(held.agenda.id, NOTHING_TAKEN), wanted)
        if len(found) > LIMIT:
            raise too_many()
    return found


def too_many(limit: int = LIMIT) -> TooCostly:
    """The refusal of a search that would compute more than `limit` slots."""
    return TooCostly(Issue(TOO_MANY_SLOTS, values={"limit": limit}))


async def taken_of(world: World, agendas: Sequence[Held], window: Interval) -> dict[str, Taken]:
    """By agenda, the time taken of its things that may bear on a slot that starts within the window; agendas without any are absent."""
    things = sorted({thing for held in agendas for thing in shows(held)})
    longest = max((one.duration for held in agendas for one in held.agenda.services), default=0)
    by_thing: dict[str, list[Occupied]] = {}
    for one in await world.store.taken(things, window.start, window.end + longest, now=world.clock()):
        by_thing.setdefault(one.take.thing, []).append(one)
    if not by_thing:
        return {}
    found = {held.agenda.id: _of(held, by_thing) for held in agendas}
    return {agenda: Taken(taken, grid.blocks(spoken(taken))) for agenda, taken in found.items() if taken}


def _of(held: Held, by_thing: Mapping[str, Sequence[Occupied]]) -> tuple[Occupied, ...]:
    own = tuple(one for thing in held.agenda.things for one in by_thing.get(thing, ()))
    company = _company(held)
    if not company:
        return own
    known = {one.appointment for one in own}
    theirs = (one for thing in company for one in by_thing.get(thing, ()))
    return (*own, *(one for one in theirs if one.appointment not in known))


def shows(held: Held) -> tuple[str, ...]:
    """Whose taken time an agenda shows."""
    return (*held.agenda.things, *_company(held))


def _company(held: Held) -> Sequence[str]:
    """The patients and contacts of an agenda that is of nobody else: it shows where they are expected, though nothing refuses to (GAP-UC-03)."""
    if held.agenda.things != (f"Schedule/{held.agenda.id}",):
        return ()
    return tuple(actor for actor in held.actors if kind(actor) in NEVER_TAKEN)


def spoken(taken: Iterable[Occupied]) -> list[Spoken]:
    """Takes as the rules read them."""
    return [Spoken(one.take.start, one.take.end, one.take.kind, one.take.thing) for one in taken]


def shown(held: Held, window: Interval, taken: Taken, wanted: Collection[str]) -> Iterator[Shown]:
    """The slots of one agenda that start within the window, of the wanted statuses; `taken` as from `taken_of`."""
    if "free" in wanted:
        make = tuple.__new__  # half the time of Shown(...)
        for cell in grid.free(held.agenda, window, taken.blocks):
            yield make(Shown, (cell, "free", held))
    yield from others(held, window, taken, wanted)


def others(held: Held, window: Interval, taken: Taken, wanted: Collection[str]) -> Iterator[Shown]:
    """Those that are not free."""
    if taken.occupied and ("busy" in wanted or "busy-tentative" in wanted):
        for cell, status in _appointments(held.agenda, taken.occupied):
            if status in wanted and window.start <= cell.start < window.end:
                yield Shown(cell, status, held)
    if "busy-unavailable" in wanted:
        for cell in closures(held.agenda, window):
            yield Shown(cell, "busy-unavailable", held)


def _appointments(agenda: Agenda, taken: Iterable[Occupied]) -> Iterator[tuple[Cell, str]]:
    """Each appointment once, by the cells it names on this agenda or by its own time."""
    seen: set[str] = set()
    for appointment, take in sorted((one.appointment, one.take) for one in taken):
        for cell in _named(agenda, take) or [Cell(agenda.id, take.start, take.end, None)]:
            if f"{appointment} {cell.id}" not in seen:
                seen.add(f"{appointment} {cell.id}")
                yield cell, take.kind


def _named(agenda: Agenda, take: Take) -> list[Cell]:
    found = [cell for id in take.slot.split() if (cell := find_cell(agenda, id))]
    return [cell for cell in found if cell.start < take.end and take.start < cell.end]


def closures(agenda: Agenda, window: Interval) -> Iterator[Cell]:
    """The declared closures that start within the window, whole (GAP-CRN-11)."""
    if not agenda.active or all(one.kind == "free" for one in agenda.openings):
        return
    if not any(_closures(agenda, window, window.end)):
        return
    for spell in _closures(agenda, window, window.end + CLOSURE_LONGEST):
        yield Cell(agenda.id, spell.start, spell.end, None)


def _closures(agenda: Agenda, window: Interval, end: int) -> Iterator[Spell]:
    wide = Interval(window.start - 1, end)
    for spell in intervals(agenda.openings, agenda.zone, agenda.horizon, wide):
        if not spell.open and spell.rule is not None and window.start <= spell.start < window.end:
            yield spell
