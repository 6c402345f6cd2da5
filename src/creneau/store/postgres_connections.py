"""Statements on PostgreSQL: reads with bounded time, one call per commit, and what its errors mean for a request.

A database that is away is `StoreUnavailable` (503, and the client tries again); connections are opened anew when next asked for, so
nothing has to be restarted. Behind PgBouncer in transaction mode (`pooled`) no statement is prepared under a name, and every call is a
transaction, so that its parts reach one server.
"""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import asyncpg

from creneau.problems import TooCostly
from creneau.store.contract import Moved, OutcomeUnknown, StoreUnavailable
from creneau.store.postgres_pool import CONNECT, LOST, Connection, Pool
from creneau.store.reader import TOO_LONG

if TYPE_CHECKING:
    from creneau.store.postgres_replicas import Visit

PATIENCE: Final = 4.5
"""Seconds a read may take: less than a request has."""
THERE: Final = 0.3
"""Seconds in which a server that is there says so, once a read took too long."""
GIVEN_UP: Final = 30.0
"""Seconds after which the connection of a write that has no answer is left: as long as a failover takes."""
RESERVED: Final = 2
"""Connections that writes leave to reads: a write may wait long, for a lock or for a standby."""
SESSION: Final = {"client_min_messages": "notice", "lock_timeout": "4s"}
"""Of a session. Warnings must reach us; a wait for a lock ends before the request, so that its client learns that nothing was written."""
NAMED: Final = "creneau "
NAME: Final = f"{NAMED}{secrets.token_hex(6)}"
"""What the connections of this process are called."""

Answer = TypeVar("Answer")
Work = Callable[[Connection], Awaitable[Answer]]

AWAY: Final = (
    OSError,  # TimeoutError is one
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.PostgresSystemError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InternalClientError,  # TargetServerAttributeNotMatched is one
)


class Connections:
    """The connections of one store, made by `connect`."""

    def __init__(self, pool: Pool, *, writers: int, pooled: bool) -> None:
        self.pooled = pooled
        self._pool = pool
        self._writers = asyncio.Semaphore(writers)
        self._visit: Visit | None = None

    @property
    def options(self) -> dict[str, Any]:
        """How a connection is opened, besides its URL."""
        return _options(self.pooled)

    def visiting(self, visit: Visit) -> Self:
        """The same connections, but reads go to the replica of the visit where that is as good."""
        seen = copy.copy(self)
        seen._visit = visit
        return seen

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """All rows; asked a second time when the connection was lost. Raises TooCostly, StoreUnavailable."""
        if self._visit is not None:
            elsewhere = await self._visit.rows(sql, args)
            if elsewhere is not None:
                return elsewhere

        async def fetch(connection: Connection) -> list[Any]:
            try:
                return await connection.fetch(sql, *args, timeout=PATIENCE)
            except asyncpg.QueryCanceledError:
                raise TooCostly.of(TOO_LONG) from None
            except TimeoutError:
                if await _answers(connection):
                    raise TooCostly.of(TOO_LONG) from None
                raise

        with meaning():
            try:
                return await self.use(fetch)
            except LOST:
                return await self.use(fetch)

    async def row(self, sql: str, *args: Any) -> Any | None:
        """The first row, or None."""
        found = await self.rows(sql, *args)
        return found[0] if found else None

    async def call(self, sql: str, *args: Any) -> Any:
        """The one value of a statement that writes, asked once. Raises Moved when transactions met, StoreUnavailable, OutcomeUnknown.

        A commit that no synchronous standby confirmed is OutcomeUnknown too, though the server calls it a success (REL-19).
        """

        async def fetch(connection: Connection) -> Any:
            return await connection.fetchval(sql, *args)

        async def sent(connection: Connection) -> Any:
            # Not cancelled at the server: that would end its wait for the standby, and show others what may be lost yet (SEC-24).
            given_up = asyncio.get_running_loop().call_later(GIVEN_UP, connection.terminate)
            connection.warned = False
            try:
                answer = await (_in_transaction(fetch) if self.pooled else fetch)(connection)
            except (*LOST, OSError, asyncpg.InterfaceError) as error:
                raise OutcomeUnknown(f"PostgreSQL: {type(error).__name__}") from error
            finally:
                given_up.cancel()
            if connection.warned:
                raise OutcomeUnknown("PostgreSQL: committed here, not confirmed by a synchronous standby")
            return answer

        with meaning():
            async with self._writing():
                return await self._pool.use(sent)

    async def together(self, work: Work[Answer]) -> Answer:
        """What `work` returns, in a transaction of its own, for migrations and the like."""
        with meaning():
            return await self._pool.use(_in_transaction(work))

    def state(self) -> tuple[int, int, int, int]:
        """See `Pool.state`."""
        return self._pool.state()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[None]:
        """The right to hold a connection that writes."""
        if self._writers.locked():
            async with asyncio.timeout(CONNECT):
                await self._writers.acquire()
        else:
            await self._writers.acquire()
        try:
            yield
        finally:
            self._writers.release()

    async def use(self, work: Work[Answer]) -> Answer:
        """What `work` returns, a transaction of its own behind a pooler. Raises what the driver does."""
        return await self._pool.use(_in_transaction(work) if self.pooled else work)


async def _answers(connection: Connection) -> bool:
    """Whether the server, asked to leave what took too long, is there at all: it may hang."""
    try:
        async with asyncio.timeout(THERE):
            await connection.fetchval("SELECT true")
    except asyncpg.PostgresError:
        return True
    except (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        return False
    return True


def _in_transaction(work: Work[Answer]) -> Work[Answer]:
    async def whole(connection: Connection) -> Answer:
        async with connection.transaction():
            return await work(connection)

    return whole


def connect(url: str, *, most: int, pooled: bool) -> Connections:
    """Up to `most` connections, opened when first needed."""
    pool = Pool(url, most=most, **_options(pooled))
    return Connections(pool, writers=max(1, most - RESERVED), pooled=pooled)


def _options(pooled: bool) -> dict[str, Any]:
    if pooled:  # PgBouncer passes no setting on
        return {"statement_cache_size": 0}
    return {"statement_cache_size": 200, "server_settings": SESSION | {"application_name": NAME}}


@contextmanager
def meaning() -> Iterator[None]:
    """What the driver raises, in the words of `contract.Store`; the message holds no value of a statement."""
    try:
        yield
    except asyncpg.TransactionRollbackError as error:
        raise Moved from error
    except AWAY as error:
        raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error
