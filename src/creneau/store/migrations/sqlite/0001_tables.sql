-- First schema. Instants are microseconds since 1970 UTC; intervals exclude their end. The tenant leads every key and index (SCH-01).

-- Current version of each resource, deletions included (their body is empty).
CREATE TABLE resource (
    tenant      TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     INTEGER NOT NULL CHECK (version >= 1),
    updated     INTEGER NOT NULL,
    interaction TEXT    NOT NULL CHECK (interaction IN ('create', 'update', 'delete')),
    body        BLOB    NOT NULL,
    PRIMARY KEY (tenant, type, id)
) STRICT;

-- _lastUpdated, histories of a type, and counts of live resources read this index alone.
CREATE INDEX resource_by_updated ON resource (tenant, type, updated, id, version, interaction);

-- Preceding versions only.
CREATE TABLE history (
    tenant      TEXT    NOT NULL,
    type        TEXT    NOT NULL,
    id          TEXT    NOT NULL,
    version     INTEGER NOT NULL,
    updated     INTEGER NOT NULL,
    interaction TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    PRIMARY KEY (tenant, type, id, version)
) STRICT;

CREATE INDEX history_by_updated ON history (tenant, type, updated, id, version);

-- Business identifiers, each held by one resource of its type.
CREATE TABLE identifier (
    tenant TEXT NOT NULL,
    type   TEXT NOT NULL,
    system TEXT NOT NULL,
    value  TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, type, system, value)
) STRICT, WITHOUT ROWID;

CREATE INDEX identifier_by_id ON identifier (tenant, type, id);

-- What a search finds live resources by: one table per kind of `search/rows.py`.
CREATE TABLE token (
    tenant TEXT NOT NULL,
    type   TEXT NOT NULL,
    param  TEXT NOT NULL,
    code   TEXT NOT NULL,
    system TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, type, param, code, system, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE period (
    tenant TEXT    NOT NULL,
    type   TEXT    NOT NULL,
    param  TEXT    NOT NULL,
    lo     INTEGER NOT NULL,
    hi     INTEGER NOT NULL,
    id     TEXT    NOT NULL,
    PRIMARY KEY (tenant, type, param, lo, hi, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE text (
    tenant TEXT NOT NULL,
    type   TEXT NOT NULL,
    param  TEXT NOT NULL,
    folded TEXT NOT NULL,
    text   TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, type, param, folded, text, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    tenant      TEXT NOT NULL,
    type        TEXT NOT NULL,
    param       TEXT NOT NULL,
    target_type TEXT NOT NULL,
    target_id   TEXT NOT NULL,
    id          TEXT NOT NULL,
    PRIMARY KEY (tenant, type, param, target_type, target_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE place (
    tenant    TEXT NOT NULL,
    type      TEXT NOT NULL,
    param     TEXT NOT NULL,
    latitude  REAL NOT NULL,
    longitude REAL NOT NULL,
    id        TEXT NOT NULL,
    PRIMARY KEY (tenant, type, param, latitude, longitude, id)
) STRICT, WITHOUT ROWID;

-- Time taken. `lapse`: a hold ends at this instant. `guarded`: the thing owned an agenda and the time was checked.
CREATE TABLE taken (
    tenant      TEXT    NOT NULL,
    thing       TEXT    NOT NULL,
    start       INTEGER NOT NULL,
    appointment TEXT    NOT NULL,
    finish      INTEGER NOT NULL,
    slot        TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    lapse       INTEGER,
    capacity    INTEGER NOT NULL,
    guarded     INTEGER NOT NULL,
    PRIMARY KEY (tenant, thing, start, appointment, finish, slot),
    CHECK (start < finish)
) STRICT, WITHOUT ROWID;

CREATE INDEX taken_by_appointment ON taken (tenant, appointment);

-- Overlaps are found among starts of the preceding 24 hours; longer intervals are found here (SCH-05).
CREATE INDEX taken_long ON taken (tenant, thing, start) WHERE finish - start > 86400000000;

-- The things that each live Schedule is an agenda of.
CREATE TABLE owner (
    tenant   TEXT NOT NULL,
    thing    TEXT NOT NULL,
    schedule TEXT NOT NULL,
    PRIMARY KEY (tenant, thing, schedule)
) STRICT, WITHOUT ROWID;

CREATE INDEX owner_by_schedule ON owner (tenant, schedule);

-- Facts about the file itself, such as the checksum of the search tables that its index rows were made with.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
