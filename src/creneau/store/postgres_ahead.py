"""Many reads in one round trip to PostgreSQL (`contract.Store.ahead`): one statement, so of one instant, for a decision, another for a search.

Bodies of versions that this process read lately are not sent again: a version never changes, so its number says it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from creneau.store.contract import Ahead, Occupied, Stored, Take
from creneau.store.foreseen import Facts, Key
from creneau.store.postgres_connections import Connections
from creneau.store.postgres_values import SHORT, kept
from creneau.store.recent import Recent

DECISION: Final = """
SELECT * FROM creneau_ahead(
    $1, $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]
)
"""
SEARCH: Final = """
SELECT * FROM creneau_around($1, $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7, $8, $9)
"""
"""Both are in `migrations/postgres/0003_ahead_and_create.sql`."""


async def read(connections: Connections, tenant: str, wanted: Ahead, recent: Recent) -> Facts:
    """What is wanted, as of now. Names that are kept in another form than asked for are left to be read one by one."""
    facts = Facts({(one.type, one.id): one for one in wanted.known})
    reading = _Reading(wanted, facts, recent)
    keys = [
        key
        for key in dict.fromkeys(wanted.resources)
        if key not in facts.resources and _plain(key[0]) and _plain(key[1])
    ]
    asked = (tenant, *reading.resources(keys))
    if wanted.things or wanted.schedules:
        things = [thing for thing in wanted.things if _plain(thing)]
        facts.things, facts.start, facts.end, facts.now = set(things), wanted.start, wanted.end, wanted.now
        limits = (wanted.start, wanted.end, wanted.now)
        rows = await connections.rows(SEARCH, *asked, things, list(wanted.schedules), *limits)
    else:
        rows = await connections.rows(DECISION, *asked, *reading.decision())
    reading.take(rows)
    return facts


class _Reading:
    """One reading: what is asked, what is remembered, what is found."""

    def __init__(self, wanted: Ahead, facts: Facts, recent: Recent) -> None:
        self._wanted = wanted
        self._facts = facts
        self._recent = recent
        self._remembered: dict[Key, Stored] = {}

    def resources(self, keys: Sequence[Key]) -> tuple[list[str], list[str], list[int]]:
        """Types, ids, and the versions remembered."""
        versions = []
        for key in keys:
            self._facts.resources[key] = None
            known = self._recent.get(*key)
            if known is not None:
                self._remembered[key] = known
            versions.append(known.version if known else 0)
        return [type for type, _ in keys], [id for _, id in keys], versions

    def decision(self) -> tuple[list[str], ...]:
        """The other arguments of `DECISION`."""
        wanted, facts = self._wanted, self._facts
        owners = [thing for thing in wanted.owners if _plain(thing)]
        actors = [key for key in wanted.actors if _plain(key[0]) and _plain(key[1])]
        facts.agendas.update((thing, []) for thing in owners)
        facts.of_actors.update((key, []) for key in actors)
        facts.holders.update(dict.fromkeys(wanted.claims))
        return (
            [kept(type) for type, _ in wanted.claims],
            [kept(claim.system) for _, claim in wanted.claims],
            [kept(claim.value) for _, claim in wanted.claims],
            owners,
            [type for type, _ in actors],
            [id for _, id in actors],
        )

    def take(self, rows: Iterable[Any]) -> None:
        """The rows of the answer."""
        for what, *row in rows:
            _PARTS[what](self, row)
        facts = self._facts
        for listed in (*facts.agendas.values(), *facts.of_actors.values()):
            listed.sort()
        facts.taken.sort(key=lambda o: (o.take.thing, o.take.start, o.appointment, o.take.end, o.take.slot))

    def resource(self, row: Sequence[Any]) -> None:
        """One resource: sent whole, or remembered."""
        key = (row[1], row[2])
        stored = self._remembered[key] if row[6] is None else self._recent.keep(Stored._make(row[1:7]))
        self._facts.resources[key] = stored

    def holder(self, row: Sequence[Any]) -> None:
        """The resource that holds an identifier; whether a thing of it owns an agenda is among the answers."""
        stored = Stored._make(row[1:7])
        self._facts.resources[stored.type, stored.id] = stored
        self._facts.holders[self._wanted.claims[row[0] - 1]] = stored.id
        self._facts.agendas.setdefault(f"{stored.type}/{stored.id}", [])
        if stored.type in OF_SCHEDULES:
            self._facts.of_actors.setdefault((stored.type, stored.id), [])

    def actor(self, row: Sequence[Any]) -> None:
        """A Schedule of an actor."""
        self._facts.of_actors.setdefault((row[1], row[2]), []).append(row[5])

    def agenda(self, row: Sequence[Any]) -> None:
        """A Schedule of a thing."""
        self._facts.agendas.setdefault(row[1], []).append(row[2])

    def thing(self, row: Sequence[Any]) -> None:
        """A thing whose taken time is among the answers."""
        self._facts.things.add(row[1])

    def taken(self, row: Sequence[Any]) -> None:
        """Taken time."""
        _, thing, appointment, start, end, kind, _, lapse, slot, capacity = row
        take = Take(thing, start, end, kind, lapse, slot, capacity)
        self._facts.taken.append(Occupied(take, appointment))


OF_SCHEDULES: Final = frozenset({"PractitionerRole", "HealthcareService", "Organization"})
"""Types whose Schedules are looked for by their actor."""

_PARTS: Final[Mapping[str, Callable[[_Reading, Sequence[Any]], None]]] = {
    "resource": _Reading.resource,
    "holder": _Reading.holder,
    "actor": _Reading.actor,
    "agenda": _Reading.agenda,
    "thing": _Reading.thing,
    "taken": _Reading.taken,
}


def _plain(name: str) -> bool:
    """Whether the database has the name as it is asked for."""
    return len(name) <= SHORT and "\0" not in name
