"""Where a page starts: the sort keys and the id of the last match before it, as an opaque word.

https://hl7.org/fhir/R4/http.html#paging. A position, not an offset: writes between two pages neither repeat nor hide other matches.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec

from creneau.search.query import Query, Sort
from creneau.search.refused import PAGE, malformed

Key = int | str | None

BOUND: Final = 1 << 62


class Order(NamedTuple):
    """What orders the matches of a query: the sort keys before the id, and whether ids descend."""

    sorts: tuple[Sort, ...]
    descending: bool


class Position(NamedTuple):
    """The last match before a page: its sort keys (None: it has no such value) and its id."""

    keys: tuple[Key, ...]
    id: str


def order(query: Query) -> Order:
    """The order of a query: ids decide last, so what `_sort` says after `_id` has no effect."""
    for index, sort in enumerate(query.sort):
        if sort.code == "_id":
            return Order(query.sort[:index], sort.descending)
    return Order(query.sort, False)


def write(position: Position) -> str:
    """The word that `read` understands; letters, digits, `-` and `_`."""
    raw = msgspec.json.encode([*position.keys, position.id])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read(word: str, sorts: Sequence[Sort]) -> Position:
    """The position that a word names among these sort keys. Malformed for a word that `write` did not make for them."""
    try:
        raw = base64.b64decode(word + "=" * (-len(word) % 4), altchars=b"-_", validate=True)
        *keys, id = msgspec.json.decode(raw, type=list[Key])
    except (binascii.Error, ValueError):
        raise malformed(PAGE) from None
    if not isinstance(id, str) or len(keys) != len(sorts) or not all(map(_fits, sorts, keys)):
        raise malformed(PAGE)
    return Position(tuple(keys), id)


def _fits(sort: Sort, key: Key) -> bool:
    if key is None:
        return sort.parameter is not None
    if sort.parameter is None or sort.parameter.kind == "date":
        return isinstance(key, int) and abs(key) < BOUND
    return isinstance(key, str)
