"""The SQL of the PostgreSQL store, but for searches (`search_sql.py`) and the commit; columns are those of `migrations/postgres`."""

from __future__ import annotations

from typing import Final

from creneau.store.contract import DAY

STORED: Final = "type, id, version, updated, interaction, body"

COMMIT: Final = "SELECT creneau_commit($1, $2::jsonb, $3::bytea[])::text"
CREATE: Final = """
SELECT creneau_create(
    $1, $2, $3, $4, $5, $6, $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[],
    $13::text::jsonb, $14::text::jsonb
)
"""

GET: Final = f"SELECT {STORED} FROM resource WHERE tenant = $1 AND type = $2 AND id = $3"
VERSION: Final = f"""
{GET} AND version = $4
UNION ALL SELECT {STORED} FROM history WHERE tenant = $1 AND type = $2 AND id = $3 AND version = $4
"""
_LISTED: Final = """
FROM unnest($3::text[]) AS listed
JOIN resource r ON r.tenant = $1 AND r.type = $2 AND r.id = listed AND r.interaction <> 'delete'
"""
VERSIONS: Final = f"SELECT r.id, r.version {_LISTED}"
SEVERAL: Final = f"SELECT r.type, r.id, r.version, r.updated, r.interaction, r.body {_LISTED}"
DATED: Final = """
SELECT p.id, p.param, p.lo, p.hi FROM unnest($3::text[]) AS wanted (id)
JOIN period p ON p.tenant = $1 AND p.type = $2 AND p.id = wanted.id AND p.param >= $4 AND p.param < $5
"""
TYPES: Final = """
WITH RECURSIVE known (type) AS (
    SELECT min(type) FROM resource WHERE tenant = $1
    UNION ALL
    SELECT (SELECT min(r.type) FROM resource r WHERE r.tenant = $1 AND r.type > known.type) FROM known WHERE known.type IS NOT NULL
)
SELECT type FROM known WHERE type IS NOT NULL
"""
LIVE_AFTER: Final = f"""
SELECT {STORED} FROM resource
WHERE tenant = $1 AND type = $2 AND id > $3 AND interaction <> 'delete' ORDER BY id LIMIT $4
"""

HISTORY_OF_ONE: Final = f"""
SELECT * FROM (
    SELECT {STORED} FROM resource WHERE tenant = $1 AND type = $2 AND id = $3
    UNION ALL
    SELECT {STORED} FROM history WHERE tenant = $1 AND type = $2 AND id = $3
) every WHERE version < $4 AND updated >= $5 ORDER BY version DESC LIMIT $6
"""
HISTORY_OF_ONE_COUNT: Final = """
SELECT (SELECT count(*) FROM resource WHERE tenant = $1 AND type = $2 AND id = $3 AND updated >= $4)
     + (SELECT count(*) FROM history WHERE tenant = $1 AND type = $2 AND id = $3 AND updated >= $4)
"""
_BEFORE: Final = """
WHERE tenant = $1 AND type = wanted.type AND updated >= $3 AND updated <= $4 AND (updated, type, id, version) < ($4, $5, $6, $7)
ORDER BY updated DESC, id DESC, version DESC LIMIT $8
"""
HISTORY_OF_TYPES: Final = f"""
SELECT every.* FROM unnest($2::text[]) AS wanted (type) CROSS JOIN LATERAL (
    (SELECT {STORED} FROM resource {_BEFORE}) UNION ALL (SELECT {STORED} FROM history {_BEFORE})
) every ORDER BY updated DESC, type DESC, id DESC, version DESC LIMIT $8
"""
HISTORY_OF_TYPES_COUNT: Final = """
SELECT (SELECT count(*) FROM resource WHERE tenant = $1 AND type = ANY ($2::text[]) AND updated >= $3)
     + (SELECT count(*) FROM history WHERE tenant = $1 AND type = ANY ($2::text[]) AND updated >= $3)
"""

HOLDER: Final = "SELECT id FROM identifier WHERE tenant = $1 AND type = $2 AND system = $3 AND value = $4"
LINKED: Final = """
SELECT id FROM link
WHERE tenant = $1 AND type = $2 AND param = $3 AND target_type = $4 AND target_id = $5 ORDER BY id LIMIT $6
"""
TAKE: Final = "thing, start, finish, kind, lapse, slot, capacity"
TAKES_OF: Final = f"SELECT {TAKE} FROM taken WHERE tenant = $1 AND appointment = $2"
TAKEN: Final = f"""
SELECT {TAKE}, appointment FROM taken
WHERE tenant = $1 AND thing = ANY ($2::text[]) AND start > $3::bigint - {DAY} AND start < $4 AND finish > $3
    AND (lapse IS NULL OR lapse > $5)
UNION ALL
SELECT {TAKE}, appointment FROM taken
WHERE tenant = $1 AND thing = ANY ($2::text[]) AND start <= $3::bigint - {DAY} AND finish > $3 AND finish - start > {DAY}
    AND (lapse IS NULL OR lapse > $5)
ORDER BY thing, start, appointment, finish, slot
"""
AGENDAS: Final = """
SELECT thing, schedule FROM owner WHERE tenant = $1 AND thing = ANY ($2::text[]) ORDER BY thing, schedule
"""

NOTED: Final = "SELECT value FROM meta WHERE tenant = $1 AND key = $2"
NOTE: Final = """
INSERT INTO meta VALUES ($1, $2, $3) ON CONFLICT (tenant, key) DO UPDATE SET value = excluded.value
"""
MEASURE: Final = (
    "ANALYZE resource, history, identifier, token, period, text, link, place, thing, taken, owner"
)
READY: Final = "SELECT 1 WHERE current_setting('transaction_read_only') = 'off'"
