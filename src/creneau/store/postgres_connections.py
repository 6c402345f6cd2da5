"""Connections to PostgreSQL: reads with bounded time, one call per commit, and what its errors mean for a request.

https://magicstack.github.io/asyncpg/. A database that is away is `StoreUnavailable` (503, and the client tries again); the pool connects
anew when it is next asked, so nothing has to be restarted. Behind PgBouncer in transaction mode (`pooled`) no statement is prepared under
a name, and every call is a transaction, so that its parts reach one server.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import asyncpg

from creneau.problems import TooCostly
from creneau.store.contract import Moved, StoreUnavailable
from creneau.store.reader import TOO_LONG

CONNECT: Final = 3.0
"""Seconds to wait for a connection, a new one or a free one."""
PATIENCE: Final = 5.0
"""Seconds a read may take."""

Connected = asyncpg.pool.PoolConnectionProxy

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
)
LOST: Final = (ConnectionError, asyncpg.ConnectionDoesNotExistError, asyncpg.AdminShutdownError)


class Unreset(asyncpg.Connection):
    """A connection that keeps no state of a session, so that nothing has to be undone (one round trip less) when it goes back."""

    def get_reset_query(self) -> str:
        """Nothing to send."""
        return ""


class Connections:
    """The pool, made by `connect`."""

    def __init__(self, pool: Any, *, pooled: bool) -> None:
        self._pool = pool
        self._pooled = pooled

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """All rows; asked a second time when the connection was lost. Raises TooCostly, StoreUnavailable."""
        with meaning():
            try:
                return await self._rows(sql, args)
            except LOST:
                return await self._rows(sql, args)

    async def row(self, sql: str, *args: Any) -> Any | None:
        """The first row, or None."""
        found = await self.rows(sql, *args)
        return found[0] if found else None

    async def call(self, sql: str, *args: Any) -> Any:
        """The one value of a statement that writes, asked once. Raises Moved when transactions met, StoreUnavailable."""
        with meaning():
            async with self._connection() as connection:
                return await connection.fetchval(sql, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connected]:
        """A connection in a transaction of its own, for migrations and the like."""
        with meaning():
            async with self._pool.acquire(timeout=CONNECT) as connection, connection.transaction():
                yield connection

    async def close(self) -> None:
        """Wait for what runs, then close."""
        await self._pool.close()

    async def _rows(self, sql: str, args: tuple[Any, ...]) -> list[Any]:
        async with self._connection() as connection:
            try:
                found: list[Any] = await connection.fetch(sql, *args, timeout=PATIENCE)
            except (TimeoutError, asyncpg.QueryCanceledError):
                raise TooCostly.of(TOO_LONG) from None
            return found

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Connected]:
        async with self._pool.acquire(timeout=CONNECT) as connection:
            if self._pooled:
                async with connection.transaction():
                    yield connection
            else:
                yield connection


async def connect(url: str, *, most: int, pooled: bool) -> Connections:
    """A pool of up to `most` connections, one of them open. Raises StoreUnavailable when there is none."""
    with meaning():
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=most,
            timeout=CONNECT,
            statement_cache_size=0 if pooled else 200,
            connection_class=Unreset,
        )
    return Connections(pool, pooled=pooled)


@contextmanager
def meaning() -> Iterator[None]:
    """What the driver raises, in the words of `contract.Store`; the message holds no value of a statement."""
    try:
        yield
    except asyncpg.TransactionRollbackError as error:
        raise Moved from error
    except AWAY as error:
        raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error
