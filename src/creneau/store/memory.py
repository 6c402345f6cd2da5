"""The store in dictionaries: the reference that the others are compared with, and what tests run on; nothing survives the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from creneau.search import match
from creneau.search.match import Held
from creneau.search.query import Query
from creneau.search.rows import Period
from creneau.store import deletions, position
from creneau.store.contract import (
    Ahead,
    AlreadyClaimed,
    AlreadyTaken,
    Claim,
    Moved,
    Occupied,
    Page,
    Plan,
    Put,
    Store,
    Stored,
    StoreUnavailable,
    Take,
)
from creneau.store.fill import fitting
from creneau.store.overlap import crowded
from creneau.store.plan import APPOINTMENT, SCHEDULE, covers, distinct, in_order, key, lapsed, refuse_nonsense

Key = tuple[str, str]


class MemoryStore:
    """Every verb of `contract.Store`, each a plain walk over dictionaries; a commit runs without awaiting, so it is atomic."""

    far: Final = False

    def __init__(self) -> None:
        self._versions: dict[Key, list[Stored]] = {}
        self._held: dict[str, dict[str, Held]] = {}  # live resources by type and id
        self._claims: dict[Key, frozenset[Claim]] = {}
        self._takes: dict[str, tuple[Take, ...]] = {}  # by appointment
        self._owns: dict[str, frozenset[str]] = {}  # by schedule
        self._closed = False

    async def ahead(self, wanted: Ahead) -> Store:
        """See `contract.Store.ahead`."""
        return self

    async def get(self, type: str, id: str) -> Stored | None:
        """See `contract.Store.get`."""
        return self._current((type, id))

    async def version(self, type: str, id: str, version: int) -> Stored | None:
        """See `contract.Store.version`."""
        versions = self._versions.get((type, id), [])
        return versions[version - 1] if 1 <= version <= len(versions) else None

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        since: int | None = None,
        count: int = 100,
        after: str | None = None,
    ) -> Page:
        """See `contract.Store.history`."""
        wanted = [
            stored
            for stored in self._every_version()
            if type in (None, stored.type)
            and id in (None, stored.id)
            and (since is None or stored.updated >= since)
        ]
        wanted.sort(
            key=lambda stored: stored.version if id is not None else position.of(stored), reverse=True
        )
        rest = wanted
        if after is not None:
            place = position.read(after)
            rest = [stored for stored in wanted if _follows(stored, place, one=id is not None)]
        return _page(rest, count, len(wanted))

    async def find(self, query: Query, *, count: int | None = None) -> Page:
        """See `contract.Store.find`."""
        found = match.page(query, self._held, count=count)
        versions = [self._versions[query.type, id_][-1] for id_ in found.ids]
        if (query.count if count is None else count) is not None and len(fitting(versions)) < len(versions):
            return await self.find(query, count=len(fitting(versions)))
        return Page(versions, found.next, found.total if query.total == "accurate" else None)

    async def matching(self, query: Query) -> dict[str, int]:
        """See `contract.Store.matching`."""
        return await self.versions(query.type, match.select(query, self._held))

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """See `contract.Store.versions`."""
        return {stored.id: stored.version for stored in await self.several(type, ids)}

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """See `contract.Store.several`."""
        live = self._held.get(type, {})
        return [self._versions[type, id_][-1] for id_ in dict.fromkeys(ids) if id_ in live]

    async def dated(self, type: str, ids: Sequence[str], prefix: str) -> dict[str, Period]:
        """See `contract.Store.dated`."""
        live = self._held.get(type, {})
        return {
            id_: row
            for id_ in ids
            if id_ in live
            for row in live[id_].rows.periods
            if row.param.startswith(prefix)
        }

    async def holder(self, type: str, claim: Claim) -> str | None:
        """See `contract.Store.holder`."""
        return self._holder(type, claim, besides=frozenset())

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """See `contract.Store.linked`."""
        return list(self.linking(type, param, (target_type, target_id)))[:most]

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """See `contract.Store.takes`."""
        return in_order(self._takes.get(appointment, ()))

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """See `contract.Store.taken`."""
        wanted = set(things)
        found = [
            Occupied(take, appointment)
            for appointment, takes in self._takes.items()
            for take in takes
            if take.thing in wanted and take.start < end and take.end > start and not lapsed(take, now)
        ]
        return sorted(
            found, key=lambda o: (o.take.thing, o.take.start, o.appointment, o.take.end, o.take.slot)
        )

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """See `contract.Store.agendas`."""
        found = {thing: sorted(s for s, owns in self._owns.items() if thing in owns) for thing in things}
        return {thing: schedules for thing, schedules in found.items() if schedules}

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """See `contract.Store.commit`."""
        if self._closed:
            raise StoreUnavailable("stopping")
        refuse_nonsense(plan)
        self._guard_versions(plan)
        placed = self._kept(plan)
        claimed: dict[tuple[str, Claim], str] = {}
        met: list[Take] = []
        for number, put in enumerate(plan.puts):
            self._guard_claims(plan, number, claimed)
            met += self._guard_takes(plan, number, placed)
            deletions.judge(self, plan, number)
            claimed.update({(put.type, claim): put.id for claim in put.claims})
        for put in plan.puts:
            self._write(put)
        return tuple(met)

    async def scan(self, type: str | None = None) -> AsyncIterator[Stored]:
        """See `contract.Store.scan`."""
        for entry in sorted(self._versions):
            stored = self._versions[entry][-1]
            if type in (None, stored.type) and not stored.deleted:
                yield stored

    async def ready(self) -> bool:
        """See `contract.Store.ready`."""
        return not self._closed

    async def close(self) -> None:
        """See `contract.Store.close`."""
        self._closed = True

    def linking(self, type: str, param: str, target: Key, most: int = 0) -> Iterable[str]:
        """See `deletions.Looks.linking`."""
        return sorted(
            id_ for id_, held in self._held.get(type, {}).items() if (param, *target) in held.rows.links
        )

    def owned(self, schedule: str) -> Iterable[str]:
        """See `deletions.Looks.owned`."""
        return self._owns.get(schedule, ())

    def owners(self, thing: str) -> Iterable[str]:
        """See `deletions.Looks.owners`."""
        return [schedule for schedule, owns in self._owns.items() if thing in owns]

    def to_come(self, thing: str, now: int) -> Iterable[tuple[Take, str]]:
        """See `deletions.Looks.to_come`."""
        return [
            (take, appointment)
            for appointment, takes in self._takes.items()
            for take in takes
            if take.thing == thing and take.end > now
        ]

    def _current(self, entry: Key) -> Stored | None:
        versions = self._versions.get(entry)
        return versions[-1] if versions else None

    def _every_version(self) -> Iterable[Stored]:
        return (stored for versions in self._versions.values() for stored in versions)

    def _holder(self, type: str, claim: Claim, besides: frozenset[Key]) -> str | None:
        for entry, claims in self._claims.items():
            if entry[0] == type and claim in claims and entry not in besides:
                return entry[1]
        return None

    def _guard_versions(self, plan: Plan) -> None:
        seen = [(put.type, put.id, put.version - 1) for put in plan.puts]
        for type_, id_, version in [*seen, *plan.seen]:
            current = self._current((type_, id_))
            if (current.version if current else 0) != version:
                raise Moved
        if len({key(put) for put in plan.puts}) != len(plan.puts):
            raise Moved

    def _guard_claims(self, plan: Plan, number: int, claimed: dict[tuple[str, Claim], str]) -> None:
        put, besides = plan.puts[number], frozenset(key(each) for each in plan.puts)
        for claim in sorted(put.claims):
            holder = claimed.get((put.type, claim)) or self._holder(put.type, claim, besides)
            if holder is not None:
                raise AlreadyClaimed(number, claim, holder)

    def _kept(self, plan: Plan) -> dict[str, list[Take]]:
        """By appointment, the takes of the plan that a former take already covers: they hold whatever else the plan wants."""
        return {
            put.id: [t for t in put.takes if self._covered(put, t, plan.now)]
            for put in plan.puts
            if put.takes
        }

    def _covered(self, put: Put, take: Take, now: int) -> bool:
        return any(covers(former, take, now) for former in self._takes.get(put.id, ()))

    def _guard_takes(self, plan: Plan, number: int, placed: dict[str, list[Take]]) -> list[Take]:
        """Refuse a put whose time is taken; of its takes that refuse nothing, those that meet another appointment's."""
        met: list[Take] = []
        put, wanted = plan.puts[number], distinct(plan.puts[number].takes)
        changing = {each.id for each in plan.puts if each.type == APPOINTMENT}
        standing = {a: takes for a, takes in self._takes.items() if a not in changing}
        for take in wanted:
            if take in placed[put.id]:
                continue
            others = [
                (other.start, other.end, appointment)
                for appointment, takes in [*standing.items(), *placed.items()]
                for other in takes
                if appointment != put.id and overlap(other, take) and not lapsed(other, plan.now)
            ]
            if not self._owned(take.thing, plan):
                met += [take] if others else []
            elif stretch := crowded(others, take.capacity):
                raise AlreadyTaken(number, take.thing, *stretch)
        if wanted:
            placed[put.id] = list(wanted)
        return met

    def _owned(self, thing: str, plan: Plan) -> bool:
        changing = {put.id: put.owns for put in plan.puts if put.type == SCHEDULE}
        return any(thing in owns for owns in {**self._owns, **changing}.values())

    def _write(self, put: Put) -> None:
        stored = Stored(put.type, put.id, put.version, put.updated, put.interaction, put.body)
        self._versions.setdefault(key(put), []).append(stored)
        live = self._held.setdefault(put.type, {})
        live.pop(put.id, None)
        if not stored.deleted:
            live[put.id] = Held(put.rows, put.updated)
        self._claims[key(put)] = put.claims
        if put.type == APPOINTMENT:
            self._takes[put.id] = distinct(put.takes)
        if put.type == SCHEDULE:
            self._owns[put.id] = put.owns


def overlap(one: Take, other: Take) -> bool:
    """Whether both want one thing at one time."""
    return one.thing == other.thing and one.start < other.end and other.start < one.end


def _follows(stored: Stored, place: position.Position, *, one: bool) -> bool:
    return stored.version < place.version if one else position.of(stored) < place


def _page(rest: list[Stored], count: int, total: int | None) -> Page:
    items = fitting(rest[:count])
    more = len(rest) > len(items) and items
    return Page(items, position.write(position.of(items[-1])) if more else None, total)
