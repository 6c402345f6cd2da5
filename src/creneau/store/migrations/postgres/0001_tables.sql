-- First schema. Instants are microseconds since 1970 UTC; intervals exclude their end. The tenant leads every key and index (SCH-01).
-- Texts compare by code point (COLLATE "C"), as in the other stores. A key holds some 2,700 bytes at the most: texts that are longer
-- than some 1,000 bytes are kept shortened (store/postgres_values.py). The body is the bytes served (SCH-06).

-- Current version of each resource, deletions included (their body is empty).
CREATE TABLE resource (
    tenant      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    version     bigint NOT NULL CHECK (version >= 1),
    updated     bigint NOT NULL,
    interaction text COLLATE "C" NOT NULL CHECK (interaction IN ('create', 'update', 'delete')),
    body        bytea  NOT NULL,
    PRIMARY KEY (tenant, type, id)
);

-- _lastUpdated, histories of a type, and counts of live resources read this index alone. The id is no key of it: without statistics
-- PostgreSQL took it for as good as the primary key, and read all resources of the type to find one.
CREATE INDEX resource_by_updated ON resource (tenant, type, updated) INCLUDE (id, version, interaction);

-- Preceding versions only.
CREATE TABLE history (
    tenant      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    version     bigint NOT NULL,
    updated     bigint NOT NULL,
    interaction text COLLATE "C" NOT NULL,
    body        bytea  NOT NULL,
    PRIMARY KEY (tenant, type, id, version)
);

CREATE INDEX history_by_updated ON history (tenant, type, updated) INCLUDE (id, version);

-- Business identifiers, each held by one resource of its type.
CREATE TABLE identifier (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL,
    value  text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, system, value)
);

CREATE INDEX identifier_by_id ON identifier (tenant, type, id);

-- What a search finds live resources by: one table per kind of search/rows.py.
CREATE TABLE token (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    param  text COLLATE "C" NOT NULL,
    code   text COLLATE "C" NOT NULL,
    system text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, param, code, id, system)
);

CREATE TABLE period (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    param  text COLLATE "C" NOT NULL,
    lo     bigint NOT NULL,
    hi     bigint NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, param, lo, hi, id)
);

CREATE INDEX period_by_id ON period (tenant, type, id, param);

CREATE TABLE text (
    tenant text COLLATE "C" NOT NULL,
    type   text COLLATE "C" NOT NULL,
    param  text COLLATE "C" NOT NULL,
    folded text COLLATE "C" NOT NULL,
    text   text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, param, folded, text, id)
);

CREATE TABLE link (
    tenant      text COLLATE "C" NOT NULL,
    type        text COLLATE "C" NOT NULL,
    param       text COLLATE "C" NOT NULL,
    target_type text COLLATE "C" NOT NULL,
    target_id   text COLLATE "C" NOT NULL,
    id          text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, param, target_type, target_id, id)
);

CREATE TABLE place (
    tenant    text COLLATE "C" NOT NULL,
    type      text COLLATE "C" NOT NULL,
    param     text COLLATE "C" NOT NULL,
    latitude  double precision NOT NULL,
    longitude double precision NOT NULL,
    id        text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, type, param, latitude, longitude, id)
);

-- What a commit locks before it looks at the time of a thing: one row per thing ever owned or taken, never changed, never deleted.
CREATE TABLE thing (
    tenant text COLLATE "C" NOT NULL,
    thing  text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, thing)
);

-- Time taken. lapse: a hold ends at this instant. guarded: the thing owned an agenda and the time was checked. number: among the
-- takes of its appointment.
CREATE TABLE taken (
    tenant      text COLLATE "C" NOT NULL,
    thing       text COLLATE "C" NOT NULL,
    start       bigint NOT NULL,
    appointment text COLLATE "C" NOT NULL,
    number      integer NOT NULL,
    finish      bigint NOT NULL,
    slot        text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    lapse       bigint,
    capacity    bigint NOT NULL,
    guarded     integer NOT NULL,
    PRIMARY KEY (tenant, thing, start, appointment, number),
    CHECK (start < finish)
);

CREATE INDEX taken_by_appointment ON taken (tenant, appointment, thing);

-- Overlaps are found among starts of the preceding 24 hours; longer intervals are found here (SCH-05).
CREATE INDEX taken_long ON taken (tenant, thing, start) WHERE finish - start > 86400000000;

-- The things that each live Schedule is an agenda of.
CREATE TABLE owner (
    tenant   text COLLATE "C" NOT NULL,
    thing    text COLLATE "C" NOT NULL,
    schedule text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, thing, schedule)
);

CREATE INDEX owner_by_schedule ON owner (tenant, schedule);

-- Facts about a tenant's rows, such as the checksum of the search tables that its index rows were made with.
CREATE TABLE meta (
    tenant text COLLATE "C" NOT NULL,
    key    text COLLATE "C" NOT NULL,
    value  text NOT NULL,
    PRIMARY KEY (tenant, key)
);

-- The great-circle distance of two points given in degrees (haversine), as search/match.py says it.
CREATE FUNCTION kilometres(latitude double precision, longitude double precision, other_latitude double precision, other_longitude double precision)
RETURNS double precision LANGUAGE sql IMMUTABLE STRICT AS $$
    SELECT 2 * 6371.0088 * asin(least(1.0, sqrt(
        power(sin(radians(other_latitude - latitude) / 2), 2)
        + cos(radians(latitude)) * cos(radians(other_latitude)) * power(sin(radians(other_longitude - longitude) / 2), 2)
    )))
$$;
