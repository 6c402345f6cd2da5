"""`creneau backup`: a whole, verified copy of a SQLite database, also while a server writes to it (REL-29)."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from creneau.store.backup import backup as copy


def backup(database: str, target: Path, *, force: bool) -> int:
    """How many pages were copied. ValueError when there is no SQLite file to copy; OSError as the system says."""
    kind, _, path = database.partition(":")
    if kind != "sqlite" or not path:
        raise ValueError(f"{database}: only a sqlite:FILE database is copied this way")
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

        copy(Path(path), target, progress=advance, overwrite=force)
    return pages
