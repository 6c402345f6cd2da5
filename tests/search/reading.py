"""How the tests of the grammar read a query string."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from creneau.fhir.reference import Bases
from creneau.search import grammar
from creneau.search.query import Condition, Query

PARIS = ZoneInfo("Europe/Paris")
BASES = Bases(("https://agendas.example/fhir",))


def read(type: str, text: str, *, strict: bool = False) -> Query:
    """The query of a query string, of at most 100 matches a page and 20 by default."""
    pairs = grammar.pairs(text)
    return grammar.read(type, pairs, zone=PARIS, bases=BASES, strict=strict, page_limit=100, default_count=20)


def only(type: str, text: str) -> Condition:
    """The only condition of a query string that is understood whole."""
    query = read(type, text, strict=True)
    (condition,) = query.conditions
    return condition


def condition(type: str, text: str) -> Query:
    """The condition of a write."""
    return grammar.condition(type, grammar.pairs(text), zone=PARIS, bases=BASES)
