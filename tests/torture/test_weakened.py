"""Guards are taken out of everything in the database that writes; a control that noticed nothing is tried again."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from tests.databases import created
from tests.store.cluster import Cluster
from torture.runner import CONTROL_TRIES, Wanted, without
from torture.table import chosen
from torture.weakened import WEAKNESSES, WRITERS, weaken

from creneau.store.postgres import open_postgres
from torture import runner

CODE = "SELECT string_agg(prosrc, ' ') FROM pg_proc WHERE oid::regproc::text = ANY ($1::text[])"


async def weakened(url: str, guard: str, first: str = "") -> tuple[list[str], str]:
    """The functions that write to a fresh database, and their code without this guard; `first`: a statement run before."""
    await (await open_postgres(url)).close()
    connection = await asyncpg.connect(url)
    try:
        if first:
            await connection.execute(first)
        await weaken(url, guard)
        names = [name for (name,) in await connection.fetch(WRITERS)]
        return names, await connection.fetchval(CODE, names)
    finally:
        await connection.close()


@pytest.mark.parametrize("guard", WEAKNESSES)
def test_no_function_that_writes_keeps_the_guard(cluster: Cluster, guard: str) -> None:
    names, code = asyncio.run(weakened(created(cluster), guard))

    assert names == ["creneau_commit", "creneau_create"]
    assert WEAKNESSES[guard].old not in code
    assert WEAKNESSES[guard].new in code


def test_another_function_that_writes_without_the_known_line_is_an_error(cluster: Cluster) -> None:
    another = """
        CREATE FUNCTION creneau_other() RETURNS void LANGUAGE sql
        AS $$ INSERT INTO resource SELECT * FROM resource WHERE false $$
    """

    with pytest.raises(LookupError, match="creneau_other"):
        asyncio.run(weakened(created(cluster), "synchronous", another))


@pytest.mark.parametrize(("noticed_at", "tries"), [(1, 1), (3, 3), (99, CONTROL_TRIES)])
def test_a_control_is_tried_again_until_it_is_noticed(
    monkeypatch: pytest.MonkeyPatch, noticed_at: int, tries: int
) -> None:
    seeds: list[int] = []

    def batch(scenarios: Any, wanted: Wanted, *_: Any) -> list[dict[str, Any]]:
        seeds.append(wanted.seed)
        return [{"name": one.name, "noticed": len(seeds) >= noticed_at} for one in scenarios]

    monkeypatch.setattr(runner, "batch", batch)

    (control,) = without("overlap", chosen(["one-winner"]), Wanted(), None)

    assert (control["tries"], control["noticed"]) == (tries, noticed_at <= CONTROL_TRIES)
    assert len(set(seeds)) == tries
