"""Backups taken while another process writes are sound and a prefix of what was written (REL-29)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from creneau.store.backup import Damaged, backup, restore, verify
from creneau.store.lock import Owned
from creneau.store.sqlite import open_sqlite

from .checks import double_bookings
from .made import DAWN, body, plan, put, schedule
from .test_kill import ROOT, whole


@pytest.fixture
def filled(sqlite, run):
    """A store of some megabytes, still open."""
    for n in range(20):
        run(sqlite.commit(plan(*(put("Patient", f"p{n}-{k}", body=b"x" * 2000) for k in range(100)))))
    return sqlite


def test_a_backup_of_an_open_store_opens_with_all_that_was_acknowledged(filled, tmp_path, run):
    steps: list[tuple[int, int]] = []

    backup(filled.path, tmp_path / "copy.sqlite", lambda done, total: steps.append((done, total)))

    assert len(steps) > 1 and steps[-1][0] == steps[-1][1]
    assert {p.name for p in tmp_path.iterdir() if "copy" in p.name} == {"copy.sqlite"}
    copy = open_sqlite(tmp_path / "copy.sqlite", create=False)
    assert run(copy.get("Patient", "p19-99")).body == b"x" * 2000
    run(copy.close())


def test_a_write_during_the_backup_is_served_and_is_not_in_the_copy(filled, tmp_path, run):
    def write(done: int, total: int) -> None:
        run(filled.commit(plan(put("Device", f"d{done}"))))

    backup(filled.path, tmp_path / "copy.sqlite", write)

    assert run(filled.history("Device", None)).total > 1
    copy = open_sqlite(tmp_path / "copy.sqlite", create=False)
    assert (run(copy.history("Patient", None)).total, run(copy.history("Device", None)).total) == (2000, 0)
    run(copy.close())


def test_a_backup_while_another_process_books_is_a_whole_prefix(tmp_path, run):
    path: Path = tmp_path / "creneau.sqlite"
    store = open_sqlite(path)
    run(store.commit(plan(schedule("martin", "Practitioner/martin"))))
    run(store.close())

    command = [sys.executable, "-m", "tests.store.writing_child", str(path), "r"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        said = [child.stdout.readline().decode().strip() for _ in range(30)]
        backup(path, tmp_path / "copy.sqlite")
        child.kill()

    counts = whole(tmp_path / "copy.sqlite")
    assert set(said) <= set(counts)
    assert set(counts.values()) == {4}
    assert double_bookings(tmp_path / "copy.sqlite", DAWN) == []


def test_an_existing_target_is_kept_unless_told_otherwise(filled, tmp_path):
    target = tmp_path / "copy.sqlite"
    target.write_text("precious")

    with pytest.raises(FileExistsError):
        backup(filled.path, target)
    kept = target.read_text()
    backup(filled.path, target, overwrite=True)

    assert kept == "precious"
    verify(target)


def test_a_failed_backup_leaves_nothing_behind(filled, tmp_path):
    def fail(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        backup(filled.path, tmp_path / "copy.sqlite", fail)

    assert [p.name for p in tmp_path.iterdir() if "copy" in p.name] == []


def test_a_damaged_copy_is_found(filled, tmp_path):
    copy = tmp_path / "copy.sqlite"
    backup(filled.path, copy)
    with copy.open("r+b") as file:
        file.seek(4096 * 10)
        file.write(b"\xff" * 4096 * 20)

    with pytest.raises(Damaged):
        verify(copy)


def test_the_file_of_another_program_is_not_a_copy(tmp_path):
    with sqlite3.connect(tmp_path / "other.sqlite") as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()

    with pytest.raises(Damaged):
        verify(tmp_path / "other.sqlite")
    with pytest.raises(FileNotFoundError):
        backup(tmp_path / "nowhere.sqlite", tmp_path / "copy.sqlite")


def test_a_copy_is_restored_over_a_store_that_nobody_owns(tmp_path, run):
    path = tmp_path / "creneau.sqlite"
    store = open_sqlite(path)
    run(store.commit(plan(put("Patient", "p"))))
    backup(path, tmp_path / "copy.sqlite")
    run(store.commit(plan(put("Patient", "p", 2))))

    with pytest.raises(Owned):
        restore(tmp_path / "copy.sqlite", path, overwrite=True)
    run(store.close())
    with pytest.raises(FileExistsError):
        restore(tmp_path / "copy.sqlite", path)
    restore(tmp_path / "copy.sqlite", path, overwrite=True)

    store = open_sqlite(path, create=False)
    assert run(store.get("Patient", "p")).body == body("Patient", "p", 1)
    run(store.close())
