"""Every statement of the SQLite store seeks through an index, so that its cost does not grow with the base (design, "Budgets")."""

from __future__ import annotations

import re
import sqlite3

import pytest

from creneau.store import statements
from creneau.store.migrate import migrate, migrations

TABLES = "resource|history|identifier|token|period|text|link|place|taken|owner"
SCAN = re.compile(rf"^SCAN ({TABLES})\b")
WHOLE_TENANT = re.compile(rf"^SEARCH ({TABLES})\b.*\(tenant=\?\)$")
WHOLE_TYPE = re.compile(rf"^SEARCH ({TABLES})\b.*\(tenant=\? AND (type|thing)=\?\)$")
LEAPS = {"TYPES", "ANY_LONG"}  # from type to type; to the first row and no further
BY_TYPE = {"TYPES", "IS_OWNED", "AGENDAS"}
"""Statements that want all of what they seek: the least type, the agendas of a thing."""


def named() -> dict[str, str]:
    """Each statement under its name."""
    found = {}
    for name, value in vars(statements).items():
        if isinstance(value, dict) and name.isupper():
            found |= {f"{name}[{table}]": sql for table, sql in value.items()}
        elif (
            name.isupper()
            and isinstance(value, str)
            and re.match(r"\s*(SELECT|WITH|UPDATE|DELETE|INSERT)", value)
        ):
            found[name] = value
    return found


@pytest.fixture(scope="module")
def empty():
    """A connection to an empty database without statistics, as every new file is."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, migrations())
    yield connection
    connection.close()


@pytest.mark.parametrize("name", named())
def test_a_statement_seeks_what_it_needs_through_an_index(empty, name):
    sql = named()[name]
    marks = len(set(re.findall(r"\?\d", sql))) or sql.count("?")

    plan = [row[3] for row in empty.execute(f"EXPLAIN QUERY PLAN {sql}", ["[]"] * marks)]

    bad = [SCAN, WHOLE_TENANT, WHOLE_TYPE]
    if name in BY_TYPE:
        bad = [SCAN, WHOLE_TENANT]
    if name in LEAPS:
        bad = [SCAN]
    assert [step for step in plan for pattern in bad if pattern.search(step)] == []
