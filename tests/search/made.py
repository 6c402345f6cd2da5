"""Random index rows and random queries over a few types, small enough that they meet."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from hypothesis import strategies as st

from creneau.search.extract import indexed_parameters
from creneau.search.fold import fold
from creneau.search.match import Held
from creneau.search.parameters import parameter
from creneau.search.paths import is_single
from creneau.search.query import (
    AnyOf,
    Chain,
    Condition,
    DateValue,
    Has,
    Ids,
    LastUpdated,
    LinkValue,
    NearValue,
    Not,
    Parameter,
    Query,
    Sort,
    Term,
    TextValue,
    TokenValue,
)
from creneau.search.rows import Link, Period, Place, Rows, Text, Token
from creneau.store.migrate import migrate, migrations
from creneau.store.search_dates import width

World = dict[str, dict[str, Held]]

CHOSEN = {
    "Appointment": (
        "date",
        "created",
        "identifier",
        "status",
        "description",
        "actor",
        "patient",
        "supporting-info",
        "_profile",
    ),
    "Location": ("near", "name", "identifier", "partof"),
    "Patient": ("family", "birthdate", "active", "identifier", "link"),
    "PractitionerRole": ("location", "specialty", "date", "telecom"),
    "Schedule": ("actor", "date", "identifier"),
}
"""A few parameters of every kind, so that rows and queries meet often."""

SEARCHED = tuple(CHOSEN)
IDS = ("a", "b", "c", "d")
HOUR = 3_600_000_000
TEXTS = ("Saint-Étienne", "Saint", "saint etienne", "L'Haÿ", "Œuvre", "", "a\U0010ffffb", "a\ud7ffb", "aé%_")
MOMENTS = tuple(day * 24 * HOUR for day in (-3, 0, 1, 2, 30, 400))

CHOSEN_ROWS = {
    type: [one for one in indexed_parameters(type) if one.code in codes] for type, codes in CHOSEN.items()
}

ids = st.sampled_from(IDS)
codes = st.sampled_from(("1", "2", "booked"))
systems = st.sampled_from(("", "urn:a", "urn:b"))
texts = st.sampled_from(TEXTS)
degrees = st.sampled_from((-90.0, -45.2, 0.0, 10.0, 48.85, 89.5))
meridians = st.sampled_from((-179.9, -2.3, 0.0, 2.35, 90.0, 179.95))


def rows_of(found: Parameter) -> tuple[str, st.SearchStrategy[tuple[object, ...]]]:
    """The table and the rows that `extract` could make for a parameter."""
    code = st.just(found.code)
    match found.kind:
        case "date":
            widest = width(found) or 500 * 24 * HOUR
            spans = st.tuples(st.sampled_from(MOMENTS), st.integers(1, widest))
            return "periods", spans.map(lambda span: Period(found.code, span[0], span[0] + span[1]))
        case "string":
            return "texts", texts.map(lambda text: Text(found.code, fold(text), text))
        case "reference":
            types = st.sampled_from([one for one in found.targets if one in SEARCHED] or SEARCHED)
            return "links", st.builds(Link, code, types, ids)
        case "special":
            return "places", st.builds(Place, code, degrees, meridians)
        case _:
            return "tokens", st.builds(Token, code, systems, codes)


@st.composite
def rows(draw: st.DrawFn, type: str) -> Rows:
    """Index rows of one resource: no more dates than the parameter allows."""
    made: dict[str, set[object]] = {name: set() for name in Rows._fields}
    chosen = draw(st.lists(st.sampled_from(CHOSEN_ROWS[type]), max_size=6, unique_by=lambda one: one.code))
    for found in chosen:
        table, strategy = rows_of(found)
        most = 1 if found.kind == "date" and is_single(found) else 3
        made[table].update(draw(st.lists(strategy, min_size=1, max_size=most)))
        if found.kind == "reference" and draw(st.booleans()):
            made["tokens"].add(Token(f"{found.code}:identifier", draw(systems), draw(codes)))
        if found.kind == "token" and draw(st.booleans()):
            text = draw(texts)
            made["texts"].add(Text(f"{found.code}:text", fold(text), text))
    return Rows(**{name: frozenset(values) for name, values in made.items()})  # type: ignore[arg-type]  # by table


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A few live resources of a few types."""
    return {
        type: {
            id: Held(draw(rows(type)), draw(st.sampled_from(MOMENTS)))
            for id in draw(st.sets(ids, max_size=len(IDS)))
        }
        for type in SEARCHED
    }


@st.composite
def dates(draw: st.DrawFn) -> DateValue:
    """A prefixed date."""
    lo = draw(st.sampled_from(MOMENTS)) + draw(st.sampled_from((-1, 0, 1)))
    prefix = draw(st.sampled_from(("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")))
    return DateValue(prefix, lo, lo + draw(st.sampled_from((1, 60_000_000, 24 * HOUR, 366 * 24 * HOUR))))


def value_of(found: Parameter, modifier: str) -> st.SearchStrategy[object]:
    """A value that the grammar could read for a parameter."""
    tokens = st.builds(TokenValue, st.none() | systems, codes) | st.builds(TokenValue, systems, st.none())
    if modifier == "identifier" or found.kind in ("token", "uri"):
        return texts.map(lambda text: TextValue(fold(text), text)) if modifier == "text" else tokens
    match found.kind:
        case "date":
            return dates()
        case "string":
            return texts.map(lambda text: TextValue(fold(text), text))
        case "special":
            return st.builds(NearValue, degrees, meridians, st.sampled_from((0.0, 1.0, 500.0, 20_050.0)))
        case _:
            types = st.none() | st.sampled_from(found.targets or SEARCHED)
            return st.builds(LinkValue, types, ids) | st.builds(TokenValue, st.just(""), codes)


OF_KIND = {
    "token": ("", "not", "text", "missing"),
    "date": ("", "missing"),
    "string": ("", "exact", "contains", "missing"),
    "uri": ("", "not", "missing"),
    "reference": ("", "identifier", "not", "missing"),
    "special": ("", "missing"),
}


@st.composite
def terms(draw: st.DrawFn, type: str) -> Term:
    """A term on a parameter of a type."""
    found = draw(st.sampled_from(CHOSEN_ROWS[type]))
    modifier = draw(st.sampled_from(OF_KIND[found.kind]))
    if modifier == "missing":
        return Term(found, (TokenValue(None, draw(st.sampled_from(("true", "false")))),), modifier)
    values = draw(st.lists(value_of(found, modifier), min_size=1, max_size=draw(st.sampled_from((1, 3, 10)))))
    return Term(found, tuple(values), modifier)  # type: ignore[arg-type]  # of the kind of the parameter


@st.composite
def conditions(draw: st.DrawFn, type: str, depth: int = 3) -> Condition:
    """Any condition on a type."""
    kind = draw(st.sampled_from(("term", "term", "ids", "updated", "chain", "has", "any", "not")))
    if depth and kind == "chain":
        chains = [one for one in CHOSEN_ROWS[type] if one.kind == "reference"]
        if chains:
            found = draw(st.sampled_from(chains))
            target = draw(
                st.sampled_from([one for one in found.targets or SEARCHED if one in SEARCHED] or SEARCHED)
            )
            return Chain(found, target, draw(conditions(target, depth - 1)))
    if depth and kind == "has":
        source = draw(st.sampled_from(("Appointment", "Schedule", "PractitionerRole")))
        found = draw(st.sampled_from([one for one in CHOSEN_ROWS[source] if one.kind == "reference"]))
        return Has(source, found, draw(conditions(source, depth - 1)))
    if depth and kind == "any":
        return AnyOf(tuple(draw(st.lists(conditions(type, depth - 1), min_size=1, max_size=3))))
    if depth and kind == "not":
        return Not(draw(conditions(type, depth - 1)))
    if kind == "ids":
        return Ids(tuple(draw(st.lists(ids, min_size=1, max_size=3))))
    if kind == "updated":
        return LastUpdated(tuple(draw(st.lists(dates(), min_size=1, max_size=2))))
    return draw(terms(type))


@st.composite
def sorts(draw: st.DrawFn, type: str) -> Sort:
    """A sort key of a type."""
    native = draw(st.sampled_from(("_id", "_lastUpdated", "", "", "")))
    if native:
        return Sort(native, None, draw(st.booleans()))
    found = draw(st.sampled_from([one for one in CHOSEN_ROWS[type] if one.kind != "special"]))
    return Sort(found.code, found, draw(st.booleans()))


@st.composite
def queries(draw: st.DrawFn) -> Query:
    """Any query: several terms on one date among them, so that bounds meet."""
    type = draw(st.sampled_from(SEARCHED))
    found = draw(st.lists(conditions(type), max_size=3))
    if type == "Appointment" and draw(st.booleans()):
        date = parameter("Appointment", "date")
        assert date is not None
        found += [Term(date, (draw(dates()),)) for _ in range(draw(st.integers(1, 2)))]
    order = draw(st.lists(sorts(type), max_size=2))
    return Query(type, tuple(found), tuple(order))


class Database:
    """A SQLite file's tables in memory, as the store's migrations make them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        migrate(self.connection, migrations())

    def fill(self, world: Mapping[str, Mapping[str, Held]], tenant: str = "t") -> None:
        """Make these the resources of the tenant, beside those that stay of others."""
        for table in ("resource", "token", "period", "text", "link", "place"):
            self.connection.execute(f"DELETE FROM {table} WHERE tenant = ?", (tenant,))
        for type, resources in world.items():
            for id, one in resources.items():
                self.put(type, id, one, tenant)

    def put(self, type: str, id: str, one: Held, tenant: str = "t", interaction: str = "create") -> None:
        """Write one resource and its index rows."""
        execute, many = self.connection.execute, self.connection.executemany
        execute(
            "INSERT OR REPLACE INTO resource VALUES (?, ?, ?, 1, ?, ?, ?)",
            (tenant, type, id, one.updated, interaction, b"{}"),
        )
        many(
            "INSERT INTO token VALUES (?,?,?,?,?,?)",
            [(tenant, type, t.param, t.code, t.system, id) for t in one.rows.tokens],
        )
        for table, found in zip(("period", "text", "link", "place"), one.rows[1:], strict=True):
            many(f"INSERT INTO {table} VALUES (?,?,?,?,?,?)", [(tenant, type, *row, id) for row in found])
