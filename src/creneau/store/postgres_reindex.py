"""Makes the index rows of a PostgreSQL store anew when the tables of search are not those that made them (REL-24, REL-30).

Programs whose tables of search differ may not write to one database: each would leave rows that the other one does not look for. So rows
are made anew only while no other program is there (docs/decisions/0019), in one transaction: as before, or all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from creneau.fhir import json
from creneau.search.rows import Rows
from creneau.store import postgres_statements as sql
from creneau.store.migrate import UnknownSchema
from creneau.store.postgres import CHUNK, PostgresStore
from creneau.store.postgres_connections import NAME, NAMED
from creneau.store.postgres_plan import TABLES, Lines, lines

Extract = Callable[[Mapping[str, Any]], Rows]
MADE_BY: Final = "index rows made by"
ADD: Final = "SELECT creneau_index($1, $2::jsonb)"
ALONE: Final = """
SET LOCAL lock_timeout = 0;
LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE;
"""
"""Programs that start wait for us, at their migrations or here."""
OTHERS: Final = """
SELECT count(*) FROM (
    SELECT application_name FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE $2 || '%' AND application_name <> $1
    GROUP BY application_name
    HAVING NOT bool_or(coalesce(wait_event_type = 'Lock' AND wait_event = 'relation', false))
) others
"""
"""Programs that have connections, less those that wait to start."""


async def indexed(store: PostgresStore, extract: Extract, checksum: str) -> int:
    """Make all index rows anew unless these tables made them; how many resources were read. To be awaited before the store serves.

    Raises UnknownSchema when other programs use the database. Behind PgBouncer they cannot be told apart, and are not seen.
    """
    row = await store.connections.row(sql.NOTED, store.tenant, MADE_BY)
    if row is not None and row[0] == checksum:
        return 0

    async def make(connection: Any) -> int:
        await connection.execute(ALONE)
        if await connection.fetchval(sql.NOTED, store.tenant, MADE_BY) == checksum:
            return 0
        types = [type_ for (type_,) in await connection.fetch(sql.TYPES, store.tenant)]
        if types and await connection.fetchval(OTHERS, NAME, NAMED):
            raise UnknownSchema(
                "index rows are to be made anew, and other programs use the database: stop them first"
            )
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table} WHERE tenant = $1", store.tenant)
        done = [await _of_type(connection, store.tenant, type_, extract) for type_ in types]
        await connection.execute(sql.NOTE, store.tenant, MADE_BY, checksum)
        return sum(done)

    return await store.connections.together(make)


async def _of_type(connection: Any, tenant: str, type_: str, extract: Extract) -> int:
    last, done = "", 0
    while rows := await connection.fetch(sql.LIVE_AFTER, tenant, type_, last, CHUNK):
        added: Lines = {}
        for _, id_, *_, body in rows:
            for table, some in lines(type_, id_, extract(json.load(body))):
                added.setdefault(table, []).extend(some)
        await connection.execute(ADD, tenant, msgspec.json.encode(added).decode())
        last, done = rows[-1][1], done + len(rows)
    return done
