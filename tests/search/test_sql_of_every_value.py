"""SQL against plain evaluation, every value against every row: ends that touch, prefixes of texts, poles and the date line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from creneau.search import match
from creneau.search.fold import fold
from creneau.search.match import COMPARE, Held
from creneau.search.parameters import parameter
from creneau.search.query import (
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
from creneau.search.rows import NONE, Link, Period, Place, Rows, Text, Token
from creneau.store import search_sql
from creneau.store.search_dates import WIDTHS
from creneau.store.search_where import successor
from tests.search.made import TEXTS, Database


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    found = Database()
    yield found
    found.connection.close()


def the(type: str, code: str) -> Parameter:
    found = parameter(type, code)
    assert found
    return found


def numbered(rows: Iterable[Rows]) -> dict[str, Held]:
    """One resource for each, and one that has nothing."""
    return {f"{number:04}": Held(one, number) for number, one in enumerate([NONE, *rows])}


def compared(database: Database, world: dict[str, dict[str, Held]], queries: Iterable[Query]) -> None:
    database.fill(world)
    seen = set()
    for query in queries:
        page = search_sql.find(database.connection.cursor(), query, tenant="t")
        ids = [one.id for one in page.items]
        assert ids == match.select(query, world), query.conditions
        seen.add(len(ids))
    assert len(seen) > 1, "the queries must find something, and not all the same"


@pytest.mark.parametrize(
    ("type", "code", "longest"),
    [
        ("Appointment", "date", WIDTHS["instant"]),
        ("Appointment", "created", WIDTHS["dateTime"]),
        ("Schedule", "date", 10 * WIDTHS["dateTime"]),
    ],
)
def test_every_prefix_at_every_end(database: Database, type: str, code: str, longest: int) -> None:
    found, starts, widths = the(type, code), (-2, 0, 1, 3), (1, 2, longest - 1, longest)
    rows = [Rows(periods=frozenset({Period(code, lo, lo + width)})) for lo, width in product(starts, widths)]
    bounds = [(lo, lo + width) for lo, width in product(starts, (1, 2, longest))]
    values = [DateValue(prefix, *both) for prefix, both in product(COMPARE, bounds)]
    pairs = [(one, other) for one, other in product(values[::5], values[::7])]

    world = {type: numbered(rows)}
    compared(database, world, [Query(type, (Term(found, (value,)),)) for value in values])
    compared(database, world, [Query(type, (Term(found, pair),)) for pair in pairs])
    compared(database, world, [Query(type, (Term(found, (a,)), Term(found, (b,)))) for a, b in pairs])
    compared(database, world, [Query(type, (Not(Term(found, (value,))),)) for value in values])
    ids = Ids(tuple(world[type])[:7])
    compared(database, world, [Query(type, (Term(found, (value,)), ids)) for value in values])


def test_every_prefix_on_updates(database: Database) -> None:
    bounds = [(lo, lo + width) for lo, width in product(range(5), (1, 2))]
    values = [DateValue(prefix, *both) for prefix, both in product(COMPARE, bounds)]
    wanted: list[Condition] = [LastUpdated((value,)) for value in values]

    world = {"Patient": numbered([NONE] * 4)}
    compared(database, world, [Query("Patient", (one,)) for one in wanted])
    compared(database, world, [Query("Patient", (one, Ids(("0001", "0002")))) for one in wanted])


def test_every_text_against_every_text(database: Database) -> None:
    family = the("Patient", "family")
    texts = (*TEXTS, "s", "sa", "SAINT", "%", "_", "a\U0010ffff", "\U0010ffff\U0010ffff", "zz")
    rows = [Rows(texts=frozenset({Text("family", fold(text), text)})) for text in texts]
    values = [TextValue(fold(text), text) for text in texts]
    wanted = [Term(family, (value,), modifier) for value in values for modifier in ("", "exact", "contains")]

    world = {"Patient": numbered(rows)}
    compared(database, world, [Query("Patient", (one,)) for one in wanted])
    compared(database, world, [Query("Patient", (one,), (Sort("family", family, True),)) for one in wanted])


def test_every_circle_around_every_place(database: Database) -> None:
    near, latitudes, longitudes = (
        the("Location", "near"),
        (-90.0, -89.5, 0.0, 48.85, 89.9),
        (-180.0, -179.9, 0.0, 2.35, 179.9),
    )
    rows = [Rows(places=frozenset({Place("near", *place)})) for place in product(latitudes, longitudes)]
    circles = product(latitudes, longitudes, (0.0, 1.0, 30.0, 300.0, 9_000.0, 20_050.0))
    wanted = [Term(near, (NearValue(*circle),)) for circle in circles]

    compared(database, {"Location": numbered(rows)}, [Query("Location", (one,)) for one in wanted])


def test_every_token_against_every_token(database: Database) -> None:
    status, systems, codes = the("Appointment", "identifier"), ("", "urn:a", "urn:b"), ("1", "2")
    tokens = [Token("identifier", *one) for one in product(systems, codes)]
    rows = [Rows(tokens=frozenset({one, tokens[-1]})) for one in tokens]
    values = [TokenValue(*one) for one in product((None, *systems), (None, *codes)) if one != (None, None)]
    wanted = [Term(status, pair, modifier) for pair in product(values, values) for modifier in ("", "not")]
    missing = [Term(status, (TokenValue(None, one),), "missing") for one in ("true", "false")]

    world = {"Appointment": numbered(rows)}
    compared(database, world, [Query("Appointment", (one,)) for one in (*wanted, *missing)])
    compared(
        database, world, [Query("Appointment", (one, Ids(("0000", "0003")))) for one in (*wanted, *missing)]
    )


def test_every_reference_and_what_is_beyond_it(database: Database) -> None:
    actor, link, codes = the("Schedule", "actor"), the("Patient", "link"), ("0000", "0001", "gone")
    links = [Link("actor", *one) for one in product(("Patient", "Practitioner"), codes)]
    world = {
        "Schedule": numbered([Rows(links=frozenset({one, links[0]})) for one in links]),
        "Patient": numbered([NONE, Rows(links=frozenset({Link("link", "Patient", "gone")}))]),
    }
    values = [LinkValue(*one) for one in product((None, "Patient", "Practitioner", "Device"), codes)]
    inner: list[Condition] = [
        Ids(codes),
        Not(Ids(codes[:1])),
        Term(link, (TokenValue(None, "true"),), "missing"),
    ]
    chains = [Chain(actor, target, one) for target, one in product(("Patient", "Practitioner"), inner)]
    reverse = [Has("Schedule", actor, one) for one in (Ids(("0001", "0003")), Not(Ids(())), Ids(()))]

    compared(database, world, [Query("Schedule", (Term(actor, (one,)),)) for one in values])
    compared(database, world, [Query("Schedule", (one,)) for one in chains])
    compared(database, world, [Query("Patient", (one,)) for one in reverse])
    compared(database, world, [Query("Patient", (Not(one),)) for one in reverse])


def test_a_reference_that_may_lead_anywhere_is_found_by_its_id(database: Database) -> None:
    about = the("Appointment", "supporting-info")
    links = [Link("supporting-info", type, id) for type, id in product(("Patient", "Basic"), ("a", "b"))]
    wanted = [Term(about, (LinkValue(None, id),)) for id in ("a", "b", "c")]

    world = {"Appointment": numbered([Rows(links=frozenset({one})) for one in links])}
    compared(database, world, [Query("Appointment", (one,)) for one in wanted])
    compared(database, world, [Query("Appointment", (one, Ids(("0001", "0002")))) for one in wanted])


def test_a_total_is_counted_when_it_is_asked_for(database: Database) -> None:
    database.fill({"Patient": numbered([NONE] * 5)})

    def total(asked: str) -> int | None:
        query = Query("Patient", count=2, total=asked)
        return search_sql.find(database.connection.cursor(), query, tenant="t").total

    assert (total("accurate"), total("none"), total("estimate")) == (6, None, None)


def test_more_ids_than_a_statement_has_marks(database: Database) -> None:
    world = {"Patient": numbered([NONE] * 5)}
    many = Ids(tuple(f"{number:04}" for number in range(3, 40_000)))

    compared(database, world, [Query("Patient", (many,)), Query("Patient", (Not(many),)), Query("Patient")])


LETTERS = st.text("abc\ud7ff\ue000\U0001f600\U0001f601\U0010ffff", max_size=4)


@settings(max_examples=300)
@given(text=LETTERS, prefix=LETTERS, shared=LETTERS)
def test_a_prefix_is_a_range_of_texts(text: str, prefix: str, shared: str) -> None:
    text, prefix = shared + text, shared + prefix

    after = successor(prefix)

    assert text.startswith(prefix) == (text >= prefix and (after is None or text < after))
