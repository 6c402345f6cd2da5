"""A search on Slot taken apart: what bears on agendas, on starts, on statuses, on ids, and what is left (GAP-CDI-03, §11.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from creneau.fhir import json
from creneau.flows.agendas import Held, held_of
from creneau.flows.timetable import TOO_MANY_SLOTS
from creneau.flows.world import World
from creneau.flows.writing import rows_of
from creneau.problems import Issue, TooCostly, refusal
from creneau.scheduling.intervals import Interval
from creneau.scheduling.slots import read_slot_id
from creneau.search import match
from creneau.search.parameters import parameter
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    DateValue,
    Has,
    Ids,
    LinkValue,
    Not,
    Query,
    Term,
    TokenValue,
)
from creneau.store.contract import DAY

TOO_FAR = refusal(
    "window-too-long",
    "too-costly",
    "Une recherche de créneaux porte sur {days} jours au plus.",
    "A search for slots covers {days} days at most.",
)
TOO_MANY_AGENDAS = refusal(
    "too-many-agendas",
    "too-costly",
    "Plus de {limit} agendas répondent à cette recherche ; précisez la spécialité, la commune ou un autre critère.",
    "More than {limit} agendas match this search; narrow it by specialty, city or another criterion.",
)
"""GAP-RET-E18."""
AGENDAS: Final = 20_000
POINTING: Final = 2_000
"""Resources of a `_has` whose slots are looked at."""
WINDOW_DAYS: Final = 400
SECOND: Final = 1_000_000

LOWER: Final = frozenset({"eq", "ge", "gt", "sa", "ap"})
UPPER: Final = frozenset({"eq", "le", "lt", "eb", "ap"})
WHOLE: Final = frozenset({"eq", "ge", "le", "lt"})
"""Prefixes whose bound of a window leaves nothing to compare, starts being whole seconds."""


@dataclass(slots=True)
class Wanted:
    """The parts, each AND-ed with the others. `statuses` and `slots` are None when nothing limits them."""

    on_agenda: list[Condition] = field(default_factory=list)
    times: list[tuple[DateValue, ...]] = field(default_factory=list)
    statuses: frozenset[str] | None = None
    slots: frozenset[str] | None = None
    others: list[Condition] = field(default_factory=list)

    def starts(self, start: int) -> bool:
        """Whether a slot that starts then satisfies every `start` (C-06: only the start is compared)."""
        return all(any(match.compare(v, start, start + SECOND) for v in values) for values in self.times)

    @property
    def bounded(self) -> bool:
        """Whether `window` says all that is asked of starts: the two agree on every one."""
        return all(len(values) == 1 and values[0].prefix in WHOLE for values in self.times)

    def window(self, now: int) -> tuple[Interval, bool]:
        """The starts to look at, and whether the lower bound is now for want of one (DEC-02). TooCostly when it is too long."""
        lower = max((bound for values in self.times if (bound := _least(values)) is not None), default=None)
        upper = min((bound for values in self.times if (bound := _most(values)) is not None), default=None)
        if self.slots is not None:
            named = [one.start for id in self.slots if (one := read_slot_id(id))]
            lower = max(lower if lower is not None else min(named, default=0), min(named, default=0))
            upper = min(upper if upper is not None else max(named, default=0) + 1, max(named, default=0) + 1)
        from_now = lower is None
        start = now if lower is None else lower
        end = start + WINDOW_DAYS * DAY if upper is None else max(upper, start)
        if end - start > WINDOW_DAYS * DAY and self.slots is None:
            raise TooCostly(Issue(TOO_FAR, values={"days": WINDOW_DAYS}))
        return Interval(start, end), from_now

    async def versions(self, world: World) -> dict[str, int]:
        """The agendas to compute, by id, and their versions."""
        conditions = list(self.on_agenda)
        if self.slots is not None:
            named = {found.agenda for id in self.slots if (found := read_slot_id(id))}
            conditions.append(Ids(tuple(sorted(named))))
        versions = await world.store.matching(Query("Schedule", tuple(conditions)))
        if len(versions) > AGENDAS:
            raise TooCostly(Issue(TOO_MANY_AGENDAS, values={"limit": AGENDAS}))
        return versions

    async def agendas(self, world: World, versions: Mapping[str, int]) -> list[Held]:
        """Those agendas, in the order of their ids."""
        return [one for one in await held_of(world, versions) if one.agenda.active or self.slots is not None]


def _least(values: Sequence[DateValue]) -> int | None:
    bounds = [value.lo for value in values if value.prefix in LOWER]
    return min(bounds) if len(bounds) == len(values) else None


def _most(values: Sequence[DateValue]) -> int | None:
    bounds = [
        value.lo if value.prefix in ("lt", "eb") else value.hi for value in values if value.prefix in UPPER
    ]
    return max(bounds) if len(bounds) == len(values) else None


async def wanted(world: World, query: Query) -> Wanted:
    """The parts of a query on Slot."""
    parts = Wanted()
    for condition in query.conditions:
        agenda = _on_agenda(condition)
        if agenda is not None:
            parts.on_agenda.append(agenda)
        elif isinstance(condition, Has):
            _limit(parts, await _pointed_to(world, condition))
        elif not _simple(parts, condition):
            parts.others.append(condition)
    return parts


def _on_agenda(condition: Condition) -> Condition | None:
    """The condition on the Schedule that a condition through Slot.schedule means; None for any other."""
    match condition:
        case Chain(parameter=p, target="Schedule", inner=inner) if p.code == "schedule":
            return inner
        case Term(parameter=p, values=values, modifier="") if p.code == "schedule":
            return Ids(tuple(value.id for value in values if isinstance(value, LinkValue)))
        case Term(parameter=p, values=values, modifier="identifier") if p.code == "schedule":
            identifier = parameter("Schedule", "identifier")
            return Term(identifier, values) if identifier else None
        case Not(inner):
            found = _on_agenda(inner)
            return Not(found) if found else None
        case AnyOf(conditions):
            each = [_on_agenda(one) for one in conditions]
            known = tuple(one for one in each if one is not None)
            return AnyOf(known) if len(known) == len(each) else None
    return None


def _simple(parts: Wanted, condition: Condition) -> bool:
    """Take in a condition on start, status, identifier or id; False for another."""
    match condition:
        case Ids(ids):
            _limit(parts, ids)
        case Term(parameter=p, values=values, modifier="") if p.code == "identifier":
            _limit(parts, tuple(v.code for v in values if isinstance(v, TokenValue) and v.code))
            parts.others.append(condition)
        case Term(parameter=p, values=values, modifier="") if p.code == "start":
            parts.times.append(tuple(v for v in values if isinstance(v, DateValue)))
        case Term(parameter=p, values=values, modifier="") if p.code == "status":
            codes = frozenset(v.code for v in values if isinstance(v, TokenValue) and v.code)
            parts.statuses = codes if parts.statuses is None else parts.statuses & codes
        case _:
            return False
    return True


def _limit(parts: Wanted, ids: Sequence[str]) -> None:
    parts.slots = frozenset(ids) if parts.slots is None else parts.slots & frozenset(ids)


async def _pointed_to(world: World, has: Has) -> tuple[str, ...]:
    """The slots that the resources of a `_has` point to."""
    page = await world.store.find(Query(has.source, (has.inner,), total="none"), count=POINTING)
    if page.next is not None:
        raise TooCostly(Issue(TOO_MANY_SLOTS, values={"limit": POINTING}))
    return tuple(id for one in page.items for id in _slots_of(world, has, one.body))


def _slots_of(world: World, has: Has, body: bytes) -> Iterator[str]:
    for link in rows_of(world, json.load(body)).links:
        if link.param == has.parameter.code and link.type == "Slot":
            yield link.id
