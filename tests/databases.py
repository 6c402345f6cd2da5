"""Where the servers of the tests keep their data: a SQLite file each or, with `--store postgres`, a database each of one cluster."""

from __future__ import annotations

import asyncio
from itertools import count

import asyncpg

from tests.store.cluster import Cluster

_NUMBERS = count(1)


def created(cluster: Cluster) -> str:
    """The URL of a new database of this cluster."""
    name = f"own_{next(_NUMBERS)}"

    async def create() -> None:
        connection = await asyncpg.connect(cluster.url)
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(create())
    return cluster.url.replace("/postgres?", f"/{name}?")
