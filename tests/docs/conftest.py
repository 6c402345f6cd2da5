"""A server with the demo data, for all that the pages show."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.client import Server


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all pages: each uses professionals of its own, and starts from what `creneau demo` loads."""
    folder = tmp_path_factory.mktemp("demonstration")
    database = f"sqlite:{folder / 'demo.sqlite'}"
    subprocess.run(
        [sys.executable, "-m", "creneau", "demo", "--database", database], check=True, capture_output=True
    )
    running = Server(database, log=folder / "log").start()
    yield running
    assert running.stop() == 0
