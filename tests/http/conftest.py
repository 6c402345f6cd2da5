"""One front door for the tests of this folder that do not need their own; `--store postgres` puts each on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from creneau.store.contract import Store
from creneau.store.postgres import open_postgres
from tests.http.running import Running


@pytest.fixture(scope="session", autouse=True)
def stored(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every front door of a session has a tenant of its own where the session is about PostgreSQL."""
    if request.config.getoption("--store") == "sqlite":
        yield
        return
    url = request.getfixturevalue("cluster").url

    async def on_postgres() -> Store:
        return await open_postgres(url, tenant=uuid.uuid4().hex)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Running, "opened", staticmethod(on_postgres))
        yield


@pytest.fixture(scope="session")
def front() -> Iterator[Running]:
    with Running() as running:
        yield running
