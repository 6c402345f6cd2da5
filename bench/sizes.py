"""What appointments weigh in PostgreSQL, for docs/operations/sharding.md: `python -m bench.sizes --database postgresql://…`.

The database must be empty and ours alone while it runs: rows and bytes of each table and of its indexes, and the write-ahead log, are
those of the whole server before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg

from bench import resources, seed, server
from bench.connection import Client
from bench.wire import Target, target

PEOPLE = 400
TABLES = (
    "SELECT c.relname, c.reltuples::bigint, pg_table_size(c.oid), pg_indexes_size(c.oid) FROM pg_class c "
)
OURS = TABLES + "WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1"
LOG = "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn"
IMAGES = "SELECT wal_records, wal_fpi, wal_bytes FROM pg_stat_wal"

Measured = dict[str, Any]


async def measured(connection: asyncpg.Connection) -> Measured:
    """Rows and bytes of every table, bytes of the log, full pages in it."""
    await connection.execute("VACUUM ANALYZE")
    tables = {name: [rows, heap, indexes] for name, rows, heap, indexes in await connection.fetch(OURS)}
    await connection.execute("CHECKPOINT")
    records, images, _ = (await connection.fetch(IMAGES))[0]
    return {
        "tables": tables,
        "log": int(await connection.fetchval(LOG)),
        "images": images,
        "records": records,
    }


def per(count: int, before: Measured, after: Measured) -> dict[str, Any]:
    """What each of so many did, in rows and bytes."""
    tables = {
        name: [round((b - a) / count, 2) for a, b in zip(before["tables"][name], figures, strict=True)]
        for name, figures in after["tables"].items()
    }
    heap, indexes = (round(sum(one[n] for one in tables.values())) for n in (1, 2))
    return {
        "tables [rows, heap bytes, index bytes]": {name: one for name, one in tables.items() if any(one)},
        "heap bytes": heap,
        "index bytes": indexes,
        "log bytes": round((after["log"] - before["log"]) / count),
        "full pages in the log": round((after["images"] - before["images"]) / count, 2),
    }


async def run(database: str, where: Target, count: int) -> dict[str, Any]:
    """Create so many appointments, then change each once."""
    connection = await asyncpg.connect(database)
    world = await seed.seeded(where, "sizes", PEOPLE, 0)
    start = await measured(connection)
    crew = seed.Crew(where)
    await seed.more(crew, world, count)
    crew.close()
    created = await measured(connection)
    await change(where, world)
    changed = await measured(connection)
    await connection.close()
    body = len(resources.encoded(resources.appointment(world.appointments[0][1])))
    return {
        "appointments": count,
        "bytes of a body sent": body,
        "a creation": per(count, start, created),
        "a change": per(count, created, changed),
        "a professional with agenda and patient": [start["tables"][name] for name in ("resource", "token")],
    }


async def change(where: Target, world: seed.World) -> None:
    """PUT every appointment once, with other words."""
    work = iter(world.appointments)
    await asyncio.gather(*(_change(Client(where), work) for _ in range(16)))


async def _change(client: Client, work: Iterator[tuple[str, resources.Visit]]) -> None:
    for id_, visit in work:
        sent = resources.appointment(replace(visit, comment="Seconde version")) | {"id": id_}
        answer = await client.ask("PUT", f"Appointment/{id_}", resources.encoded(sent))
        if answer.status != 200:
            raise seed.SeedRefused(f"status {answer.status}")
    client.close()


def main() -> int:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizes", description=__doc__)
    parser.add_argument("--database", required=True, help="an empty PostgreSQL database")
    parser.add_argument("--appointments", type=int, default=20_000)
    asked = parser.parse_args()
    port = server.free_port()
    command = [sys.executable, "-m", "creneau", "serve", "--port", str(port), "--database", asked.database]
    with tempfile.TemporaryDirectory() as folder:
        running = server.Server(command, port, Path(folder) / "log")
        running.wait_ready()
        try:
            found = asyncio.run(run(asked.database, target(running.base), asked.appointments))
        finally:
            running.stop()
    print(json.dumps(found, indent=2))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
