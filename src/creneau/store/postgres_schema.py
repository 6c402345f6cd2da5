"""Whether the tables, functions and indexes of a PostgreSQL database are those that this version's migrations make (REL-33).

`migrations/postgres/schema.txt` says what they make, a fact a line; a test makes it anew and compares.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

FACTS: Final = r"""
WITH ours (space) AS (SELECT current_schema()::regnamespace), bare (prefix) AS (SELECT quote_ident(current_schema()) || '.')
SELECT fact FROM (
    SELECT format('table %s: column %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
        || CASE WHEN a.attcollation NOT IN (0, t.typcollation) THEN ' COLLATE ' || l.collname ELSE '' END
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || coalesce(' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM ours JOIN pg_class c ON c.relnamespace = space AND c.relkind IN ('r', 'p', 'c')
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT format('table %s: constraint %s', c.relname, pg_get_constraintdef(k.oid))
    FROM ours JOIN pg_class c ON c.relnamespace = space
    JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype IN ('p', 'u', 'c', 'f', 'x')
    UNION ALL
    SELECT format('table %s: index %s', c.relname, replace(pg_get_indexdef(i.indexrelid), prefix, ''))
        || CASE WHEN i.indisvalid THEN '' ELSE ' (not valid)' END
    FROM ours CROSS JOIN bare JOIN pg_class c ON c.relnamespace = space JOIN pg_index i ON i.indrelid = c.oid AND c.relkind IN ('r', 'p')
    UNION ALL
    SELECT format('table %s: trigger %s', c.relname, g.tgname)
    FROM ours JOIN pg_class c ON c.relnamespace = space JOIN pg_trigger g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT format(
        'function %s(%s): %s', p.proname, pg_get_function_identity_arguments(p.oid),
        md5(concat_ws('|', p.prosrc, p.provolatile, array_to_string(p.proconfig, ','), format_type(p.prorettype, NULL)))
    )
    FROM ours JOIN pg_proc p ON p.pronamespace = space
    WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.objid = p.oid AND e.deptype = 'e')
) every (fact) ORDER BY fact COLLATE "C"
"""


def expected() -> list[str]:
    """The facts of this version, sorted."""
    return (files("creneau.store") / "migrations" / "postgres" / "schema.txt").read_text("utf-8").splitlines()


async def facts(connection: Any) -> list[str]:
    """The facts of the database that is connected to, sorted."""
    return [fact for (fact,) in await connection.fetch(FACTS)]


async def differences(connection: Any) -> list[str]:
    """What is not as this version made it. Tables, functions and plain indexes of others are nobody's business."""
    found, wanted = set(await facts(connection)), set(expected())
    names = {_named(fact) for fact in wanted}
    missing = [f"{plain(fact)}: is not there as this version made it" for fact in sorted(wanted - found)]
    more = [
        f"{plain(fact)}: is not of this version"
        for fact in sorted(found - wanted)
        if _named(fact) in names and ": index CREATE INDEX" not in fact
    ]
    return missing + more


def _named(fact: str) -> str:
    """ "table x" or "function f"."""
    return fact.split(":", 1)[0].split("(", 1)[0]


def plain(fact: str) -> str:
    """The fact without the checksum of a function."""
    return fact.rpartition(": ")[0] if fact.startswith("function") else fact
