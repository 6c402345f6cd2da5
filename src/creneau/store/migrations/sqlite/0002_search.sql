-- What a search needs to test one resource: a code whatever its system, a date. https://hl7.org/fhir/R4/search.html

-- The id before the system: `code` and `system|code` are both one range of ids in order, and one look-up for a given id.
CREATE TABLE token_2 (
    tenant TEXT NOT NULL,
    type   TEXT NOT NULL,
    param  TEXT NOT NULL,
    code   TEXT NOT NULL,
    system TEXT NOT NULL,
    id     TEXT NOT NULL,
    PRIMARY KEY (tenant, type, param, code, id, system)
) STRICT, WITHOUT ROWID;

INSERT INTO token_2 SELECT tenant, type, param, code, system, id FROM token;
DROP TABLE token;
ALTER TABLE token_2 RENAME TO token;

-- The dates of one resource: `actor=…&date=ge…` reads the actor's appointments, not every later one.
CREATE INDEX period_by_id ON period (tenant, type, id, param);
