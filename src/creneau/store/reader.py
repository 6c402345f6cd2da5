"""Reads of the SQLite store: at once on the event loop while they are short, in a thread when they are not, never without bound.

A read of some microseconds is shorter than a hop to a thread (measured: `research/dependencies.md` §6). One that is not done
after `BRIEF` is interrupted and done again in a thread, with `PATIENCE` seconds, so that it delays nobody else.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Final, TypeVar

from creneau.problems import TooCostly, refusal

BRIEF: Final = 0.02
PATIENCE: Final = 5.0
THREADS: Final = 2
_STEPS: Final = 2_000  # virtual machine instructions between two looks at the clock

TOO_LONG = refusal(
    "read-too-costly",
    "too-costly",
    "La recherche demande trop de temps : précisez-la par d'autres critères.",
    "The search takes too long: narrow it with further criteria.",
)

T = TypeVar("T")
Work = Callable[[sqlite3.Cursor], T]


class Bounded:
    """One reading connection whose statements stop at a deadline."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.cursor = connection.cursor()
        self._deadline = float("inf")
        connection.set_progress_handler(self._late, _STEPS)

    def run(self, work: Work[T], seconds: float) -> T:
        """What `work` returns, in one read transaction: all its statements see the same commits. Raises OperationalError when late."""
        self._deadline = time.monotonic() + seconds
        try:
            self.cursor.execute("BEGIN")
            return work(self.cursor)
        finally:
            self._deadline = float("inf")
            if self.connection.in_transaction:
                self.connection.rollback()

    def _late(self) -> int:
        return time.monotonic() > self._deadline


class Reader:
    """The connection of the event loop, and those of the threads, opened when first needed."""

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, patience: float = PATIENCE) -> None:
        self._connect = connect
        self._patience = patience
        self._inline = Bounded(connect())
        self._idle: SimpleQueue[Bounded] = SimpleQueue()
        self._opened: list[Bounded] = []
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="creneau-reader")

    @property
    def cursor(self) -> sqlite3.Cursor:
        """For statements that an index bounds to a few rows; no clock watches them."""
        return self._inline.cursor

    async def read(self, work: Work[T]) -> T:
        """What `work` returns, sooner or later; `TooCostly` when later than `PATIENCE`."""
        try:
            return self._inline.run(work, BRIEF)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._patiently, work)

    def close(self) -> None:
        """Wait for the threads, then close every connection."""
        self._pool.shutdown()
        for bounded in [self._inline, *self._opened]:
            bounded.cursor.close()
            bounded.connection.close()

    def _patiently(self, work: Work[T]) -> T:
        bounded = self._borrow()
        try:
            return bounded.run(work, self._patience)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooCostly.of(TOO_LONG) from None
            raise
        finally:
            self._idle.put(bounded)

    def _borrow(self) -> Bounded:
        if not self._idle.empty():
            return self._idle.get()
        bounded = Bounded(self._connect())
        self._opened.append(bounded)
        return bounded
