"""Which of several PostgreSQL hosts takes writes: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-MULTIPLE-HOSTS

asyncpg tries the hosts one after the other within one time limit, so that one machine that is gone without a word (no power, a cut
network) keeps it from ever reaching the next. Here they are tried at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlencode, urlsplit

import asyncpg

WANTED: Final = "target_session_attrs"
WRITES: Final = "read-write"

Reached = TypeVar("Reached", bound=asyncpg.Connection)


def each_host(url: str, wanted: str = WRITES) -> list[str]:
    """The URL once per host of `postgresql://USER@HOST:PORT,HOST:PORT/NAME`; of several one of the kind `wanted` unless the URL says."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    several = hosts.split(",")
    if len(several) == 1:
        return [url]
    query = {WANTED: [wanted]} | parse_qs(parts.query, keep_blank_values=True)
    asked = urlencode(query, doseq=True)
    return [parts._replace(netloc=user + at + host, query=asked).geturl() for host in several]


async def quickest(attempts: Sequence[Callable[[], Coroutine[Any, Any, Reached]]]) -> Reached:
    """The first connection that is made; others are closed. Raises what the first to fail did when none is made."""
    if len(attempts) == 1:
        return await attempts[0]()
    tasks = [asyncio.create_task(attempt()) for attempt in attempts]
    running, failures = set(tasks), []
    try:
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                failure = task.exception()
                if failure is None:
                    tasks.remove(task)
                    return task.result()
                failures.append(failure)
        raise failures[0]
    finally:
        for task in tasks:
            task.cancel()
            task.add_done_callback(_unwanted)


def _unwanted(task: asyncio.Task[Reached]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().terminate()
