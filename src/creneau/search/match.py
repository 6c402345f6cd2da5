"""Which resources a query finds, evaluated plainly in memory: what the SQL of the stores is compared with (REL-23).

https://hl7.org/fhir/R4/search.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from creneau.search import cursor
from creneau.search.cursor import Key, Position
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    DateValue,
    Has,
    Ids,
    LastUpdated,
    LinkValue,
    Not,
    Query,
    Sort,
    Term,
    TextValue,
    TokenValue,
    Value,
)
from creneau.search.rows import Period, Rows

EARTH: Final = 6371.0088
"""Mean radius in kilometres."""


class Held(NamedTuple):
    """A live resource: its index rows, and when it was last updated (microseconds since 1970 UTC)."""

    rows: Rows
    updated: int


World = Mapping[str, Mapping[str, Held]]
"""By type and id, all that is searched."""


class Matches(NamedTuple):
    """A page of ids, the word of the next page (None at the end), and how many match in all."""

    ids: list[str]
    next: str | None
    total: int


def select(query: Query, held: World) -> list[str]:
    """The ids of the resources that satisfy the query, in its order, pages not considered."""
    mine = held.get(query.type, {})
    found = [
        id for id in mine if all(holds(condition, query.type, id, held) for condition in query.conditions)
    ]
    sorts, descending = cursor.order(query)
    found.sort(reverse=descending)
    for sort in reversed(sorts):
        found = _sorted(sort, found, mine)
    return found


def page(query: Query, held: World, *, count: int | None = None) -> Matches:
    """The page that starts after `query.after`, of `count` matches (None: `query.count`, else all)."""
    found = select(query, held)
    mine, (sorts, _) = held.get(query.type, {}), cursor.order(query)
    rest = found
    if query.after is not None:
        position = cursor.read(query.after, sorts)
        rest = [id for id in found if follows(query, _position(sorts, id, mine), position)]
    size = query.count if count is None else count
    ids = rest if size is None else rest[:size]
    more = ids and len(rest) > len(ids)
    return Matches(ids, cursor.write(_position(sorts, ids[-1], mine)) if more else None, len(found))


def follows(query: Query, one: Position, other: Position) -> bool:
    """Whether a match comes after another one in the order of the query; those without value come last."""
    sorts, descending = cursor.order(query)
    for sort, mine, its in zip(sorts, one.keys, other.keys, strict=True):
        if mine != its:
            return its is not None and (mine is None or _after(mine, its, sort.descending))
    return _after(one.id, other.id, descending)


def _after(mine: Key, its: Key, descending: bool) -> bool:
    greater: bool = mine > its  # type: ignore[operator]  # keys of one sort are of one type
    return greater != descending and mine != its


def _position(sorts: tuple[Sort, ...], id: str, mine: Mapping[str, Held]) -> Position:
    return Position(tuple(key(sort, id, mine[id]) for sort in sorts), id)


def _sorted(sort: Sort, ids: list[str], mine: Mapping[str, Held]) -> list[str]:
    keys = {id: key(sort, id, mine[id]) for id in ids}
    present = [id for id in ids if keys[id] is not None]
    present.sort(key=lambda id: keys[id], reverse=sort.descending)  # type: ignore[arg-type,return-value]  # none is None
    return present + [id for id in ids if keys[id] is None]


def key(sort: Sort, id: str, one: Held) -> Key:
    """What a resource is sorted by: the least of its values, the greatest when descending; None without any."""
    if sort.parameter is None:
        return one.updated
    code, rows = sort.parameter.code, one.rows
    found: list[Key] = []
    match sort.parameter.kind:
        case "date":
            found += [period.lo for period in rows.periods if period.param == code]
        case "string":
            found += [text.folded for text in rows.texts if text.param == code]
        case "reference":
            found += [f"{link.type}/{link.id}" for link in rows.links if link.param == code]
        case _:
            found += [token.code for token in rows.tokens if token.param == code]
    if not found:
        return None
    return max(found) if sort.descending else min(found)  # type: ignore[type-var]  # all are of one type


def holds(condition: Condition, type: str, id: str, held: World) -> bool:
    """Whether the resource satisfies the condition."""
    one = held[type][id]
    match condition:
        case Term():
            return term(condition, one.rows)
        case Ids(ids):
            return id in ids
        case LastUpdated(values):
            return any(compare(value, one.updated, one.updated + 1) for value in values)
        case AnyOf(conditions):
            return any(holds(each, type, id, held) for each in conditions)
        case Not(inner):
            return not holds(inner, type, id, held)
        case Chain():
            return _chain(condition, one.rows, held)
        case _:
            return _has(condition, type, id, held)


def _chain(chain: Chain, rows: Rows, held: World) -> bool:
    there = held.get(chain.target, {})
    return any(
        holds(chain.inner, chain.target, link.id, held)
        for link in rows.links
        if link.param == chain.parameter.code and link.type == chain.target and link.id in there
    )


def _has(has: Has, type: str, id: str, held: World) -> bool:
    wanted = (has.parameter.code, type, id)
    return any(
        wanted in one.rows.links and holds(has.inner, has.source, source, held)
        for source, one in held.get(has.source, {}).items()
    )


def term(wanted: Term, rows: Rows) -> bool:
    """Whether index rows satisfy one term."""
    if wanted.modifier == "missing":
        return _present(wanted, rows) != (wanted.values[0] == TokenValue(None, "true"))
    found = any(_value(wanted, value, rows) for value in wanted.values)
    return not found if wanted.modifier == "not" else found


def _present(wanted: Term, rows: Rows) -> bool:
    code = wanted.parameter.code
    names = (code, f"{code}:text", f"{code}:identifier")
    return any(row[0] in names for table in rows for row in table)


def _value(wanted: Term, value: Value, rows: Rows) -> bool:
    code = wanted.parameter.code
    match value:
        case TokenValue():
            return _token(f"{code}:identifier" if wanted.modifier == "identifier" else code, value, rows)
        case DateValue():
            return any(_dated(value, period) for period in rows.periods if period.param == code)
        case TextValue():
            return _text(f"{code}:text" if wanted.modifier == "text" else code, wanted.modifier, value, rows)
        case LinkValue():
            return _link(wanted, value, rows)
        case _:
            return any(
                kilometres(value.latitude, value.longitude, place.latitude, place.longitude)
                <= value.kilometres
                for place in rows.places
                if place.param == code
            )


def _token(param: str, value: TokenValue, rows: Rows) -> bool:
    return any(
        row.param == param and value.system in (None, row.system) and value.code in (None, row.code)
        for row in rows.tokens
    )


def _text(param: str, modifier: str, value: TextValue, rows: Rows) -> bool:
    mine = [row for row in rows.texts if row.param == param]
    if modifier == "exact":
        return any(row.text == value.text for row in mine)
    if modifier == "contains":
        return any(value.folded in row.folded for row in mine)
    return any(row.folded.startswith(value.folded) for row in mine)


def _link(wanted: Term, value: LinkValue, rows: Rows) -> bool:
    types = (value.type,) if value.type else wanted.parameter.targets
    return any(
        row.param == wanted.parameter.code and row.id == value.id and (not types or row.type in types)
        for row in rows.links
    )


def _dated(value: DateValue, period: Period) -> bool:
    return compare(value, period.lo, period.hi)


COMPARE: Final[dict[str, Callable[[int, int, int, int], bool]]] = {
    "eq": lambda vlo, vhi, lo, hi: vlo <= lo and hi <= vhi,
    "ne": lambda vlo, vhi, lo, hi: not (vlo <= lo and hi <= vhi),
    "gt": lambda vlo, vhi, lo, hi: hi > vhi,
    "lt": lambda vlo, vhi, lo, hi: lo < vlo,
    "ge": lambda vlo, vhi, lo, hi: hi > vhi or (vlo <= lo and hi <= vhi),
    "le": lambda vlo, vhi, lo, hi: lo < vlo or (vlo <= lo and hi <= vhi),
    "sa": lambda vlo, vhi, lo, hi: lo >= vhi,
    "eb": lambda vlo, vhi, lo, hi: hi <= vlo,
    "ap": lambda vlo, vhi, lo, hi: lo < vhi and hi > vlo,
}
"""By prefix, what the value's interval [vlo, vhi) asks of a resource's [lo, hi). https://hl7.org/fhir/R4/search.html#prefix"""


def compare(value: DateValue, lo: int, hi: int) -> bool:
    """Whether the interval [lo, hi) of a resource satisfies a prefixed date."""
    return COMPARE[value.prefix](value.lo, value.hi, lo, hi)


def kilometres(latitude: float, longitude: float, other_latitude: float, other_longitude: float) -> float:
    """The great-circle distance of two points given in degrees (haversine)."""
    phi, psi = math.radians(latitude), math.radians(other_latitude)
    half = math.sin((psi - phi) / 2) ** 2
    half += math.cos(phi) * math.cos(psi) * math.sin(math.radians(other_longitude - longitude) / 2) ** 2
    return 2 * EARTH * math.asin(min(1.0, math.sqrt(half)))
