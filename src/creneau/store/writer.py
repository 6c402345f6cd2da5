"""Writes of the SQLite file: plans that wait are judged and written together, one fsync for all of them (group commit).

The statements of a group run on the event loop, where no other Python thread contends for the interpreter; only its COMMIT, which waits
for the disk, runs in the committing thread, while the loop goes on reading and gathers the next group. (Statement by statement in a
thread of its own, a create cost twice the CPU: each gives the interpreter up and has to get it back.)

A plan refused by the guard leaves nothing, and its neighbours go on. A group is acknowledged after its COMMIT returned, hence
after the fsync (`synchronous=FULL`). When the disk refuses, the whole group is undone and every plan of it is told.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

from creneau.store.apply import Pages
from creneau.store.checkpoint import Checkpointer, copy_log
from creneau.store.contract import AlreadyClaimed, AlreadyTaken, Moved, Plan, StoreUnavailable, Take
from creneau.store.guard import Guard
from creneau.store.matches import Matches
from creneau.store.recent import Recent

GROUP: Final = 64
WAITING: Final = 2048
LOG_ROWS: Final = 20_000  # changed rows after which the log is copied into the file
IDLE: Final = 0.25
REFUSALS: Final = (Moved, AlreadyTaken, AlreadyClaimed)

Work = Callable[[sqlite3.Connection], object]
Outcome = Exception | tuple[Take, ...]
"""Of a plan: why it was refused, or what `contract.Store.commit` returns."""


class Job(NamedTuple):
    """A plan to commit, or other work to do alone on the connection, and who waits for it."""

    plan: Plan | None
    work: Work | None
    done: asyncio.Future[Any]


class Writer:
    """Owns the writing connection. `failing` tells that the last group met a disk error.

    `recent` and `matches` take in each plan that became durable, on the loop, before who waits for it goes on.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        tenant: str,
        recent: Recent,
        matches: Matches,
        *,
        waiting: int = WAITING,
    ) -> None:
        self.failing = False
        self._recent = recent
        self._matches = matches
        self._connection = connection = connect()
        self._cursor = connection.cursor()
        self._guard = Guard(self._cursor, tenant, recent)
        self._pages = Pages(self._cursor, tenant)
        self._guard.deletions.flush = self._pages.flush
        self._waiting: deque[Job] = deque()
        self._alone_next = (
            0  # how many of the first jobs are each a group of their own, after a fault in one of them
        )
        self._room = waiting
        self._busy = False
        self._stopping = False
        self._idle: asyncio.Future[None] | None = None  # set while the end waits for the last group
        self._copied = connection.total_changes
        self._checkpointer = Checkpointer(connect)
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="creneau-commit", daemon=True)
        self._thread.start()

    async def commit(self, plan: Plan) -> tuple[Take, ...]:
        """Wait until the plan is durable; raises what the guard or the disk said. Returns what `contract.Store.commit` says."""
        met: tuple[Take, ...] = await self._submit(plan, None)
        return met

    async def alone(self, work: Work) -> Any:
        """Run `work` on the writing connection, outside any transaction, between two groups; returns what it returns."""
        return await self._submit(None, work)

    def refuse(self) -> None:
        """Take no further job, so that nothing is queued behind the end."""
        self._stopping = True

    async def stop(self) -> None:
        """Finish what waits, end the threads, close the connection. `refuse` comes before."""
        loop = asyncio.get_running_loop()
        if self._busy:
            self._idle = loop.create_future()
            await self._idle
        await loop.run_in_executor(None, self._end)

    @property
    def accepting(self) -> bool:
        """Whether a plan would be queued now."""
        return self._thread.is_alive() and not self._stopping and self._room > 0

    def _end(self) -> None:
        self._tasks.put(None)
        self._thread.join()
        self._checkpointer.stop()
        copy_log(self._connection, "TRUNCATE")
        self._cursor.close()  # a statement left open would keep the file open behind the closed connection
        self._connection.close()

    async def _submit(self, plan: Plan | None, work: Work | None) -> Any:
        if self._stopping or not self._thread.is_alive():
            raise StoreUnavailable("stopping")
        if self._room <= 0:
            raise StoreUnavailable("overloaded")
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Any] = loop.create_future()
        self._room -= 1
        self._waiting.append(Job(plan, work, done))
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next)  # after the tasks that are ready now, so that theirs come along
        return await done

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            task()

    def _elsewhere(self, work: Callable[[], object], then: Callable[[object], None]) -> None:
        """Run `work` in the committing thread, then tell the loop what it returned, or the exception it raised."""
        loop = asyncio.get_running_loop()

        def task() -> None:
            outcome: object
            try:
                outcome = work()
            except Exception as error:
                outcome = error
            try:
                loop.call_soon_threadsafe(then, outcome)
            except RuntimeError:
                return  # the loop has ended: nobody waits any more

        self._tasks.put(task)

    def _next(self) -> None:
        """Begin the next group, or rest."""
        if not self._waiting:
            self._rest()
        elif self._waiting[0].plan is None:
            job = self._waiting.popleft()
            assert job.work is not None
            work = job.work
            self._elsewhere(lambda: work(self._connection), lambda outcome: self._did_alone(job, outcome))
        else:
            self._group(self._gathered())

    def _rest(self) -> None:
        self._busy = False
        if self._idle is not None and not self._idle.done():
            self._idle.set_result(None)
        if self._connection.total_changes != self._copied and not self._stopping:
            asyncio.get_running_loop().call_later(IDLE, self._copy_when_idle, self._connection.total_changes)

    def _copy_when_idle(self, changes: int) -> None:
        """Have the log copied when nothing was written since."""
        if (
            not self._busy
            and not self._stopping
            and self._connection.total_changes == changes != self._copied
        ):
            self._checkpointer.request()
            self._copied = changes

    def _gathered(self) -> list[Job]:
        """The plans that wait and go together."""
        most = 1 if self._alone_next else GROUP
        self._alone_next = max(0, self._alone_next - 1)
        jobs: list[Job] = []
        while self._waiting and len(jobs) < most and self._waiting[0].plan is not None:
            jobs.append(self._waiting.popleft())
        return jobs

    def _group(self, jobs: list[Job]) -> None:
        try:
            outcomes = self._write([job.plan for job in jobs if job.plan is not None])
        except Exception as error:
            self._fault(jobs, error)
            self._next()
            return
        if all(isinstance(outcome, Exception) for outcome in outcomes):
            self._undo()
            self._ended(jobs, outcomes)
        else:
            self._elsewhere(self._commit, lambda error: self._durable(jobs, outcomes, error))

    def _write(self, plans: list[Plan]) -> list[Outcome]:
        """Judge and write in one transaction, not yet committed."""
        outcomes: list[Outcome] = []
        self._cursor.execute("BEGIN IMMEDIATE")
        self._guard.begin()
        for plan in plans:
            try:
                verdict = self._guard.judge(plan)
            except REFUSALS as refused:
                outcomes.append(refused)
                continue
            self._guard.accepted(plan)
            self._pages.write(verdict)
            outcomes.append(tuple(verdict.met))
        self._pages.flush()
        return outcomes

    def _commit(self) -> None:
        """In the committing thread: make the group durable, and now and then the log short."""
        self._connection.execute("COMMIT")
        if self._connection.total_changes - self._copied < LOG_ROWS:
            return
        if not self._checkpointer.passed:
            self._checkpointer.request()
            return
        copy_log(self._connection)
        self._checkpointer.passed = False
        self._copied = self._connection.total_changes

    def _durable(self, jobs: list[Job], outcomes: list[Outcome], error: object) -> None:
        if isinstance(error, Exception):
            self._fault(jobs, error)
            self._next()
            return
        self.failing = False
        self._ended(jobs, outcomes)

    def _fault(self, jobs: list[Job], error: Exception) -> None:
        """Undo the group. The disk refused: all are told. A plan broke it: each is tried again on its own."""
        self._undo()
        if unavailable(error):
            self.failing = True
            self._tell(jobs, [StoreUnavailable("the disk refused the write") for _ in jobs])
        elif len(jobs) == 1:
            self._tell(jobs, [error])
        else:
            self._waiting.extendleft(reversed(jobs))
            self._alone_next += len(jobs)

    def _ended(self, jobs: list[Job], outcomes: list[Outcome]) -> None:
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.plan is not None and not isinstance(outcome, Exception):
                self._recent.committed(job.plan)
                self._matches.committed(job.plan)
        self._tell(jobs, outcomes)
        self._next()

    def _did_alone(self, job: Job, outcome: object) -> None:
        if isinstance(outcome, Exception):
            self._undo()
            if unavailable(outcome):
                outcome = StoreUnavailable("the disk refused the write")
            self._tell([job], [outcome])
        else:
            self.failing = False
            self._room += 1
            if not job.done.done():
                job.done.set_result(outcome)
        self._next()

    def _tell(self, jobs: list[Job], outcomes: Sequence[Outcome]) -> None:
        self._room += len(jobs)
        for job, outcome in zip(jobs, outcomes, strict=True):
            if job.done.done():
                continue
            if isinstance(outcome, Exception):
                job.done.set_exception(outcome)
            else:
                job.done.set_result(outcome)

    def _undo(self) -> None:
        self._pages.forget()
        if self._connection.in_transaction:
            try:
                self._connection.rollback()
            except sqlite3.Error:
                self.failing = True


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
