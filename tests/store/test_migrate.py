"""Upgrades of the SQLite file: from nothing, from every earlier schema, through a kill, never backwards (REL-30)."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from creneau.store.migrate import Migration, UnknownSchema, migrate, migrations, schema_of
from creneau.store.sqlite import open_sqlite

from .made import body, plan, put

NEXT = len(migrations()) + 1
COLUMN = Migration(NEXT, "next.sql", "ALTER TABLE meta ADD COLUMN note TEXT; UPDATE meta SET note = 'kept';")
BROKEN = Migration(NEXT, "next.sql", "ALTER TABLE meta ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1);")
KILLED = """
import os, sqlite3, sys
from creneau.store.migrate import Migration, migrate, migrations
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.create_function("die", 0, lambda: os.kill(os.getpid(), 9))
sql = "ALTER TABLE meta ADD COLUMN note TEXT; SELECT die();"
migrate(connection, [*migrations(), Migration(len(migrations()) + 1, "next.sql", sql)])
"""


@pytest.fixture
def open_file(tmp_path):
    """Connections to one file, closed at the end."""
    opened = []

    def connect():
        opened.append(sqlite3.connect(tmp_path / "creneau.sqlite", isolation_level=None))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def columns(connection):
    return [row[1] for row in connection.execute("PRAGMA table_info(meta)")]


def test_the_steps_are_numbered_from_one_without_gap():
    assert [step.number for step in migrations()] == list(range(1, NEXT))


def test_an_empty_file_gets_every_step_and_a_second_run_none(open_file):
    connection = open_file()

    assert migrate(connection, migrations()) == [step.name for step in migrations()]
    assert migrate(connection, migrations()) == []
    assert schema_of(connection) == NEXT - 1


@pytest.mark.parametrize("known", range(1, NEXT))
def test_a_file_of_every_earlier_schema_is_brought_up_with_its_rows(open_file, known):
    connection = open_file()
    migrate(connection, migrations()[:known])
    connection.execute("INSERT INTO meta (key, value) VALUES ('a', 'b')")

    migrate(connection, [*migrations(), COLUMN])

    assert connection.execute("SELECT key, value, note FROM meta").fetchall() == [("a", "b", "kept")]


def test_what_version_one_wrote_is_served_by_this_version(tmp_path, run, open_file):
    connection = open_file()
    migrate(connection, migrations()[:1])
    row = ("default", "Patient", "p", 1, 5, "create", b'{"id":"p"}')
    connection.execute("INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    store = open_sqlite(tmp_path / "creneau.sqlite", create=False)
    run(store.commit(plan(put("Patient", "p", 2))))
    stored = [run(store.version("Patient", "p", version)).body for version in (1, 2)]
    run(store.close())

    assert stored == [b'{"id":"p"}', body("Patient", "p", 2)]


def test_a_step_that_fails_leaves_the_file_at_the_last_whole_step(open_file):
    connection = open_file()
    migrate(connection, migrations())

    with pytest.raises(sqlite3.Error):
        migrate(connection, [*migrations(), BROKEN])

    assert columns(open_file()) == ["key", "value"]
    assert migrate(connection, [*migrations(), COLUMN]) == ["next.sql"]


def test_a_kill_in_the_middle_of_a_step_leaves_the_last_whole_step_and_the_next_run_resumes(
    tmp_path, open_file
):
    migrate(open_file(), migrations())

    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "creneau.sqlite")], check=False)

    assert killed.returncode == -9
    assert columns(open_file()) == ["key", "value"]
    assert migrate(open_file(), [*migrations(), COLUMN]) == ["next.sql"]
    assert columns(open_file()) == ["key", "value", "note"]


def test_a_newer_schema_is_refused_by_name_and_left_as_it_is(tmp_path, open_file):
    migrate(open_file(), [*migrations(), COLUMN])

    with pytest.raises(UnknownSchema, match=f"schema {NEXT}.*up to {NEXT - 1}.*newer creneau"):
        open_sqlite(tmp_path / "creneau.sqlite")

    assert schema_of(open_file()) == NEXT


def test_the_file_of_another_program_is_refused(tmp_path, open_file):
    open_file().execute("CREATE TABLE bookmarks (url TEXT)")

    with pytest.raises(UnknownSchema, match="another program"):
        open_sqlite(tmp_path / "creneau.sqlite")


def test_every_key_and_index_begins_with_the_tenant(open_file):
    connection = open_file()
    migrate(connection, migrations())
    about_the_file = {"meta", "schema_version"}
    tables = [t for (t,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]

    first = {
        (table, index[1]): connection.execute(f"PRAGMA index_info({index[1]})").fetchone()[2]
        for table in tables
        if table not in about_the_file and not table.startswith("sqlite_")
        for index in connection.execute(f"PRAGMA index_list({table})")
    }

    assert len(first) >= 10
    assert set(first.values()) == {"tenant"}
