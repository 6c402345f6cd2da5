"""Index rows on PostgreSQL are made anew whole or not at all, by one program that is alone (REL-24, REL-30)."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
import pytest

from creneau.search.rows import NONE
from creneau.store.migrate import UnknownSchema
from creneau.store.postgres import PostgresStore, open_postgres
from creneau.store.postgres_reindex import indexed
from tests.client import OK, Server
from tests.databases import created
from tests.people import practice

from .cluster import Cluster
from .made import plan, put

Run = Callable[..., Any]
CODES = "SELECT code FROM token WHERE tenant = $1 AND param = 'code' ORDER BY id"


def of(word: str) -> Callable[[Any], Any]:
    """Index rows with this code."""
    return lambda resource: NONE._replace(tokens=frozenset({("code", "", word)}))


@pytest.fixture
def opened(cluster: Cluster, run: Run) -> Iterator[PostgresStore]:
    """A store in a database of its own, with three patients."""
    store = run(open_postgres(created(cluster)))
    for number in range(3):
        run(store.commit(plan(put("Patient", f"p{number}"))))
    yield store
    run(store.close())


def codes(store: PostgresStore, run: Run) -> list[str]:
    return [code for (code,) in run(store.connections.rows(CODES, store.tenant))]


def url_of(store: PostgresStore, cluster: Cluster, run: Run) -> str:
    ((name,),) = run(store.connections.rows("SELECT current_database()"))
    return cluster.url.replace("/postgres?", f"/{name}?")


def test_rows_are_made_anew_once(opened: PostgresStore, run: Run) -> None:
    read = [run(indexed(opened, of("one"), "first")) for _ in range(2)]
    again = run(indexed(opened, of("two"), "second"))

    assert (read, again) == ([3, 0], 3)
    assert codes(opened, run) == ["two"] * 3


def test_what_ends_in_the_middle_leaves_all_as_it_was(opened: PostgresStore, run: Run) -> None:
    run(indexed(opened, of("one"), "first"))

    def fails(resource: Any) -> Any:
        raise KeyError("a fault")

    with pytest.raises(KeyError):
        run(indexed(opened, fails, "second"))

    assert codes(opened, run) == ["one"] * 3
    assert run(indexed(opened, of("one"), "first")) == 0


def test_another_program_on_the_database_refuses_it(
    opened: PostgresStore, cluster: Cluster, run: Run
) -> None:
    url = url_of(opened, cluster, run)
    run(indexed(opened, of("one"), "first"))
    other = run(asyncpg.connect(url, server_settings={"application_name": "creneau elsewhere"}))

    with pytest.raises(UnknownSchema, match="stop them first"):
        run(indexed(opened, of("two"), "second"))
    before = codes(opened, run)
    run(other.close())
    run(asyncio.sleep(0.2))
    done = run(indexed(opened, of("two"), "second"))

    assert (before, done) == (["one"] * 3, 3)


def test_of_two_that_start_at_once_one_does_it(opened: PostgresStore, cluster: Cluster, run: Run) -> None:
    url = url_of(opened, cluster, run)

    async def together() -> list[int]:
        other = await open_postgres(url)
        done = await asyncio.gather(indexed(opened, of("one"), "first"), indexed(other, of("one"), "first"))
        await other.close()
        return sorted(done)

    assert run(together()) == [0, 3]


def test_a_program_with_another_zone_does_not_start_beside_one_that_serves(
    cluster: Cluster, new_server: Callable[..., Server]
) -> None:
    server = new_server(database=created(cluster))
    at = practice(server)
    command = [sys.executable, "-m", "creneau", "serve", "--port", "0", "--database", server.database]

    done = subprocess.run(
        command,
        env={**os.environ, "CRENEAU_ZONE": "Indian/Reunion"},
        capture_output=True,
        timeout=30,
    )

    assert (done.returncode, done.stderr.count(b"\n")) == (1, 1)
    assert b"stop them first" in done.stderr
    assert server.get(f"/{at.practitioner}").status == OK
