"""The store for several processes and hosts: PostgreSQL, one round trip to one function per commit (design: "The store").

What is guarded is guarded in the database (`migrations/postgres/0002_commit.sql`), whoever else writes to it through this program.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, Final

from creneau.search.query import Query
from creneau.search.rows import Period
from creneau.store import position, postgres_ahead, postgres_search
from creneau.store import postgres_statements as sql
from creneau.store.contract import (
    Ahead,
    Claim,
    Occupied,
    OutcomeUnknown,
    Page,
    Plan,
    Store,
    Stored,
    StoreUnavailable,
    Take,
)
from creneau.store.fill import fitting
from creneau.store.foreseen import Foreseen
from creneau.store.migrate import migrations
from creneau.store.plan import in_order, refuse_nonsense
from creneau.store.postgres_connections import Connections, connect
from creneau.store.postgres_migrate import migrate
from creneau.store.postgres_plan import created, encode, judged
from creneau.store.postgres_replicas import Replicas
from creneau.store.postgres_values import kept
from creneau.store.recent import Recent

CHUNK: Final = 500
CONNECTIONS: Final = 10
ANSWERED: Final = 4.5
"""Seconds to wait for the answer to a commit: less than a request has, so that its client is told that the outcome is unknown."""
FIRST_MEASURE: Final = 100
"""After so many versions written the tables are measured, and again each time they are ten times as many.

On tables that were empty when it planned, PostgreSQL read all resources of a type to find one, until its own measure a minute later.
"""
_BOUND: Final = 1 << 62
_GREATEST: Final = position.Position(_BOUND, "\U0010ffff", "\U0010ffff", _BOUND)


class PostgresStore:
    """Every verb of `contract.Store`; built by `open_postgres`, used from one event loop."""

    far: Final = True

    def __init__(self, connections: Connections, tenant: str, recent: Recent | None = None) -> None:
        self.connections = connections
        self.tenant = tenant
        self.replicas: Replicas | None = None
        self._closed = False
        self._recent = recent or Recent()  # bodies only: what is current is asked of the database each time
        self._committing: set[asyncio.Task[Any]] = set()
        self._written = 0
        self._measure_at = FIRST_MEASURE

    async def ahead(self, wanted: Ahead) -> Store:
        """See `contract.Store.ahead`: one round trip."""
        return Foreseen(self, await postgres_ahead.read(self.connections, self.tenant, wanted, self._recent))

    async def get(self, type: str, id: str) -> Stored | None:
        """See `contract.Store.get`."""
        row = await self.connections.row(sql.GET, self.tenant, kept(type), kept(id))
        return row and Stored._make(row)

    async def version(self, type: str, id: str, version: int) -> Stored | None:
        """See `contract.Store.version`."""
        if not 0 < version < _BOUND:
            return None
        row = await self.connections.row(sql.VERSION, self.tenant, kept(type), kept(id), version)
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
        """See `contract.Store.history`; the total may be of a moment later than the page."""
        place = _GREATEST if after is None else position.read(after)
        least, rows = -_BOUND if since is None else since, self.connections.rows
        if type is not None and id is not None:
            entry = (self.tenant, kept(type), kept(id))
            found = await rows(sql.HISTORY_OF_ONE, *entry, place.version, least, count + 1)
            ((total,),) = await rows(sql.HISTORY_OF_ONE_COUNT, *entry, least)
        else:
            types = await self._types(type)
            before = (place.updated, kept(place.type), kept(place.id), place.version)
            found = await rows(sql.HISTORY_OF_TYPES, self.tenant, types, least, *before, count + 1)
            ((total,),) = await rows(sql.HISTORY_OF_TYPES_COUNT, self.tenant, types, least)
        items = fitting(Stored._make(row) for row in found[:count])
        more = items and len(found) > len(items)
        return Page(items, position.write(position.of(items[-1])) if more else None, total)

    async def find(self, query: Query, *, count: int | None = None) -> Page:
        """See `contract.Store.find`."""
        return await postgres_search.find(self.connections, query, tenant=self.tenant, count=count)

    async def matching(self, query: Query) -> dict[str, int]:
        """See `contract.Store.matching`."""
        return await postgres_search.versions(self.connections, query, tenant=self.tenant)

    async def versions(self, type: str, ids: Sequence[str]) -> dict[str, int]:
        """See `contract.Store.versions`."""
        rows = await self.connections.rows(sql.VERSIONS, self.tenant, kept(type), _several(ids))
        return {id_: version for id_, version in rows}

    async def several(self, type: str, ids: Sequence[str]) -> list[Stored]:
        """See `contract.Store.several`."""
        rows = await self.connections.rows(sql.SEVERAL, self.tenant, kept(type), _several(ids))
        return [Stored._make(row) for row in rows]

    async def dated(self, type: str, ids: Sequence[str], prefix: str) -> dict[str, Period]:
        """See `contract.Store.dated`."""
        asked = (self.tenant, kept(type), _several(ids), kept(prefix), kept(prefix + "\U0010ffff"))
        return {id_: Period(*row) for id_, *row in await self.connections.rows(sql.DATED, *asked)}

    async def holder(self, type: str, claim: Claim) -> str | None:
        """See `contract.Store.holder`."""
        asked = (self.tenant, kept(type), kept(claim.system), kept(claim.value))
        row = await self.connections.row(sql.HOLDER, *asked)
        return row and str(row[0])

    async def linked(
        self, type: str, param: str, target_type: str, target_id: str, most: int | None = None
    ) -> list[str]:
        """See `contract.Store.linked`."""
        asked = (self.tenant, type, param, kept(target_type), kept(target_id), most)
        return [id_ for (id_,) in await self.connections.rows(sql.LINKED, *asked)]

    async def takes(self, appointment: str) -> tuple[Take, ...]:
        """See `contract.Store.takes`."""
        rows = await self.connections.rows(sql.TAKES_OF, self.tenant, kept(appointment))
        return in_order(Take._make(row) for row in rows)

    async def taken(self, things: Sequence[str], start: int, end: int, *, now: int) -> list[Occupied]:
        """See `contract.Store.taken`."""
        if not things:
            return []
        rows = await self.connections.rows(sql.TAKEN, self.tenant, _several(things), start, end, now)
        return [Occupied(Take._make(tuple(row)[:7]), row[7]) for row in rows]

    async def agendas(self, things: Sequence[str]) -> dict[str, list[str]]:
        """See `contract.Store.agendas`."""
        found: dict[str, list[str]] = {}
        if things:
            rows = await self.connections.rows(sql.AGENDAS, self.tenant, _several(things))
            for thing, schedule in rows:
                found.setdefault(thing, []).append(schedule)
        return {thing: found[thing] for thing in things if thing in found}

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """See `contract.Store.commit`. Goes on when the caller is cancelled: a call broken off may or may not be written.

        OutcomeUnknown, after a lost connection or when no synchronous standby confirms, leaves open whether the plan was written.
        """
        refuse_nonsense(plan)
        if self._closed:
            raise StoreUnavailable("stopping")
        task = self._begin(self._write(plan))
        if not (await asyncio.wait((task,), timeout=ANSWERED))[0]:
            raise OutcomeUnknown("PostgreSQL: no answer yet")
        met: tuple[Take, ...] = task.result()
        self._written += len(plan.puts)
        if self._written >= self._measure_at:
            self._measure_at *= 10
            self._begin(self.connections.call(sql.MEASURE))
        return met

    async def _write(self, plan: Plan) -> tuple[Take, ...]:
        """One call, but for a new resource whose plan turns out to be of another kind: time that meets another's, a version that moved."""
        new = created(plan)
        if new is not None and await self.connections.call(sql.CREATE, self.tenant, *new):
            return ()
        sent = encode(plan)
        return judged(
            plan, sent, await self.connections.call(sql.COMMIT, self.tenant, sent.json, sent.bodies)
        )

    async def scan(self, type: str | None = None) -> AsyncIterator[Stored]:
        """See `contract.Store.scan`."""
        for each in await self._types(type):
            last = ""
            while rows := await self.connections.rows(sql.LIVE_AFTER, self.tenant, each, last, CHUNK):
                for row in rows:
                    yield Stored._make(row)
                last = rows[-1][1]

    def reading(self) -> PostgresStore | None:
        """This store for the reads of one request: from a replica where that is as good. None when no replica can be used now."""
        replicas = self.replicas
        visit = replicas.visit() if replicas is not None else None
        if replicas is None or visit is None:
            return None
        return PostgresStore(self.connections.visiting(visit), self.tenant, replicas.recent)

    def pool(self) -> tuple[int, int, int, int]:
        """Connections lent and idle, requests that wait for one, connections at the most."""
        return self.connections.state()

    async def ready(self) -> bool:
        """See `contract.Store.ready`: the database answers, and is not a read-only replica."""
        try:
            return not self._closed and await self.connections.row(sql.READY) is not None
        except StoreUnavailable:
            return False

    async def close(self) -> None:
        """See `contract.Store.close`; may be called again."""
        if not self._closed:
            self._closed = True
            if self._committing:
                await asyncio.wait(self._committing)
            if self.replicas is not None:
                await self.replicas.close()
            await self.connections.close()

    async def _types(self, type: str | None) -> list[str]:
        if type is not None:
            return [kept(type)]
        return [known for (known,) in await self.connections.rows(sql.TYPES, self.tenant)]

    def _begin(self, call: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.create_task(call)
        self._committing.add(task)
        task.add_done_callback(self._committed)
        return task

    def _committed(self, task: asyncio.Task[Any]) -> None:
        self._committing.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even when its caller has left


async def open_postgres(
    url: str,
    *,
    tenant: str = "default",
    connections: int = CONNECTIONS,
    pooled: bool = False,
    create: bool = True,
) -> PostgresStore:
    """Connect, and bring the database to the newest schema. `pooled`: through PgBouncer in transaction mode.

    Raises StoreUnavailable when no server answers, `migrate.UnknownSchema` for a database that is not ours or is a newer program's.
    """
    opened = connect(url, most=connections, pooled=pooled)
    try:
        await migrate(opened, migrations("postgres"), create=create)
    except BaseException:
        await opened.close()
        raise
    return PostgresStore(opened, tenant)


def _several(names: Sequence[str]) -> list[str]:
    return sorted({kept(name) for name in names})
