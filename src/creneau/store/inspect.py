"""What a sound SQL store must satisfy, and how a SQLite file is looked through for what does not (`creneau doctor`, REL-33)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import groupby
from typing import Any, Final, NamedTuple

from creneau.fhir import json
from creneau.search.rows import Rows
from creneau.store import reindex
from creneau.store.sqlite import SqliteStore, connect

Extract = Callable[[Mapping[str, Any]], Rows]


class Finding(NamedTuple):
    """Something wrong: a stable word for what, "Type/id" (or a thing, or a table) for where. Holds nothing else of a patient."""

    what: str
    where: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Asked(NamedTuple):
    """What the checks are given: a connection in one read transaction, whose resources, how rows are made, the instant."""

    connection: sqlite3.Connection
    tenant: str
    extract: Extract
    now: int


async def findings(store: SqliteStore, extract: Extract, *, now: int | None = None) -> AsyncIterator[Finding]:
    """Everything wrong in the store as of one instant, while it serves; `extract` makes the index rows of a resource.

    `now` (microseconds UTC, default: the clock) tells which holds lapsed.
    """
    loop = asyncio.get_running_loop()
    at = time.time_ns() // 1000 if now is None else now
    with closing(connect(store.path, writing=False)) as connection:
        connection.execute(
            "PRAGMA query_only = OFF"
        )  # the expected index rows are gathered in temporary tables
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute("BEGIN")
        asked = Asked(connection, store.tenant, extract, at)
        for check in CHECKS:
            for finding in await loop.run_in_executor(None, _all, check, asked):
                yield finding
        connection.execute("ROLLBACK")


def _all(check: Check, asked: Asked) -> list[Finding]:
    return list(check(asked))


def _file(asked: Asked) -> Iterator[Finding]:
    for (word,) in asked.connection.execute("PRAGMA integrity_check"):
        if word != "ok":
            yield Finding(f"SQLite says: {word}", "file")


def _rows(asked: Asked) -> Iterator[Finding]:
    """The checks that one statement makes: each row it gives is wrong."""
    for what, statement in STATEMENTS.items():
        for (where,) in asked.connection.execute(statement, {"tenant": asked.tenant}):
            yield Finding(what, where)


def _bodies(asked: Asked) -> Iterator[Finding]:
    for table in ("resource", "history"):
        statement = f"SELECT type, id, version, interaction, body FROM {table} WHERE tenant = ?"
        for type_, id_, version, interaction, body in asked.connection.execute(statement, (asked.tenant,)):
            if what := wrong_body((type_, id_, str(version)), interaction, body):
                yield Finding(what, f"{type_}/{id_}")


def wrong_body(named: tuple[str, str, str], interaction: str, body: bytes) -> str:
    """What is wrong with the content of a version that is `named` so: type, id, version; "" when nothing is."""
    if interaction == "delete":
        return "a deletion has a body" if body else ""
    try:
        resource = json.load(body)
        inside = (resource.get("resourceType"), resource.get("id"), resource.get("meta", {}).get("versionId"))
    except (ValueError, AttributeError):
        return "its body is not JSON"
    return "" if inside == named else "its body says another type, id or version"


def _index(asked: Asked) -> Iterator[Finding]:
    for where in reindex.differences(asked.connection, asked.tenant, asked.extract):
        yield Finding(UNINDEXED, where)


def _double_bookings(asked: Asked) -> Iterator[Finding]:
    """More appointments at once than the largest capacity among them, of what was checked when it was committed."""
    rows = asked.connection.execute(GUARDED, {"tenant": asked.tenant, "now": asked.now})
    for thing, holds in groupby(rows, key=lambda row: row[0]):
        if crowded(holds):
            yield Finding(CROWDED, thing)


def crowded(holds: Iterable[tuple[str, int, int, str, int]]) -> bool:
    """Whether rows of `GUARDED`, those of one thing, are more at once than the largest capacity among them."""
    running: list[tuple[int, str, int]] = []
    for _, start, finish, appointment, capacity in holds:
        running = [each for each in running if each[0] > start]
        running.append((finish, appointment, capacity))
        if len({each[1] for each in running}) > max(each[2] for each in running):
            return True
    return False


Check = Callable[[Asked], Iterator[Finding]]

UNINDEXED: Final = "its index rows are not those of its content"
CROWDED: Final = "more appointments take it at once than it can serve"

CHECKS: Final[tuple[Check, ...]] = (
    _file,
    _rows,
    _bodies,
    _double_bookings,
    _index,
)

GUARDED: Final = """
SELECT thing, start, finish, appointment, capacity FROM taken
WHERE tenant = :tenant AND guarded = 1 AND (lapse IS NULL OR lapse > :now) ORDER BY thing, start
"""

STATEMENTS: Final = {  # of both dialects
    "its versions do not follow each other from 1": """
        SELECT r.type || '/' || r.id FROM resource r WHERE r.tenant = :tenant AND (
            SELECT count(*) <> r.version - 1 OR coalesce(min(h.version), 1) <> 1 OR coalesce(max(h.version), 0) <> r.version - 1
            FROM history h WHERE h.tenant = r.tenant AND h.type = r.type AND h.id = r.id)
    """,
    "its history has no current version": """
        SELECT DISTINCT h.type || '/' || h.id FROM history h WHERE h.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM resource r WHERE r.tenant = h.tenant AND r.type = h.type AND r.id = h.id)
    """,
    "a version is older than the one before it": """
        SELECT h.type || '/' || h.id FROM history h WHERE h.tenant = :tenant AND h.updated > coalesce(
            (SELECT n.updated FROM history n
             WHERE n.tenant = h.tenant AND n.type = h.type AND n.id = h.id AND n.version = h.version + 1),
            (SELECT r.updated FROM resource r WHERE r.tenant = h.tenant AND r.type = h.type AND r.id = h.id))
    """,
    "a business identifier is held by a resource that is not there": """
        SELECT DISTINCT i.type || '/' || i.id FROM identifier i WHERE i.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM resource r
            WHERE r.tenant = i.tenant AND r.type = i.type AND r.id = i.id AND r.interaction <> 'delete')
    """,
    "time is taken by an appointment that is not there": """
        SELECT DISTINCT 'Appointment/' || t.appointment FROM taken t WHERE t.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM resource r
            WHERE r.tenant = t.tenant AND r.type = 'Appointment' AND r.id = t.appointment AND r.interaction <> 'delete')
    """,
    "a thing is owned by an agenda that is not there": """
        SELECT DISTINCT 'Schedule/' || o.schedule FROM owner o WHERE o.tenant = :tenant AND NOT EXISTS (
            SELECT 1 FROM resource r
            WHERE r.tenant = o.tenant AND r.type = 'Schedule' AND r.id = o.schedule AND r.interaction <> 'delete')
    """,
}
