"""Servers for the properties of this folder; their logs are searched for what was sent when they are done (SEC-40, SEC-46)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.client import Server
from tests.fuzz.canaries import leaks, lines
from tests.fuzz.sending import Line
from tests.people import Practice, practice


@contextmanager
def watched(
    factory: pytest.TempPathFactory, name: str, database_at: Callable[[Path], str]
) -> Iterator[Server]:
    """A server that at its end still answers, still stops, and whose log holds no fault of ours and nothing of its clients."""
    folder = factory.mktemp(name)
    running = Server(database_at(folder / "fuzz.sqlite"), log=folder / "log").start()
    try:
        yield running
        assert running.get("/metadata").status == 200
    finally:
        stopped = running.stop()
    assert stopped == 0
    assert running.log is not None
    assert leaks(running.log.read_text()) == []
    assert [line for line in lines(running.log) if line["event"] == "fault"] == []


@pytest.fixture(scope="session")
def shaken(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Server]:
    """A server of this folder alone, since totals are compared."""
    with watched(tmp_path_factory, "fuzz", database_at) as running:
        yield running


@pytest.fixture(scope="session")
def line(shaken: Server) -> Iterator[Line]:
    opened = Line(shaken)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def office(shaken: Server) -> Practice:
    """A practice to book at."""
    return practice(shaken)


@pytest.fixture(scope="module")
def heavy(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Line]:
    """A connection to a server that is filled with resources as large as they can be."""
    with watched(tmp_path_factory, "heavy", database_at) as running:
        opened = Line(running)
        yield opened
        opened.close()
