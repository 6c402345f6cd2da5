"""Servers for the use cases: each test starts as many as there are organisations in its story."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client import Server
from tests.usecases.vendor import System


@pytest.fixture
def organisation(tmp_path: Path, database_at: Callable[[Path], str]) -> Iterator[Callable[[str], System]]:
    """Start the server of an organisation; what is given back knows its address and no more."""
    started: list[Server] = []

    def start(name: str) -> System:
        one = Server(database_at(tmp_path / f"{name}.sqlite"), log=tmp_path / f"{name}.log").start()
        started.append(one)
        return System(one.base)

    yield start
    assert [one.stop() for one in started] == [0] * len(started)
