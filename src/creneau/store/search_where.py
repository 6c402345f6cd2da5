"""Conditions of a search as SQLite's SQL over the index tables of `migrations/sqlite`.

https://hl7.org/fhir/R4/search.html. Each condition has two forms: the ids that satisfy it (`ids`, to start from), and whether a given id does
(`test`, to restrict). Index rows exist for live resources only. `search/match.py` says the same in memory; tests compare both.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from creneau.search.match import EARTH
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    Has,
    Ids,
    LastUpdated,
    LinkValue,
    NearValue,
    Not,
    Term,
    TextValue,
    TokenValue,
    Value,
)
from creneau.store import search_dates as dates
from creneau.store.search_dates import Dates, Sql, joined

DIRECTORY: Final = ("PractitionerRole", "Schedule")
OF_DIRECTORY: Final = "type IN ('PractitionerRole', 'Schedule')"
"""As the index `link_by_source` says it, or SQLite does not take the index."""

SEEKS: Final = 8
"""Up to so many values an id is looked up under each; beyond, the ids of all values are gathered once."""


class Scope(NamedTuple):
    """Whose resources, and of which type."""

    tenant: str
    type: str


OF_DATES: Final = "SELECT +id AS id"
"""`+` hides the order of ids: without statistics SQLite preferred to walk all of `period_by_id` in that order."""

RESOURCE: Final = "resource INDEXED BY sqlite_autoindex_resource_1"
"""The table by its key, the ids: without statistics SQLite preferred to walk `resource_by_updated`."""

MARKS: Final = 250
"""Up to so many values each have a mark of their own."""

ONE: Final = " LIMIT 1"
"""Ends what is looked up by an id: in PostgreSQL's words it keeps the planner from looking up all ids at once."""

LISTED: Final = "SELECT value FROM json_each(?)"
"""A list as one argument, in JSON."""

ROW: Final = "tenant = ? AND type = ? AND param = ?"
LIVE: Final = "tenant = ? AND type = ? AND interaction <> 'delete'"


def ids(condition: Condition | Dates, scope: Scope) -> Sql:
    """A SELECT of the ids of live resources that satisfy a condition; an id may come several times."""
    match condition:
        case Term():
            return _ids_of_term(condition, scope)
        case AnyOf(conditions):
            return _union(ids(each, scope) for each in conditions)
        case Not(inner):
            return _others(inner, scope)
        case Chain():
            return _chain(condition, scope)
        case Has():
            return _has(condition, scope)
        case _:
            return _ids_of_columns(condition, scope)


def _ids_of_term(term: Term, scope: Scope) -> Sql:
    if term.modifier == "not":
        return _others(Term(term.parameter, term.values), scope)
    if term.modifier != "missing" and term.parameter.kind == "date":
        return _ids_of_columns(Dates(term.parameter, (term,)), scope)
    if term.modifier != "missing":
        return _union(_value(term, value, scope) for value in _merged(term))
    present = _present(term, scope)
    if term.values[0] == TokenValue(None, "false"):
        return present
    return Sql(
        f"SELECT id FROM resource WHERE {LIVE} AND id NOT IN ({present.text})", (*scope, *present.args)
    )


def _ids_of_columns(condition: Dates | Ids | LastUpdated, scope: Scope) -> Sql:
    match condition:
        case Dates():
            where = condition.where()
            text = f"{OF_DATES} FROM period WHERE {ROW} AND {where.text}"
            return Sql(text, (*scope, condition.code, *where.args))
        case Ids(wanted):
            listed = _listed(wanted)
            text = f"SELECT id FROM {RESOURCE} WHERE {LIVE} AND id IN ({listed.text})"
            return Sql(text, (*scope, *listed.args))
        case _:
            where = dates.updated(condition.values)
            source = "resource INDEXED BY resource_by_updated"
            return Sql(f"SELECT id FROM {source} WHERE {LIVE} AND {where.text}", (*scope, *where.args))


def test(condition: Condition | Dates, scope: Scope, id: str) -> Sql:
    """A boolean expression: whether the live resource whose id the expression `id` gives satisfies a condition."""
    match condition:
        case Term():
            return _test_of_term(condition, scope, id)
        case AnyOf(conditions):
            return _either(test(each, scope, id) for each in conditions)
        case Not(inner):
            return _not(test(inner, scope, id))
        case Chain() if scope.type in DIRECTORY and _positive(condition):
            return _test_of_chain(condition, scope, id)
        case Chain() | Has():
            return _among(ids(condition, scope), id)
        case _:
            return _test_of_columns(condition, scope, id)


def _test_of_term(term: Term, scope: Scope, id: str) -> Sql:
    if term.modifier == "not":
        return _not(_test_of_term(Term(term.parameter, term.values), scope, id))
    if term.modifier == "missing":
        found = _among(_present(term, scope), id)
        return found if term.values[0] == TokenValue(None, "false") else _not(found)
    if term.parameter.kind == "date":
        return _test_of_columns(Dates(term.parameter, (term,)), scope, id)
    if not _seekable(term):
        return _among(_ids_of_term(term, scope), id)
    return _either(_at(_value(term, value, scope), id) for value in term.values)


def _test_of_columns(condition: Dates | Ids | LastUpdated, scope: Scope, id: str) -> Sql:
    match condition:
        case Dates():
            where = condition.where()
            text = f"EXISTS (SELECT 1 FROM period INDEXED BY period_by_id WHERE {ROW} AND id = {id} AND {where.text}{ONE})"
            return Sql(text, (*scope, condition.code, *where.args))
        case Ids(wanted):
            return _among(_listed(wanted), id)
        case _:
            where = dates.updated(condition.values)
            text = f"EXISTS (SELECT 1 FROM resource WHERE {LIVE} AND id = {id} AND {where.text})"
            return Sql(text, (*scope, *where.args))


def _at(found: Sql, id: str) -> Sql:
    return Sql(f"EXISTS ({found.text} AND id = {id})", found.args)


def _seekable(term: Term) -> bool:
    """Whether the id is the next column of the key once the value is known."""
    return len(term.values) <= SEEKS and all(_is_exact(term, value) for value in term.values)


def _is_exact(term: Term, value: Value) -> bool:
    match value:
        case LinkValue(type=type):
            return type is not None or bool(term.parameter.targets)
        case TokenValue(code=code):
            return code is not None
    return False


def _merged(term: Term) -> Sequence[Value | tuple[str, ...]]:
    """The values, all bare codes as one."""
    bare = tuple(
        value.code
        for value in term.values
        if isinstance(value, TokenValue) and value.system is None and value.code is not None
    )
    if len(bare) < 2:
        return term.values
    rest = [value for value in term.values if not (isinstance(value, TokenValue) and value.system is None)]
    return [bare, *rest]


def _value(term: Term, value: Value | tuple[str, ...], scope: Scope) -> Sql:
    code = term.parameter.code
    match value:
        case tuple():
            where = Sql(f"code IN ({_marks(value)})", value)
            return _rows("token", scope, _named(code, term), where)
        case TokenValue():
            return _rows("token", scope, _named(code, term), _token(value))
        case TextValue():
            return _rows("text", scope, _named(code, term), _text(term.modifier, value))
        case LinkValue():
            return _rows("link", scope, code, _link(term, value))
    assert isinstance(value, NearValue), "dates are read by `Dates`"
    return _rows("place", scope, code, _near(value))


def _named(code: str, term: Term) -> str:
    return f"{code}:{term.modifier}" if term.modifier in ("identifier", "text") else code


def _rows(table: str, scope: Scope, param: str, where: Sql) -> Sql:
    return Sql(f"SELECT id FROM {table} WHERE {ROW} AND {where.text}", (*scope, param, *where.args))


def _token(value: TokenValue) -> Sql:
    if value.code is None:
        return Sql("system = ?", (value.system,))
    if value.system is None:
        return Sql("code = ?", (value.code,))
    return Sql("code = ? AND system = ?", (value.code, value.system))


def _text(modifier: str, value: TextValue) -> Sql:
    if modifier == "exact":
        return Sql("folded = ? AND text = ?", (value.folded, value.text))
    if modifier == "contains":
        return Sql("instr(folded, ?) > 0", (value.folded,))
    after = successor(value.folded)
    if after is None:
        return Sql("folded >= ?", (value.folded,))
    return Sql("folded >= ? AND folded < ?", (value.folded, after))


def successor(prefix: str) -> str | None:
    """The least text that is greater than every text with this prefix, by code points; None when there is none."""
    while prefix:
        last = ord(prefix[-1])
        if last < 0x10FFFF:
            return prefix[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)
        prefix = prefix[:-1]
    return None


def _link(term: Term, value: LinkValue) -> Sql:
    if value.type is not None:
        return Sql("target_type = ? AND target_id = ?", (value.type, value.id))
    types = term.parameter.targets
    if not types:
        return Sql("target_id = ?", (value.id,))
    return Sql(f"target_type IN ({_marks(types)}) AND target_id = ?", (*types, value.id))


def _near(value: NearValue) -> Sql:
    """A box that holds the circle, then the circle itself: `kilometres` is `match.kilometres`, given by the store."""
    latitude, longitude, distance = value.latitude, value.longitude, value.kilometres
    angle = distance / EARTH + 1e-9
    low, high = latitude - math.degrees(angle), latitude + math.degrees(angle)
    box = Sql("latitude BETWEEN ? AND ?", (low, high))
    if low > -89 and high < 89:
        reach = math.degrees(math.asin(min(1.0, math.sin(angle) / math.cos(math.radians(latitude))))) + 1e-9
        if abs(longitude) + reach < 180:
            box = joined(box, Sql("longitude BETWEEN ? AND ?", (longitude - reach, longitude + reach)))
    return joined(box, Sql("kilometres(?, ?, latitude, longitude) <= ?", (latitude, longitude, distance)))


def _present(term: Term, scope: Scope) -> Sql:
    """The ids of resources that have any row of the parameter."""
    tables = ("token", "period", "text", "link", "place")
    code = term.parameter.code
    names = (code, f"{code}:text", f"{code}:identifier")
    where = "tenant = ? AND type = ? AND param IN (?, ?, ?)"
    return _union(Sql(f"SELECT id FROM {table} WHERE {where}", (*scope, *names)) for table in tables)


def _chain(chain: Chain, scope: Scope) -> Sql:
    inner = ids(chain.inner, Scope(scope.tenant, chain.target))
    text = f"SELECT id FROM link WHERE {ROW} AND target_type = ? AND target_id IN ({inner.text})"
    return Sql(text, (*scope, chain.parameter.code, chain.target, *inner.args))


def _test_of_chain(chain: Chain, scope: Scope, id: str) -> Sql:
    """The references of one resource are read, then what they lead to is tested."""
    link = id.partition(".")[0] + "l"  # chains within chains each need a name of their own
    inner = test(chain.inner, Scope(scope.tenant, chain.target), f"{link}.target_id")
    where = f"{link}.tenant = ? AND {link}.type = ? AND {link}.{OF_DIRECTORY} AND {link}.id = {id} AND {link}.param = ?"
    text = f"SELECT 1 FROM link {link} INDEXED BY link_by_source WHERE {where} AND {link}.target_type = ? AND {inner.text}"
    return Sql(f"EXISTS ({text})", (*scope, chain.parameter.code, chain.target, *inner.args))


def _positive(condition: Condition) -> bool:
    """Whether it never holds of what is not there: then nothing has to be asked about whether it is."""
    match condition:
        case Term(modifier=modifier):
            return modifier not in ("not", "missing")
        case Chain(inner=inner):
            return _positive(inner)
        case AnyOf(conditions):
            return all(map(_positive, conditions))
    return False


def _has(has: Has, scope: Scope) -> Sql:
    source = Scope(scope.tenant, has.source)
    inner = ids(has.inner, source)
    live = f"EXISTS (SELECT 1 FROM resource WHERE {LIVE} AND id = link.target_id)"
    text = f"SELECT target_id AS id FROM link WHERE {ROW} AND target_type = ? AND id IN ({inner.text}) AND {live}"
    return Sql(text, (*source, has.parameter.code, scope.type, *inner.args, *scope))


def _others(condition: Condition, scope: Scope) -> Sql:
    found = test(condition, scope, "o.id")
    return Sql(f"SELECT id FROM resource o WHERE {LIVE} AND NOT ({found.text})", (*scope, *found.args))


def _union(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    return Sql(" UNION ALL ".join(part.text for part in found), tuple(a for part in found for a in part.args))


def _either(parts: Iterable[Sql]) -> Sql:
    found = list(parts)
    text = " OR ".join(part.text for part in found)
    return Sql(f"({text})" if len(found) > 1 else text, tuple(a for part in found for a in part.args))


def _not(sql: Sql) -> Sql:
    return Sql(f"NOT ({sql.text})", sql.args)


def _among(found: Sql, id: str) -> Sql:
    return Sql(f"{id} IN ({found.text})", found.args)


def _listed(values: Sequence[str]) -> Sql:
    """What stands between the brackets of IN; many values are one argument, for statements have a limit of those."""
    if len(values) <= MARKS:
        return Sql(_marks(values), tuple(values))
    return Sql(LISTED, (json.dumps(values),))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
