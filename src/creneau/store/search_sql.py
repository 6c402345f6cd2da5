"""A query as SQLite statements, and the page that they find. https://hl7.org/fhir/R4/search.html

A statement starts from the condition that an index narrows most (`RANKS`), tests the others on each id, orders, cuts the page, and only
then reads the bodies. Pages go on from the last match by its sort keys and id (`search/cursor.py`), never by an offset.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from typing import Final, NamedTuple

from creneau.fhir.definitions import is_primitive
from creneau.search import cursor as positions
from creneau.search import match
from creneau.search.cursor import Order, Position
from creneau.search.paths import is_single, types
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    Has,
    Ids,
    LastUpdated,
    LinkValue,
    Not,
    Query,
    Sort,
    Term,
    TokenValue,
)
from creneau.store.contract import Page, Stored
from creneau.store.fill import fitting
from creneau.store.search_dates import Arg, Dates, Sql
from creneau.store.search_where import LISTED, LIVE, OF_DATES, ONE, ROW, Scope, ids, test

DIALECTS: Final = ("sqlite", "postgres")
COLUMNS: Final = "r.type, r.id, r.version, r.updated, r.interaction, r.body"
NEVER: Final = 90
"""The rank from which a condition is not started from."""


class Statement(NamedTuple):
    """SQL with `?` marks (PostgreSQL: `$1`…), and their arguments. Its function `kilometres` is registered by `prepare`."""

    sql: str
    args: tuple[Arg, ...]


def prepare(connection: sqlite3.Connection) -> None:
    """Give a connection the function that `near` needs."""
    connection.create_function("kilometres", 4, match.kilometres, deterministic=True)


def find(cursor: sqlite3.Cursor, query: Query, *, tenant: str, count: int | None = None) -> Page:
    """The page of current, live resources that `contract.Store.find` promises; run it in one read transaction."""
    size = query.count if count is None else count
    statement = compile(query, tenant=tenant, count=None if size is None else size + 1)
    if "kilometres(" in statement.sql:
        prepare(cursor.connection)
    rows = cursor.execute(*statement).fetchall()
    kept = [Stored._make(row[:6]) for row in rows]
    if size is not None:
        kept = fitting(kept[:size])
    whole = len(kept) == len(rows)
    after = None
    if kept and not whole:
        last = rows[len(kept) - 1]
        after = positions.write(Position(last[6:], last[1]))
    total = _total(cursor, query, tenant, len(rows) if whole else None) if query.total == "accurate" else None
    return Page(kept, after, total)


def _total(cursor: sqlite3.Cursor, query: Query, tenant: str, seen: int | None) -> int:
    """How many match; `seen` is how many rows the page found when it is the last one."""
    if seen is not None and query.after is None:
        return seen
    (total,) = cursor.execute(*compile_count(query, tenant=tenant)).fetchone()
    return int(total)


def compile(query: Query, *, tenant: str, count: int | None, dialect: str = "sqlite") -> Statement:
    """The statement that finds `count` matches (None: all) from `query.after` on: columns of `Stored`, then the sort keys.

    Malformed when `query.after` does not fit the query; ValueError for a dialect not in `DIALECTS`.
    """
    if dialect not in DIALECTS:
        raise ValueError(f"no such dialect: {dialect}")
    scope, order = Scope(tenant, query.type), positions.order(query)
    inner = _page(_matching(query, scope), order, query.after, scope, outside=dialect != "sqlite")
    keys = "".join(f", p.k{number}" for number in range(len(order.sorts)))
    text = (
        f"SELECT {COLUMNS}{keys} FROM ({inner.text} LIMIT ?) p "
        f"CROSS JOIN resource r ON r.tenant = ? AND r.type = ? AND r.id = p.id ORDER BY {_ordered(order, 'p.')}"
    )
    if dialect == "postgres":
        return in_postgres(Statement(text, (*inner.args, count, *scope)))
    return Statement(text, (*inner.args, -1 if count is None else count, *scope))


def compile_count(query: Query, *, tenant: str, dialect: str = "sqlite") -> Statement:
    """The statement that counts all matches, wherever the page starts."""
    statement = _count(query, tenant)
    return in_postgres(statement) if dialect == "postgres" else statement


def _count(query: Query, tenant: str) -> Statement:
    scope = Scope(tenant, query.type)
    matching = _matching(query, scope)
    if matching.first is None:
        source = "resource d INDEXED BY resource_by_updated"
        text = f"SELECT count(*) FROM {source} WHERE {LIVE}{matching.tests.text}"
        return Statement(text, (*scope, *matching.tests.args))
    text = f"SELECT count(*) FROM ({matching.first.text}) d WHERE true{matching.tests.text}"
    return Statement(text, (*matching.first.args, *matching.tests.args))


def in_postgres(statement: Statement) -> Statement:
    """The same in PostgreSQL's words: it takes no hints, numbers its marks, and joins on a condition without CROSS."""
    text, args = _gathered_values(_HINTS.sub("", statement.sql), statement.args)
    for ours, theirs in _WORDS:
        text = text.replace(ours, theirs)
    parts = text.split("?")
    numbered = "".join(f"{part}${number}" for number, part in enumerate(parts[:-1], 1))
    return Statement(numbered + parts[-1], args)


def _gathered_values(text: str, args: tuple[Arg, ...]) -> tuple[str, tuple[Arg, ...]]:
    """Several identifiers as two lists, so that the statement is the same however many they are: each other text is planned anew."""
    for found in reversed(list(_RUN.finditer(text))):
        at, size = text.count("?", 0, found.start()), found[0].count("?")
        some = args[at : at + size]
        if len({some[number : number + 3] for number in range(0, size, 5)}) == 1:  # one parameter of one type
            codes, systems = (json.dumps(some[number::5]) for number in (3, 4))
            text = text[: found.start()] + _GATHERED + text[found.end() :]
            args = (*args[:at], codes, systems, *some[:3], *args[at + size :])
    return text, args


_VALUE: Final = f"SELECT id FROM token WHERE {ROW} AND code = ? AND system = ?"
_RUN: Final = re.compile(f"{re.escape(_VALUE)}(?: UNION ALL {re.escape(_VALUE)})+")
_GATHERED: Final = (
    "SELECT w.id FROM unnest(?::text[], ?::text[]) AS v (code, system) CROSS JOIN LATERAL "
    f"(SELECT id FROM token WHERE {ROW} AND code = v.code AND system = v.system OFFSET 0) AS w"
)
_HINTS: Final = re.compile(r" INDEXED BY \w+")
_WORDS: Final = (
    (OF_DATES, "SELECT id AS id"),
    ("CROSS JOIN resource", "JOIN resource"),
    ("instr(", "strpos("),
    ("IN ()", "IN (SELECT NULL WHERE false)"),
    (f"{ONE})", " OFFSET 0)"),
    (LISTED, "SELECT unnest(?::text[])"),
)


def versions(cursor: sqlite3.Cursor, query: Query, *, tenant: str) -> dict[str, int]:
    """The version of all that matches, by id; no body is read."""
    statement = compile_versions(query, tenant=tenant)
    if "kilometres(" in statement.sql:
        prepare(cursor.connection)
    return dict(cursor.execute(*statement).fetchall())


def compile_versions(query: Query, *, tenant: str, dialect: str = "sqlite") -> Statement:
    """The statement that gives the id and the version of all matches, wherever the page starts."""
    statement = _versions(query, tenant)
    return in_postgres(statement) if dialect == "postgres" else statement


def _versions(query: Query, tenant: str) -> Statement:
    scope = Scope(tenant, query.type)
    matching = _matching(query, scope)
    if matching.first is None:
        text = f"SELECT d.id, d.version FROM resource d WHERE {LIVE}{matching.tests.text}"
        return Statement(text, (*scope, *matching.tests.args))
    text = (
        f"SELECT r.id, r.version FROM ({matching.first.text}) d CROSS JOIN resource r "
        f"ON r.tenant = ? AND r.type = ? AND r.id = d.id WHERE true{matching.tests.text}"
    )
    return Statement(text, (*matching.first.args, *scope, *matching.tests.args))


class Matching(NamedTuple):
    """Where a query starts (`first`, None: all resources of the type) and what it tests then; `dates`: what it starts from, if that."""

    first: Sql | None
    tests: Sql
    dates: Dates | None = None


def _matching(query: Query, scope: Scope) -> Matching:
    conditions = _grouped(query.conditions)
    ranks = [rank(condition) for condition in conditions]
    best = min(ranks, default=NEVER)
    first = conditions.pop(ranks.index(best)) if best < NEVER else None
    tests = [test(condition, scope, "d.id") for condition in conditions]
    tested = Sql("".join(f" AND {one.text}" for one in tests), tuple(a for one in tests for a in one.args))
    if first is None:
        return Matching(None, tested)
    found = ids(first, scope)
    if not _distinct(first):
        return Matching(Sql(f"SELECT DISTINCT id FROM ({found.text}) u", found.args), tested)
    return Matching(found, tested, first if isinstance(first, Dates) else None)


def _grouped(conditions: Sequence[Condition]) -> list[Condition | Dates]:
    """The conditions, all terms on one date of which there is one value at most together."""
    found: list[Condition | Dates] = []
    dated: dict[str, list[Term]] = {}
    for one in conditions:
        if (
            isinstance(one, Term)
            and one.parameter.kind == "date"
            and not one.modifier
            and is_single(one.parameter)
        ):
            dated.setdefault(one.parameter.code, []).append(one)
        else:
            found.append(one)
    return found + [Dates(terms[0].parameter, tuple(terms)) for terms in dated.values()]


def rank(condition: Condition | Dates) -> int:
    """How little a condition is expected to leave: the least is started from."""
    match condition:
        case Dates():
            return 30 if condition.bounds().closed else 70
        case Term():
            return _rank_of_term(condition)
        case Chain(inner=inner):
            return rank(inner) + 5 if rank(inner) < NEVER else 85
        case AnyOf(conditions):
            return max(rank(one) for one in conditions) + 1
        case _:
            return RANKS[type(condition)]


RANKS: Final[dict[type, int]] = {Ids: 0, Has: 55, LastUpdated: 60, Not: NEVER}


def _rank_of_term(term: Term) -> int:
    if term.modifier in ("not", "missing"):
        return NEVER if term.modifier == "not" or term.values[0] == TokenValue(None, "true") else 80
    if term.modifier == "contains":
        return 75
    if term.parameter.code == "identifier" or term.modifier == "identifier":
        return 5
    if term.parameter.kind == "token":
        return 68 if all(is_primitive(type) for type in types(term.parameter)) else 65
    return {"reference": 10, "special": 35, "string": 40}.get(term.parameter.kind, 60)


def _distinct(condition: Condition | Dates) -> bool:
    """Whether `ids` gives each id once."""
    if isinstance(condition, Term) and len(condition.values) == 1 and not condition.modifier:
        (value,) = condition.values
        if isinstance(value, TokenValue):
            return value.code is not None and value.system is not None
        return isinstance(value, LinkValue) and value.type is not None
    return isinstance(condition, Ids | Dates | LastUpdated)


def _page(matching: Matching, order: Order, after: str | None, scope: Scope, *, outside: bool) -> Sql:
    """The ids and sort keys of the matches after a position, in order; `outside`: expressions of keys see only those of a subquery."""
    found = _gathered(_keyed(matching, order, scope), order, scope)
    by = f" ORDER BY {_ordered(order, '')}"
    if after is None:
        if outside and order.sorts:
            return Sql(f"SELECT * FROM ({found.text}) d{by}", found.args)
        return Sql(found.text + by, found.args)
    rest = _rest(order, positions.read(after, order.sorts))
    if not order.sorts:
        return Sql(f"{found.text} AND {rest.text}{by}", (*found.args, *rest.args))
    return Sql(f"SELECT * FROM ({found.text}) d WHERE {rest.text}{by}", (*found.args, *rest.args))


def _keyed(matching: Matching, order: Order, scope: Scope) -> Sql:
    """The ids of all matches, with the sort keys that are found by the id: NULL for those that `_gathered` adds."""
    keys = [_key(sort, matching, scope) for sort in order.sorts]
    columns = "".join(f", {key.text} AS k{number}" for number, key in enumerate(keys))
    source, where = _source(matching, order, scope)
    text = f"SELECT d.id AS id{columns} FROM {source.text} WHERE {where.text}{matching.tests.text}"
    of_keys = (a for key in keys for a in key.args)
    return Sql(text, (*of_keys, *source.args, *where.args, *matching.tests.args))


def _gathered(found: Sql, order: Order, scope: Scope) -> Sql:
    """The same with all sort keys. Rows of texts, links and tokens are walked once, whatever the matches: no index leads with ids.

    Values are `v0`…, the keys made of them `k0`…: in `ORDER BY k0 IS NULL` SQLite takes a column named k0 before the key.
    """
    sorts = order.sorts
    added = [number for number, sort in enumerate(sorts) if sort.parameter and sort.parameter.kind != "date"]
    if not added:
        return found
    columns = "".join(f", {_least(sort)}(v{number}) AS k{number}" for number, sort in enumerate(sorts))
    found_keys = "".join(f", k{number} AS v{number}" for number in range(len(sorts)))
    parts = [_values(sorts[number], number, len(sorts), scope) for number in added]
    union = "".join(f" UNION ALL {part.text}" for part in parts)
    text = f"WITH m AS MATERIALIZED ({found.text}) SELECT id{columns} FROM (SELECT id{found_keys} FROM m{union}) g GROUP BY id"
    return Sql(text, (*found.args, *(a for part in parts for a in part.args)))


def _values(sort: Sort, number: int, of: int, scope: Scope) -> Sql:
    """The values of one sort key of each match, in the column of that number."""
    assert sort.parameter is not None
    table, column = KEYS.get(sort.parameter.kind, ("token", "code"))
    columns = ", ".join(column if index == number else "NULL" for index in range(of))
    text = f"SELECT id, {columns} FROM {table} WHERE {ROW} AND id IN (SELECT id FROM m)"
    return Sql(text, (*scope, sort.parameter.code))


KEYS: Final = {"string": ("text", "folded"), "reference": ("link", "target_type || '/' || target_id")}
"""By kind of parameter, the table and the expression of its sort key; others are tokens."""


def _least(sort: Sort) -> str:
    return "max" if sort.descending else "min"


def _source(matching: Matching, order: Order, scope: Scope) -> tuple[Sql, Sql]:
    if matching.first is None:
        by_updated = order.sorts and order.sorts[0].parameter is None
        return Sql("resource d" + (" INDEXED BY resource_by_updated" if by_updated else "")), Sql(LIVE, scope)
    first = matching.first
    if matching.dates is not None:
        first = Sql(first.text.replace(OF_DATES, f"{OF_DATES}, lo", 1), first.args)
    return Sql(f"({first.text}) d", first.args), Sql("true")


def _key(sort: Sort, matching: Matching, scope: Scope) -> Sql:
    if sort.parameter is None:
        if matching.first is None:
            return Sql("d.updated")
        return Sql("(SELECT updated FROM resource WHERE tenant = ? AND type = ? AND id = d.id)", scope)
    if sort.parameter.kind != "date":
        return Sql("NULL")
    if matching.dates is not None and matching.dates.parameter is sort.parameter:
        return Sql("d.lo")
    source = "period INDEXED BY period_by_id"
    text = f"(SELECT {_least(sort)}(lo) FROM {source} WHERE {ROW} AND id = d.id)"
    return Sql(text, (*scope, sort.parameter.code))


def _ordered(order: Order, of: str) -> str:
    terms = []
    for number, sort in enumerate(order.sorts):
        if sort.parameter is not None:
            terms.append(f"{of}k{number} IS NULL")
        terms.append(f"{of}k{number}{' DESC' if sort.descending else ''}")
    return ", ".join([*terms, f"{of}id{' DESC' if order.descending else ''}"])


def _rest(order: Order, position: Position) -> Sql:
    """What comes after a position: the first key that differs says so, without value last; else the id."""
    found = Sql(f"d.id {'<' if order.descending else '>'} ?", (position.id,))
    for number in reversed(range(len(order.sorts))):
        key, column = position.keys[number], f"k{number}"
        if key is None:
            found = Sql(f"({column} IS NULL AND {found.text})", found.args)
        else:
            sign = "<" if order.sorts[number].descending else ">"
            text = f"({column} {sign} ? OR {column} IS NULL OR ({column} = ? AND {found.text}))"
            found = Sql(text, (key, key, *found.args))
    return found
