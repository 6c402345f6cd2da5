"""Where a page of history continues: the last version given, written as an opaque word (https://hl7.org/fhir/R4/http.html#paging)."""

from __future__ import annotations

from typing import NamedTuple

from creneau.search.refused import PAGE, malformed
from creneau.store.contract import Stored


class Position(NamedTuple):
    """The order of histories: newest first, by (updated, type, id, version)."""

    updated: int
    type: str
    id: str
    version: int


def of(stored: Stored) -> Position:
    """The place of one version."""
    return Position(stored.updated, stored.type, stored.id, stored.version)


def write(position: Position) -> str:
    """The word that `read` understands."""
    return "~".join(str(part) for part in position)


def read(word: str) -> Position:
    """The place that a word names; refuses (`Malformed`) what `write` never wrote."""
    try:
        updated, type_, id_, version = word.split("~")
        position = Position(int(updated), type_, id_, int(version))
    except ValueError:
        raise malformed(PAGE) from None
    if write(position) != word or not max(abs(position.updated), abs(position.version)) < 1 << 62:
        raise malformed(PAGE)
    return position
