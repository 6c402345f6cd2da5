"""Writes an accepted plan into the SQLite tables: versions, identifiers and taken time at once, index rows at the end of the group."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from creneau.search.rows import NONE, Rows
from creneau.store import statements as sql
from creneau.store.contract import Put, Take
from creneau.store.guard import Verdict
from creneau.store.plan import APPOINTMENT, SCHEDULE

Row = tuple[str | int | float, ...]


class Pages:
    """The writes of one transaction, for one tenant.

    Guards read versions, identifiers, taken time and owners, so these are written plan by plan; index rows are only found by
    searches, which see the transaction whole: they are kept in `_pending` (True: to add) and written together by `flush`.
    """

    def __init__(self, cursor: sqlite3.Cursor, tenant: str) -> None:
        self._cursor = cursor
        self._tenant = tenant
        self._pending: dict[str, dict[Row, bool]] = {table: {} for table in sql.INSERT_ROW}

    def write(self, verdict: Verdict) -> None:
        """Write all puts of one plan: first what they give up, then what they hold."""
        for number, put in enumerate(verdict.plan.puts):
            if put.version > 1:
                self._release(put, verdict, number)
        for number, put in enumerate(verdict.plan.puts):
            self._resource(put)
            self._hold(put, verdict, number)
            self._index(put)

    def flush(self) -> None:
        """Write the index rows that the plans so far add and drop."""
        for table, rows in self._pending.items():
            if dropped := [row for row, added in rows.items() if not added]:
                self._cursor.executemany(sql.DELETE_ROW[table], dropped)
            if len(dropped) < len(rows):
                self._cursor.executemany(sql.INSERT_ROW[table], [row for row, added in rows.items() if added])
            rows.clear()

    def forget(self) -> None:
        """Drop the index rows not yet written: their transaction was undone."""
        for rows in self._pending.values():
            rows.clear()

    def _resource(self, put: Put) -> None:
        execute, entry = self._cursor.execute, (self._tenant, put.type, put.id)
        if put.version == 1:
            execute(sql.INSERT_RESOURCE, (*entry, put.version, put.updated, put.interaction, put.body))
        else:
            execute(sql.KEEP_PAST, entry)
            execute(sql.UPDATE_RESOURCE, (put.version, put.updated, put.interaction, put.body, *entry))

    def _release(self, put: Put, verdict: Verdict, number: int) -> None:
        lost = verdict.claims[number] - put.claims
        if lost:
            gone = [(self._tenant, put.type, claim.system, claim.value) for claim in lost]
            self._cursor.executemany(sql.DELETE_CLAIM, gone)
        if verdict.takes[number] and not _same(verdict, number):
            self._cursor.execute(sql.DELETE_TAKES, (self._tenant, put.id))
        if put.type == SCHEDULE:
            self._cursor.execute(sql.DELETE_OWNS, (self._tenant, put.id))

    def _hold(self, put: Put, verdict: Verdict, number: int) -> None:
        tenant, many = self._tenant, self._cursor.executemany
        if gained := put.claims - verdict.claims[number]:
            many(
                sql.INSERT_CLAIM, [(tenant, put.type, claim.system, claim.value, put.id) for claim in gained]
            )
        if put.type == APPOINTMENT and put.takes and not _same(verdict, number):
            many(
                sql.INSERT_TAKE,
                [self._taken(put.id, take, guarded) for take, guarded in verdict.guarded[number]],
            )
        if put.owns:
            many(sql.INSERT_OWNER, [(tenant, thing, put.id) for thing in put.owns])

    def _taken(self, appointment: str, take: Take, guarded: int) -> tuple[str | int | None, ...]:
        thing, start, finish, kind, lapse, slot, capacity = take
        return self._tenant, thing, start, appointment, finish, slot, kind, lapse, capacity, guarded

    def _index(self, put: Put) -> None:
        entry, former = (self._tenant, put.type, put.id), put.former_rows
        rows = put.rows
        if former is not NONE and former != NONE:
            for table, lines in index_rows(entry, _less(former, rows)):
                self._pending[table].update(dict.fromkeys(lines, False))
            rows = _less(rows, former)
        for table, lines in index_rows(entry, rows):
            self._pending[table].update(dict.fromkeys(lines, True))


def index_rows(entry: tuple[str, str, str], rows: Rows) -> Iterator[tuple[str, list[Row]]]:
    """By table, the lines (in the order of its columns) of the index rows of one resource: (tenant, type, id)."""
    tenant, type_, id_ = entry
    if rows.tokens:
        yield "token", [(tenant, type_, param, code, system, id_) for param, system, code in rows.tokens]
    if rows.periods:
        yield "period", [(tenant, type_, *row, id_) for row in rows.periods]
    if rows.texts:
        yield "text", [(tenant, type_, *row, id_) for row in rows.texts]
    if rows.links:
        yield "link", [(tenant, type_, *row, id_) for row in rows.links]
    if rows.places:
        yield "place", [(tenant, type_, *row, id_) for row in rows.places]


def _less(these: Rows, those: Rows) -> Rows:
    return Rows(
        these.tokens - those.tokens,
        these.periods - those.periods,
        these.texts - those.texts,
        these.links - those.links,
        these.places - those.places,
    )


def _same(verdict: Verdict, number: int) -> bool:
    return dict(verdict.guarded[number]) == verdict.takes[number] if verdict.guarded else False
