"""Lets these tests import `bench` and `torture`, which live beside `src`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from bench.server import HOST, Server, free_port  # noqa: E402  the path above comes first


def standin(directory: Path, careless: bool) -> Server:
    """The stand-in server, ready."""
    port = free_port()
    options = ["--app-dir", str(HERE), "--host", HOST, "--port", str(port), "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "standin:app", *options]
    server = Server(["env", f"STANDIN_CARELESS={int(careless)}", *command], port, directory / "standin.log")
    server.wait_ready()
    return server


@pytest.fixture
def careful(tmp_path: Path) -> Iterator[Server]:
    """A small FHIR server that guards what it writes."""
    server = standin(tmp_path, careless=False)
    yield server
    server.stop()


@pytest.fixture
def careless(tmp_path: Path) -> Iterator[Server]:
    """The same, which checks first and writes later."""
    server = standin(tmp_path, careless=True)
    yield server
    server.stop()
