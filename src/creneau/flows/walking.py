"""A search of slots walks time step by step and stops once its page is full (GAP-CDI-03; `docs/decisions/0010`).

What matches is told by (agenda, service, status), the same for all cells of one service; a slot is rendered only when it is shown.
"""

from __future__ import annotations

import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from creneau.fhir import json
from creneau.flows.agendas import Held
from creneau.flows.answers import Entry
from creneau.flows.ordered import by_start, first_of_runs, in_order
from creneau.flows.timetable import LIMIT, NOTHING_TAKEN, Shown, Taken, others, shown, taken_of, too_many
from creneau.flows.turns import in_turns
from creneau.flows.wanted import Wanted
from creneau.flows.world import World
from creneau.flows.writing import rows_of
from creneau.profiles import slot as profile
from creneau.scheduling import grid
from creneau.scheduling.intervals import Interval
from creneau.scheduling.slots import Agenda, Cell, read_slot_id
from creneau.search import match
from creneau.search.query import Term
from creneau.store.contract import DAY, Stored

EVERY_STATUS: Final = frozenset({"free", "busy", "busy-tentative", "busy-unavailable"})
LEAST: Final = 64
"""Cells of a step, at least."""
COUNTED: Final = 512
"""Days of agendas (their number times the days of the window) that are counted without being asked."""
WALKED: Final = 200_000
"""Days of agendas that one search looks at, at most."""
TURN: Final = 100
"""Agendas computed before other requests get their turn."""
OF_AGENDAS: Final = frozenset({"schedule", "identifier", "start", "status"})
"""Parameters whose conditions may differ between two agendas that say the same of their service."""

Verdict = tuple[str, str | None, str]


@dataclass(slots=True)
class Look:
    """What is looked for, where and when; `window` bounds the starts."""

    world: World
    asked: Wanted
    agendas: Sequence[Held]
    window: Interval
    _verdicts: dict[Verdict, bool] = field(default_factory=dict)
    _contents: dict[bytes, bool] = field(default_factory=dict)
    _starts: dict[int, bool] = field(default_factory=dict)
    _moulds: dict[Verdict, profile.Mould] = field(default_factory=dict)
    _taken: dict[str, Taken] | None = field(init=False, default=None)
    _runs: list[tuple[Held, grid.Run]] | None = field(init=False, default=None)

    async def taken(self, part: Interval) -> dict[str, Taken]:
        """The time taken that may bear on slots that start within the part, by agenda; read once where the whole window is small."""
        if not is_small(self):
            return await taken_of(self.world, self.agendas, part)
        if self._taken is None:
            self._taken = await taken_of(self.world, self.agendas, self.window)
        return self._taken

    @property
    def by_runs(self) -> bool:
        """Whether free slots alone of few agendas are wanted, and nothing but the window bears on their starts."""
        asked = self.asked
        return self.statuses == {"free"} and asked.slots is None and asked.bounded and is_small(self)

    async def runs(self) -> list[tuple[Held, grid.Run]]:
        """Where `by_runs`: the free cells of the whole window that match, in runs, agenda by agenda; none is made."""
        if self._runs is None:
            taken = await self.taken(self.window)
            found: list[tuple[Held, grid.Run]] = []
            async for held in in_turns(self.agendas, TURN):
                blocked = taken.get(held.agenda.id, NOTHING_TAKEN).blocks
                offered = _offered(self, held)
                found += [
                    (held, run)
                    for run in grid.free_runs(held.agenda, self.window, blocked)
                    if offered(run.service)
                ]
            self._runs = found
        return self._runs

    @property
    def statuses(self) -> frozenset[str]:
        """Those wanted."""
        return EVERY_STATUS if self.asked.statuses is None else self.asked.statuses

    def matches(self, one: Shown) -> bool:
        """Whether the slot satisfies all that bears on the slot itself."""
        start = one.cell.start
        good = self._starts.get(start)
        if good is None:
            good = self._starts[start] = self.asked.starts(start)
        return good and self.offered(one)

    def offered(self, one: Shown) -> bool:
        """Whether slots of this agenda, service and status match, their start apart."""
        if not self.asked.others:
            return True
        key = (one.cell.agenda, one.cell.service, one.status)
        known = self._verdicts.get(key)
        if known is None:
            known = self._verdicts[key] = self._verdict(one)
        return known

    def _verdict(self, one: Shown) -> bool:
        if not all(isinstance(c, Term) and c.parameter.code not in OF_AGENDAS for c in self.asked.others):
            return self._holds(one)
        mould = self.mould(one)
        content = mould.tail.replace(f'"Schedule/{one.cell.agenda}"'.encode(), b"")
        if content not in self._contents:
            self._contents[content] = self._holds(one)
        return self._contents[content]

    def _holds(self, one: Shown) -> bool:
        slot = stored(self.world, one)
        there = {"Slot": {slot.id: match.Held(rows_of(self.world, json.load(slot.body)), slot.updated)}}
        return all(match.holds(condition, "Slot", slot.id, there) for condition in self.asked.others)

    def mould(self, one: Shown) -> profile.Mould:
        """What the slots of this agenda, service and status have in common."""
        (agenda, _, _, service), status, _ = one
        key = (agenda, service, status)
        found = self._moulds.get(key)
        if found is None:
            found = self._moulds[key] = _mould(self.world, one)
        return found

    def entries(self, page: Iterable[Shown]) -> list[Entry]:
        """The slots as JSON, matches."""
        make, known = tuple.__new__, self._moulds
        found: list[Entry] = []
        for one in page:
            cell, status, _ = one
            agenda, start, end, service = cell
            mould = known.get((agenda, service, status)) or self.mould(one)
            id = cell.id
            found.append(make(Entry, ("Slot", id, mould.cast(id, start, end), "match")))
        return found


def _mould(world: World, one: Shown) -> profile.Mould:
    agenda, stored, _ = one.held
    return _kept_mould(agenda, stored.body, one.cell.service, one.status, world.rules.identifier_system)


@lru_cache(maxsize=16_384)
def _kept_mould(agenda: Agenda, body: bytes, service: str | None, status: str, system: str) -> profile.Mould:
    """Agendas are compared by identity: an edited one is another."""
    cell = Cell(agenda.id, 0, 1, service)
    return profile.mould(cell, json.load(body), status, zone=agenda.zone, system=system)


def stored(world: World, one: Shown) -> Stored:
    """The slot as a resource. Its version is a checksum of what it says, so that an ETag changes when it does."""
    body = _mould(world, one).cast(one.cell.id, one.cell.start, one.cell.end)
    return Stored("Slot", one.cell.id, zlib.crc32(body), one.held.stored.updated, "update", body)


async def walk(look: Look, least: int, *, backwards: bool = False) -> AsyncIterator[list[Shown]]:
    """What matches, in order, part by part; what reads it stops when it has enough. TooCostly when it has to look too far.

    A part has `least` cells about, taken ones included; each has twice as many as the one before.
    """
    if look.asked.slots is not None:
        yield sorted(await _by_ids(look), key=by_start, reverse=backwards)
        return
    agendas = [held.agenda for held in look.agendas]
    await _unfold(agendas, look.window)
    walked, found = 0, 0
    for part in grid.steps(agendas, look.window, max(least, LEAST), backwards=backwards):
        walked += len(agendas) * ((part.end - part.start) // DAY + 1)
        slots = await _within(look, part)
        yield in_order(look.agendas, slots, backwards=backwards)
        found += len(slots)
        if found > LIMIT or walked > WALKED:
            raise too_many()


async def first(
    look: Look, size: int, last: tuple[int, str] | None, *, backwards: bool = False
) -> list[Shown]:
    """The first `size` of what matches, in order, after `last`: the start and id of a slot of the page before."""
    if look.by_runs:
        return first_of_runs(look.agendas, await look.runs(), size, last, backwards=backwards)
    found: list[Shown] = []
    async for part in walk(look, size + size // 4, backwards=backwards):
        if last is not None:
            part = [one for one in part if (by_start(one) < last if backwards else by_start(one) > last)]
        found += part
        if len(found) >= size:
            return found[:size]
    return found


async def _unfold(agendas: Sequence[Agenda], window: Interval) -> None:
    """Have the first day of many agendas unfolded, others getting their turn meanwhile."""
    day = Interval(window.start, min(window.end, window.start + DAY))
    async for agenda in in_turns(agendas if len(agendas) > TURN else (), TURN):
        next(grid.runs(agenda, day), None)


async def _within(look: Look, part: Interval) -> list[Shown]:
    """What matches among the slots that start within the part, agenda by agenda."""
    taken = await look.taken(part)
    found: list[Shown] = []
    plain = look.asked.bounded and not look.asked.others
    async for held in in_turns(look.agendas, TURN):
        slots = shown(held, part, taken.get(held.agenda.id, NOTHING_TAKEN), look.statuses)
        found += slots if plain else filter(look.matches, slots)
        if len(found) > LIMIT:
            raise too_many()
    return found


async def _by_ids(look: Look) -> list[Shown]:
    """The slots named by their ids: nothing else is computed."""
    held = {one.agenda.id: one for one in look.agendas}
    wanted = look.asked.slots or frozenset()
    found: dict[str, Shown] = {}
    for slot in sorted(wanted):
        named = read_slot_id(slot)
        one = held.get(named.agenda) if named else None
        if named and one and look.window.start <= named.start < look.window.end:
            moment = Interval(named.start, named.start + 1)
            taken = (await taken_of(look.world, [one], moment)).get(named.agenda, NOTHING_TAKEN)
            for each in shown(one, moment, taken, look.statuses):
                if each.cell.id in wanted and look.matches(each):
                    found.setdefault(f"{each.cell.id} {each.status}", each)
    return list(found.values())


def is_small(look: Look) -> bool:
    """Whether counting all that matches costs little."""
    return is_small_for(look, len(look.agendas))


def is_small_for(look: Look, agendas: int) -> bool:
    """The same of a search of so many agendas, which are not read yet."""
    if look.asked.slots is not None:
        return True
    return agendas * ((look.window.end - look.window.start) // DAY + 1) <= COUNTED


async def count(look: Look) -> int:
    """How many slots match. TooCostly when they are too many, or spread too far."""
    if look.asked.slots is not None:
        return len(await _by_ids(look))
    days = (look.window.end - look.window.start) // DAY + 1
    if len(look.agendas) * days > WALKED:
        raise too_many()
    if look.by_runs:
        found = sum(len(run.starts) for _, run in await look.runs())
        if found > LIMIT:
            raise too_many()
        return found
    taken, found = await look.taken(look.window), 0
    async for held in in_turns(look.agendas, TURN):
        found += _count(look, held, taken.get(held.agenda.id, NOTHING_TAKEN))
        if found > LIMIT:
            raise too_many()
    return found


def _count(look: Look, held: Held, taken: Taken) -> int:
    if not look.asked.bounded:
        return sum(map(look.matches, shown(held, look.window, taken, look.statuses)))
    found = sum(map(look.matches, others(held, look.window, taken, look.statuses)))
    if "free" in look.statuses:
        offered = _offered(look, held)
        runs = grid.free_runs(held.agenda, look.window, taken.blocks)
        found += sum(len(starts) for service, starts in runs if offered(service))
    return found


def _offered(look: Look, held: Held) -> Callable[[str], bool]:
    """Whether free slots of a service match."""
    if not look.asked.others:
        return _every
    moment = look.window.start
    return lambda service: look.offered(
        Shown(Cell(held.agenda.id, moment, moment + 1, service), "free", held)
    )


def _every(_service: str) -> bool:
    return True


def useful(look: Look) -> list[Held]:
    """The agendas that may have a slot that matches: where free ones alone are wanted, one of the services has to."""
    if look.statuses != {"free"} or not look.asked.others or look.asked.slots is not None:
        return list(look.agendas)
    return [
        held for held in look.agendas if any(map(_offered(look, held), (s.key for s in held.agenda.services)))
    ]


async def earliest(look: Look, most: int) -> list[Shown]:
    """The `most` first slots that match of each owner of an agenda, in order; those who have theirs are not looked at further."""
    counts: dict[tuple[str, ...], int] = {}
    kept: list[Shown] = []
    rest, days, walked, at = list(look.agendas), 1, 0, look.window.start
    while rest and at < look.window.end and walked <= WALKED:
        part = Interval(at, min(look.window.end, at + days * DAY))
        for one in sorted(await _within(replace(look, agendas=rest), part), key=by_start):
            owner = one.held.agenda.things
            counts[owner] = counts.get(owner, 0) + 1
            if counts[owner] <= most:
                kept.append(one)
        rest = [held for held in rest if counts.get(held.agenda.things, 0) < most]
        walked, at, days = walked + len(rest) * days, part.end, days * 2
        if len(kept) > look.world.rules.page_limit:
            raise too_many(look.world.rules.page_limit)
    return kept
