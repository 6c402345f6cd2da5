"""4a/5a consultation of availability: Slots found by FHIR search although none is stored; a Slot by its id.

GAP §10, §11; `shared/design.md`, "Slots". The agendas are found first (through Slot.schedule), then only these are computed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from creneau.fhir import instant
from creneau.flows import foremost, one_slot, walking
from creneau.flows.agendas import of_search
from creneau.flows.answers import Entry, Found
from creneau.flows.foremost import MANY
from creneau.flows.searching import ignored, include
from creneau.flows.slots import NO_SLOT
from creneau.flows.timetable import LIMIT, Shown
from creneau.flows.walking import Look
from creneau.flows.wanted import wanted
from creneau.flows.world import World
from creneau.problems import Issue, Missing, refusal
from creneau.scheduling.intervals import Interval
from creneau.search import cursor
from creneau.search.cursor import Position
from creneau.search.parameters import parameter
from creneau.search.query import Query, Sort
from creneau.search.rows import Link
from creneau.store.contract import Stored

FROM_NOW = refusal(
    "search-from-now",
    "informational",
    "Sans borne inférieure sur start, les créneaux sont cherchés à partir de maintenant.",
    "Without a lower bound on start, slots are looked for from now on.",
)
"""DEC-02, C-05."""

BY_START = (Sort("start", parameter("Slot", "start")),)


async def read(world: World, slot_id: str) -> Stored:
    """A slot by its id, before and after it is booked (GAP-CRN-08); Missing when no agenda has it."""
    found = await one_slot.find(world, slot_id)
    if found is None:
        raise Missing(Issue(NO_SLOT))
    return found


class Asked(NamedTuple):
    """A search as understood: its query, what it looks at, whether its lower bound is now for want of one."""

    query: Query
    look: Look
    versions: dict[str, int]
    from_now: bool

    async def load(self) -> None:
        """Read all the agendas."""
        look = self.look
        small = walking.is_small_for(look, len(self.versions))
        actors = any(one.source == "Schedule" for one in self.query.includes)
        if len(self.versions) <= MANY:
            look.world = await of_search(
                look.world, self.versions, look.window if small else None, actors=actors
            )
        look.agendas = await look.asked.agendas(look.world, self.versions)
        look.agendas = walking.useful(look)


async def search(world: World, query: Query, *, strict: bool) -> Found:
    """A page of slots in the order of their starts, then what they include.

    `total` counts all that match; it is left out where nobody asked for it and counting would cost more than the page.
    """
    asked = await _asked(world, query)
    query = asked.query
    if _may_be_partial(asked):
        return await _foremost(world, asked)
    await asked.load()
    size = 0 if query.summary == "count" else query.count if query.count is not None else LIMIT
    if size == 0:
        return _counted(asked, await walking.count(asked.look))
    page = await _page(asked, size + 1)
    next = _next(page, size)
    total = None if query.total == "none" else await _total(asked, None if next else len(page))
    return await _found(world, asked, page[:size], (total, next))


async def earliest(world: World, query: Query, most: int) -> Found:
    """The `most` first slots that match of each professional, room or agenda: what a person on the phone needs (`Slot/$earliest`)."""
    asked = await _asked(world, replace(query, after=None))
    await asked.load()
    kept = await walking.earliest(asked.look, most)
    return await _found(world, asked, kept, (len(kept), None))


async def _asked(world: World, query: Query) -> Asked:
    now = world.clock()
    parts = await wanted(world, query)
    window, from_now = parts.window(now)
    if from_now:
        bound = f"ge{instant.show(now // 1_000_000 * 1_000_000)}"
        query = replace(query, understood=(*query.understood, ("start", bound)))
    return Asked(query, Look(world, parts, (), window), await parts.versions(world), from_now)


def _may_be_partial(asked: Asked) -> bool:
    """Whether a page of free slots is wanted, and nothing that rests on every one of the many agendas."""
    query, look = asked.query, asked.look
    counts = query.summary == "count" or dict(query.understood).get("_total") == "accurate"
    free = look.statuses == {"free"} and look.asked.slots is None
    return free and bool(query.count) and not counts and not _descending(query) and len(asked.versions) > MANY


async def _foremost(world: World, asked: Asked) -> Found:
    """A page of the slots of many agendas, most of them unread."""
    query, size = asked.query, asked.query.count or 0
    page = await foremost.page(asked.look, asked.versions, size + 1, _last(query))
    next = _next(page, size)
    known = next is None and query.after is None and query.total != "none"
    return await _found(world, asked, page[:size], (len(page) if known else None, next))


async def _page(asked: Asked, size: int) -> list[Shown]:
    """The first slots after the page before (keyset, so that writes meanwhile neither repeat nor hide slots)."""
    look, backwards, last = asked.look, _descending(asked.query), _last(asked.query)
    if last is not None and not look.by_runs:
        start, end = look.window
        bounds = (start, min(end, last[0] + 1)) if backwards else (max(start, last[0]), end)
        look = replace(look, window=Interval(*bounds))
    return await walking.first(look, size, last, backwards=backwards)


def _next(page: Sequence[Shown], size: int) -> str | None:
    """The cursor after the first `size` slots, None when there are no more than these."""
    if len(page) <= size:
        return None
    last = page[size - 1].cell
    return cursor.write(Position((last.start,), last.id))


def _last(query: Query) -> tuple[int, str] | None:
    """Where the page before ended: a start, an id."""
    if query.after is None:
        return None
    position = cursor.read(query.after, BY_START)
    key = position.keys[0]
    return (key if isinstance(key, int) else 0), position.id


def _descending(query: Query) -> bool:
    return any(sort.code == "start" and sort.descending for sort in query.sort)


async def _total(asked: Asked, seen: int | None) -> int | None:
    """How many match, `seen` when the page is the last one; None where it was not asked for and costs more than the page."""
    if seen is not None and asked.query.after is None:
        return seen
    wanted = dict(asked.query.understood).get("_total") == "accurate"
    return await walking.count(asked.look) if wanted or walking.is_small(asked.look) else None


def _counted(asked: Asked, total: int) -> Found:
    shown = None if asked.query.total == "none" and asked.query.summary != "count" else total
    return Found(asked.query, (), shown, None, _said(asked))


def _said(asked: Asked) -> tuple[Issue, ...]:
    now = (Issue(FROM_NOW, severity="information"),) if asked.from_now else ()
    return (*ignored(asked.query), *now)


async def _found(
    world: World, asked: Asked, page: Sequence[Shown], counted: tuple[int | None, str | None]
) -> Found:
    query, (total, next) = asked.query, counted
    entries = asked.look.entries(page)
    included: Sequence[Entry] = ()
    if query.includes:
        # Nothing leads back to a Slot, so that what only follows their references needs none of them.
        sources = entries if any(one.reverse for one in query.includes) else ()
        included = await include(asked.look.world, query.includes, sources, _links(page))
    return Found(query, (*entries, *included), total, next, _said(asked))


def _links(page: Sequence[Shown]) -> Mapping[tuple[str, str], list[Link]]:
    """The references of slots, known without reading them: each leads to its agenda. One slot of each agenda says it."""
    agendas = dict.fromkeys(one.cell.agenda for one in page)
    return {("Slot", agenda): [Link("schedule", "Schedule", agenda)] for agenda in agendas}
