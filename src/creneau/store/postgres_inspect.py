"""How a PostgreSQL database is looked through for what `inspect` says a sound store must satisfy (`creneau doctor`, REL-33)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from creneau.store import postgres_schema
from creneau.store import postgres_statements as sql
from creneau.store.comparing import unindexed
from creneau.store.contract import Claim, Take
from creneau.store.copying import HISTORY, RESOURCE, Extract
from creneau.store.copying_postgres import SNAPSHOT, UNHURRIED, PostgresEnd, chunks
from creneau.store.inspect import CROWDED, GUARDED, STATEMENTS, UNINDEXED, Finding, crowded, wrong_body
from creneau.store.plan import in_order
from creneau.store.postgres import PostgresStore
from creneau.store.postgres_values import kept


class Asked(NamedTuple):
    """What the checks are given: a connection in one snapshot, whose resources, how rows are made, the instant."""

    connection: Any
    tenant: str
    extract: Extract
    now: int


Check = Callable[[Asked], AsyncIterator[Finding]]


async def findings(store: PostgresStore, extract: Extract, *, now: int | None = None) -> list[Finding]:
    """Everything wrong in the store as of one snapshot, while servers go on; `extract` makes the index rows of a resource.

    `now` (microseconds UTC, default: the clock) tells which holds lapsed.
    """
    at = time.time_ns() // 1000 if now is None else now

    async def inside(connection: Any) -> list[Finding]:
        await connection.execute(SNAPSHOT)
        await connection.execute(UNHURRIED)
        asked = Asked(connection, store.tenant, extract, at)
        return [one for check in CHECKS async for one in check(asked)]

    return await store.connections.together(inside)


async def holders(store: PostgresStore, claims: Sequence[tuple[str, Claim]]) -> dict[tuple[str, Claim], str]:
    """What `Store.holder` says of each (type, claim), those of nobody left out: one round trip."""
    types, systems = [kept(type) for type, _ in claims], [kept(claim.system) for _, claim in claims]
    values = [kept(claim.value) for _, claim in claims]
    rows = await store.connections.rows(HOLDERS, store.tenant, types, systems, values) if claims else ()
    return {claims[n - 1]: id for n, id in rows}


async def takes(store: PostgresStore, appointments: Sequence[str]) -> dict[str, tuple[Take, ...]]:
    """What `Store.takes` says of each of these appointments, those that take nothing left out: one round trip."""
    found: dict[str, list[Take]] = {}
    rows = await store.connections.rows(TAKES, store.tenant, list(appointments)) if appointments else ()
    for *take, appointment in rows:
        found.setdefault(appointment, []).append(Take(*take))
    return {appointment: in_order(each) for appointment, each in found.items()}


async def _schema(asked: Asked) -> AsyncIterator[Finding]:
    for what in await postgres_schema.differences(asked.connection):
        yield Finding(what, "schema")


async def _rows(asked: Asked) -> AsyncIterator[Finding]:
    for what, statement in (STATEMENTS | UNLOCKED).items():
        async for rows in chunks(asked.connection, statement.replace(":tenant", "$1"), asked.tenant):
            for (where,) in rows:
                yield Finding(what, where)


async def _bodies(asked: Asked) -> AsyncIterator[Finding]:
    end = PostgresEnd(asked.connection, asked.tenant)
    for table in (RESOURCE, HISTORY):
        async for rows in end.chunks(table):
            for type_, id_, version, _, interaction, body in rows:
                if what := wrong_body((type_, id_, str(version)), interaction, body):
                    yield Finding(what, f"{type_}/{id_}")


async def _double_bookings(asked: Asked) -> AsyncIterator[Finding]:
    statement = GUARDED.replace(":tenant", "$1").replace(":now", "$2")
    holds: list[tuple[Any, ...]] = []
    async for rows in chunks(asked.connection, statement, asked.tenant, asked.now):
        holds += map(tuple, rows)
        last = holds[-1][0]
        for thing in _crowded(hold for hold in holds if hold[0] != last):
            yield Finding(CROWDED, thing)
        holds = [hold for hold in holds if hold[0] == last]
    for thing in _crowded(holds):
        yield Finding(CROWDED, thing)


def _crowded(holds: Any) -> list[str]:
    """The things, each with all its holds, that more take at once than they can serve."""
    return [thing for thing, each in groupby(holds, key=lambda hold: hold[0]) if crowded(each)]


async def _index(asked: Asked) -> AsyncIterator[Finding]:
    async for where in unindexed(PostgresEnd(asked.connection, asked.tenant), asked.extract):
        yield Finding(UNINDEXED, where)


CHECKS: Final[tuple[Check, ...]] = (_schema, _rows, _bodies, _double_bookings, _index)

HOLDERS: Final = """
SELECT w.n, i.id FROM unnest($2::text[], $3::text[], $4::text[]) WITH ORDINALITY AS w (type, system, value, n)
JOIN identifier i ON i.tenant = $1 AND i.type = w.type AND i.system = w.system AND i.value = w.value
"""
TAKES: Final = f"""
SELECT {sql.TAKE}, t.appointment FROM unnest($2::text[]) AS w (id)
JOIN taken t ON t.tenant = $1 AND t.appointment = w.id
"""
UNLOCKED: Final = {
    "it is taken or owned, and commits have no row of it to lock": """
        SELECT known.thing FROM (
            SELECT thing FROM taken WHERE tenant = :tenant UNION SELECT thing FROM owner WHERE tenant = :tenant
        ) known WHERE NOT EXISTS (SELECT FROM thing t WHERE t.tenant = :tenant AND t.thing = known.thing)
    """,
}
