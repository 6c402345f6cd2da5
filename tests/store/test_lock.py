"""One process owns a store's file (design, "The store")."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from creneau.store.lock import FileLock, Owned
from creneau.store.sqlite import open_sqlite

HOLD = """
import sys, time
from pathlib import Path
from creneau.store.lock import FileLock
lock = FileLock.take(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_a_second_store_on_the_file_is_refused_and_told_the_process(sqlite):
    with pytest.raises(Owned) as refused:
        open_sqlite(sqlite.path)

    assert refused.value.pid == os.getpid()
    assert str(os.getpid()) in str(refused.value)


def test_a_killed_holder_leaves_the_file_free(tmp_path):
    path = tmp_path / "creneau.sqlite"
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"held\n"
        with pytest.raises(Owned) as refused:
            FileLock.take(path)
        child.kill()
        child.wait()

    assert refused.value.pid == child.pid
    FileLock.take(path).release()


def test_a_closed_store_leaves_the_file_free(tmp_path, run):
    run(open_sqlite(tmp_path / "creneau.sqlite").close())

    run(open_sqlite(tmp_path / "creneau.sqlite").close())


def test_a_file_that_must_exist_is_not_created(tmp_path):
    with pytest.raises(FileNotFoundError):
        open_sqlite(tmp_path / "creneau.sqlite", create=False)

    assert list(tmp_path.iterdir()) == []


def test_the_file_is_for_its_owner_only(sqlite):
    assert sqlite.path.stat().st_mode & 0o077 == 0
