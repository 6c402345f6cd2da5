"""Whether two SQL stores hold the same, and whether index rows are those of the content: in one pass over both, whatever their size (REL-24, REL-29).

Every table is read in the order of its places; what one resource has is held at a time, and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from creneau.fhir import json
from creneau.search.rows import NONE, Rows
from creneau.store.copying import INDEX, RESOURCE, TABLES, End, Extract, Progress, Row, Table
from creneau.store.inspect import UNINDEXED
from creneau.store.postgres_values import kept_in

MOST: Final = 20
"""Differences that are named."""


async def differences(source: End, target: End, extract: Extract, progress: Progress) -> list[str]:
    """A line for each place where the two sides do not hold the same, the first `MOST`; none for a true copy.

    Compared are the bytes of every version, identifiers, time taken and owners; index rows, with what the content makes.
    """
    found: list[str] = []
    async for line in _all(source, target, extract, progress):
        found.append(line)
        if len(found) == MOST:
            break
    return found


async def unindexed(end: End, extract: Extract) -> AsyncIterator[str]:
    """ "Type/id" of each resource whose index rows are not those that its content makes."""
    contents = _Rows(end.chunks(RESOURCE))
    tables = {table.name: _Rows(end.chunks(table)) for table in INDEX}
    for each in (contents, *tables.values()):
        await each.advance()
    while waiting := [each.key for each in (contents, *tables.values()) if each.key is not None]:
        key = min(waiting)
        kept = {name: found for name, rows in tables.items() if (found := await rows.of(key))}
        wanted: Mapping[str, set[Row]] = {}
        for type_, id_, _, _, interaction, body in await contents.of(key):
            if interaction != "delete":
                wanted = end.lines(type_, id_, _whatever(extract, body))
        if kept != {name: rows for name, rows in wanted.items() if rows}:
            yield "/".join(key)


async def _all(source: End, target: End, extract: Extract, progress: Progress) -> AsyncIterator[str]:
    for table in TABLES:
        async for line in _unlike(table, source, target, progress):
            yield line
    async for place in unindexed(target, extract):
        yield f"{place}: {UNINDEXED}"


def _whatever(extract: Extract, body: bytes) -> Rows:
    """No rows for a body that cannot be read: that is another finding."""
    try:
        return extract(json.load(body))
    except Exception:
        return NONE


class _Rows:
    """The rows of a table, those of one (type, id) at a time."""

    def __init__(self, chunks: AsyncIterator[Sequence[Row]]) -> None:
        self.key: tuple[str, str] | None = None
        self._rows = _single(chunks)
        self._next: Row | None = None

    async def of(self, key: tuple[str, str]) -> set[Row]:
        """The rows of this key, which is not after the next one there is."""
        found: set[Row] = set()
        while self.key == key and self._next is not None:
            found.add(self._next)
            await self.advance()
        return found

    async def advance(self) -> None:
        """Take the next row, if there is one."""
        self._next = await anext(self._rows, None)
        self.key = None if self._next is None else (self._next[0], self._next[1])


async def _single(chunks: AsyncIterator[Sequence[Row]]) -> AsyncIterator[Row]:
    async for rows in chunks:
        for row in rows:
            yield tuple(row)
        await asyncio.sleep(0)  # where Ctrl-C is heard


async def _unlike(table: Table, source: End, target: End, progress: Progress) -> AsyncIterator[str]:
    ours, theirs = _groups(table, source), _groups(table, target)
    one, other = await anext(ours, None), await anext(theirs, None)
    while one is not None or other is not None:
        first = min(rows[0][: table.places] for rows in (one, other) if rows is not None)
        here = one if one is not None and one[0][: table.places] == first else None
        there = other if other is not None and other[0][: table.places] == first else None
        if here != there:
            what = "is not in the copy" if there is None else "differs" if here else "is in the copy only"
            yield f"{table.place(first)}: {table.name} {what}"
        if here is not None:
            progress(len(here))
            await asyncio.sleep(0)
            one = await anext(ours, None)
        if there is not None:
            other = await anext(theirs, None)


async def _groups(table: Table, end: End) -> AsyncIterator[list[Row]]:
    """The rows of each place, sorted, in the form that both sides can keep."""
    group: list[Row] = []
    async for rows in end.chunks(table):
        for row in rows:
            row = kept_in(tuple(row))
            if group and row[: table.places] != group[0][: table.places]:
                yield sorted(group, key=_key)
                group = []
            group.append(row)
    if group:
        yield sorted(group, key=_key)


def _key(row: Row) -> Row:
    return row[:6]  # no column before the seventh is null
