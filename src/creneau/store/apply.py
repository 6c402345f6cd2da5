"""Writes an accepted plan into the SQLite tables: versions, identifiers and taken time at once, index rows at the end of the group."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from creneau.search.rows import Rows
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
                self._cursor.executemany(
                    sql.INSERT_ROW[table], sorted(row for row, added in rows.items() if added)
                )
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
        if put.rows is put.former_rows:
            return
        for (table, gained), (_, lost) in zip(
            _rows(put.rows, put.former_rows), _rows(put.former_rows, put.rows), strict=True
        ):
            pending = self._pending[table]
            for row in lost:
                pending[self._row(put, table, row)] = False
            for row in gained:
                pending[self._row(put, table, row)] = True

    def _row(self, put: Put, table: str, row: Row) -> Row:
        if table == "token":
            param, system, code = row
            return self._tenant, put.type, param, code, system, put.id
        return self._tenant, put.type, *row, put.id


def _same(verdict: Verdict, number: int) -> bool:
    return dict(verdict.guarded[number]) == verdict.takes[number] if verdict.guarded else False


def _rows(these: Rows, those: Rows) -> Iterable[tuple[str, Iterable[Row]]]:
    yield "token", these.tokens - those.tokens
    yield "period", these.periods - those.periods
    yield "text", these.texts - those.texts
    yield "link", these.links - those.links
    yield "place", these.places - those.places
