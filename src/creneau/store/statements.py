"""The SQL of the SQLite store, but for searches (`search_sql.py`); columns are those of `migrations/sqlite`.

`INDEXED BY` and `+column` hold the planner to the index that the statement was written for: without statistics it took the
tenant's whole table.
"""

from __future__ import annotations

from typing import Final

from creneau.store.contract import DAY

STORED: Final = "type, id, version, updated, interaction, body"

GET: Final = f"SELECT {STORED} FROM resource WHERE tenant = ? AND type = ? AND id = ?"
VERSION_CURRENT: Final = f"{GET} AND version = ?"
VERSION_PAST: Final = f"SELECT {STORED} FROM history WHERE tenant = ? AND type = ? AND id = ? AND version = ?"
_LISTED: Final = """
FROM json_each(?3) listed CROSS JOIN resource r INDEXED BY sqlite_autoindex_resource_1
ON r.tenant = ?1 AND r.type = ?2 AND r.id = listed.value AND r.interaction <> 'delete'
"""
VERSIONS: Final = f"SELECT r.id, r.version {_LISTED}"
SEVERAL: Final = f"SELECT r.type, r.id, r.version, r.updated, r.interaction, r.body {_LISTED}"

TYPES: Final = """
WITH RECURSIVE known (type) AS (
    SELECT min(type) FROM resource WHERE tenant = ?1
    UNION ALL
    SELECT (SELECT min(type) FROM resource WHERE tenant = ?1 AND type > known.type) FROM known WHERE known.type IS NOT NULL
)
SELECT type FROM known WHERE type IS NOT NULL
"""
LIVE_AFTER: Final = f"""
SELECT {STORED} FROM resource
WHERE tenant = ? AND type = ? AND id > ? AND interaction <> 'delete' ORDER BY id LIMIT ?
"""
LIVE_BODIES: Final = """
SELECT type, id, body FROM resource
WHERE tenant = ? AND (type, id) > (?, ?) AND interaction <> 'delete' ORDER BY type, id LIMIT ?
"""

HISTORY_OF_ONE: Final = f"""
SELECT * FROM (
    SELECT {STORED} FROM resource
    WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND version < ?4 AND updated >= ?5
    UNION ALL
    SELECT * FROM (
        SELECT {STORED} FROM history
        WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND version < ?4 AND updated >= ?5 ORDER BY version DESC LIMIT ?6
    )
) ORDER BY version DESC LIMIT ?6
"""
HISTORY_OF_ONE_COUNT: Final = """
SELECT (SELECT count(*) FROM resource WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND updated >= ?4)
     + (SELECT count(*) FROM history INDEXED BY sqlite_autoindex_history_1
        WHERE tenant = ?1 AND type = ?2 AND id = ?3 AND updated >= ?4)
"""
HISTORY_OF_TYPE: Final = f"""
SELECT * FROM (
    SELECT * FROM (
        SELECT {STORED} FROM resource
        WHERE tenant = ?1 AND type = ?2 AND updated >= ?3 AND (updated, id, version) < (?4, ?5, ?6)
        ORDER BY updated DESC, id DESC, version DESC LIMIT ?7
    )
    UNION ALL
    SELECT * FROM (
        SELECT {STORED} FROM history
        WHERE tenant = ?1 AND type = ?2 AND updated >= ?3 AND (updated, id, version) < (?4, ?5, ?6)
        ORDER BY updated DESC, id DESC, version DESC LIMIT ?7
    )
) ORDER BY updated DESC, id DESC, version DESC LIMIT ?7
"""
HISTORY_OF_TYPE_COUNT: Final = """
SELECT (SELECT count(*) FROM resource WHERE tenant = ?1 AND type = ?2 AND updated >= ?3)
     + (SELECT count(*) FROM history WHERE tenant = ?1 AND type = ?2 AND updated >= ?3)
"""

CURRENT_VERSION: Final = "SELECT version FROM resource WHERE tenant = ? AND type = ? AND id = ?"
HOLDER: Final = "SELECT id FROM identifier WHERE tenant = ? AND type = ? AND system = ? AND value = ?"
CLAIMS_OF: Final = "SELECT system, value FROM identifier WHERE tenant = ? AND type = ? AND id = ?"
LINKED: Final = """
SELECT id FROM link
WHERE tenant = ? AND type = ? AND param = ? AND target_type = ? AND target_id = ? ORDER BY id
"""

DATED: Final = """
SELECT period.id, param, lo, hi FROM json_each(?3) AS wanted CROSS JOIN period INDEXED BY period_by_id
WHERE tenant = ?1 AND period.type = ?2 AND period.id = wanted.value AND param >= ?4 AND param < ?5
"""

TAKE: Final = "thing, start, finish, kind, lapse, slot, capacity"
TAKES_OF: Final = f"""
SELECT {TAKE}, guarded FROM taken INDEXED BY taken_by_appointment WHERE tenant = ? AND appointment = ?
"""
TAKEN: Final = f"""
SELECT {TAKE}, appointment FROM json_each(?5) AS wanted CROSS JOIN taken
WHERE tenant = ?1 AND thing = wanted.value AND start > ?2 - {DAY} AND start < ?3 AND finish > ?2
    AND (lapse IS NULL OR lapse > ?4)
"""
TAKEN_OF_ONE: Final = f"""
SELECT {TAKE}, appointment FROM taken
WHERE tenant = ?1 AND thing = ?5 AND start > ?2 - {DAY} AND start < ?3 AND finish > ?2
    AND (lapse IS NULL OR lapse > ?4)
"""
ANY_LONG: Final = (
    f"SELECT 1 FROM taken INDEXED BY taken_long WHERE tenant = ? AND finish - start > {DAY} LIMIT 1"
)
TAKEN_LONG: Final = f"""
SELECT {TAKE}, appointment FROM json_each(?5) AS wanted CROSS JOIN taken INDEXED BY taken_long
WHERE tenant = ?1 AND thing = wanted.value AND start <= ?2 - {DAY} AND start < ?3 AND finish > ?2
    AND finish - start > {DAY} AND (lapse IS NULL OR lapse > ?4)
"""
AGENDAS: Final = """
SELECT thing, schedule FROM json_each(?2) AS wanted CROSS JOIN owner
WHERE tenant = ?1 AND thing = wanted.value ORDER BY thing, schedule
"""
RIVALS: Final = f"""
SELECT start, finish, appointment, lapse FROM taken
WHERE tenant = ?1 AND thing = ?2 AND start > ?3 - {DAY} AND start < ?4 AND finish > ?3
UNION ALL
SELECT start, finish, appointment, lapse FROM taken INDEXED BY taken_long
WHERE tenant = ?1 AND thing = ?2 AND start <= ?3 - {DAY} AND finish > ?3 AND finish - start > {DAY}
"""
IS_OWNED: Final = "SELECT schedule FROM owner WHERE tenant = ? AND thing = ?"

INSERT_RESOURCE: Final = "INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?)"
KEEP_PAST: Final = "INSERT INTO history SELECT * FROM resource WHERE tenant = ? AND type = ? AND id = ?"
UPDATE_RESOURCE: Final = """
UPDATE resource SET version = ?, updated = ?, interaction = ?, body = ? WHERE tenant = ? AND type = ? AND id = ?
"""
INSERT_CLAIM: Final = "INSERT INTO identifier VALUES (?, ?, ?, ?, ?)"
DELETE_CLAIM: Final = "DELETE FROM identifier WHERE tenant = ? AND type = ? AND system = ? AND value = ?"
INSERT_TAKE: Final = "INSERT INTO taken VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
DELETE_TAKES: Final = "DELETE FROM taken WHERE tenant = ? AND appointment = ?"
INSERT_OWNER: Final = "INSERT INTO owner VALUES (?, ?, ?)"
DELETE_OWNS: Final = "DELETE FROM owner WHERE tenant = ? AND schedule = ?"

INSERT_ROW: Final = {
    "token": "INSERT OR IGNORE INTO token VALUES (?, ?, ?, ?, ?, ?)",
    "period": "INSERT OR IGNORE INTO period VALUES (?, ?, ?, ?, ?, ?)",
    "text": "INSERT OR IGNORE INTO text VALUES (?, ?, ?, ?, ?, ?)",
    "link": "INSERT OR IGNORE INTO link VALUES (?, ?, ?, ?, ?, ?)",
    "place": "INSERT OR IGNORE INTO place VALUES (?, ?, ?, ?, ?, ?)",
}
DELETE_ROW: Final = {
    "token": "DELETE FROM token WHERE tenant=? AND type=? AND param=? AND code=? AND system=? AND id=?",
    "period": "DELETE FROM period WHERE tenant=? AND type=? AND param=? AND lo=? AND hi=? AND id=?",
    "text": "DELETE FROM text WHERE tenant=? AND type=? AND param=? AND folded=? AND text=? AND id=?",
    "link": "DELETE FROM link WHERE tenant=? AND type=? AND param=? AND target_type=? AND target_id=? AND id=?",
    "place": "DELETE FROM place WHERE tenant=? AND type=? AND param=? AND latitude=? AND longitude=? AND id=?",
}
