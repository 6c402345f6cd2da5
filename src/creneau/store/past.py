"""Histories read from the SQLite tables, newest first (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import Final

from creneau.store import position
from creneau.store import statements as sql
from creneau.store.contract import Page, Stored
from creneau.store.fill import fitting

_LEAST: Final = -(1 << 62)
_GREATEST: Final = position.Position(1 << 62, "\U0010ffff", "\U0010ffff", 1 << 62)


@dataclass(frozen=True, slots=True)
class Asked:
    """What `contract.Store.history` was asked, and of which tenant."""

    tenant: str
    type: str | None
    id: str | None
    since: int | None
    count: int
    after: str | None

    def page(self, cursor: sqlite3.Cursor) -> Page:
        """The page asked for."""
        place = _GREATEST if self.after is None else position.read(self.after)
        if self.type is not None and self.id is not None:
            return self._of_one(cursor, self.type, self.id, place.version)
        return self._of_types(cursor, place)

    @property
    def _from(self) -> int:
        return _LEAST if self.since is None else self.since

    def _of_one(self, cursor: sqlite3.Cursor, type_: str, id_: str, before: int) -> Page:
        entry = (self.tenant, type_, id_)
        (total,) = cursor.execute(sql.HISTORY_OF_ONE_COUNT, (*entry, self._from)).fetchone()
        rows = cursor.execute(sql.HISTORY_OF_ONE, (*entry, before, self._from, self.count + 1)).fetchall()
        return _page([Stored._make(row) for row in rows], self.count, total)

    def _of_types(self, cursor: sqlite3.Cursor, place: position.Position) -> Page:
        types = (
            [self.type] if self.type else [t for (t,) in cursor.execute(sql.TYPES, (self.tenant,)).fetchall()]
        )
        total, newest = 0, []
        for each in types:
            (found,) = cursor.execute(sql.HISTORY_OF_TYPE_COUNT, (self.tenant, each, self._from)).fetchone()
            total += found
            newest.append(self._of_type(cursor, each, place))
        ordered = merge(*newest, key=position.of, reverse=True)
        return _page(list(islice(ordered, self.count + 1)), self.count, total)

    def _of_type(self, cursor: sqlite3.Cursor, type_: str, place: position.Position) -> list[Stored]:
        """Versions of one type before the place, whose order puts the type between the instant and the id."""
        if type_ < place.type:
            before: tuple[int, str, int] = (place.updated, _GREATEST.id, 0)
        elif type_ > place.type:
            before = (place.updated, "", 0)
        else:
            before = (place.updated, place.id, place.version)
        wanted = (self.tenant, type_, self._from, *before, self.count + 1)
        return [Stored._make(row) for row in cursor.execute(sql.HISTORY_OF_TYPE, wanted)]


def _page(found: list[Stored], count: int, total: int) -> Page:
    items = fitting(found[:count])
    more = items and len(found) > len(items)
    return Page(items, position.write(position.of(items[-1])) if more else None, total)
