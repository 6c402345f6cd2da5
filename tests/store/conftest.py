"""Fixtures: a store of each kind, and an event loop to run its verbs in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from creneau.store.contract import Store
from creneau.store.memory import MemoryStore
from creneau.store.sqlite import SqliteStore, open_sqlite


@pytest.fixture
def run() -> Iterator[Callable[..., Any]]:
    """Runs a coroutine to its end, all in one event loop."""
    with asyncio.Runner() as runner:
        yield runner.run


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path, run: Callable[..., Any]) -> Iterator[Store]:
    """An empty store."""
    opened: Store = MemoryStore() if request.param == "memory" else open_sqlite(tmp_path / "creneau.sqlite")
    yield opened
    run(opened.close())


@pytest.fixture
def sqlite(tmp_path: Path, run: Callable[..., Any]) -> Iterator[SqliteStore]:
    """An empty SQLite store."""
    opened = open_sqlite(tmp_path / "creneau.sqlite")
    yield opened
    run(opened.close())
