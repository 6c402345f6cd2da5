"""One writer per node that goes straight to it, past HAProxy: were two nodes to acknowledge writes, it would be seen (REL-18)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import asyncpg

from creneau.store.contract import Moved, StoreUnavailable
from creneau.store.postgres import PostgresStore
from creneau.store.postgres_connections import connect
from tests.ha.cluster import Cluster
from tests.store.made import plan, put

PAUSE: Final = 0.1
MOST: Final = 40
"""Connections of a probe: one whose commit waits for a standby is left waiting."""
PRESENT: Final = "SELECT id FROM resource WHERE tenant = 'probe' AND id = ANY ($1)"


@dataclass
class Probes:
    """What each node acknowledged: when, which node, which id."""

    acks: list[tuple[float, str, str]] = field(default_factory=list)

    def turns(self) -> list[str]:
        """The nodes that acknowledged, one after the other."""
        names = [name for _, name, _ in sorted(self.acks)]
        return [name for n, name in enumerate(names) if n == 0 or names[n - 1] != name]

    async def lost(self, url: str) -> list[str]:
        """What was acknowledged and is not there."""
        connection = await asyncpg.connect(url)
        wanted = [id_ for _, _, id_ in self.acks]
        there = {id_ for (id_,) in await connection.fetch(PRESENT, wanted)}
        await connection.close()
        return [
            f"{name} acknowledged {id_}, which is not there" for _, name, id_ in self.acks if id_ not in there
        ]


@asynccontextmanager
async def probing(cluster: Cluster, database: str, run: str) -> AsyncIterator[Probes]:
    """A probe at each node meanwhile."""
    found, ending = Probes(), asyncio.Event()
    tasks = [
        asyncio.create_task(_probe(name, cluster.direct(name, database), run, found, ending))
        for name in cluster.nodes
    ]
    try:
        yield found
    finally:
        ending.set()
        await asyncio.wait(tasks, timeout=15)
        for task in tasks:
            task.cancel()


async def _probe(name: str, url: str, run: str, found: Probes, ending: asyncio.Event) -> None:
    store = PostgresStore(connect(url, most=MOST, pooled=False), "probe")
    number = 0
    while not ending.is_set():
        number += 1
        id_ = f"{run}-{name}-{number}"
        with suppress(StoreUnavailable, Moved):
            await store.commit(plan(put("Patient", id_)))
            found.acks.append((time.monotonic(), name, id_))
        await asyncio.sleep(PAUSE)
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await store.close()
