"""The real server as a version to come: the same program that knows some migrations more (REL-30). Only torture starts it.

`python -m torture.later STEPS serve|doctor ...`: a step does to the database what one of ours may do beside the program before it: a
column more, a table, an index, a function written anew. With a minus sign before it the last step takes away what the program before it
still needs: a negative control.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any, Final

from creneau.store import postgres, postgres_schema, postgres_statements
from creneau.store.migrate import Migration

EXPANDING: Final = """
ALTER TABLE resource ADD COLUMN later_{0} text;
ALTER TABLE history ADD COLUMN later_{0} text;
CREATE TABLE later_{0} (tenant text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, PRIMARY KEY (tenant, id));
CREATE INDEX resource_by_later_{0} ON resource (tenant, type, later_{0}) WHERE later_{0} IS NOT NULL;
DO $do$ BEGIN
    EXECUTE pg_get_functiondef('creneau_commit'::regproc);
    EXECUTE pg_get_functiondef('creneau_create'::regproc);
END $do$;
"""
CONTRACTING: Final = "ALTER FUNCTION creneau_create RENAME TO creneau_create_later;"


def steps(number: int, first: int) -> list[Migration]:
    """So many migrations more, numbered from `first`; of a negative number, the last takes something away."""
    count = abs(number)
    found = []
    for one in range(1, count + 1):
        sql = CONTRACTING if number < 0 and one == count else EXPANDING
        found.append(Migration(first + one - 1, f"later_{one}.sql", sql.format(one)))
    return found


def facts(number: int) -> list[str]:
    """What their doctor expects besides, in the form of `migrations/postgres/schema.txt`."""
    expanding = range(1, abs(number) + (number > 0))
    return [
        f"table {table}: column later_{one} text" for one in expanding for table in ("history", "resource")
    ]


def know(number: int) -> None:
    """Have the stores of this process know them."""
    ours = postgres.migrations

    def migrations(dialect: str) -> list[Migration]:
        known = ours(dialect)
        return [*known, *steps(number, len(known) + 1)]

    vars(postgres).update(migrations=migrations)
    known = [*postgres_schema.expected(), *facts(number)]
    if number < 0:
        known = [fact.replace("function creneau_create(", "function creneau_create_later(") for fact in known]
        create = postgres_statements.CREATE.replace("creneau_create", "creneau_create_later")
        vars(postgres_statements).update(CREATE=create)
    vars(postgres_schema).update(expected=lambda: known)


def start_workers_as(*program: str) -> None:
    """Have the processes that this one starts to serve begin with that module and its arguments, before the word `working`."""
    started = asyncio.create_subprocess_exec

    async def start(python: str, *arguments: str, **options: Any) -> asyncio.subprocess.Process:
        if "creneau.commands.working" in arguments:
            arguments = ("-m", *program, "working")
        return await started(python, *arguments, **options)

    vars(asyncio).update(create_subprocess_exec=start)  # in this process only


def main() -> None:
    """Know more, then be `creneau` with the remaining arguments."""
    number, *rest = sys.argv[1:]
    know(int(number))
    if rest == ["working"]:
        from creneau.commands.working import main as working

        raise SystemExit(working())
    start_workers_as("torture.later", number)
    sys.argv = ["creneau", *rest]
    from creneau.__main__ import main as creneau

    creneau()


if __name__ == "__main__":
    main()
