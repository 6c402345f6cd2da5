"""A dump of PostgreSQL taken while it is written to, restored elsewhere, is a whole prefix: sound, served, written on (REL-29)."""

from __future__ import annotations

import asyncio
import subprocess

from creneau.store.postgres import open_postgres
from creneau.store.postgres_inspect import findings
from tests.client import OK
from tests.databases import created

from .made import at, plan, put
from .test_doctor import extract, fill, indexed


def tool(cluster, name, *arguments):
    subprocess.run([cluster.programs / name, *arguments], check=True, timeout=60)


async def dumped_while_written(cluster, url, file):
    """How many patients were acknowledged before the dump began, and when it had ended."""
    store = await open_postgres(url)
    await fill(store)
    written = 0

    async def write():
        nonlocal written
        while True:
            await store.commit(plan(indexed(put("Patient", f"n{written:05}"))))
            written += 1

    writing = asyncio.create_task(write())
    while written < 20:
        await asyncio.sleep(0.01)
    before = written
    await asyncio.to_thread(tool, cluster, "pg_dump", "--format=custom", f"--file={file}", url)
    after = written
    writing.cancel()
    await asyncio.gather(writing, return_exceptions=True)
    await store.close()
    return before, after


def test_a_dump_under_load_is_restored_sound_and_served(cluster, tmp_path, run, new_server):
    url, other, file = created(cluster), created(cluster), tmp_path / "creneau.dump"

    before, after = run(dumped_while_written(cluster, url, file))
    tool(cluster, "pg_restore", "--exit-on-error", "--no-owner", f"--dbname={other}", str(file))

    async def restored():
        store = await open_postgres(other, create=False)
        ill = await findings(store, extract, now=at(3))
        patients = [one.id async for one in store.scan("Patient") if one.id.startswith("n")]
        history = len((await store.history("Appointment", "a")).items)
        await store.commit(plan(indexed(put("Patient", "later"))))
        await store.close()
        return ill, patients, history

    ill, patients, history = run(restored())
    server = new_server(database=other)

    assert ill == []
    assert before <= len(patients) <= after + 1
    assert patients == [f"n{number:05}" for number in range(len(patients))]
    assert history == 2
    assert server.get("/Patient/later").status == OK
