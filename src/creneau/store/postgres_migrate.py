"""Brings a PostgreSQL database to the newest schema: numbered SQL files, each applied in one transaction (REL-30)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import asyncpg

from creneau.store.migrate import Migration, UnknownSchema
from creneau.store.postgres_connections import Connections

OLDEST: Final = 13
"""The oldest server that is tried: older ones are no longer maintained."""

_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS schema_version (version integer NOT NULL PRIMARY KEY, name text NOT NULL)"
)
_PATIENT: Final = "SET LOCAL lock_timeout = 0"  # another program may be at a long step
_OURS: Final = """
SELECT to_regclass('schema_version') IS NOT NULL AS versioned, (
    SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
) AS tables
"""


async def migrate(connections: Connections, steps: Sequence[Migration], *, create: bool = True) -> list[str]:
    """Apply the steps that the database lacks and return their names. Two programs that start at once do it one after the other.

    Raises UnknownSchema for a database of another program, of a newer one, of another encoding than UTF-8, or (without `create`) empty.
    """
    try:
        await _begin(connections, create=create)
    except (asyncpg.UniqueViolationError, asyncpg.DuplicateTableError):
        await _begin(connections, create=create)  # another program was as quick
    applied = []
    for step in steps:
        if await connections.together(partial(_apply, step=step, known=len(steps))):
            applied.append(step.name)
    return applied


async def _begin(connections: Connections, *, create: bool) -> None:
    async def begin(connection: Any) -> None:
        await connection.execute(_PATIENT)
        await _usable(connection)
        ((versioned, tables),) = await connection.fetch(_OURS)
        if not versioned and (tables or not create):
            raise UnknownSchema(
                "the database holds tables of another program" if tables else "the database is empty"
            )
        if not versioned:
            await connection.execute(_TABLE)

    await connections.together(begin)


async def _apply(connection: Any, *, step: Migration, known: int) -> bool:
    if not await _lacks(connection, step, known):
        return False
    await connection.execute(step.sql)
    await connection.execute("INSERT INTO schema_version VALUES ($1, $2)", step.number, step.name)
    return True


async def _usable(connection: Any) -> None:
    if connection.get_server_version().major < OLDEST:
        raise UnknownSchema(f"PostgreSQL {OLDEST} or newer is needed")
    if await connection.fetchval("SELECT current_setting('server_encoding')") != "UTF8":
        raise UnknownSchema("the encoding of the database must be UTF8")
    if await connection.fetchval("SELECT current_setting('fsync')") != "on":
        raise UnknownSchema("the server runs with fsync=off: what it acknowledges may be lost")
    if await connection.fetchval("SELECT current_setting('client_min_messages')") == "error":
        raise UnknownSchema("client_min_messages=error hides that a commit was not replicated")


async def _lacks(connection: Any, step: Migration, known: int) -> bool:
    """Whether the step is still to be applied; nobody else applies one until the transaction ends."""
    await connection.execute(_PATIENT)
    await connection.execute("LOCK TABLE schema_version IN SHARE ROW EXCLUSIVE MODE")
    current = await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version")
    if current > known:
        raise UnknownSchema(
            f"the database has schema {current} and this program knows schemas up to {known}: use a newer creneau"
        )
    return bool(step.number > current)
