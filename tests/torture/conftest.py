"""Lets these tests import `bench` and `torture`, which live beside `src`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from bench.server import Server, creneau, free_port  # noqa: E402  the path above comes first

CAREFUL = ("tests.torture.standin",)
CARELESS = ("tests.torture.standin", "--careless")


@pytest.fixture
def standin(tmp_path: Path) -> Iterator[Server]:
    """A small FHIR server of a few lines, ready."""
    port = free_port()
    server = Server(creneau(port, tmp_path / "none", CAREFUL), port, tmp_path / "log")
    server.wait_ready()
    yield server
    server.stop()
