"""One front door for the tests of this folder that do not need their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.running import Running


@pytest.fixture(scope="session")
def front() -> Iterator[Running]:
    with Running() as running:
        yield running
