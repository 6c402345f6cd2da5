"""The index rows of one resource: what a search can find it by.

`search/extract.py` makes them from a resource; the stores keep them; `search/match.py` compares them in memory, so that a
SQL store and the in-memory oracle answer from the same facts. Instants are microseconds since 1970 UTC.
"""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """A code, identifier, boolean or uri. `system` is "" when absent."""

    param: str
    system: str
    code: str


class Period(NamedTuple):
    """A date with its precision, as the half-open interval [lo, hi) it covers."""

    param: str
    lo: int
    hi: int


class Text(NamedTuple):
    """A string: `folded` without accents, case or repeated spaces; `text` as it was given (for `:exact`)."""

    param: str
    folded: str
    text: str


class Link(NamedTuple):
    """A literal reference to a resource of this server."""

    param: str
    type: str
    id: str


class Place(NamedTuple):
    """Coordinates in decimal degrees (WGS84)."""

    param: str
    latitude: float
    longitude: float


class Rows(NamedTuple):
    """All index rows of a resource, each table without duplicates.

    A logical reference (Reference.identifier) is a `Token` under the parameter's name followed by ":identifier".
    """

    tokens: frozenset[Token] = frozenset()
    periods: frozenset[Period] = frozenset()
    texts: frozenset[Text] = frozenset()
    links: frozenset[Link] = frozenset()
    places: frozenset[Place] = frozenset()


NONE = Rows()
