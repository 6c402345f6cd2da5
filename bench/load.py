"""Drives a target for some seconds: closed loop (each client asks again when answered) or open loop (a fixed rate).

In open loop a latency counts from the instant the request was due, not from when a connection became free, so that a server that
stalls is charged with the whole queue it made (Gil Tene, "coordinated omission").
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from bench.connection import Connection, connect
from bench.mix import OPERATIONS, Request
from bench.wire import Answer, Target

GRACE = 10.0


@dataclass(slots=True)
class Record:
    """What happened: latencies in seconds by operation, failures by (operation, status or "lost"), seconds it took."""

    latencies: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0
    unserved: int = 0

    @property
    def answered(self) -> int:
        """How many requests were answered, failures included."""
        return sum(map(len, self.latencies.values()))

    def add(self, operation: str, status: int, seconds: float) -> None:
        """Count one answer."""
        self.latencies.setdefault(operation, []).append(seconds)
        if status not in good(operation):
            self.failures[operation, str(status)] += 1


def good(operation: str) -> tuple[int, ...]:
    """Statuses that are a success of that operation."""
    known = OPERATIONS.get(operation)
    return known.good if known else (200,)


class Loop:
    """What both loops share: connections, the clock, what is waited for at the end."""

    def __init__(self, target: Target, take: Callable[[], Request], seconds: float) -> None:
        self.record = Record()
        self.take = take
        self._target = target
        self._seconds = seconds
        self._flying = 0
        self._end = 0.0
        self._quiet = asyncio.Event()
        self._repairs: set[asyncio.Task[None]] = set()
        self._connections: set[Connection] = set()

    async def run(self, clients: int) -> Record:
        """Drive the target with that many connections until the time is over; raises OSError when it does not listen."""
        for connection in await asyncio.gather(*(connect(self._target) for _ in range(clients))):
            self._connections.add(connection)
        begin = perf_counter()
        self._end = begin + self._seconds
        self.start(list(self._connections))
        await asyncio.sleep(self._seconds)
        await self._drain()
        self.record.seconds = max(perf_counter() - begin, self._seconds)
        self._close()
        return self.record

    def start(self, connections: list[Connection]) -> None:
        """Begin to send on these connections."""
        raise NotImplementedError

    def idle(self, connection: Connection) -> None:
        """This connection has been answered: what next."""
        raise NotImplementedError

    def waiting(self) -> int:
        """How many requests are due and not sent."""
        return 0

    def fly(self, connection: Connection, request: Request, since: float) -> None:
        """Send one request; its latency counts from `since`."""
        self._flying += 1

        def answered(answer: Answer) -> None:
            self.record.add(request.operation, answer.status, perf_counter() - since)
            self._landed(connection)

        def lost() -> None:
            self.record.failures[request.operation, "lost"] += 1
            self._landed(connection)

        connection.answered, connection.lost = answered, lost
        connection.send(request.wire)

    def _landed(self, connection: Connection) -> None:
        self._flying -= 1
        connection.lost = _nothing
        if connection.open:
            self.idle(connection)
        else:
            self._repair(connection)
        if self._flying == 0 and perf_counter() >= self._end and not self.waiting():
            self._quiet.set()

    def _repair(self, old: Connection) -> None:
        self._connections.discard(old)
        task = asyncio.get_running_loop().create_task(self._reconnect())
        self._repairs.add(task)
        task.add_done_callback(self._repairs.discard)

    async def _reconnect(self) -> None:
        while perf_counter() < self._end:
            try:
                connection = await connect(self._target)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            self._connections.add(connection)
            self.idle(connection)
            return

    async def _drain(self) -> None:
        if self._flying or self.waiting():
            try:
                await asyncio.wait_for(self._quiet.wait(), GRACE)
            except TimeoutError:
                self.record.unserved = self._flying + self.waiting()

    def _close(self) -> None:
        for task in self._repairs:
            task.cancel()
        for connection in self._connections:
            connection.answered, connection.lost = _dropped, _nothing
            connection.close()


class ClosedLoop(Loop):
    """Each connection sends its next request as soon as it was answered."""

    def start(self, connections: list[Connection]) -> None:
        """See `Loop.start`."""
        for connection in connections:
            self.idle(connection)

    def idle(self, connection: Connection) -> None:
        """See `Loop.idle`."""
        if (now := perf_counter()) < self._end:
            self.fly(connection, self.take(), now)


class OpenLoop(Loop):
    """Requests are due at a fixed rate whatever the server does; those that find no free connection wait, and their wait counts."""

    def __init__(self, target: Target, take: Callable[[], Request], seconds: float, rate: float) -> None:
        super().__init__(target, take, seconds)
        self._gap = 1 / rate
        self._next = 0.0
        self._free: list[Connection] = []
        self._due: deque[float] = deque()

    def start(self, connections: list[Connection]) -> None:
        """See `Loop.start`."""
        self._free = connections
        self._next = perf_counter()
        self._tick()

    def idle(self, connection: Connection) -> None:
        """See `Loop.idle`."""
        if self._due:
            self.fly(connection, self.take(), self._due.popleft())
        else:
            self._free.append(connection)

    def waiting(self) -> int:
        """See `Loop.waiting`."""
        return len(self._due)

    def _tick(self) -> None:
        now = perf_counter()
        while self._next <= now and self._next < self._end:
            self._due.append(self._next)
            self._next += self._gap
        while self._due and self._free:
            connection = self._free.pop()
            if connection.open:
                self.fly(connection, self.take(), self._due.popleft())
            else:
                self._repair(connection)
        if self._next < self._end:
            asyncio.get_running_loop().call_later(max(self._next - perf_counter(), 0.0005), self._tick)


def _nothing() -> None:
    pass


def _dropped(answer: Answer) -> None:
    del answer
