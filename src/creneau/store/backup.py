"""Copies a SQLite store while its server runs and writes, and puts such a copy back (REL-29)."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

from creneau.store.lock import FileLock
from creneau.store.migrate import UnknownSchema, migrations, schema_of

STEP: Final = 1024
"""Pages copied between two calls of `progress`."""

Progress = Callable[[int, int], None]


class Damaged(Exception):
    """The copy is not a sound store; the message says what SQLite found."""


def quiet(done: int, total: int) -> None:
    """A progress that says nothing."""


def backup(path: Path, target: Path, progress: Progress = quiet, *, overwrite: bool = False) -> None:
    """Copy the store at `path`, as of one instant, to `target`; `progress(pages done, pages in all)` while it lasts.

    The server may hold the file and write: one read transaction keeps the copy to the commits of its first instant, and the
    log grows meanwhile. The copy is written under another name, verified, made durable, then named `target`. Raises
    FileExistsError when `target` is there and `overwrite` is false, FileNotFoundError without a store, `Damaged`.
    """
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target}: exists already")
    if not path.exists():
        raise FileNotFoundError(f"{path}: there is no such database")
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        _whole(path, part, progress)
        verify(part)
        name(part, target, overwrite=overwrite)
    finally:
        forget(part)


def restore(copy: Path, path: Path, *, overwrite: bool = False) -> None:
    """Make the verified copy the store at `path`, which no process may own (`lock.Owned`); same refusals as `backup`."""
    lock = FileLock.take(path)
    try:
        verify(copy)
        if path.exists() and overwrite:
            _fold(path)
        backup(copy, path, overwrite=overwrite)
    finally:
        lock.release()


def verify(path: Path) -> None:
    """Raise `Damaged` unless the file is a sound store that this program can open."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection:
            findings = [word for (word,) in connection.execute("PRAGMA integrity_check")]
            schema = schema_of(connection)
    except (sqlite3.DatabaseError, UnknownSchema) as error:
        raise Damaged(str(error)) from None
    if findings != ["ok"]:
        raise Damaged("; ".join(findings[:10]))
    if not 1 <= schema <= len(migrations()):
        raise Damaged(f"schema {schema} is not one that this program knows")


def _whole(path: Path, part: Path, progress: Progress) -> None:
    try:
        _copy(path, part, progress)
    except sqlite3.DatabaseError as error:
        raise Damaged(f"{path}: {error}") from error


def _copy(path: Path, part: Path, progress: Progress) -> None:
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    source = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
    with closing(source), closing(sqlite3.connect(part)) as copy:
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM sqlite_master").fetchone()
        source.backup(
            copy, pages=STEP, progress=lambda _, left, total: progress(total - left, total), sleep=0.005
        )
        source.execute("ROLLBACK")


def forget(part: Path) -> None:
    """Remove a file that got no name, and what SQLite left beside it."""
    for leftover in (part, *_beside(part)):
        leftover.unlink(missing_ok=True)


def name(part: Path, target: Path, *, overwrite: bool) -> None:
    """Make the file durable, and `target` its name; FileExistsError when that is taken and `overwrite` is false."""
    _sync(part)
    if overwrite:
        part.replace(target)
    else:
        os.link(part, target)
    _sync(target.absolute().parent)


def _fold(path: Path) -> None:
    """Leave the file without log: its own commits go into it, and none can be replayed over the copy that replaces it."""
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    for log in _beside(path):
        log.unlink(missing_ok=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(path: Path) -> list[Path]:
    """The log and its index, which belong to the file they are named after."""
    return [path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")]
