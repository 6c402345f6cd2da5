"""How many requests may be in work: fewer as soon as most of them wait, so that no queue grows and what is refused is refused early.

REL-26. Without it five times the load that the server can take fills the 500 places; each request then waits for seconds, some are given
up after their work was done, and hardly anything gets done. https://en.wikipedia.org/wiki/Additive_increase/multiplicative_decrease
"""

from __future__ import annotations

import asyncio
from time import perf_counter
from typing import Final

SPAN: Final = 0.1
"""Seconds between two looks at what was done meanwhile."""
LATE: Final = 0.25
"""Seconds after which a request counts as late; when most are, too many are in work."""
LEAST: Final = 64
"""So many may always be in work: among few, slowness is no queue."""
FEWER: Final = 0.7
MORE: Final = 1.1


class Admission:
    """Counts requests in work, `limit` of them at the most; `limit` moves between `LEAST` and `most`. For one event loop."""

    __slots__ = ("_begun", "_done", "_late", "_next", "in_work", "limit", "most", "turned_away")

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = float(most)
        self.in_work = self.turned_away = 0
        self._begun = self._done = self._late = 0
        self._next = 0.0

    @property
    def full(self) -> bool:
        """Whether one more is too many."""
        return self.in_work + self._begun >= self.limit

    def begin(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Whether a request whose head was just read may become a task. In one turn of the loop many are read before any of them works."""
        if self.full:
            self.turned_away += 1
            return False
        if not self._begun:
            loop.call_soon(self._turned)
        self._begun += 1
        return True

    def enter(self) -> float:
        """One more in work; give what is returned to `leave`."""
        self.in_work += 1
        return perf_counter()

    def leave(self, since: float) -> None:
        """One less."""
        self.in_work -= 1
        now = perf_counter()
        self._done += 1
        self._late += now - since > LATE
        if now >= self._next:
            self._judge(now)

    def _judge(self, now: float) -> None:
        if 2 * self._late > self._done and self.in_work >= LEAST:
            self.limit = max(FEWER * min(self.limit, self.in_work), LEAST)
        elif self.limit < self.most:
            self.limit = min(MORE * self.limit + 1, self.most)
        self._done = self._late = 0
        self._next = now + SPAN

    def _turned(self) -> None:
        self._begun = 0
