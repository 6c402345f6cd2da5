"""A full disk: writes are refused, nothing is half written, reads go on, and writes resume when space returns (REL-14)."""

from __future__ import annotations

import asyncio
import subprocess

import pytest

from creneau.store.contract import StoreUnavailable
from creneau.store.sqlite import open_sqlite

from .made import appointment, at, plan, put, rows, take


def fill(store, run, *, prefix):
    """Write until the store refuses; the ids acknowledged."""
    acknowledged = []
    for number in range(10_000):
        id_ = f"{prefix}{number}"
        try:
            run(store.commit(plan(put("Patient", id_, body=b"x" * 20_000, rows=rows(id_)))))
        except StoreUnavailable:
            return acknowledged
        acknowledged.append(id_)
    raise AssertionError("the disk never filled")


def test_a_full_database_refuses_every_plan_of_the_group_and_recovers_alone(sqlite, run):
    pages = run(sqlite.alone(lambda c: c.execute("PRAGMA page_count").fetchone()[0]))
    run(sqlite.alone(lambda c: c.execute(f"PRAGMA max_page_count = {pages + 60}").fetchone()))

    written = fill(sqlite, run, prefix="p")
    refused = run(_together(sqlite, [plan(put("Patient", f"q{n}", body=b"x" * 200_000)) for n in range(3)]))

    assert [type(each) for each in refused] == [StoreUnavailable] * 3
    assert len(written) > 2
    assert all(run(sqlite.get("Patient", id_)) for id_ in written)
    assert run(sqlite.get("Patient", f"p{len(written)}")) is None
    run(sqlite.alone(lambda c: c.execute("PRAGMA max_page_count = 1000000").fetchone()))
    assert run(sqlite.ready())
    run(sqlite.commit(plan(appointment("a", take(at(9), at(10)), rows=rows("a")))))
    assert run(sqlite.alone(lambda c: c.execute("SELECT count(*) FROM token").fetchone())) == (
        len(written) + 1,
    )
    assert run(sqlite.alone(lambda c: c.execute("PRAGMA integrity_check").fetchone())) == ("ok",)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of four megabytes."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_loses_nothing_acknowledged_and_writes_resume_when_space_returns(small_disk, run):
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 1_000_000)
    store = open_sqlite(small_disk / "creneau.sqlite")

    written = fill(store, run, prefix="p")
    ready_when_full = run(store.ready())
    read_when_full = [run(store.get("Patient", id_)) for id_ in written]
    ballast.unlink()
    ready_again = run(store.ready())
    run(store.commit(plan(put("Patient", "again"))))
    run(store.close())

    assert (ready_when_full, ready_again) == (False, True)
    assert len(written) > 10 and all(read_when_full)
    store = open_sqlite(small_disk / "creneau.sqlite", create=False)
    assert all(run(store.get("Patient", id_)) for id_ in [*written, "again"])
    assert run(store.alone(lambda c: c.execute("PRAGMA integrity_check").fetchone())) == ("ok",)
    run(store.close())


async def _together(store, plans):
    return await asyncio.gather(*(store.commit(each) for each in plans), return_exceptions=True)
