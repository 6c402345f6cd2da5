"""Which reads may go to a replica: those that it answers no older than the primary was when their request came (read-your-writes).

docs/decisions (reads from replicas), https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-RECOVERY-CONTROL

A request asks the primary how far its WAL is durable, once. Whatever was acknowledged before, to whomever and by whichever process, lies
before that position. A replica that has replayed it answers; else the primary does, for the rest of that request. The replica says so in
a statement of its own: PostgreSQL takes the snapshot of a statement before it evaluates any of it, so that one that checks its own
position may be found sufficient after having looked too early.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, Final, NamedTuple

import asyncpg

from creneau.store import postgres_connections
from creneau.store.postgres_connections import Connections
from creneau.store.postgres_pool import Connection, Pool
from creneau.store.recent import Recent

POSITION: Final = """
SELECT position, left(pg_walfile_name(position), 8) FROM pg_current_wal_flush_lsn() AS position
"""
"""How far the primary is, and on which timeline: positions of two timelines do not compare."""
IDENTITY: Final = "SELECT system_identifier, current_database()::text FROM pg_control_system()"
STANDING: Final = """
SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn(),
    (SELECT lpad(upper(to_hex(received_tli)), 8, '0') FROM pg_stat_wal_receiver WHERE status = 'streaming'),
    pg_postmaster_start_time()::text
"""
PATIENCE: Final = 2.0
"""Seconds that a read on a replica may take before the primary is asked instead."""
WITHIN: Final = 0.5
"""Seconds that a replica has to accept a connection, and to say how far it is; a request waits for it no longer."""
PAUSES: Final = (0.001, 0.003, 0.01)
"""Seconds to wait for a replica that is behind, before it is asked again; then the primary answers."""
REST: Final = 0.1
"""Seconds for which a replica that was behind is not asked."""
AGAIN: Final = 1.0
"""Seconds between tries of a replica that cannot be used, and the age at which what one said of itself is asked anew."""
LONG: Final = 5.0
"""Seconds behind after which it is said."""

FAILED: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


class Position(NamedTuple):
    """How far the primary is, in bytes of WAL, and on which timeline."""

    bytes: int
    timeline: str


class Standing(NamedTuple):
    """What a replica said of itself on a connection. `replayed` can but have grown since; `server` changes when it is started again."""

    recovering: bool
    replayed: int | None
    timeline: str | None
    server: str
    asked: float = 0.0  # seconds, of a monotonic clock

    def has(self, needed: Position) -> bool:
        """Whether all that is before this position could be seen there when it was asked."""
        reached = self.replayed is not None and self.replayed >= needed.bytes
        return self.recovering and self.timeline == needed.timeline and reached

    def flaw(self) -> str | None:
        """Why it cannot be used at all; None when it can, if it is not behind."""
        if not self.recovering:
            return "it is no replica (any more)"
        if self.timeline is None:
            return "it does not stream from a primary, or the role may not see that (GRANT pg_read_all_stats)"
        return None


class Positions:
    """Where the primary is, asked once for all requests that come before the question leaves."""

    def __init__(self, primary: Connections) -> None:
        self._primary = primary
        self._next: asyncio.Task[Position | None] | None = None

    async def now(self) -> Position | None:
        """A position of after this call; None when it cannot be had."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
        return await asyncio.shield(self._next)

    async def _ask(self) -> Position | None:
        async def ask(connection: Connection) -> Any:
            self._next = None  # who comes from here on asks anew
            return await connection.fetchrow(POSITION, timeout=postgres_connections.PATIENCE)

        try:
            row = await self._primary.use(ask)
        except FAILED:
            return None
        finally:
            if self._next is asyncio.current_task():
                self._next = None
        return Position(*row)


class Replica:
    """One replica: its connections, and whether it is used."""

    def __init__(self, name: str, pool: Pool, *, pooled: bool, identity: tuple[Any, ...]) -> None:
        self.name = name
        self.flaw: str | None = "not tried yet"
        self._pool, self._pooled, self._identity = pool, pooled, identity
        self._rests_until = 0.0
        self._behind_since: float | None = None

    def fit(self) -> bool:
        """Whether a request may try it."""
        return self.flaw is None and monotonic() >= self._rests_until

    def late(self) -> float:
        """Seconds for which it has been behind whenever it was asked."""
        return 0.0 if self._behind_since is None else monotonic() - self._behind_since

    async def tried(self) -> None:
        """Say in `flaw` whether it can be used."""

        async def look(connection: Connection) -> str | None:
            (identity,) = await connection.fetch(IDENTITY, timeout=WITHIN)
            if tuple(identity) != self._identity:
                return "it is of another cluster or database"
            return (await standing(connection)).flaw()

        try:
            self.flaw = await self._pool.use(look)
        except FAILED as error:
            self.flaw = f"it does not answer ({type(error).__name__})"

    async def rows(self, sql: str, args: Sequence[Any], visit: Visit, needed: Position) -> list[Any] | None:
        """The rows; None when it is behind, or another server than the one that answered this visit before. Raises what the driver does."""

        async def read(connection: Connection) -> list[Any] | None:
            if not await self._serves(connection, visit, needed):
                return None
            return await connection.fetch(sql, *args, timeout=PATIENCE)

        async def together(connection: Connection) -> list[Any] | None:
            connection.standing = None  # a pooler may have led it to another server
            # In any other isolation the snapshot of the whole would be older than what the first statement says.
            async with connection.transaction(isolation="read_committed", readonly=True):
                return await read(connection)

        return await self._pool.use(together if self._pooled else read)

    async def close(self) -> None:
        """Close its connections."""
        await self._pool.close()

    async def _serves(self, connection: Connection, visit: Visit, needed: Position) -> bool:
        known = connection.standing
        if known is None or not known.has(needed) or monotonic() - known.asked > AGAIN:
            known = await _caught_up(connection, needed)
            self._note(known, needed)
        if not known.has(needed) or visit.server not in (None, known.server):
            return False
        visit.server = known.server
        return True

    def _note(self, known: Standing, needed: Position) -> None:
        self.flaw = known.flaw()
        if known.has(needed):
            self._behind_since = None
        else:
            self._rests_until = monotonic() + REST
            self._behind_since = self._behind_since or monotonic()


class Visit:
    """The reads of one request: where they go, decided at the first, and never back from the primary to a replica."""

    def __init__(self, replicas: Replicas, replica: Replica) -> None:
        self.server: str | None = None
        self._replicas = replicas
        self._replica: Replica | None = replica
        self._needed: asyncio.Task[Position | None] | None = None
        self._counted = False

    async def rows(self, sql: str, args: Sequence[Any]) -> list[Any] | None:
        """The rows from the replica, None when the primary has to be asked."""
        replica, found = self._replica, None
        if replica is not None:
            found = await self._tried(replica, sql, args)
            if found is None:
                self._replica = None
        if not self._counted:
            self._counted = True
            self._replicas.count(found is not None)
        return found

    async def _tried(self, replica: Replica, sql: str, args: Sequence[Any]) -> list[Any] | None:
        needed = await self._position()
        if needed is None:
            return None
        try:
            return await replica.rows(sql, args, self, needed)
        except FAILED as error:
            replica.flaw = f"it does not answer ({type(error).__name__})"
            return None
        finally:
            self._replicas.look_after(replica)

    async def _position(self) -> Position | None:
        if self._needed is None:  # several reads of one request may begin together
            self._needed = asyncio.ensure_future(self._replicas.position())
        return await asyncio.shield(self._needed)


class Replicas:
    """The replicas of one store. `say` is given a line when one begins or ceases to be used.

    `recent` and what `forget` forgets was read from a replica: it goes when the primary is found on another timeline, of whose history it
    may be no part.
    """

    def __init__(self, replicas: Sequence[Replica], primary: Connections, say: Callable[[str], None]) -> None:
        self.forget: Callable[[], None] = _nothing
        self.recent = Recent()
        self.replicas = tuple(replicas)
        self._positions = Positions(primary)
        self._say = say
        self._timeline: str | None = None
        self._turn = 0
        self._reads = [0, 0]  # of requests that began on the primary, on a replica
        self._said: dict[Replica, str | None] = dict.fromkeys(replicas, "")
        self._trying: dict[Replica, asyncio.Task[None]] = {}

    async def start(self) -> None:
        """Try each; those that cannot be used are tried again from time to time."""
        await asyncio.gather(*(one.tried() for one in self.replicas))
        for one in self.replicas:
            self.look_after(one)

    def visit(self) -> Visit | None:
        """Where the reads of a new request go; None when no replica can be used at this moment."""
        self._turn += 1
        count = len(self.replicas)
        for place in range(count):
            replica = self.replicas[(self._turn + place) % count]
            if replica.fit():
                return Visit(self, replica)
        self.count(False)
        return None

    async def position(self) -> Position | None:
        """See `Positions.now`."""
        found = await self._positions.now()
        if found is not None and found.timeline != self._timeline:
            self.recent.clear()
            self.forget()
            self._timeline = found.timeline
        return found

    def count(self, replica: bool) -> None:
        """One request's reads began there."""
        self._reads[replica] += 1

    def figures(self) -> tuple[int, int, int]:
        """Requests whose reads began on a replica, on the primary; replicas in use."""
        return self._reads[1], self._reads[0], sum(one.flaw is None for one in self.replicas)

    def look_after(self, replica: Replica) -> None:
        """Say what changed; try it again when it cannot be used."""
        state = replica.flaw or ("it is behind" if replica.late() > LONG else None)
        if state != self._said[replica]:
            self._said[replica] = state
            self._say(f"{replica.name}: " + (f"not read from: {state}" if state else "read from"))
        if replica.flaw is not None and replica not in self._trying:
            self._trying[replica] = asyncio.create_task(self._try_again(replica))

    async def close(self) -> None:
        """End the tries, close the connections."""
        for task in list(self._trying.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for one in self.replicas:
            await one.close()

    async def _try_again(self, replica: Replica) -> None:
        try:
            while replica.flaw is not None:
                await asyncio.sleep(AGAIN)
                await replica.tried()
        finally:
            del self._trying[replica]
        self.look_after(replica)


async def standing(connection: Connection) -> Standing:
    """What the server of this connection says of itself now."""
    asked = monotonic()
    ((recovering, replayed, timeline, server),) = await connection.fetch(STANDING, timeout=WITHIN)
    connection.standing = Standing(recovering, replayed, timeline, server, asked)
    return connection.standing


async def _caught_up(connection: Connection, needed: Position) -> Standing:
    known = await standing(connection)
    for pause in PAUSES:
        if known.has(needed) or known.flaw():
            break
        await asyncio.sleep(pause)
        known = await standing(connection)
    return known


def _nothing() -> None:
    pass


async def open_replicas(
    urls: Sequence[str], primary: Connections, *, most: int, say: Callable[[str], None]
) -> Replicas:
    """The replicas at these URLs, tried once; none need answer."""
    ((*identity,),) = await primary.rows(IDENTITY)
    replicas = [
        Replica(
            f"read database {number}",
            Pool(url, most=most, within=WITHIN, wanted="standby", **primary.options),
            pooled=primary.pooled,
            identity=tuple(identity),
        )
        for number, url in enumerate(urls, 1)
    ]
    found = Replicas(replicas, primary, say)
    await found.start()
    return found
