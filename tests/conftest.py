"""Fixtures: one real server for a test session, another with its own database where a test needs one.

`pytest --store postgres` gives each of them a database of a PostgreSQL server that the session starts, instead of a SQLite file.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client import Server
from tests.databases import created
from tests.store.cluster import Cluster, NoServer


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--store`."""
    parser.addoption(
        "--store", choices=("sqlite", "postgres"), default="sqlite", help="what servers of tests keep data in"
    )


def pytest_configure() -> None:
    """A run in the background of a shell ignores SIGINT, and so would every program that it starts; those under test are to hear it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of our own."""
    try:
        started = Cluster()
    except NoServer as missing:
        pytest.skip(str(missing))
    yield started
    started.close()


@pytest.fixture(scope="session")
def database_at(request: pytest.FixtureRequest) -> Callable[[Path], str]:
    """The URL of a database that nobody uses yet: this file, or a new database of the session's PostgreSQL server."""
    if request.config.getoption("--store") == "sqlite":
        return lambda file: f"sqlite:{file}"
    cluster: Cluster = request.getfixturevalue("cluster")
    return lambda _: created(cluster)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, database_at: Callable[[Path], str]) -> Iterator[Server]:
    """A server shared by the tests of a session: each makes its own actors, so that none disturbs another."""
    folder = tmp_path_factory.mktemp("server")
    running = Server(database_at(folder / "shared.sqlite"), log=folder / "log").start()
    yield running
    assert running.stop() == 0


@pytest.fixture
def new_server(tmp_path: Path, database_at: Callable[[Path], str]) -> Iterator[Callable[..., Server]]:
    """Start servers of one's own; those still running are stopped at the end."""
    started: list[Server] = []

    def start(*options: str, database: str = "", **environment: str) -> Server:
        database = database or database_at(tmp_path / "own.sqlite")
        one = Server(database, options, environment, log=tmp_path / f"log-{len(started)}").start()
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process is not None and one.process.poll() is None:
            one.stop()
