"""The commit of the PostgreSQL store with one guard taken out, in the database itself: negative controls (REL-02, REL-12).

Whatever process writes there afterwards goes without. A fragment of the function that is no longer there is an error, so that a control
never becomes the real thing unnoticed.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import urlsplit

import asyncpg


class Weakness(NamedTuple):
    """What is replaced in `creneau_commit`, and a setting of the database (name, value), if any."""

    old: str
    new: str
    setting: tuple[str, str] | None = None


WEAKNESSES: Final = {
    # (a) of REL-02: time is only looked at before the write.
    "overlap": Weakness("stretch := creneau_crowded(take.holds, take.capacity);", "stretch := NULL;"),
    # (b) of REL-02: lock, check and insert see one snapshot, taken before the wait for the lock, as in a single statement.
    "snapshot": Weakness(
        "IF current_setting('transaction_isolation') <> 'read committed' THEN",
        "IF false THEN",
        ("default_transaction_isolation", "repeatable read"),
    ),
    # REL-12: a commit is acknowledged before its log is on disk.
    "synchronous": Weakness(
        "PERFORM set_config('synchronous_commit', 'on', true);", "NULL;", ("synchronous_commit", "off")
    ),
}


async def weaken(url: str, guard: str) -> None:
    """Take this guard out of a database that has our schema. Raises LookupError when the function no longer reads as expected."""
    weakness = WEAKNESSES[guard]
    connection = await asyncpg.connect(url)
    try:
        code: str = await connection.fetchval("SELECT pg_get_functiondef('creneau_commit'::regproc)")
        if code.count(weakness.old) != 1:
            raise LookupError(f"creneau_commit has not one line of the guard {guard}")
        await connection.execute(code.replace(weakness.old, weakness.new))
        if weakness.setting:
            name, value = weakness.setting
            base = urlsplit(url).path.strip("/")
            await connection.execute(f"ALTER DATABASE {base} SET {name} TO '{value}'")
    finally:
        await connection.close()
