"""Fixtures: a store of each kind, and an event loop to run its verbs in."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from creneau.store.contract import Store
from creneau.store.memory import MemoryStore
from creneau.store.postgres import PostgresStore, open_postgres
from creneau.store.sqlite import SqliteStore, open_sqlite

from .cluster import Cluster


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    """Runs a coroutine to its end, all in one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path, run: Callable[..., Any]) -> Iterator[Store]:
    """An empty store."""
    opened: Store
    if request.param == "memory":
        opened = MemoryStore()
    elif request.param == "sqlite":
        opened = open_sqlite(tmp_path / "creneau.sqlite")
    else:
        opened = run(open_postgres(request.getfixturevalue("cluster").url, tenant=uuid.uuid4().hex))
    yield opened
    run(opened.close())


@pytest.fixture
def postgres(cluster: Cluster, run: Callable[..., Any]) -> Iterator[PostgresStore]:
    """A PostgreSQL store without anything of ours in it: a tenant of its own."""
    opened = run(open_postgres(cluster.url, tenant=uuid.uuid4().hex))
    yield opened
    run(opened.close())


@pytest.fixture
def sqlite(tmp_path: Path, run: Callable[..., Any]) -> Iterator[SqliteStore]:
    """An empty SQLite store."""
    opened = open_sqlite(tmp_path / "creneau.sqlite")
    yield opened
    run(opened.close())
