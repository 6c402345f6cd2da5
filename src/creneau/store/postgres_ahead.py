"""Many reads in one round trip to PostgreSQL (`contract.Store.ahead`): one statement, so of one instant, for a decision, another for a search.

Bodies of versions that this process read lately are not sent again: a version never changes, so its number says it all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from creneau.store.contract import DAY, Ahead, Occupied, Stored, Take
from creneau.store.foreseen import Facts, Key
from creneau.store.postgres_connections import Connections
from creneau.store.postgres_values import kept
from creneau.store.recent import Recent

_RESOURCE: Final = "r.type, r.id, r.version, r.updated, r.interaction"
_NONE: Final = "NULL::bigint, NULL::text, NULL::bigint"
_ONE: Final = "SELECT * FROM resource r WHERE r.tenant = $1 AND r.type = {type} AND r.id = {id} LIMIT 1"
_RESOURCES: Final = f"""
SELECT 'resource' AS what, 0::bigint AS n, {_RESOURCE}, CASE WHEN r.version = w.version THEN NULL ELSE r.body END, {_NONE}
FROM unnest($2::text[], $3::text[], $4::bigint[]) AS w (type, id, version)
CROSS JOIN LATERAL ({_ONE.format(type="w.type", id="w.id")}) AS r
"""
"""The columns of every part: what it is, the number of what was asked, then those of a resource, or of a take."""

DECISION: Final = f"""
WITH held AS MATERIALIZED (
    SELECT w.n, i.type, i.id
    FROM unnest($5::text[], $6::text[], $7::text[]) WITH ORDINALITY AS w (type, system, value, n)
    CROSS JOIN LATERAL (
        SELECT * FROM identifier i
        WHERE i.tenant = $1 AND i.type = w.type AND i.system = w.system AND i.value = w.value LIMIT 1
    ) AS i
), seat AS MATERIALIZED (
    SELECT a.type, a.id, l.id AS schedule FROM (
        SELECT * FROM unnest($9::text[], $10::text[]) AS w (type, id)
        UNION SELECT type, id FROM held WHERE type IN ('PractitionerRole', 'HealthcareService', 'Organization')
    ) AS a CROSS JOIN LATERAL (
        SELECT * FROM link l WHERE l.tenant = $1 AND l.type = 'Schedule' AND l.param = 'actor'
            AND l.target_type = a.type AND l.target_id = a.id OFFSET 0
    ) AS l
), agenda AS MATERIALIZED (
    SELECT t.thing, o.schedule FROM (
        SELECT * FROM unnest($8::text[]) AS w (thing)
        UNION SELECT type || '/' || id FROM held
        UNION SELECT o.thing FROM (SELECT DISTINCT schedule FROM seat) AS s
        CROSS JOIN LATERAL (SELECT * FROM owner o WHERE o.tenant = $1 AND o.schedule = s.schedule OFFSET 0) AS o
    ) AS t CROSS JOIN LATERAL (SELECT * FROM owner o WHERE o.tenant = $1 AND o.thing = t.thing OFFSET 0) AS o
)
{_RESOURCES}
UNION ALL
SELECT 'holder', h.n, {_RESOURCE}, r.body, {_NONE}
FROM held AS h CROSS JOIN LATERAL ({_ONE.format(type="h.type", id="h.id")}) AS r
UNION ALL SELECT 'actor', 0, type, id, NULL, NULL, schedule, NULL, {_NONE} FROM seat
UNION ALL SELECT 'agenda', 0, thing, schedule, NULL, NULL, NULL, NULL, {_NONE} FROM agenda
UNION ALL
SELECT 'resource', 0, {_RESOURCE}, r.body, {_NONE}
FROM (SELECT schedule FROM agenda UNION SELECT schedule FROM seat) AS s
CROSS JOIN LATERAL ({_ONE.format(type="'Schedule'", id="s.schedule")}) AS r
WHERE s.schedule <> ALL ($3::text[])
"""
"""Resources; the holders of identifiers; the Schedules of actors; the agendas of things, of holders, of what those Schedules are agendas of."""

_TIME: Final = "k.tenant = $1 AND k.thing = p.thing AND k.finish > $7 AND (k.lapse IS NULL OR k.lapse > $9)"
SEARCH: Final = f"""
WITH owned AS MATERIALIZED (
    SELECT DISTINCT o.thing FROM unnest($6::text[]) AS w (schedule)
    CROSS JOIN LATERAL (SELECT * FROM owner o WHERE o.tenant = $1 AND o.schedule = w.schedule OFFSET 0) AS o
)
{_RESOURCES}
UNION ALL SELECT 'thing', 0, thing, NULL, NULL, NULL, NULL, NULL, {_NONE} FROM owned
UNION ALL
SELECT 'taken', 0, k.thing, k.appointment, k.start, k.finish, k.kind, NULL, k.lapse, k.slot, k.capacity
FROM (SELECT * FROM unnest($5::text[]) AS w (thing) UNION SELECT thing FROM owned) AS p
CROSS JOIN LATERAL (
    SELECT * FROM taken k WHERE {_TIME} AND k.start > $7::bigint - {DAY} AND k.start < $8
    UNION ALL
    SELECT * FROM taken k WHERE {_TIME} AND k.start <= $7::bigint - {DAY} AND k.finish - k.start > {DAY}
) AS k
"""
"""Resources; the things of agendas; the time taken of these and others."""


async def read(connections: Connections, tenant: str, wanted: Ahead, recent: Recent) -> Facts:
    """What is wanted, as of now. Names that are kept in another form than asked for are left to be read one by one."""
    facts = Facts({(one.type, one.id): one for one in wanted.known})
    reading = _Reading(wanted, facts, recent)
    keys = [key for key in dict.fromkeys(wanted.resources) if key not in facts.resources and _plain(*key)]
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
        actors = [key for key in wanted.actors if _plain(*key)]
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


def _plain(*names: str) -> bool:
    """Whether the database has the names as they are asked for."""
    return all(kept(name) == name for name in names)
