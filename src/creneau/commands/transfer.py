"""`creneau copy`: everything of one database into another that is empty, whatever their kinds, then compared row by row (REL-29)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from creneau import wiring
from creneau.commands.progress import Advance
from creneau.config import Settings, shown
from creneau.flows.writing import claims
from creneau.store import comparing, copying, copying_sqlite
from creneau.store.contract import Moved, StoreUnavailable
from creneau.store.copying import TABLES, End, Made, NotCopied, Target, Unconfirmed
from creneau.store.lock import Owned
from creneau.store.memory import MemoryStore
from creneau.store.migrate import UnknownSchema

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from creneau.store.postgres import PostgresStore

TENANT: Final = "default"


class Copied(NamedTuple):
    """Rows copied and found equal; versions that others wrote to the source meanwhile, which the copy has not."""

    rows: int
    missed: int


async def copy(source: Settings, target: Settings) -> Copied:
    """Copy the database that one `database` names into the other. Raises NotCopied, and then nothing is at the target; Unconfirmed.

    A SQLite source is locked meanwhile; of PostgreSQL one snapshot is read. ValueError for a database that cannot be copied so.
    """
    for one in (source, target):
        if _kind(one) == "memory":
            raise ValueError("memory: holds nothing that could be copied, nor would it keep a copy")
    if _kind(source) == _kind(target) == "sqlite" and _file(source).resolve() == _file(target).resolve():
        raise ValueError(f"{source.database}: --from and --to are the same")

    async def to(start: End) -> int:
        return await _write(target, lambda end: _both(start, end, _made(target)))

    return Copied(*await _read(source, to))


def _made(settings: Settings) -> Made:
    world = wiring.world(settings, MemoryStore())
    return Made(wiring.index_rows(world), claims, wiring.made_by(world))


async def _both(source: End, target: Target, made: Made) -> int:
    rows = sum([await source.count(table) for table in TABLES])
    progress = Advance("creneau copy", "rows copied or compared", 2 * rows)
    with progress.bar:
        done = await copying.copy(source, target, made, progress.add)
        if found := await comparing.differences(source, target, made.rows, progress.add):
            raise NotCopied("\n".join(["the copy is not what was read:", *found]))
    return done


async def _read(settings: Settings, work: Callable[[End], Awaitable[int]]) -> tuple[int, int]:
    async with _named(settings):
        if _kind(settings) == "sqlite":
            return await copying_sqlite.read(_file(settings), TENANT, work), 0
        async with _closing(wiring.as_it_is(settings)) as opened:
            from creneau.store import copying_postgres

            return await copying_postgres.read(opened, work)


async def _write(settings: Settings, work: Callable[[Target], Awaitable[int]]) -> int:
    async with _named(settings):
        if _kind(settings) == "sqlite":
            return await copying_sqlite.write(_file(settings), TENANT, work)
        store: Any = await wiring.open_store(settings)
        async with _closing(store):
            from creneau.store import copying_postgres

            return await copying_postgres.write(store, work)


@asynccontextmanager
async def _closing(store: PostgresStore) -> AsyncIterator[PostgresStore]:
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def _named(settings: Settings) -> AsyncIterator[None]:
    """What goes wrong at one of the two, with its name."""
    try:
        yield
    except (Moved, Owned, UnknownSchema, StoreUnavailable, OSError) as error:
        raise NotCopied(f"{shown(settings.database)}: {error}") from error
    except Unconfirmed as error:
        raise Unconfirmed(f"{shown(settings.database)}: {error}") from error
    except NotCopied as error:
        if str(error).startswith(("sqlite:", "postgres")):
            raise
        raise NotCopied(f"{shown(settings.database)}: {error}") from error


def _kind(settings: Settings) -> str:
    return settings.database.partition(":")[0]


def _file(settings: Settings) -> Path:
    return Path(settings.database.partition(":")[2])
