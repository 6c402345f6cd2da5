"""The page of a query from PostgreSQL: the statements are those of `search_sql`, in its dialect. https://hl7.org/fhir/R4/search.html"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from creneau.search import cursor as positions
from creneau.search.cursor import Position
from creneau.search.query import Query
from creneau.store import search_sql
from creneau.store.contract import Page, Stored
from creneau.store.fill import fitting
from creneau.store.postgres_connections import Connections
from creneau.store.postgres_values import kept, kept_in

_LIST: Final = re.compile(r"\$(\d+)::text\[\]")


async def find(connections: Connections, query: Query, *, tenant: str, count: int | None = None) -> Page:
    """The page of current, live resources that `contract.Store.find` promises; the total may be of a moment later."""
    size = query.count if count is None else count
    limit = None if size is None else size + 1
    rows = await _rows(connections, search_sql.compile(query, tenant=tenant, count=limit, dialect="postgres"))
    some = [Stored._make(tuple(row)[:6]) for row in rows]
    if size is not None:
        some = fitting(some[:size])
    whole = len(some) == len(rows)
    after = None
    if some and not whole:
        last = tuple(rows[len(some) - 1])
        after = positions.write(Position(last[6:], last[1]))
    total = None
    if query.total == "accurate":
        total = len(rows)
        if query.after is not None or not whole:
            counting = search_sql.compile_count(query, tenant=tenant, dialect="postgres")
            ((total,),) = await _rows(connections, counting)
    return Page(some, after, total)


async def versions(connections: Connections, query: Query, *, tenant: str) -> dict[str, int]:
    """The version of all that matches, by id; no body is read."""
    statement = search_sql.compile_versions(query, tenant=tenant, dialect="postgres")
    return {id_: version for id_, version in await _rows(connections, statement)}


async def _rows(connections: Connections, statement: search_sql.Statement) -> list[Any]:
    return await connections.rows(statement.sql, *_arguments(statement))


def _arguments(statement: search_sql.Statement) -> list[Any]:
    """The arguments as PostgreSQL keeps texts; the lists among them, which are in JSON, as arrays."""
    given: list[Any] = list(kept_in(statement.args))
    for number in _LIST.findall(statement.sql):
        listed = msgspec.json.decode(str(statement.args[int(number) - 1]))
        given[int(number) - 1] = [kept(one) for one in listed]
    return given
