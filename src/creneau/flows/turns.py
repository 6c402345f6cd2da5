"""Turns inside a process: writers of one resource take theirs, so that an optimistic commit seldom has to be decided again; long work gives others theirs.

Nothing rests on it for correctness: the store's guard does that, for other processes as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import TypeVar

Item = TypeVar("Item")


async def in_turns(items: Iterable[Item], every: int) -> AsyncIterator[Item]:
    """The items, one after the other; other requests get their turn before each `every`th."""
    for number, item in enumerate(items, 1):
        if number % every == 0:
            await asyncio.sleep(0)
        yield item


class Turns:
    """One queue per key, alive only while somebody waits in it."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: str) -> AsyncIterator[None]:
        """Hold the turn of this key."""
        lock, waiting = self._locks.get(key) or (asyncio.Lock(), 0)
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks[key]
            if waiting == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, waiting - 1)
