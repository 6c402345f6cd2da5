"""The time that a request may take, kept by one clock for all: `asyncio.timeout` starts a timer for each, 5 us of CPU measured.

Contract, "Limits" (5 s a request); SEC-24.
"""

from __future__ import annotations

import asyncio
from asyncio import Task
from typing import Any, Final

TICKS: Final = 10
"""How often the clock looks during one span: a request is stopped at most a tenth of its time late."""


class Deadlines:
    """Stops the tasks that enter and have not left within `seconds`; leaving then raises TimeoutError in them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        # All have the same span, so that the order of entry is the order of deadlines.
        self._due: dict[Task[Any], float] = {}
        self._late: set[Task[Any]] = set()
        self._ticking = False

    def enter(self) -> Task[Any]:
        """Start the time of the running task; give what is returned to `leave`."""
        task = asyncio.current_task()
        assert task is not None, "requests run in tasks"
        loop = asyncio.get_running_loop()
        self._due[task] = loop.time() + self.seconds
        if not self._ticking:
            self._ticking = True
            loop.call_later(self.seconds / TICKS, self._tick, loop)
        return task

    def leave(self, task: Task[Any]) -> None:
        """End its time, whatever the outcome."""
        del self._due[task]
        self._late.discard(task)

    def stopped(self, task: Task[Any]) -> bool:
        """Whether a CancelledError that reached this task is ours; it is then taken back."""
        return task in self._late and task.uncancel() == 0

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task, due in list(self._due.items()):
            if due > now:
                break
            if task not in self._late:
                self._late.add(task)
                task.cancel()
        self._ticking = bool(self._due)
        if self._ticking:
            loop.call_later(self.seconds / TICKS, self._tick, loop)
