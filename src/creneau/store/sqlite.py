"""The default store: one SQLite file owned by this process, one writing thread, reads on the event loop."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec

from creneau.search.query import Query
from creneau.search.rows import Period
from creneau.store import deletions, past, search_sql
from creneau.store import statements as sql
from creneau.store.contract import (
    DAY,
    Ahead,
    Claim,
    Moved,
    Occupied,
    Page,
    Plan,
    Seen,
    Store,
    Stored,
    StoreUnavailable,
    Take,
)
from creneau.store.guard import take_of
from creneau.store.lock import FileLock
from creneau.store.matches import Matches
from creneau.store.migrate import UnknownSchema, migrate, migrations
from creneau.store.plan import in_order, refuse_nonsense
from creneau.store.reader import Reader
from creneau.store.recent import Recent
from creneau.store.writer import Work, Writer

CHUNK: Final = 500
FEW: Final = 32  # things whose taken time is read at once on the loop
MONTH: Final = 31 * DAY
OLDEST: Final = (3, 37, 0)
LOG_LIMIT: Final = 64 * 1024 * 1024
CACHE: Final = 64 * 1024  # KiB of pages the writer keeps


class SqliteStore:
    """Every verb of `contract.Store`; built by `open_sqlite`, used from one event loop."""

    far: Final = False

    def __init__(self, path: Path, tenant: str, lock: FileLock) -> None:
        self.path = path
        self.tenant = tenant
        self._lock = lock
        self._closed = False
        self._reader = Reader(partial(connect, path, writing=False))
        self._recent = Recent()
        self._matches = Matches()
        self._writer = Writer(partial(connect, path, writing=True), tenant, self._recent, self._matches)
        self._execute = self._reader.cursor.execute
        self._recent.any_long = self._execute(sql.ANY_LONG, (tenant,)).fetchone() is not None

    async def ahead(self, wanted: Ahead) -> Store:
        """See `contract.Store.ahead`."""
        return self

    async def get(self, type: str, id: str) -> Stored | None:
        """See `contract.Store.get`."""
        known = self._recent.get(type, id)
        if known is None:
            row = self._execute(sql.GET, (self.tenant, type, id)).fetchone()
            known = row and self._recent.keep(Stored._make(row))
        return known

    async def version(self, type: str, id: str, version: int) -> Stored | None:
        """See `contract.Store.version`."""
        if not 0 < version < 1 << 62:
            return None
        wanted = (self.tenant, type, id, version)
        row = (
            self._execute(sql.VERSION_CURRENT, wanted).fetchone()
            or self._execute(sql.VERSION_PAST, wanted).fetchone()
        )
        return row and Stored._make(row)

    async def history(
        self,
        type: str | None,
        id: str | None,
        *,
        since: int | None = None,
        count: int = 100,
        after: str | None = None,
    ) -> Page:
        """See `contract.Store.history`."""
        asked = past.Asked(self.tenant, type, id, since, count, after)
        return await self._reader.read(asked.page)

    async def find(self, query: Query, *, count: int | None = None) -> Page:
        """See `contract.Store.find`."""
        return await self._reader.read(
            lambda cursor: search_sql.find(cursor, query, tenant=self.tenant, count=count)
        )

    async def matching(self, query: Query) -> dict[str, int]:
        """See `contract.Store.matching`."""
        known = self._matches.get(query)
        if known is not None:
            return known
        take = self._matches.reading(query)
        return take(
            await self._reader.read(lambda cursor: search_sql.versions(cursor, query, tenant=self.tenant))
        )

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """See `contract.Store.versions`."""
        asked = (self.tenant, type, _json(ids))
        return await self._reader.read(lambda cursor: dict(cursor.execute(sql.VERSIONS, asked).fetchall()))

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """See `contract.Store.several`."""
        asked = (self.tenant, type, _json(ids))
        return await self._reader.read(
            lambda cursor: [Stored._make(row) for row in cursor.execute(sql.SEVERAL, asked)]
        )

    async def dated(self, type: str, ids: Sequence[str], prefix: str) -> dict[str, Period]:
        """See `contract.Store.dated`."""
        known = self._matches.dated(type, prefix)
        unknown = [id_ for id_ in ids if id_ not in known]
        found = {id_: row for id_ in ids if (row := known.get(id_)) is not None}
        if unknown:
            writes = self._matches.written(type)
            asked = (self.tenant, type, _json(unknown), prefix, prefix + "\U0010ffff")
            rows = await self._reader.read(lambda cursor: cursor.execute(sql.DATED, asked).fetchall())
            read = {id_: Period(*row) for id_, *row in rows}
            self._matches.keep_dated(type, prefix, unknown, read, writes)
            found.update(read)
        return found

    async def holder(self, type: str, claim: Claim) -> str | None:
        """See `contract.Store.holder`."""
        row = self._execute(sql.HOLDER, (self.tenant, type, *claim)).fetchone()
        return row and str(row[0])

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """See `contract.Store.linked`."""
        wanted = (self.tenant, type, param, target_type, target_id, -1 if most is None else most)
        return await self._reader.read(
            lambda cursor: [id_ for (id_,) in cursor.execute(deletions.LINKED_FIRST, wanted)]
        )

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """See `contract.Store.takes`."""
        rows = self._execute(sql.TAKES_OF, (self.tenant, appointment)).fetchall()
        return in_order(take_of(row) for row in rows)

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """See `contract.Store.taken`."""
        if not things:
            return []
        long = self._recent.any_long
        if len(things) == 1 and end - start <= MONTH and not long:
            rows = self._execute(sql.TAKEN_OF_ONE, (self.tenant, start, end, now, things[0])).fetchall()
            return [Occupied(take_of(row), row[7]) for row in rows]
        asked = (self.tenant, start, end, now, _json(things))
        if len(things) <= FEW and end - start <= MONTH:
            return _taken(self._reader.cursor, asked, long=long)
        return await self._reader.read(lambda cursor: _taken(cursor, asked, long=long))

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """See `contract.Store.agendas`."""
        unknown = [thing for thing in things if self._recent.agendas(thing) is None]
        if unknown:
            found: dict[str, list[str]] = {thing: [] for thing in unknown}
            asked = (self.tenant, _json(unknown))
            for thing, schedule in self._execute(sql.AGENDAS, asked).fetchall():
                found[thing].append(schedule)
            self._recent.know(found)
        return {thing: list(ids) for thing in things if (ids := self._recent.agendas(thing))}

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """See `contract.Store.commit`."""
        refuse_nonsense(plan)
        if not plan.puts:
            return await self._hold(plan.seen)
        return await self._writer.commit(plan)

    async def _hold(self, seen: Sequence[Seen]) -> tuple[Take, ...]:
        """A plan that only saw: what a read finds here is durable, so that nothing waits."""
        for one in seen:
            known = await self.get(one.type, one.id)
            if (known.version if known else 0) != one.version:
                raise Moved
        return ()

    async def scan(self, type: str | None = None) -> AsyncIterator[Stored]:
        """See `contract.Store.scan`."""
        types = [type] if type else [t for (t,) in self._execute(sql.TYPES, (self.tenant,))]
        for each in types:
            last = ""
            while rows := self._execute(sql.LIVE_AFTER, (self.tenant, each, last, CHUNK)).fetchall():
                for row in rows:
                    yield Stored._make(row)
                last = rows[-1][1]

    async def ready(self) -> bool:
        """See `contract.Store.ready`; after a failed write it tries one."""
        try:
            self._execute("SELECT 1").fetchone()
            if self._writer.failing:
                await self.alone(_probe)
        except (sqlite3.Error, StoreUnavailable):
            return False
        return self._writer.accepting

    async def close(self) -> None:
        """See `contract.Store.close`; blocks no other task meanwhile, and may be called again."""
        if not self._closed:
            self._closed = True
            self._writer.refuse()
            await self._writer.stop()
            self._reader.close()
            self._lock.release()

    async def alone(self, work: Work) -> Any:
        """What `work(connection)` returns, run in the committing thread between two commits: for `reindex` and the like."""
        try:
            return await self._writer.alone(work)
        finally:
            self._matches.clear()


def open_sqlite(path: Path | str, *, tenant: str = "default", create: bool = True) -> SqliteStore:
    """Own the file, bring it to the newest schema and start the writer.

    Raises `lock.Owned` when a process serves it already, `migrate.UnknownSchema` for a file of another program or of a newer
    one, FileNotFoundError when it is not there and `create` is false.
    """
    path = Path(path)
    if not create and not path.exists():
        raise FileNotFoundError(f"{path}: there is no such database")
    lock = FileLock.take(path)
    try:
        if (
            not path.exists()
        ):  # closing any descriptor of a database drops the locks that SQLite holds on it (fcntl(2))
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(connect(path, writing=True)) as connection:
            migrate(connection, migrations())
        return SqliteStore(path, tenant, lock)
    except sqlite3.DatabaseError as error:
        lock.release()
        raise UnknownSchema(f"{path}: {error}") from error
    except BaseException:
        lock.release()
        raise


def connect(path: Path, *, writing: bool) -> sqlite3.Connection:
    """A connection in the modes that the store relies on: WAL, `synchronous=FULL`, no implicit transactions."""
    if sqlite3.sqlite_version_info < OLDEST:
        raise RuntimeError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or newer is needed")
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
    for pragma in _WRITING if writing else _READING:
        connection.execute(f"PRAGMA {pragma}")
    search_sql.prepare(connection)
    return connection


_WRITING: Final = (
    "busy_timeout = 5000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "wal_autocheckpoint = 0",
    f"journal_size_limit = {LOG_LIMIT}",
    f"cache_size = -{CACHE}",
    "temp_store = MEMORY",
)
_READING: Final = ("busy_timeout = 5000", "query_only = ON", f"cache_size = -{CACHE}", "temp_store = MEMORY")


def _taken(cursor: sqlite3.Cursor, asked: tuple[str, int, int, int, str], *, long: bool) -> list[Occupied]:
    """Takes in the order of the table's key, which is the order promised; the few long ones come from elsewhere."""
    make = tuple.__new__
    found = [make(Occupied, (take_of(row), row[7])) for row in cursor.execute(sql.TAKEN, asked).fetchall()]
    if long and (rows := cursor.execute(sql.TAKEN_LONG, asked).fetchall()):
        found += [Occupied(take_of(row), row[7]) for row in rows]
        found.sort(key=lambda hold: (*hold.take[:2], hold.appointment, hold.take.end, hold.take.slot))
    return found


def _json(things: Sequence[str]) -> str:
    return msgspec.json.encode(sorted(set(things))).decode()


def _probe(connection: sqlite3.Connection) -> None:
    """Write what a few bookings would need: a disk that is all but full takes a single small row."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', printf('%65536s', ''))")
