"""One server for the properties of this folder; its log is searched for what was sent when they are done (SEC-40, SEC-46)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.client import Server
from tests.fuzz.canaries import leaks, lines
from tests.fuzz.sending import Line
from tests.people import Practice, practice


@pytest.fixture(scope="session")
def shaken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this folder alone, since totals are compared. At the end it still stops, and its log holds nothing of the clients."""
    folder = tmp_path_factory.mktemp("fuzz")
    running = Server(f"sqlite:{folder / 'fuzz.sqlite'}", log=folder / "log").start()
    yield running
    assert running.get("/metadata").status == 200
    assert running.stop() == 0
    assert running.log is not None
    assert leaks(running.log.read_text()) == []
    assert [line for line in lines(running.log) if line["event"] == "fault"] == []


@pytest.fixture(scope="session")
def line(shaken: Server) -> Iterator[Line]:
    opened = Line(shaken)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def office(shaken: Server) -> Practice:
    """A practice to book at."""
    return practice(shaken)
