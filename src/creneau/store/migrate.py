"""Brings a SQLite file to the newest schema: numbered SQL files, each applied in one transaction (REL-30)."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from importlib.resources import files
from typing import NamedTuple

APPLICATION = 0x4352_4E55
"""`PRAGMA application_id` of our files: "CRNU"."""

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_version (
    version INTEGER NOT NULL PRIMARY KEY,
    name    TEXT    NOT NULL
) STRICT
"""
_CURRENT = "SELECT coalesce(max(version), 0) FROM schema_version"


class Migration(NamedTuple):
    """One step: its number from 1 without gaps, its file name, its SQL (which neither begins nor commits)."""

    number: int
    name: str
    sql: str


class UnknownSchema(Exception):
    """The file is not ours, or was written by a newer program; the message says which."""


def migrations(dialect: str = "sqlite") -> list[Migration]:
    """The steps that the package carries for one dialect, in order."""
    folder = files("creneau.store") / "migrations" / dialect
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [Migration(int(name.split("_")[0]), name, (folder / name).read_text("utf-8")) for name in names]


def schema_of(connection: sqlite3.Connection) -> int:
    """The number of the last step applied to the file, 0 for an empty one; raises `UnknownSchema` for somebody else's."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    if application != APPLICATION or "schema_version" not in tables:
        raise UnknownSchema("the file is a SQLite database of another program")
    return int(connection.execute(_CURRENT).fetchone()[0])


def migrate(connection: sqlite3.Connection, steps: Sequence[Migration]) -> list[str]:
    """Apply the steps that the file lacks and return their names; a kill in the middle leaves the last whole step."""
    current = schema_of(connection)
    if current > len(steps):
        raise UnknownSchema(
            f"the file has schema {current} and this program knows schemas up to {len(steps)}: use a newer creneau"
        )
    lacking = [step for step in steps if step.number > current]
    for step in lacking:
        _apply(connection, step)
    return [step.name for step in lacking]


def _apply(connection: sqlite3.Connection, step: Migration) -> None:
    begin = f"BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION}; {_TABLE};"
    record = f"INSERT INTO schema_version VALUES ({step.number}, '{step.name}'); COMMIT;"
    try:
        connection.executescript(f"{begin}\n{step.sql}\n;{record}")
    except sqlite3.Error:
        if connection.in_transaction:
            connection.rollback()
        raise
