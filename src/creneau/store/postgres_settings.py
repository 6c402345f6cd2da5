"""Settings of a PostgreSQL server that keep what it is sent, patients' data, out of its log (SEC-41).

https://www.postgresql.org/docs/current/runtime-config-logging.html
"""

from __future__ import annotations

from typing import Final, NamedTuple

from creneau.store.postgres_connections import Connections


class Quiet(NamedTuple):
    """A setting, the values that keep the log clean (the first is advised), and what it writes otherwise."""

    name: str
    good: tuple[str, ...]
    otherwise: str


QUIET: Final = (
    Quiet(
        "log_error_verbosity", ("terse",), "details of errors, which hold keys such as business identifiers"
    ),
    Quiet("log_min_error_statement", ("panic", "fatal"), "the statement of each error"),
    Quiet("log_statement", ("none", "ddl"), "statements with their values"),
    Quiet("log_parameter_max_length", ("0",), "values of the statements that it logs"),
    Quiet("log_parameter_max_length_on_error", ("0",), "values of the statements that fail"),
    Quiet("debug_print_parse", ("off",), "statements as they were read"),
    Quiet("debug_print_rewritten", ("off",), "statements as they were read"),
    Quiet("debug_print_plan", ("off",), "plans with the values in them"),
    Quiet("auto_explain.log_parameter_max_length", ("0",), "values of the statements that it explains"),
)
_READ: Final = "SELECT name, setting FROM pg_settings WHERE name = ANY ($1::text[])"


async def warnings(connections: Connections) -> list[str]:
    """A line for each setting, as it is for our connections, with which the server's log may come to hold data of patients."""
    rows = await connections.rows(_READ, [one.name for one in QUIET])
    now = {name: value for name, value in rows}  # what is not there, as auto_explain, writes nothing
    return [
        f"PostgreSQL: {one.name} = {now[one.name]}: its log may hold {one.otherwise}; {one.name} = {one.good[0]} keeps it clean"
        for one in QUIET
        if one.name in now and now[one.name] not in one.good
    ]
