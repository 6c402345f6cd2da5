"""The one thread that writes the SQLite file: plans that wait are committed together, one fsync for all of them (group commit).

A plan refused by the guard leaves nothing, and its neighbours go on. A group is acknowledged after its COMMIT returned, hence
after the fsync (`synchronous=FULL`). When the disk refuses, the whole group is undone and every plan of it is told.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final, NamedTuple

from creneau.store.apply import Pages
from creneau.store.checkpoint import Checkpointer, copy_log
from creneau.store.contract import AlreadyClaimed, AlreadyTaken, Moved, Plan, StoreUnavailable
from creneau.store.guard import Guard

GROUP: Final = 256
WAITING: Final = 2048
LOG_ROWS: Final = 20_000  # changed rows after which the log is copied into the file
IDLE: Final = 0.25
REFUSALS: Final = (Moved, AlreadyTaken, AlreadyClaimed)

Work = Callable[[sqlite3.Connection], object]


class Job(NamedTuple):
    """A plan to commit, or other work to do alone on the connection, and who waits for it."""

    plan: Plan | None
    work: Work | None
    done: asyncio.Future[Any]


class Writer:
    """Owns the writing connection. `failing` tells that the last group met a disk error."""

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], tenant: str, *, waiting: int = WAITING
    ) -> None:
        self.failing = False
        self._connection = connection = connect()
        self._cursor = connection.cursor()
        self._guard = Guard(self._cursor, tenant)
        self._pages = Pages(self._cursor, tenant)
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._room = waiting
        self._stopping = False
        self._copied = connection.total_changes
        self._checkpointer = Checkpointer(connect)
        self._thread = threading.Thread(target=self._run, name="creneau-writer", daemon=True)
        self._thread.start()

    async def commit(self, plan: Plan) -> None:
        """Wait until the plan is durable; raises what the guard or the disk said."""
        await self._submit(plan, None)

    async def alone(self, work: Work) -> Any:
        """Run `work` on the writing connection, outside any transaction, between two groups; returns what it returns."""
        return await self._submit(None, work)

    def refuse(self) -> None:
        """Take no further job; called on the event loop, so that nothing is queued behind the end."""
        self._stopping = True

    def stop(self) -> None:
        """Finish what waits, end the thread and close the connection; blocks until then. `refuse` comes before."""
        self._queue.put(None)
        self._thread.join()
        self._connection.close()

    @property
    def accepting(self) -> bool:
        """Whether a plan would be queued now."""
        return self._thread.is_alive() and not self._stopping and self._room > 0

    async def _submit(self, plan: Plan | None, work: Work | None) -> Any:
        if self._stopping or not self._thread.is_alive():
            raise StoreUnavailable("stopping")
        if self._room <= 0:
            raise StoreUnavailable("overloaded")
        done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._room -= 1
        self._queue.put(Job(plan, work, done))
        return await done

    def _run(self) -> None:
        while (batch := self._next()) is not None:
            plans = [job for job in batch if job.plan is not None]
            results = list(zip(plans, self._group([job.plan for job in plans if job.plan]), strict=True))
            results += [(job, self._alone(job.work)) for job in batch if job.work is not None]
            self._tell(results)
            self._keep_log_short()
        self._checkpointer.stop()
        copy_log(self._connection, "TRUNCATE")

    def _next(self) -> list[Job] | None:
        """The next jobs to do together, None when the store is closed; has the log copied while nothing comes."""
        job = self._wait()
        batch: list[Job] = []
        while job is not None:
            batch.append(job)
            if len(batch) == GROUP:
                return batch
            try:
                job = self._queue.get_nowait()
            except Empty:
                return batch
        if batch:
            self._queue.put(None)
        return batch or None

    def _wait(self) -> Job | None:
        if self._connection.total_changes == self._copied:
            return self._queue.get()
        try:
            return self._queue.get(timeout=IDLE)
        except Empty:
            self._checkpointer.request()
            self._copied = self._connection.total_changes
            return self._queue.get()

    def _keep_log_short(self) -> None:
        if self._connection.total_changes - self._copied < LOG_ROWS:
            return
        if not self._checkpointer.passed:
            self._checkpointer.request()
            return
        copy_log(self._connection)
        self._checkpointer.passed = False
        self._copied = self._connection.total_changes

    def _group(self, plans: list[Plan]) -> list[object]:
        """One outcome per plan: None, or the exception to raise."""
        if not plans:
            return []
        try:
            outcomes = self._together(plans)
        except Exception as error:
            self._undo()
            if unavailable(error):
                self.failing = True
                return [StoreUnavailable("the disk refused the write") for _ in plans]
            if len(plans) == 1:
                return [error]
            return [outcome for plan in plans for outcome in self._group([plan])]
        self.failing = False
        return outcomes

    def _together(self, plans: list[Plan]) -> list[object]:
        outcomes: list[object] = []
        self._cursor.execute("BEGIN IMMEDIATE")
        for plan in plans:
            try:
                verdict = self._guard.judge(plan)
            except REFUSALS as refused:
                outcomes.append(refused)
                continue
            self._pages.write(verdict)
            outcomes.append(None)
        self._pages.flush()
        self._cursor.execute("COMMIT")
        return outcomes

    def _undo(self) -> None:
        self._pages.forget()
        if self._connection.in_transaction:
            try:
                self._connection.rollback()
            except sqlite3.Error:
                self.failing = True

    def _alone(self, work: Work | None) -> object:
        try:
            done = work(self._connection) if work is not None else None
            self.failing = False
            return done
        except Exception as error:
            self._undo()
            return StoreUnavailable("the disk refused the write") if unavailable(error) else error

    def _tell(self, results: list[tuple[Job, object]]) -> None:
        """Wake those who wait: once per event loop, however many plans."""
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[Job, object]]] = {}
        for job, outcome in results:
            by_loop.setdefault(job.done.get_loop(), []).append((job, outcome))
        for loop, told in by_loop.items():
            try:
                loop.call_soon_threadsafe(self._resolve, told)
            except RuntimeError:
                self._room += len(told)

    def _resolve(self, told: list[tuple[Job, object]]) -> None:
        self._room += len(told)
        for job, outcome in told:
            if job.done.done():
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)


PRIMARY_CODES: Final = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
    }
)


def unavailable(error: Exception) -> bool:
    """Whether the disk, not the plan, is what failed."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, MemoryError) or (code is not None and code & 0xFF in PRIMARY_CODES)
