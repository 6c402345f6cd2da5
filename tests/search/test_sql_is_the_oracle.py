"""SQL finds what plain evaluation finds, and pages together are the whole (REL-23)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from creneau.search import match
from creneau.search.match import Held
from creneau.search.query import Query
from creneau.search.rows import NONE
from creneau.store import search_sql
from tests.search import made

EXAMPLES = int(os.environ.get("SEARCH_EXAMPLES", "40"))
"""More in a long run: REL-23 asks for 10^5 queries without a difference."""

DATABASE = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def database() -> Iterator[made.Database]:
    found = made.Database()
    yield found
    found.connection.close()


def found_by_sql(
    database: made.Database, query: Query, count: int | None = None
) -> tuple[list[str], str | None, int | None]:
    page = search_sql.find(database.connection.cursor(), query, tenant="t", count=count)
    return [one.id for one in page.items], page.next, page.total


@DATABASE
@given(world=made.worlds(), query=made.queries())
def test_sql_finds_what_the_oracle_finds(database: made.Database, world: made.World, query: Query) -> None:
    database.fill(world)

    ids, next, total = found_by_sql(database, query)

    assert ids == match.select(query, world)
    assert next is None
    assert total == len(ids)


@DATABASE
@given(world=made.worlds(), query=made.queries(), count=st.integers(0, 3))
def test_pages_of_sql_are_those_of_the_oracle(
    database: made.Database, world: made.World, query: Query, count: int
) -> None:
    database.fill(world)

    for _ in range(6):
        expected = match.page(query, world, count=count)
        assert found_by_sql(database, query, count) == tuple(expected)
        if expected.next is None:
            break
        query = replace(query, after=expected.next)


@DATABASE
@given(world=made.worlds(), query=made.queries(), count=st.integers(1, 2))
def test_pages_together_are_the_whole_while_others_are_written(
    database: made.Database, world: made.World, query: Query, count: int
) -> None:
    database.fill(world)
    whole = match.select(query, world)

    pages: list[str] = []
    after: str | None = None
    for turn in range(10):
        ids, after, _ = found_by_sql(database, replace(query, after=after), count)
        pages += ids
        if after is None:
            break
        for type in made.SEARCHED:
            database.put(type, f"deleted-{turn}", Held(NONE, 0), interaction="delete")
            database.put(type, f"b{turn}", Held(NONE, 0), tenant="other")
        newcomer = {f"b{turn}": Held(NONE, turn)}
        if not match.select(query, {**world, query.type: newcomer}):
            database.put(query.type, f"b{turn}", newcomer[f"b{turn}"])

    assert pages == whole


def test_the_rows_of_another_tenant_are_never_found(database: made.Database) -> None:
    database.fill({"Patient": {"mine": Held(NONE, 0)}})
    database.fill({"Patient": {"theirs": Held(NONE, 0)}}, tenant="other")

    ids, _, total = found_by_sql(database, Query("Patient"))

    assert (ids, total) == (["mine"], 1)
