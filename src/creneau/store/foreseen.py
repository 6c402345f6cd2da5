"""A store seen through what was read from it at once (`contract.Store.ahead`): what is not among that is read when it is asked for.

A commit judges what its decision saw, so a write may be decided on it; once something was committed through it, it remembers nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from creneau.store.contract import Ahead, AlreadyTaken, Claim, Occupied, Plan, Store, Stored, Take
from creneau.store.over import Over
from creneau.store.plan import SCHEDULE, lapsed

Key = tuple[str, str]


@dataclass(slots=True)
class Facts:
    """What was read: None and empty lists stand for what was looked for and is not there."""

    resources: dict[Key, Stored | None] = field(default_factory=dict)
    holders: dict[tuple[str, Claim], str | None] = field(default_factory=dict)
    agendas: dict[str, list[str]] = field(default_factory=dict)  # by thing
    of_actors: dict[Key, list[str]] = field(default_factory=dict)
    things: set[str] = field(default_factory=set)  # whose time `taken` has
    taken: list[Occupied] = field(default_factory=list)
    start: int = 0
    end: int = 0
    now: int = 0

    def add(self, more: Facts) -> None:
        """Take in what was read later; of taken time the last reading is kept."""
        self.resources.update(more.resources)
        self.holders.update(more.holders)
        self.agendas.update(more.agendas)
        self.of_actors.update(more.of_actors)
        if more.things:
            self.things, self.taken = more.things, more.taken
            self.start, self.end, self.now = more.start, more.end, more.now

    def has_time(self, things: Sequence[str], start: int, end: int, now: int) -> bool:
        """Whether all the time of these things in [start, end) is known as at `now`."""
        return (
            bool(things)
            and self.start <= start
            and end <= self.end
            and self.now <= now
            and self.things.issuperset(things)
        )


class Foreseen(Over):
    """A `Store` over one that is far."""

    far: Final = True

    def __init__(self, store: Store, facts: Facts) -> None:
        super().__init__(store)
        self._facts = facts

    async def ahead(self, wanted: Ahead) -> Store:
        """Itself, once it has what is wanted and was not read yet; taken time is read again."""
        facts = self._facts
        for one in wanted.known:
            facts.resources[one.type, one.id] = one
        resources = tuple(key for key in wanted.resources if key not in facts.resources)
        claims = tuple(claim for claim in wanted.claims if claim not in facts.holders)
        owners = tuple(thing for thing in wanted.owners if thing not in facts.agendas)
        actors = tuple(actor for actor in wanted.actors if actor not in facts.of_actors)
        if resources or claims or owners or actors or wanted.things or wanted.schedules:
            missing = replace(
                wanted, resources=resources, claims=claims, owners=owners, actors=actors, known=()
            )
            more = await self._store.ahead(missing)
            if isinstance(more, Foreseen):
                facts.add(more._facts)
        return self

    async def get(self, type: str, id: str) -> Stored | None:
        """See `contract.Store.get`."""
        facts = self._facts.resources
        key = (type, id)
        return facts[key] if key in facts else await self._store.get(type, id)

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """See `contract.Store.versions`."""
        if all((type, id) in self._facts.resources for id in ids):
            return {one.id: one.version for one in self._live(type, ids)}
        return await self._store.versions(type, ids)

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """See `contract.Store.several`."""
        if all((type, id) in self._facts.resources for id in ids):
            return self._live(type, ids)
        return await self._store.several(type, ids)

    async def holder(self, type: str, claim: Claim) -> str | None:
        """See `contract.Store.holder`."""
        facts, key = self._facts.holders, (type, claim)
        return facts[key] if key in facts else await self._store.holder(type, claim)

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """See `contract.Store.linked`."""
        if type == SCHEDULE and param == "actor":
            known = self._facts.of_actors.get((target_type, target_id))
            if known is not None:
                return known[:most]
        return await self._store.linked(type, param, target_type, target_id, most)

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """See `contract.Store.taken`."""
        if not self._facts.has_time(things, start, end, now):
            return await self._store.taken(things, start, end, now=now)
        wanted = frozenset(things)
        return [
            one
            for one in self._facts.taken
            if one.take.start < end
            and one.take.end > start
            and one.take.thing in wanted
            and not lapsed(one.take, now)
        ]

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """See `contract.Store.agendas`."""
        facts = self._facts.agendas
        unknown = [thing for thing in things if thing not in facts]
        found = await self._store.agendas(unknown) if unknown else {}
        return {thing: ids for thing in things if (ids := facts.get(thing) or found.get(thing))}

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """See `contract.Store.commit`."""
        try:
            met = await self._store.commit(plan)
        except AlreadyTaken:
            self._facts.things = set()  # the rest helps to find what to offer instead
            raise
        except BaseException:
            self._facts = Facts()
            raise
        self._facts = Facts()
        return met

    def _live(self, type: str, ids: Sequence[str]) -> list[Stored]:
        found = (self._facts.resources[type, id] for id in dict.fromkeys(ids))
        return [one for one in found if one and not one.deleted]
