"""A store seen through what a transaction has decided so far: reads find the pending versions, commits are gathered into one plan.

https://hl7.org/fhir/R4/http.html#transaction: all or nothing, whatever the order of the entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from creneau.problems import Invalid, Issue, refusal
from creneau.store.contract import Ahead, Claim, Occupied, Plan, Put, Seen, Store, Stored, Take
from creneau.store.over import Over

TWICE = refusal(
    "written-twice",
    "business-rule",
    "Deux entrées de la transaction écrivent la même ressource.",
    "Two entries of the transaction write the same resource.",
)

Key = tuple[str, str]


class Pending(Over):
    """A `Store` over another. `promised`: what entries not yet decided will write, so that others may refer to it.

    Searches see what was before the transaction: conditions are matched against that.
    """

    far: Final = False

    def __init__(self, store: Store, promised: Iterable[Stored]) -> None:
        super().__init__(store)
        self._promised: dict[Key, Stored] = {(one.type, one.id): one for one in promised}
        self._seen: dict[Key, Seen] = {}
        self.puts: dict[Key, Put] = {}
        self._besides: set[Key] = (
            set()
        )  # puts that go with a deletion: another entry may still write these resources
        self.entries: list[int] = []
        self.entry = 0
        self.own: Key | None = None  # what the entry being decided writes: it must see the version before

    async def ahead(self, wanted: Ahead) -> Store:
        """Itself: a transaction reads ahead once for all its entries."""
        return self

    async def get(self, type: str, id: str) -> Stored | None:
        """The pending version, else the promised one, else the store's.

        What goes with a deletion is given as if it were the version before: what follows it in the transaction takes its place.
        """
        if put := self.puts.get((type, id)):
            version = put.version - ((type, id) in self._besides and put.interaction != "delete")
            return Stored(put.type, put.id, version, put.updated, put.interaction, put.body)
        promised = None if (type, id) == self.own else self._promised.get((type, id))
        return promised or await self._store.get(type, id)

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """The versions that `get` gives."""
        found = [await self.get(type, id) for id in ids]
        return {one.id: one.version for one in found if one and not one.deleted}

    async def holder(self, type: str, claim: Claim) -> str | None:
        """Who holds the identifier once the pending versions are written."""
        for (put_type, id), put in self.puts.items():
            if put_type == type and claim in put.claims:
                return id
        id_before = await self._store.holder(type, claim)
        return None if id_before and (type, id_before) in self.puts else id_before

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """Who refers to the target once the pending versions are written."""
        more = None if most is None else most + len(self.puts)
        before = await self._store.linked(type, param, target_type, target_id, more)
        kept = {id for id in before if (type, id) not in self.puts}
        target = (param, target_type, target_id)
        mine = {p.id for p in self.puts.values() if p.type == type and target in p.rows.links}
        return sorted(kept | mine)[:most]

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """What the appointment takes once the pending versions are written."""
        put = self.puts.get(("Appointment", appointment))
        return put.takes if put else await self._store.takes(appointment)

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """What is taken once the pending versions are written."""
        before = await self._store.taken(things, start, end, now=now)
        kept = [one for one in before if ("Appointment", one.appointment) not in self.puts]
        mine = [Occupied(take, put.id) for put in self.puts.values() for take in put.takes]
        return sorted(
            kept + [one for one in mine if one.take.thing in things and _overlaps(one.take, start, end)]
        )

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """Who owns an agenda once the pending versions are written."""
        before = await self._store.agendas(things)
        found = {
            thing: {id for id in ids if ("Schedule", id) not in self.puts} for thing, ids in before.items()
        }
        for put in self.puts.values():
            for thing in put.owns.intersection(things):
                found.setdefault(thing, set()).add(put.id)
        return {thing: sorted(ids) for thing, ids in found.items() if ids}

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """Gather the plan; Invalid when a resource was written already by another entry."""
        met = [take for put in plan.puts for take in put.takes if await self._meets(put, take, plan.now)]
        deletes = bool(plan.puts and plan.puts[0].unreferenced)
        for number, put in enumerate(plan.puts):
            key = put.type, put.id
            former = self.puts.get(key)
            if former is None:
                self.puts[key] = put
                self.entries.append(self.entry)
            elif key in self._besides:
                unbooked = former.unbooked or put.unbooked
                self.puts[key] = replace(put, former_rows=former.former_rows, unbooked=unbooked)
            else:
                raise Invalid(Issue(TWICE))
            (self._besides.add if deletes and number else self._besides.discard)(key)
        for seen in plan.seen:
            if (seen.type, seen.id) not in self._promised:
                self._seen.setdefault((seen.type, seen.id), seen)
        return tuple(met)

    async def _meets(self, put: Put, take: Take, now: int) -> bool:
        """Whether the thing owns no agenda and another appointment takes it at that time."""
        taken = await self.taken([take.thing], take.start, take.end, now=now)
        return any(one.appointment != put.id for one in taken) and not await self.agendas([take.thing])

    def plan(self, now: int) -> Plan:
        """Everything gathered, as one plan. A version seen that the transaction itself replaces is checked by its put."""
        seen = tuple(one for key, one in self._seen.items() if key not in self.puts)
        return Plan(tuple(self.puts.values()), now, seen)


def _overlaps(take: Take, start: int, end: int) -> bool:
    return take.start < end and start < take.end
