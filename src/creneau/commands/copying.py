"""`creneau backup` and `creneau restore`: a whole, verified copy of a SQLite database, and back (REL-29)."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from creneau.store.backup import backup as copy
from creneau.store.backup import restore as back


def backup(database: str, target: Path, *, force: bool) -> int:
    """How many pages were copied, also while a server writes. ValueError, OSError, `Damaged` say why not."""
    path = _file(database)
    if target.exists() and not force:
        raise ValueError(f"{target}: exists already; --force replaces it")
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("creneau backup", total=None)
        pages = 0

        def advance(done: int, total: int) -> None:
            nonlocal pages
            pages = total
            progress.update(task, completed=done, total=total)

        copy(path, target, progress=advance, overwrite=force)
    return pages


def restore(source: Path, database: str, *, force: bool) -> None:
    """Make the verified copy the database, which no server may be using. ValueError, OSError, `Damaged` say why not."""
    path = _file(database)
    if path.exists() and not force:
        raise ValueError(f"{path}: exists already; --force replaces it")
    back(source, path, overwrite=force)


def _file(database: str) -> Path:
    kind, _, path = database.partition(":")
    if kind != "sqlite" or not path:
        raise ValueError(f"{database}: only a sqlite:FILE database is copied this way")
    return Path(path)
