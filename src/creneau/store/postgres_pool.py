"""Open connections to PostgreSQL, lent one at a time. https://magicstack.github.io/asyncpg/

asyncpg has a pool of its own; it makes two tasks and resets a session at each use, which doubled the CPU time of a read by id. Here
a connection keeps no state of a session, so nothing is undone, and a use that goes well makes no task.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg

from creneau.store.postgres_hosts import WRITES, each_host, quickest

if TYPE_CHECKING:
    from creneau.store.postgres_replicas import Standing

CONNECT: Final = 3.0
"""Seconds to wait for a connection, a new one or a free one."""
UNCONFIRMED: Final = "01000"
"""SQLSTATE of the warning with which a commit succeeds that stopped waiting for its synchronous standby."""
LEAVE: Final = 5.0
"""Seconds that a connection in an unknown state has to end what it does."""

LOST: Final = (
    ConnectionError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.InternalClientError,  # told in between uses that it is being ended, a connection says that its state is not known
)

Answer = TypeVar("Answer")


class Connection(asyncpg.Connection):
    """A connection that remembers whether the server warned of something: see `UNCONFIRMED`; and what a replica said of itself last."""

    warned = False
    standing: Standing | None = None


class Pool:
    """Up to `most` connections, opened when needed, closed when lost or when a use was broken off.

    `within`: seconds to wait for one. `wanted`: the kind of server, where the URL names several hosts.
    """

    def __init__(
        self, url: str, *, most: int, within: float = CONNECT, wanted: str = WRITES, **options: Any
    ) -> None:
        self._urls, self._most, self._options = each_host(url, wanted), most, options
        self._within = within
        self._idle: list[Connection] = []
        self._open = 0
        self._waiting: deque[asyncio.Future[Connection | None]] = deque()
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def use(self, work: Callable[[Connection], Awaitable[Answer]]) -> Answer:
        """What `work` returns of a connection that nobody else uses meanwhile."""
        connection = await self._take()
        try:
            answer = await work(connection)
        except BaseException as error:
            self._after(error, connection)
            raise
        self._give(connection)
        return answer

    def state(self) -> tuple[int, int, int, int]:
        """Connections lent and idle, uses that wait for one, connections at the most."""
        idle = len(self._idle)
        return self._open - idle, idle, sum(not turn.done() for turn in self._waiting), self._most

    async def close(self) -> None:
        """Close every connection; what is lent is closed when it comes back."""
        self._closed = True
        while self._idle:
            self._drop(self._idle.pop())
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _take(self) -> Connection:
        while True:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._open -= 1
            if self._closed:
                raise asyncpg.InterfaceError("the pool is closed")
            if self._open < self._most:
                return await self._connect()
            given = await self._turn()
            if given is not None:
                return given

    async def _connect(self) -> Connection:
        self._open += 1
        try:
            connection = await quickest([partial(self._reach, url) for url in self._urls])
        except BaseException:
            self._lost()
            raise
        connection.add_log_listener(_heard)
        return connection

    async def _reach(self, url: str) -> Connection:
        return await asyncpg.connect(url, timeout=self._within, connection_class=Connection, **self._options)

    async def _turn(self) -> Connection | None:
        """Wait until a connection is handed over (None: until one may be opened)."""
        turn: asyncio.Future[Connection | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._within):
                return await turn
        except BaseException:
            if turn.done() and not turn.cancelled():
                self._hand(turn.result())
            raise

    def _give(self, connection: Connection) -> None:
        if connection.is_closed():
            self._lost()
        elif self._closed:
            self._drop(connection)
        else:
            self._hand(connection)

    def _hand(self, connection: Connection | None) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(connection)
                return
        if connection is not None:
            self._idle.append(connection)

    def _after(self, error: BaseException, connection: Connection) -> None:
        if isinstance(error, LOST) or isinstance(error.__cause__, LOST):
            # What ended one connection has mostly ended the others, which may not know it yet.
            idle, self._idle = self._idle, []
            for each in (connection, *idle):
                each.terminate()
                self._lost()
        elif isinstance(error, asyncpg.PostgresError) and not isinstance(
            error, asyncpg.ReadOnlySQLTransactionError
        ):
            self._give(connection)
        else:  # a state that is not known; or no longer, or not yet, the server that writes: another may be by now
            self._drop(connection)

    def _lost(self) -> None:
        self._open -= 1
        self._hand(None)

    def _drop(self, connection: Connection) -> None:
        """End what it does, at the server too, and close it."""
        task = asyncio.get_running_loop().create_task(self._leave(connection))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _leave(self, connection: Connection) -> None:
        try:
            await connection.close(timeout=LEAVE)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection.terminate()
        finally:
            self._lost()


def _heard(connection: Any, message: asyncpg.PostgresLogMessage) -> None:
    """asyncpg schedules this before the answer that the message came with is handed out."""
    if message.sqlstate == UNCONFIRMED:
        connection.warned = True
