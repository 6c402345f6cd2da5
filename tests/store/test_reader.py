"""Reads of the SQLite store are bounded, and a long one delays nobody else (invariant 5)."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from functools import partial

import pytest

from creneau.problems import TooCostly
from creneau.store.reader import Reader

COUNT = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) SELECT count(*) FROM n"
FOR_EVER = 1 << 62


@pytest.fixture
def reader(tmp_path):
    connect = partial(sqlite3.connect, tmp_path / "any.sqlite", isolation_level=None, check_same_thread=False)
    opened = Reader(connect, patience=1.0)
    yield opened
    opened.close()


def counted(number):
    return lambda cursor: cursor.execute(COUNT, (number,)).fetchone()[0]


def test_short_and_long_reads_give_their_answer(reader, run):
    assert run(reader.read(counted(10))) == 10
    assert run(reader.read(counted(400_000))) == 400_000


def test_a_read_without_end_is_refused_and_the_next_one_is_served(reader, run):
    began = time.monotonic()

    with pytest.raises(TooCostly):
        run(reader.read(counted(FOR_EVER)))

    assert time.monotonic() - began < 5
    assert run(reader.read(counted(10))) == 10


def test_the_event_loop_goes_on_while_long_reads_last(reader, run):
    async def ticks_meanwhile():
        reads = [asyncio.ensure_future(reader.read(counted(FOR_EVER))) for _ in range(4)]
        ticks = 0
        while not all(read.done() for read in reads):
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks, await asyncio.gather(*reads, return_exceptions=True)

    ticks, outcomes = run(ticks_meanwhile())

    assert ticks > 10
    assert [type(each) for each in outcomes] == [TooCostly] * 4


def test_an_error_of_a_read_is_not_taken_for_a_long_one(reader, run):
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        run(reader.read(lambda cursor: cursor.execute("SELECT * FROM nowhere")))

    assert run(reader.read(counted(10))) == 10
