"""Fixtures: one real server for a test session, another with its own database where a test needs one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client import Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server shared by the tests of a session: each makes its own actors, so that none disturbs another."""
    folder = tmp_path_factory.mktemp("server")
    running = Server(f"sqlite:{folder / 'shared.sqlite'}", log=folder / "log").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of one's own; those still running are stopped at the end."""
    started: list[Server] = []

    def start(
        *options: str, database: str = f"sqlite:{tmp_path / 'own.sqlite'}", **environment: str
    ) -> Server:
        one = Server(database, options, environment, log=tmp_path / f"log-{len(started)}").start()
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process is not None and one.process.poll() is None:
            one.stop()
