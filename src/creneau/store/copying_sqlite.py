"""A SQLite file as one end of a copy: read under the lock of its owner, or written beside its name and named when it is whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, TypeVar

from creneau.search.rows import Rows
from creneau.store import backup, copying
from creneau.store import statements as sql
from creneau.store.apply import index_rows
from creneau.store.copying import CHUNK, NotCopied, Row, Table
from creneau.store.lock import FileLock
from creneau.store.migrate import UnknownSchema, migrate, migrations, schema_of
from creneau.store.reindex import MADE_BY
from creneau.store.sqlite import connect

Answer = TypeVar("Answer")

_QUICKLY: Final = (
    "journal_mode = OFF",
    "synchronous = OFF",
    "locking_mode = EXCLUSIVE",
    "temp_store = FILE",
)
"""For a file that is thrown away unless it is finished and made durable as a whole."""


class SqliteEnd:
    """The file's tables of one tenant; see `copying.Target`."""

    shortens = False

    def __init__(self, connection: sqlite3.Connection, path: Path, tenant: str) -> None:
        self._connection, self._path, self._tenant = connection, path, tenant

    async def count(self, table: Table) -> int:
        """See `copying.End`."""
        with said(self._path):
            statement = f"SELECT count(*) FROM {table.name} WHERE tenant = ?"
            return int(self._connection.execute(statement, (self._tenant,)).fetchone()[0])

    async def chunks(self, table: Table) -> AsyncIterator[Sequence[Row]]:
        """See `copying.End`."""
        order = ", ".join(table.columns[: table.places])
        statement = (
            f"SELECT {', '.join(table.columns)} FROM {table.name} WHERE tenant = ? ORDER BY tenant, {order}"
        )
        with said(self._path):
            cursor = self._connection.execute(statement, (self._tenant,))
            while rows := cursor.fetchmany(CHUNK):
                yield rows

    async def body(self, type: str, id: str) -> bytes:
        """See `copying.End`."""
        with said(self._path):
            row = self._connection.execute(sql.GET, (self._tenant, type, id)).fetchone()
            return bytes(row[5]) if row else b""

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """See `copying.Target`."""
        columns = ", ".join(table.columns)
        places = ", ".join("?" * (len(table.columns) + 1))
        with said(self._path):
            self._connection.executemany(
                f"INSERT INTO {table.name} (tenant, {columns}) VALUES ({places})",
                ((self._tenant, *row) for row in rows),
            )

    async def index(self, made: Sequence[tuple[str, str, Rows]]) -> None:
        """See `copying.Target`."""
        with said(self._path):
            for type_, id_, rows in made:
                for table, lines in index_rows((self._tenant, type_, id_), rows):
                    self._connection.executemany(sql.INSERT_ROW[table], lines)

    def lines(self, type: str, id: str, rows: Rows) -> dict[str, set[Row]]:
        """See `copying.End`."""
        return {
            table: {(first, last, *rest) for _, first, *rest, last in some}
            for table, some in index_rows((self._tenant, type, id), rows)
        }

    async def note(self, checksum: str) -> None:
        """See `copying.Target`."""
        with said(self._path):
            self._connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (MADE_BY, checksum))


async def read(path: Path, tenant: str, work: Callable[[SqliteEnd], Awaitable[Answer]]) -> Answer:
    """What `work` returns, while no other process may have the file, which is left as it is. Raises `lock.Owned`, NotCopied."""
    if not path.exists():
        raise NotCopied(f"{path}: there is no such database")
    lock = FileLock.take(path)
    try:
        with said(path):
            connection = connect(path, writing=False)
        with closing(connection):
            with said(path):
                connection.execute("PRAGMA temp_store = FILE")  # rows are sorted, whatever their number
                connection.execute("BEGIN")
                schema, known = schema_of(connection), len(migrations())
            if schema != known:
                raise NotCopied(f"{path}: {copying.OTHER_SCHEMA.format(schema, known)}")
            return await work(SqliteEnd(connection, path, tenant))
    finally:
        lock.release()


async def write(path: Path, tenant: str, work: Callable[[SqliteEnd], Awaitable[Answer]]) -> Answer:
    """What `work` returns, once what it wrote is durable under the name; before, nothing is there. Raises NotCopied, `lock.Owned`.

    What a killed copy left beside the name is thrown away.
    """
    lock = FileLock.take(path)
    part = path.with_name(f"{path.name}.copying")
    try:
        if path.exists():
            raise NotCopied(f"{path}: exists already; a copy is made where nothing is")
        backup.forget(part)
        answer = await _written(part, tenant, work)
        with said(path):
            backup.verify(part)
            backup.name(part, path, overwrite=False)
        return answer
    finally:
        backup.forget(part)
        lock.release()


async def _written(part: Path, tenant: str, work: Callable[[SqliteEnd], Awaitable[Answer]]) -> Answer:
    with said(part):
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        connection = connect(part, writing=True)
    with closing(connection):
        with said(part):
            migrate(connection, migrations())
            for pragma in _QUICKLY:
                connection.execute(f"PRAGMA {pragma}").fetchall()
            connection.execute("BEGIN")
        answer = await work(SqliteEnd(connection, part, tenant))
        with said(part):
            connection.execute("COMMIT")
    return answer


@contextmanager
def said(path: Path) -> Iterator[None]:
    """Errors of the file by its name, without a value of a statement."""
    try:
        yield
    except (OSError, sqlite3.Error, backup.Damaged, UnknownSchema) as error:
        raise NotCopied(f"{path}: {error}") from error
