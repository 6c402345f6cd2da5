"""What is acknowledged is on the disk, whole; what fails at whatever instruction leaves nothing (invariant 3, REL-10, REL-13)."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from creneau.store import writer
from creneau.store.checkpoint import Checkpointer
from creneau.store.contract import Claim
from creneau.store.sqlite import open_sqlite

from .made import DOCTOR, appointment, at, plan, put, rows, schedule, take
from .test_kill import ROOT

EVERYTHING = (
    "SELECT 'resource', type, id, version FROM resource UNION ALL SELECT 'history', type, id, version FROM history"
    " UNION ALL SELECT 'identifier', value, id, 0 FROM identifier UNION ALL SELECT 'token', code, id, 0 FROM token"
    " UNION ALL SELECT 'taken', thing, appointment, start FROM taken UNION ALL SELECT 'owner', thing, schedule, 0 FROM owner"
)


class Stop:
    """Stops SQLite at its instruction of this number, counted from when it is set."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self) -> bool:
        self.left -= 1
        return self.left == 0


async def _outcome(store, wanted):
    try:
        return await store.commit(wanted)
    except sqlite3.OperationalError as error:
        return error


def dump(store, run):
    return sorted(run(store.alone(lambda connection: connection.execute(EVERYTHING).fetchall())))


def test_the_file_is_opened_in_its_durable_mode(sqlite, run):
    modes = [
        run(sqlite.alone(lambda c, name=name: c.execute(f"PRAGMA {name}").fetchone()[0]))
        for name in ("journal_mode", "synchronous", "wal_autocheckpoint")
    ]

    assert modes == ["wal", 2, 0]


def test_a_commit_stopped_at_any_instruction_leaves_all_or_nothing(sqlite, run):
    first = appointment("a", take(at(9), at(10)), claims=("1",), rows=rows("a"))
    run(sqlite.commit(plan(schedule("martin", DOCTOR), first)))
    before = dump(sqlite, run)
    second = plan(
        appointment(
            "a", take(at(10), at(11)), version=2, claims=("2",), rows=rows("x"), former_rows=rows("a")
        ),
        appointment("b", take(at(9), at(10)), claims=("1",), rows=rows("b")),
        schedule("martin", version=2),
    )

    stops, step = 0, 1
    while True:
        stop = Stop(step)
        run(sqlite.alone(lambda connection, stop=stop: connection.set_progress_handler(stop, 1)))
        outcome = run(_outcome(sqlite, second))
        run(sqlite.alone(lambda connection: connection.set_progress_handler(None, 0)))
        if outcome == ():
            break
        assert isinstance(outcome, sqlite3.OperationalError)
        assert dump(sqlite, run) == before
        stops, step = stops + 1, step + 1 + step // 20

    assert stops > 20
    assert run(sqlite.holder("Appointment", Claim("urn:rdv", "1"))) == "b"
    assert len(dump(sqlite, run)) == len(before) + 5


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_no_booking_is_acknowledged_before_the_log_that_holds_it_is_synced(tmp_path):
    trace = tmp_path / "trace"
    command = ["strace", "-f", "-y", "-e", "trace=pwrite64,write,fdatasync,fsync", "-o", str(trace)]
    child = [sys.executable, "-m", "tests.store.writing_child", str(tmp_path / "creneau.sqlite"), "r", "1"]
    with subprocess.Popen(
        [*command, *child],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as traced:
        said = [traced.stdout.readline() for _ in range(20)]
        os.killpg(traced.pid, signal.SIGTERM)
    if not all(said):
        pytest.skip("tracing is not allowed here")

    unsynced, acknowledged = False, 0
    for line in trace.read_text().splitlines():
        if re.search(r"pwrite64\(\d+<[^>]*-wal>", line):
            unsynced = True
        elif re.search(r"f(data)?sync\(\d+<[^>]*-wal>.* = 0|<\.\.\. f(data)?sync resumed>.* = 0", line):
            unsynced = False
        elif re.search(r'write\(1<[^>]*>, "r-', line):
            assert not unsynced
            acknowledged += 1
    assert acknowledged >= 20


def test_the_log_starts_again_however_long_writes_go_on(tmp_path, run, monkeypatch):
    monkeypatch.setattr(writer, "LOG_ROWS", 100)
    store = open_sqlite(tmp_path / "creneau.sqlite")

    for n in range(1000):
        run(store.commit(plan(put("Patient", f"p{n}", body=b"x" * 3000))))
    with (tmp_path / "creneau.sqlite-wal").open("rb") as log:
        restarts = int.from_bytes(
            log.read(16)[12:], "big"
        )  # https://www.sqlite.org/fileformat2.html#walformat
    run(store.close())

    assert restarts >= 2


def test_copying_the_log_ends_when_asked_in_the_middle_of_a_pass(tmp_path):
    started, go_on = threading.Event(), threading.Event()

    def connect():
        connection = sqlite3.connect(tmp_path / "any.sqlite", check_same_thread=False)
        connection.set_authorizer(lambda *_: started.set() or (go_on.wait() and sqlite3.SQLITE_OK))
        return connection

    copier = Checkpointer(connect)
    copier.request()
    started.wait()
    ending = threading.Thread(target=copier.stop, daemon=True)
    ending.start()
    time.sleep(0.05)
    go_on.set()
    ending.join(timeout=10)

    assert not ending.is_alive()
