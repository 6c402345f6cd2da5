"""The command line: `creneau serve | demo | check | doctor | backup | restore | copy`. Server modules are imported when a command needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from creneau import __version__, config

if TYPE_CHECKING:
    from creneau.flows.world import World
    from creneau.store.contract import Store

app = typer.Typer(
    name="creneau",
    help="Serveur d'agendas partagés (GAP) pour la santé, en FHIR R4. — Shared-calendar server for health care.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Scale(StrEnum):
    """How much `creneau demo` loads."""

    department = "department"
    national = "national"


Answer = TypeVar("Answer")
Config = Annotated[Path | None, typer.Option("--config", help="TOML file of settings.", dir_okay=False)]
Database = Annotated[
    str | None, typer.Option("--database", help="sqlite:FILE, postgresql://USER@HOST/NAME, or memory:.")
]
Host = Annotated[str | None, typer.Option("--host", help="Address to listen on (default 127.0.0.1).")]
Port = Annotated[
    int | None, typer.Option("--port", help="Port to listen on (default 8080; 0 takes a free one).")
]
Open = Annotated[
    bool, typer.Option("--unauthenticated", help="Listen beyond loopback although nobody is authenticated.")
]
Workers = Annotated[
    int | None, typer.Option("--workers", help="Processes that answer (default 1; more need PostgreSQL).")
]
ReadDatabase = Annotated[
    str | None,
    typer.Option(
        "--read-database", help="Replicas of PostgreSQL to search in: postgresql://…, several by commas."
    ),
]
Welcome = Annotated[bool, typer.Option("--welcome", help="Say what to open and which curl to try.")]


def stop(message: str, code: int = 2) -> typer.Exit:
    """Say why the program ends, on standard error."""
    typer.echo(f"creneau: {message}", err=True)
    return typer.Exit(code)


def settings(file: Path | None, **given: Any) -> config.Settings:
    """The settings, or the end of the program with the line that says which one is wrong."""
    try:
        return config.load(file, given=given)
    except config.BadSetting as bad:
        raise stop(str(bad)) from bad


@app.command()
def serve(  # noqa: PLR0913 - its options
    host: Host = None,
    port: Port = None,
    database: Database = None,
    config_file: Config = None,
    unauthenticated: Open = False,
    welcome: Welcome = False,
    workers: Workers = None,
    read_database: ReadDatabase = None,
) -> None:
    """Serve the FHIR interface under /fhir until SIGTERM or Ctrl-C. With several workers, SIGHUP replaces them one by one."""
    from creneau.commands import serving, supervising

    given = {"host": host, "port": port, "database": database, "workers": workers}
    given["read_database"] = read_database
    chosen = settings(config_file, **given, unauthenticated=unauthenticated or None)
    if chosen.workers > 1:
        raise typer.Exit(supervising.run(chosen, welcome=welcome))
    raise typer.Exit(serving.run(chosen, welcome=welcome))


@app.command()
def demo(
    database: Database = None,
    config_file: Config = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing when the database has data.")
    ] = False,
    scale: Annotated[Scale, typer.Option(help="A département, or the whole country.")] = Scale.department,
    agendas: Annotated[
        int | None, typer.Option(min=1, help="Agendas of the country (default 300,000).")
    ] = None,
) -> None:
    """Load a fictional French département, or a country: professionals, places, patients, agendas, appointments around today.

    A country that was interrupted is completed by the same command.
    """
    from creneau.commands import loading

    chosen = settings(config_file, database=database, client_ids=True)
    if agendas is not None and scale is not Scale.national:
        raise stop("--agendas goes with --scale national")
    wanted = loading.Wanted(if_empty, chosen if scale is Scale.national else None, agendas)
    try:
        loaded = run_on_store(chosen, lambda world: loading.demo(world, wanted))
    except ValueError as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop(
            "interrupted; what was loaded is there, and the same command loads the rest", 130
        ) from None
    typer.echo(
        f"creneau: {loaded} resources of demo data in {config.shown(chosen.database)}"
        if loaded
        else "creneau: data already there"
    )


@app.command()
def check(config_file: Config = None, database: Database = None) -> None:
    """Print every setting with its value and its sentence; say what is wrong, and which settings of PostgreSQL let patients' data into its log."""
    from rich.console import Console
    from rich.table import Table

    chosen = settings(config_file, database=database)
    table = Table("setting", "value", "meaning", title=f"Creneau {__version__}")
    for name, doc in config.sentences().items():
        table.add_row(name, repr(config.printable(chosen, name)), doc)
    Console().print(table)
    if chosen.database.startswith(config.POSTGRES):
        from creneau.commands import examination

        for warning in asyncio.run(examination.server_of(chosen)):
            typer.echo(f"creneau: {warning}", err=True)


@app.command()
def doctor(database: Database = None, config_file: Config = None) -> None:
    """Verify the integrity of a database that no server is using: exit 0 when nothing is found, 1 otherwise."""
    from creneau.commands import examination

    chosen = settings(config_file, database=database)
    findings, warned = run_on_store(chosen, examination.examine, create=False)
    for warning in warned:
        typer.echo(f"creneau: {warning}", err=True)
    for finding in findings:
        typer.echo(finding)
    typer.echo(f"creneau: {len(findings)} finding(s) in {config.shown(chosen.database)}", err=True)
    raise typer.Exit(1 if findings else 0)


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="File to write.")],
    database: Database = None,
    config_file: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the target when it exists.")] = False,
) -> None:
    """Copy a SQLite database to a file, whole and verified, also while a server is using it."""
    from creneau.commands import copying
    from creneau.store.backup import Damaged

    chosen = settings(config_file, database=database)
    try:
        pages = copying.backup(chosen.database, target, force=force)
    except (OSError, ValueError, Damaged) as error:
        raise stop(str(error), 1) from error
    typer.echo(f"creneau: {pages} pages copied to {target} and verified")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(help="File that `creneau backup` wrote.")],
    database: Database = None,
    config_file: Config = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the database when it exists.")] = False,
) -> None:
    """Make a backup the SQLite database again; no server may be using it."""
    from creneau.commands import copying
    from creneau.store.backup import Damaged

    chosen = settings(config_file, database=database)
    try:
        copying.restore(source, chosen.database, force=force)
    except (OSError, ValueError, Damaged) as error:
        raise stop(str(error), 1) from error
    typer.echo(f"creneau: {chosen.database} restored from {source}")


@app.command()
def copy(
    source: Annotated[
        str, typer.Option("--from", help="Database to read: sqlite:FILE or postgresql://USER@HOST/NAME.")
    ],
    target: Annotated[str, typer.Option("--to", help="Database to fill, empty: likewise.")],
    config_file: Config = None,
) -> None:
    """Copy a whole database into an empty one of either kind, and compare the two: exit 0 when they are equal, else 1 and nothing is there.

    Exit 3: the copy is whole, but the source was written to meanwhile. Exit 4: it is whole, but no synchronous standby confirmed it.
    """
    from creneau.commands import transfer
    from creneau.store.copying import NotCopied, Unconfirmed

    read, written = (settings(config_file, database=one) for one in (source, target))
    try:
        copied = asyncio.run(transfer.copy(read, written))
    except ValueError as error:
        raise stop(str(error)) from error
    except NotCopied as error:
        raise stop(str(error), 1) from error
    except Unconfirmed as error:
        raise stop(f"{error}: the copy is there and equal, but could be lost with its host", 4) from error
    except KeyboardInterrupt:
        raise stop("interrupted; nothing was copied, the same command begins again", 130) from None
    typer.echo(f"creneau: {copied.rows} rows copied to {config.shown(target)} and compared: equal")
    if copied.missed:
        raise stop(f"{copied.missed} version(s) written to the source meanwhile are not in the copy", 3)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def run_on_store(
    chosen: config.Settings, work: Callable[[World], Awaitable[Answer]], *, create: bool = True
) -> Answer:
    """Open the store, do the work, close the store; one line when the store cannot be opened."""
    from creneau import wiring
    from creneau.fhir.validation.package import UnreadablePackage
    from creneau.store.contract import StoreUnavailable
    from creneau.store.lock import Owned
    from creneau.store.migrate import UnknownSchema

    async def inside() -> Answer:
        store: Store = await wiring.open_store(chosen, create=create)
        try:
            world = wiring.world(chosen, store)
            await wiring.indexed(store, world)
            return await work(world)
        finally:
            await store.close()

    try:
        return asyncio.run(inside())
    except (Owned, UnreadablePackage, UnknownSchema, StoreUnavailable, FileNotFoundError) as error:
        raise stop(str(error), 1) from error
