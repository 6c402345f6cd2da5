"""`creneau doctor`: the integrity of a whole database (REL-33), from the file itself to what appointments mean.

The store looks at its own tables (`inspect`), then `contents` at what each resource says.
"""

from __future__ import annotations

from rich.console import Console
from rich.progress import Progress

from creneau import wiring
from creneau.commands import contents
from creneau.config import Settings, shown
from creneau.flows.world import World
from creneau.store.contract import Store, StoreUnavailable
from creneau.store.inspect import Finding, findings
from creneau.store.sqlite import SqliteStore


async def examine(world: World) -> tuple[list[str], list[str]]:
    """A line for each finding, none when the database is sound; and the warnings. No line holds anything about a patient but ids."""
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("creneau doctor: tables", total=None)
        found = [str(one) for one in await _tables(world)]
        examined = 0
        async for lot in contents.lots(world.store):
            found += await contents.wrong(world, lot)
            examined += len(lot)
            progress.update(task, description=f"creneau doctor: {examined} resources", advance=len(lot))
    return found, await _warnings(world.store)


async def server_of(settings: Settings) -> list[str]:
    """Of a PostgreSQL database, the warnings of `doctor`, or why they are not known."""
    try:
        store = wiring.as_it_is(settings)
    except StoreUnavailable as error:
        return [str(error)]
    try:
        return await _warnings(store)
    except StoreUnavailable as error:
        return [f"{shown(settings.database)}: {error}; its server's settings were not looked at"]
    finally:
        await store.close()


async def _warnings(store: Store) -> list[str]:
    """A line for each setting of the database's server that lets patients' data into its log (SEC-41)."""
    far = wiring.as_postgres(store)
    if far is None:
        return []
    from creneau.store import postgres_settings

    return await postgres_settings.warnings(far.connections)


async def _tables(world: World) -> list[Finding]:
    rows = wiring.index_rows(world)
    if isinstance(world.store, SqliteStore):
        return [one async for one in findings(world.store, rows)]
    far = wiring.as_postgres(world.store)
    if far is None:
        return []
    from creneau.store import postgres_inspect

    return await postgres_inspect.findings(far, rows)
