-- The references of one agenda or role: a chain is tested on the few that another criterion left, in the directory only, so that
-- appointments are written at the same cost. https://hl7.org/fhir/R4/search.html#chaining
CREATE INDEX link_by_source ON link (tenant, type, id, param) WHERE type IN ('PractitionerRole', 'Schedule');
