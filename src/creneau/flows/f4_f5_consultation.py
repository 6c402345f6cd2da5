"""4a/5a consultation of availability: Slots found by FHIR search although none is stored; a Slot by its id.

GAP §10, §11; `shared/design.md`, "Slots". The agendas are found first (through Slot.schedule), then only these are computed.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from creneau.fhir import instant, json
from creneau.flows.agendas import held
from creneau.flows.answers import Entry, Found
from creneau.flows.searching import ignored, include
from creneau.flows.slots import NO_SLOT
from creneau.flows.timetable import TOO_MANY_SLOTS, Shown, timetable
from creneau.flows.wanted import Wanted, wanted
from creneau.flows.world import World
from creneau.flows.writing import rows_of
from creneau.problems import Issue, Missing, TooCostly, refusal
from creneau.profiles import slot as profile
from creneau.scheduling.intervals import Interval
from creneau.scheduling.slots import find_cell, own_cell, read_slot_id
from creneau.search import cursor, match
from creneau.search.cursor import Position
from creneau.search.parameters import parameter
from creneau.search.query import Query, Sort
from creneau.store.contract import Stored

FROM_NOW = refusal(
    "search-from-now",
    "informational",
    "Sans borne inférieure sur start, les créneaux sont cherchés à partir de maintenant.",
    "Without a lower bound on start, slots are looked for from now on.",
)
"""DEC-02, C-05."""

EVERY_STATUS = frozenset({"free", "busy", "busy-tentative", "busy-unavailable"})
Ordered = tuple[int, str, Shown]
"""A slot with what orders it: start, id."""

BY_START = (Sort("start", parameter("Slot", "start")),)


async def read(world: World, slot_id: str) -> Stored:
    """A slot by its id, before and after it is booked (GAP-CRN-08); Missing when no agenda has it."""
    found = read_slot_id(slot_id)
    one = await held(world, found.agenda) if found else None
    if one is None or found is None:
        raise Missing(Issue(NO_SLOT))
    start = found.start
    shown = await timetable(world, [one], Interval(start, start + 1), EVERY_STATUS)
    for slot in shown:
        if slot.cell.id == slot_id:
            return stored(world, slot)
    cell = find_cell(one.agenda, slot_id) or own_cell(slot_id)
    holder = await _holder(world, slot_id)
    if cell and (holder or cell.service is not None):
        return stored(world, Shown(cell, holder or "busy", one))
    raise Missing(Issue(NO_SLOT))


async def _holder(world: World, slot_id: str) -> str | None:
    """A slot that an appointment names stays readable although its agenda no longer has it: free once the appointment left it."""
    ids = await world.store.linked("Appointment", "slot", "Slot", slot_id)
    return "free" if ids else None


async def search(world: World, query: Query, *, strict: bool) -> Found:
    """A page of slots in the order of their starts, then what they include; `total` counts all that match."""
    query, ordered, from_now = await _matching(world, query)
    rest = _after(query, ordered)
    size = 0 if query.summary == "count" else query.count if query.count is not None else len(rest)
    page = rest[:size]
    next = cursor.write(Position((page[-1][0],), page[-1][1])) if 0 < size < len(rest) else None
    return await _found(world, query, page, (len(ordered), next), from_now)


async def earliest(world: World, query: Query, most: int) -> Found:
    """The `most` first slots that match of each professional, room or agenda: what a person on the phone needs (`Slot/$earliest`)."""
    query, ordered, from_now = await _matching(world, replace(query, after=None))
    counts: dict[tuple[str, ...], int] = {}
    kept = []
    for one in ordered:
        owner = one[2].held.agenda.things
        counts[owner] = counts.get(owner, 0) + 1
        if counts[owner] <= most:
            kept.append(one)
    if len(kept) > world.rules.page_limit:
        raise TooCostly(Issue(TOO_MANY_SLOTS, values={"limit": world.rules.page_limit}))
    return await _found(world, query, kept, (len(kept), None), from_now)


async def _matching(world: World, query: Query) -> tuple[Query, list[Ordered], bool]:
    """The query as understood, all the slots that match in its order, and whether its lower bound is now for want of one."""
    now = world.clock()
    asked = await wanted(world, query)
    window, from_now = asked.window(now)
    if from_now:
        bound = f"ge{instant.show(now // 1_000_000 * 1_000_000)}"
        query = replace(query, understood=(*query.understood, ("start", bound)))
    agendas = [one for one in await asked.agendas(world) if one.agenda.active or asked.slots is not None]
    shown = await timetable(world, agendas, window, asked.statuses or EVERY_STATUS)
    ordered = [(one.cell.start, one.cell.id, one) for one in _filtered(world, asked, shown)]
    ordered.sort(key=lambda one: one[:2], reverse=_descending(query))
    return query, ordered, from_now


async def _found(
    world: World, query: Query, page: Sequence[Ordered], counted: tuple[int, str | None], from_now: bool
) -> Found:
    total, next = counted
    matches = [stored(world, one) for _, _, one in page]
    included = await include(world, query.includes, matches)
    outcome = (*ignored(query), *([Issue(FROM_NOW, severity="information")] if from_now else []))
    entries = (*(Entry("Slot", one.id, one.body, "match") for one in matches), *included)
    return Found(query, entries, total if query.total != "none" else None, next, outcome)


def _descending(query: Query) -> bool:
    return any(sort.code == "start" and sort.descending for sort in query.sort)


def _after(query: Query, ordered: Sequence[Ordered]) -> Sequence[Ordered]:
    """What follows the page before (keyset, so that writes meanwhile neither repeat nor hide slots)."""
    if query.after is None:
        return ordered
    position = cursor.read(query.after, BY_START)
    last = (position.keys[0], position.id)
    if _descending(query):
        return [one for one in ordered if one[:2] < last]
    return [one for one in ordered if one[:2] > last]


def _filtered(world: World, asked: Wanted, shown: Iterable[Shown]) -> Iterable[Shown]:
    """The slots that satisfy what bears on the slot itself. Conditions on codes are the same for all cells of one service."""
    verdicts: dict[tuple[str, str | None, str], bool] = {}
    for one in shown:
        if not asked.starts(one.cell.start) or (asked.slots is not None and one.cell.id not in asked.slots):
            continue
        key = (one.cell.agenda, one.cell.service, one.status)
        if key not in verdicts:
            verdicts[key] = not asked.others or _holds(world, asked, one)
        if verdicts[key]:
            yield one


def _holds(world: World, asked: Wanted, shown: Shown) -> bool:
    slot = stored(world, shown)
    there = {"Slot": {slot.id: match.Held(rows_of(world, json.load(slot.body)), slot.updated)}}
    return all(match.holds(condition, "Slot", slot.id, there) for condition in asked.others)


def stored(world: World, shown: Shown) -> Stored:
    """The slot as a resource. Its version is a checksum of what it says, so that an ETag changes when it does."""
    one = shown.held
    system = world.rules.identifier_system
    resource = profile.slot(shown.cell, one.schedule, shown.status, zone=one.agenda.zone, system=system)
    body = json.encode(resource)
    return Stored("Slot", shown.cell.id, zlib.crc32(body), shown.held.stored.updated, "update", body)
