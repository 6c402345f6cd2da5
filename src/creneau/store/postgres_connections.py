"""Statements on PostgreSQL: reads with bounded time, one call per commit, and what its errors mean for a request.

A database that is away is `StoreUnavailable` (503, and the client tries again); connections are opened anew when next asked for, so
nothing has to be restarted. Behind PgBouncer in transaction mode (`pooled`) no statement is prepared under a name, and every call is a
transaction, so that its parts reach one server.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import asyncpg

from creneau.problems import TooCostly
from creneau.store.contract import Moved, OutcomeUnknown, StoreUnavailable
from creneau.store.postgres_pool import Pool
from creneau.store.reader import TOO_LONG

PATIENCE: Final = 5.0
"""Seconds a read may take."""

Answer = TypeVar("Answer")
Work = Callable[[asyncpg.Connection], Awaitable[Answer]]

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


class Connections:
    """The connections of one store, made by `connect`."""

    def __init__(self, pool: Pool, *, pooled: bool) -> None:
        self._pool = pool
        self._pooled = pooled

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        """All rows; asked a second time when the connection was lost. Raises TooCostly, StoreUnavailable."""

        async def fetch(connection: asyncpg.Connection) -> list[Any]:
            try:
                return await connection.fetch(sql, *args, timeout=PATIENCE)
            except (TimeoutError, asyncpg.QueryCanceledError):
                raise TooCostly.of(TOO_LONG) from None

        with meaning():
            try:
                return await self._use(fetch)
            except LOST:
                return await self._use(fetch)

    async def row(self, sql: str, *args: Any) -> Any | None:
        """The first row, or None."""
        found = await self.rows(sql, *args)
        return found[0] if found else None

    async def call(self, sql: str, *args: Any) -> Any:
        """The one value of a statement that writes, asked once. Raises Moved when transactions met, StoreUnavailable, OutcomeUnknown."""

        async def fetch(connection: asyncpg.Connection) -> Any:
            return await connection.fetchval(sql, *args)

        async def sent(connection: asyncpg.Connection) -> Any:
            try:
                return await (_in_transaction(fetch) if self._pooled else fetch)(connection)
            except (*LOST, OSError, asyncpg.InterfaceError) as error:
                raise OutcomeUnknown(f"PostgreSQL: {type(error).__name__}") from error

        with meaning():
            return await self._pool.use(sent)

    async def together(self, work: Work[Answer]) -> Answer:
        """What `work` returns, in a transaction of its own, for migrations and the like."""
        with meaning():
            return await self._pool.use(_in_transaction(work))

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    async def _use(self, work: Work[Answer]) -> Answer:
        return await self._pool.use(_in_transaction(work) if self._pooled else work)


def _in_transaction(work: Work[Answer]) -> Work[Answer]:
    async def whole(connection: asyncpg.Connection) -> Answer:
        async with connection.transaction():
            return await work(connection)

    return whole


def connect(url: str, *, most: int, pooled: bool) -> Connections:
    """Up to `most` connections, opened when first needed."""
    return Connections(Pool(url, most=most, statement_cache_size=0 if pooled else 200), pooled=pooled)


@contextmanager
def meaning() -> Iterator[None]:
    """What the driver raises, in the words of `contract.Store`; the message holds no value of a statement."""
    try:
        yield
    except asyncpg.TransactionRollbackError as error:
        raise Moved from error
    except AWAY as error:
        raise StoreUnavailable(f"PostgreSQL: {type(error).__name__}") from error
