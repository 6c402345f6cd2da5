"""Makes the index rows of a PostgreSQL store anew when the tables of search are not those that made them (REL-24)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from creneau.fhir import json
from creneau.search.rows import Rows
from creneau.store import postgres_statements as sql
from creneau.store.contract import Stored
from creneau.store.postgres import CHUNK, PostgresStore
from creneau.store.postgres_plan import TABLES, Lines, lines

Extract = Callable[[Mapping[str, Any]], Rows]
MADE_BY: Final = "index rows made by"
_ADD: Final = "SELECT creneau_index($1, $2::jsonb)"


async def indexed(store: PostgresStore, extract: Extract, checksum: str) -> int:
    """Make all index rows anew unless these tables made them; how many resources were read.

    To be awaited before the store serves: until it ends searches find only a part. Interrupted, it is begun again.
    """
    row = await store.connections.row(sql.NOTED, store.tenant, MADE_BY)
    if row is not None and row[0] == checksum:
        return 0
    await _clear(store)
    done, chunk = 0, list[Stored]()
    async for stored in store.scan():
        chunk.append(stored)
        if len(chunk) == CHUNK:
            done += await _add(store, extract, chunk)
            chunk.clear()
    done += await _add(store, extract, chunk)
    await store.connections.call(sql.NOTE, store.tenant, MADE_BY, checksum)
    return done


async def _clear(store: PostgresStore) -> None:
    async def clear(connection: Any) -> None:
        await connection.execute("DELETE FROM meta WHERE tenant = $1 AND key = $2", store.tenant, MADE_BY)
        for table in TABLES:
            await connection.execute(f"DELETE FROM {table} WHERE tenant = $1", store.tenant)

    await store.connections.together(clear)


async def _add(store: PostgresStore, extract: Extract, chunk: list[Stored]) -> int:
    added: Lines = {}
    for stored in chunk:
        for table, rows in lines(stored.type, stored.id, extract(json.load(stored.body))):
            added.setdefault(table, []).extend(rows)
    await store.connections.call(_ADD, store.tenant, msgspec.json.encode(added).decode())
    return len(chunk)
