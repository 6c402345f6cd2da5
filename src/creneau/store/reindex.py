"""Makes the index rows of a SQLite store anew, when the tables of search changed, and compares them with what is there (REL-24)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from creneau.fhir import json
from creneau.search.rows import NONE, Rows
from creneau.store import statements as sql
from creneau.store.apply import Row, index_rows
from creneau.store.sqlite import SqliteStore

Extract = Callable[[Mapping[str, Any]], Rows]
CHUNK: Final = 2_000
MADE_BY: Final = "index rows made by"


def quiet(done: int) -> None:
    """A progress that says nothing."""


async def made_by(store: SqliteStore) -> str | None:
    """The checksum that `reindex` was last given, None for a store whose index rows were never all made."""
    row = await store.alone(
        lambda c: c.execute("SELECT value FROM meta WHERE key = ?", (MADE_BY,)).fetchone()
    )
    return row and str(row[0])


async def reindex(
    store: SqliteStore, extract: Extract, checksum: str, progress: Callable[[int], None] = quiet
) -> int:
    """Make all index rows anew and note the checksum; how many resources were read, also told to `progress` as it goes.

    To be awaited before the store serves: until it ends searches find only a part. Interrupted, it leaves no checksum, and
    is to be begun again.
    """
    await store.alone(lambda connection: _clear(connection, store.tenant))
    done, place = 0, ("", "")
    while last := await store.alone(partial(_chunk, tenant=store.tenant, extract=extract, place=place)):
        number, place = last
        done += number
        progress(done)
    await store.alone(lambda c: c.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MADE_BY, checksum)))
    return done


def differences(connection: sqlite3.Connection, tenant: str, extract: Extract) -> Iterator[str]:
    """ "Type/id" of each resource whose index rows are not those that `extract` makes; uses temporary tables."""
    for table in sql.INSERT_ROW:
        connection.execute(f"DROP TABLE IF EXISTS temp.expected_{table}")
        connection.execute(f"CREATE TEMP TABLE expected_{table} AS SELECT * FROM {table} WHERE 0")
    place: tuple[str, str] | None = ("", "")
    while place is not None and (rows := _live(connection, tenant, place)):
        for table, lines in _extracted(rows, tenant, partial(_whatever, extract)).items():
            connection.executemany(f"INSERT INTO temp.expected_{table} VALUES (?, ?, ?, ?, ?, ?)", lines)
        place = rows[-1][:2]
    found: set[tuple[str, str]] = set()
    for table in sql.INSERT_ROW:
        kept = f"SELECT * FROM main.{table} WHERE tenant = :tenant"
        expected = f"SELECT * FROM temp.expected_{table}"
        for one, other in ((kept, expected), (expected, kept)):
            found.update(
                connection.execute(f"SELECT type, id FROM ({one} EXCEPT {other})", {"tenant": tenant})
            )
    yield from (f"{type_}/{id_}" for type_, id_ in sorted(found))


def _clear(connection: sqlite3.Connection, tenant: str) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM meta WHERE key = ?", (MADE_BY,))
    for table in sql.INSERT_ROW:
        connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))
    connection.execute("COMMIT")


def _chunk(
    connection: sqlite3.Connection, *, tenant: str, extract: Extract, place: tuple[str, str]
) -> tuple[int, tuple[str, str]] | None:
    """Index the resources that follow the place; how many, and the new place."""
    rows = _live(connection, tenant, place)
    if not rows:
        return None
    connection.execute("BEGIN IMMEDIATE")
    for table, lines in _extracted(rows, tenant, partial(_strictly, extract)).items():
        connection.executemany(sql.INSERT_ROW[table], sorted(lines))
    connection.execute("COMMIT")
    return len(rows), rows[-1][:2]


def _live(
    connection: sqlite3.Connection, tenant: str, place: tuple[str, str]
) -> list[tuple[str, str, bytes]]:
    return connection.execute(sql.LIVE_BODIES, (tenant, *place, CHUNK)).fetchall()


def _extracted(
    rows: list[tuple[str, str, bytes]], tenant: str, made_from: Callable[[bytes], Rows]
) -> dict[str, list[Row]]:
    made: dict[str, list[Row]] = {table: [] for table in sql.INSERT_ROW}
    for type_, id_, body in rows:
        for table, lines in index_rows((tenant, type_, id_), made_from(body)):
            made[table] += lines
    return made


def _strictly(extract: Extract, body: bytes) -> Rows:
    return extract(json.load(body))


def _whatever(extract: Extract, body: bytes) -> Rows:
    """No rows for a body that cannot be read: the doctor goes on to the next."""
    try:
        return _strictly(extract, body)
    except Exception:
        return NONE
