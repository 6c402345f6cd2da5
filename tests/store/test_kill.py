"""kill -9 of the writing process: every acknowledged booking survives whole, every other is whole or absent (invariant 3, REL-11)."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

from creneau.store.sqlite import open_sqlite

from .checks import double_bookings
from .made import DAWN, DOCTOR, plan, schedule

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 4


def killed_while_writing(path: Path, round_: str, seconds: float) -> set[str]:
    """The bookings that the process acknowledged before it was killed."""
    command = [sys.executable, "-m", "tests.store.writing_child", str(path), round_]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(seconds)
        child.kill()
        said = (first + child.stdout.read()).decode()
    return {line for line in said.split("\n")[:-1] if line}


def whole(path: Path) -> dict[str, int]:
    """How many of its four kinds of rows (version, identifier, taken time, index) each booking has."""
    parts = [
        "SELECT id FROM resource WHERE type = 'Appointment'",
        "SELECT id FROM identifier",
        "SELECT appointment FROM taken",
        "SELECT id FROM token",
    ]
    counts: dict[str, int] = {}
    connection = sqlite3.connect(path)
    for part in parts:
        for (id_,) in connection.execute(part):
            counts[id_] = counts.get(id_, 0) + 1
    connection.close()
    return counts


def test_a_killed_writer_loses_nothing_that_it_acknowledged(tmp_path, run):
    path = tmp_path / "creneau.sqlite"
    store = open_sqlite(path)
    run(store.commit(plan(schedule("martin", DOCTOR))))
    run(store.close())

    acknowledged: set[str] = set()
    for round_ in range(ROUNDS):
        acknowledged |= killed_while_writing(path, f"r{round_}", random.uniform(0.05, 0.5))
        run(open_sqlite(path, create=False).close())

    counts = whole(path)
    assert len(acknowledged) > 50
    assert acknowledged <= set(counts)
    assert set(counts.values()) == {4}
    assert double_bookings(path, DAWN) == []
