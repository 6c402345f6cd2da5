"""A PostgreSQL database as one end of a copy: read in one snapshot, or written in one transaction, so that a part is never seen.

https://www.postgresql.org/docs/current/transaction-iso.html#XACT-REPEATABLE-READ, …/sql-copy.html
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import asyncpg

from creneau.search.rows import Rows
from creneau.store import copying
from creneau.store import postgres_statements as sql
from creneau.store.copying import (
    CHUNK,
    HISTORY,
    IDENTIFIER,
    INDEX,
    OWNER,
    RESOURCE,
    TABLES,
    TAKEN,
    NotCopied,
    Row,
    Table,
    Unconfirmed,
)
from creneau.store.migrate import migrations
from creneau.store.postgres import PostgresStore
from creneau.store.postgres_plan import Lines, lines
from creneau.store.postgres_reindex import MADE_BY
from creneau.store.postgres_values import NUL, kept_in

Answer = TypeVar("Answer")

SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
UNHURRIED: Final = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0"
_LOCK: Final = f"LOCK TABLE {', '.join(table.name for table in TABLES)} IN EXCLUSIVE MODE"
_THINGS: Final = """
INSERT INTO thing
SELECT DISTINCT tenant, thing FROM (
    SELECT tenant, thing FROM taken WHERE tenant = $1 UNION SELECT tenant, thing FROM owner WHERE tenant = $1
) known ON CONFLICT DO NOTHING
"""
_SCHEMA: Final = "SELECT max(version) FROM schema_version"
_COLUMNS: Final = {table.name: table.columns for table in INDEX}


class PostgresEnd:
    """The tables of one tenant, in one transaction; see `copying.Target`."""

    shortens = True

    def __init__(self, connection: Any, tenant: str) -> None:
        self._connection, self._tenant = connection, tenant
        self._last: Row = ()
        self._number = 0

    async def count(self, table: Table) -> int:
        """See `copying.End`."""
        statement = f"SELECT count(*) FROM {table.name} WHERE tenant = $1"
        return int(await self._connection.fetchval(statement, self._tenant))

    async def chunks(self, table: Table) -> AsyncIterator[Sequence[Row]]:
        """See `copying.End`."""
        order = ", ".join(table.columns[: table.places])
        async for rows in chunks(
            self._connection,
            f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE tenant = $1 ORDER BY tenant, {order}",
            self._tenant,
        ):
            yield rows

    async def body(self, type: str, id: str) -> bytes:
        """See `copying.End`."""
        row = await self._connection.fetchrow(sql.GET, self._tenant, type, id)
        return bytes(row[5]) if row else b""

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """See `copying.Target`."""
        columns = table.columns
        if table is IDENTIFIER:
            rows = [kept_in(row) for row in rows]
        elif table is TAKEN:
            columns, rows = (*columns, "number"), [self._numbered(row) for row in rows]
        elif table is OWNER:
            rows = [_without_nul(row) for row in rows]
        await self._copy(table.name, columns, rows)

    async def index(self, made: Sequence[tuple[str, str, Rows]]) -> None:
        """See `copying.Target`."""
        added: Lines = {}
        for one in made:
            for table, rows in self.lines(*one).items():
                added.setdefault(table, []).extend(rows)
        for table, some in added.items():
            await self._copy(table, _COLUMNS[table], some)

    def lines(self, type: str, id: str, rows: Rows) -> dict[str, set[Row]]:
        """See `copying.End`: two long texts may be kept in one form."""
        return {
            table: {(first, last, *rest) for first, *rest, last in some}
            for table, some in lines(type, id, rows)
        }

    async def note(self, checksum: str) -> None:
        """See `copying.Target`."""
        await self._connection.execute(_THINGS, self._tenant)
        await self._connection.execute(sql.NOTE, self._tenant, MADE_BY, checksum)

    def _numbered(self, row: Row) -> Row:
        """The row with its number among the takes of its appointment."""
        self._number = self._number + 1 if row[:1] == self._last else 0
        self._last = row[:1]
        return (*_without_nul(row), self._number)

    async def _copy(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        try:
            await self._connection.copy_records_to_table(
                table, columns=("tenant", *columns), records=[(self._tenant, *row) for row in rows]
            )
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise NotCopied(f"table {table}: PostgreSQL refuses a row ({type(error).__name__})") from error
        except asyncpg.ProgramLimitExceededError as error:
            raise NotCopied(f"table {table}: a row is too long for PostgreSQL") from error


async def chunks(connection: Any, statement: str, *args: Any) -> AsyncIterator[Sequence[Row]]:
    """The rows of a query within a transaction, some at a time, whatever their number."""
    cursor = await connection.cursor(statement, *args)
    while rows := await cursor.fetch(CHUNK):
        yield rows


async def read(store: PostgresStore, work: Callable[[PostgresEnd], Awaitable[Answer]]) -> tuple[Answer, int]:
    """What `work` returns of one snapshot, and how many versions others have written since it was taken."""

    async def inside(connection: Any) -> tuple[int, Answer]:
        await connection.execute(SNAPSHOT)
        await connection.execute(UNHURRIED)
        await _of_this_version(connection)
        end = PostgresEnd(connection, store.tenant)
        return await _versions(end), await work(end)

    async def after(connection: Any) -> int:
        await connection.execute(SNAPSHOT)
        await connection.execute(UNHURRIED)
        return await _versions(PostgresEnd(connection, store.tenant))

    before, answer = await store.connections.together(inside)
    return answer, await store.connections.together(after) - before


async def _of_this_version(connection: Any) -> None:
    try:
        schema = await connection.fetchval(_SCHEMA)
    except asyncpg.UndefinedTableError:
        raise NotCopied("the database is empty, or holds tables of another program") from None
    if schema != (known := len(migrations("postgres"))):
        raise NotCopied(copying.OTHER_SCHEMA.format(schema, known))


async def write(store: PostgresStore, work: Callable[[PostgresEnd], Awaitable[Answer]]) -> Answer:
    """What `work` returns, once what it wrote is committed. Raises NotCopied: also when there are data, or somebody writes; Unconfirmed."""
    used: list[Any] = []

    async def inside(connection: Any) -> Answer:
        connection.warned = False
        used.append(connection)
        await connection.execute(UNHURRIED)
        try:
            await connection.execute(_LOCK)
        except asyncpg.LockNotAvailableError as error:
            raise NotCopied("another program is writing there") from error
        end = PostgresEnd(connection, store.tenant)
        for table in TABLES:
            if await end.count(table):
                raise NotCopied(
                    f"there are data already (table {table.name}); a copy is made where nothing is"
                )
        return await work(end)

    answer = await store.connections.together(inside)
    if used[-1].warned:
        raise Unconfirmed("committed, but no synchronous standby confirmed it")
    await store.connections.call(sql.MEASURE)
    return answer


async def _versions(end: PostgresEnd) -> int:
    """How many versions there are: each write adds one, and none is ever removed."""
    return await end.count(RESOURCE) + await end.count(HISTORY)


def _without_nul(row: Row) -> Row:
    return tuple(value.replace("\0", NUL) if isinstance(value, str) else value for value in row)
