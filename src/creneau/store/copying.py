"""What a copy from one SQL store to another takes along (`creneau copy`, REL-29); `comparing` then looks at both.

The same tables stand in every dialect; an end (`copying_sqlite`, `copying_postgres`) reads them in one order and writes them. Index rows are
made anew from the resources, since each dialect keeps texts in its own form.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, Protocol

from creneau.fhir import json
from creneau.search.rows import Rows
from creneau.store.contract import Claim
from creneau.store.postgres_values import NUL, START, kept

CHUNK: Final = 250
"""Rows that are read and written together: bodies may be large."""
OTHER_SCHEMA: Final = "the database has schema {} and this program copies schema {}; the version of creneau that serves it brings it up"

Row = tuple[Any, ...]
Progress = Callable[[int], None]
Extract = Callable[[Mapping[str, Any]], Rows]
Body = tuple[str, str, bytes]
"""Type, id and body of a resource."""


class Table(NamedTuple):
    """A table that is copied: its columns but the tenant. Rows are read in the order of the first `places` columns, which say whose they are."""

    name: str
    places: int
    columns: tuple[str, ...]
    owner: str = ""

    def place(self, row: Row) -> str:
        """ "Type/id" of the resource that the row belongs to."""
        return "/".join(row[: self.places]) if self.places > 1 else f"{self.owner}/{row[0]}"


_VERSION: Final = ("type", "id", "version", "updated", "interaction", "body")
_TIME: Final = ("appointment", "thing", "start", "finish", "slot", "kind", "lapse", "capacity", "guarded")
RESOURCE: Final = Table("resource", 2, _VERSION)
HISTORY: Final = Table("history", 2, _VERSION)
IDENTIFIER: Final = Table("identifier", 2, ("type", "id", "system", "value"))
TAKEN: Final = Table("taken", 1, _TIME, "Appointment")
OWNER: Final = Table("owner", 1, ("schedule", "thing"), "Schedule")
INDEX: Final = (
    Table("token", 2, ("type", "id", "param", "code", "system")),
    Table("period", 2, ("type", "id", "param", "lo", "hi")),
    Table("text", 2, ("type", "id", "param", "folded", "text")),
    Table("link", 2, ("type", "id", "param", "target_type", "target_id")),
    Table("place", 2, ("type", "id", "param", "latitude", "longitude")),
)
TABLES: Final = (RESOURCE, HISTORY, IDENTIFIER, TAKEN, OWNER)


class Unconfirmed(Exception):
    """The copy is whole and was committed, but no synchronous standby confirmed it: it may be gone with the host (REL-19)."""


class NotCopied(Exception):
    """The copy was not made, and nothing of it is at the target; the message says where and why."""


class Made(NamedTuple):
    """How index rows and business identifiers follow from a resource, and the checksum of those index rows."""

    rows: Extract
    claims: Callable[[Mapping[str, Any]], frozenset[Claim]]
    checksum: str


class End(Protocol):
    """One side of a copy, of one instant. `shortens`: identifiers are kept in the form of `postgres_values.kept`."""

    shortens: bool

    async def count(self, table: Table) -> int:
        """How many rows the table holds."""
        ...

    def chunks(self, table: Table) -> AsyncIterator[Sequence[Row]]:
        """All rows, in the order of their places."""
        ...

    async def body(self, type: str, id: str) -> bytes:
        """The body of a current version."""
        ...

    def lines(self, type: str, id: str, rows: Rows) -> Mapping[str, set[Row]]:
        """By table, the index rows of a resource in the order of the columns of `INDEX`, as this side keeps them."""
        ...


class Target(End, Protocol):
    """The side that is written; nothing of it is seen by others before the whole is."""

    async def add(self, table: Table, rows: Sequence[Row]) -> None:
        """Write rows of the table. Raises NotCopied."""
        ...

    async def index(self, made: Sequence[tuple[str, str, Rows]]) -> None:
        """Write the index rows of these resources: type, id, rows."""
        ...

    async def note(self, checksum: str) -> None:
        """Note what made the index rows."""
        ...


async def copy(source: End, target: Target, made: Made, progress: Progress) -> int:
    """Write all that the source holds to the empty target; how many rows. `progress(rows)` as it goes. Raises NotCopied."""
    done = 0
    for table in TABLES:
        async for rows in source.chunks(table):
            if table is IDENTIFIER and source.shortens and not target.shortens:
                rows = [await _whole(target, made, row) for row in rows]
            await target.add(table, rows)
            if table is RESOURCE:
                await target.index([_indexed(row, made) for row in rows if row[4] != "delete"])
            done += len(rows)
            progress(len(rows))
            await asyncio.sleep(0)  # where Ctrl-C is heard, when both sides are files
    await target.note(made.checksum)
    return done


def _indexed(row: Row, made: Made) -> tuple[str, str, Rows]:
    try:
        return row[0], row[1], made.rows(json.load(row[5]))
    except Exception as error:
        raise NotCopied(
            f"{RESOURCE.place(row)}: its content cannot be indexed; `creneau doctor` says more"
        ) from error


async def _whole(target: Target, made: Made, row: Row) -> Row:
    """The identifier as its resource has it, where it was kept shortened."""
    type_, id_, system, value = row
    if not any(NUL in text or len(text.encode()) > START for text in (system, value)):
        return row
    claims = made.claims(json.load(await target.body(type_, id_)))
    whole = {(kept(claim.system), kept(claim.value)): claim for claim in claims}
    return (type_, id_, *whole.get((system, value), (system, value)))
