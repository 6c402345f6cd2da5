"""The commits of the PostgreSQL store with one guard taken out, in the database itself: negative controls (REL-02, REL-12).

Whatever process writes there afterwards goes without. A function that writes and has not the expected fragment is an error, so that a
control never becomes the real thing unnoticed.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

import asyncpg

WRITERS: Final = (
    "SELECT oid::regproc::text FROM pg_proc WHERE prosrc LIKE '%INSERT INTO resource%' ORDER BY 1"
)
"""The functions that a commit may be."""


class Weakness(NamedTuple):
    """What is replaced in the functions that write, and a setting of the database (name, value), if any.

    `everywhere`: in each of them; else in `creneau_commit`, which judges what the others do not.
    """

    old: str
    new: str
    setting: tuple[str, str] | None = None
    everywhere: bool = True


WEAKNESSES: Final = {
    # (a) of REL-02: time is only looked at before the write.
    "overlap": Weakness(
        "stretch := creneau_crowded(take.holds, take.capacity);", "stretch := NULL;", everywhere=False
    ),
    # (b) of REL-02: lock, check and insert see one snapshot, taken before the wait for the lock, as in a single statement. The snapshot
    # is that of the call: those that come within the sleep have the same.
    "snapshot": Weakness(
        "IF current_setting('transaction_isolation') <> 'read committed' THEN",
        "PERFORM pg_sleep(0.02);\n    IF false THEN",
        ("default_transaction_isolation", "repeatable read"),
    ),
    # REL-12: a commit is acknowledged before its log is on disk.
    "synchronous": Weakness(
        "PERFORM set_config('synchronous_commit', 'on', true);", "NULL;", ("synchronous_commit", "off")
    ),
}


async def weaken(url: str, guard: str) -> None:
    """Take this guard out of a database that has our schema. Raises LookupError when a function no longer reads as expected."""
    weakness = WEAKNESSES[guard]
    connection = await asyncpg.connect(url)
    try:
        for writer in await _writers(connection) if weakness.everywhere else ["creneau_commit"]:
            code: str = await connection.fetchval("SELECT pg_get_functiondef($1::text::regproc)", writer)
            if code.count(weakness.old) != 1:
                raise LookupError(f"{writer} has not one line of the guard {guard}")
            await connection.execute(code.replace(weakness.old, weakness.new))
        if weakness.setting:
            name, value = weakness.setting
            base = urlsplit(url).path.strip("/")
            await connection.execute(f"ALTER DATABASE {base} SET {name} TO '{value}'")
    finally:
        await connection.close()


async def _writers(connection: asyncpg.Connection) -> list[str]:
    found = [name for (name,) in await connection.fetch(WRITERS)]
    if "creneau_commit" not in found:
        raise LookupError("creneau_commit is not among the functions that write")
    return found
