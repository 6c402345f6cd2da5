-- Two functions that spare round trips and statements: what a decision reads, and the commit of what is committed most, one new resource.
-- Functions, because their plans are kept whatever the connection, and planned as keys are looked up (0002): as a statement of its own the
-- first was planned anew at each call, which cost four times what it does.

-- What a decision reads (store/postgres_ahead.py). Resources by (type, id), without the body where `versions` has the current version; the
-- holders of identifiers; the Schedules of actors; the agendas of things, of those holders, of what those Schedules are agendas of; these
-- Schedules. what, n: the part, and the number of the identifier. Then the columns of a resource, or the three texts of a pair.
CREATE FUNCTION creneau_ahead(
    whose text, types text[], ids text[], versions bigint[],
    claim_types text[], claim_systems text[], claim_values text[],
    things text[], actor_types text[], actor_ids text[]
) RETURNS TABLE (what text, n bigint, a text, b text, version bigint, updated bigint, c text, body bytea)
LANGUAGE plpgsql STABLE
SET plan_cache_mode TO force_generic_plan
SET enable_seqscan TO off
SET enable_bitmapscan TO off
SET enable_material TO off
SET enable_hashjoin TO off
SET enable_mergejoin TO off
SET jit TO off
AS $$
#variable_conflict use_column
DECLARE
    owning text[] := things;
    seats  text[] := '{}';
    absent text[];
BEGIN
    RETURN QUERY
    SELECT 'resource', 0::bigint, r.type, r.id, r.version, r.updated, r.interaction,
        CASE WHEN r.version = w.version THEN NULL ELSE r.body END
    FROM unnest(types, ids, versions) AS w (type, id, version)
    JOIN resource r ON r.tenant = whose AND r.type = w.type AND r.id = w.id;

    IF claim_types <> '{}' THEN
        RETURN QUERY
        SELECT 'holder', w.n, r.type, r.id, r.version, r.updated, r.interaction, r.body
        FROM unnest(claim_types, claim_systems, claim_values) WITH ORDINALITY AS w (type, system, value, n)
        JOIN identifier i ON i.tenant = whose AND i.type = w.type AND i.system = w.system AND i.value = w.value
        JOIN resource r ON r.tenant = whose AND r.type = i.type AND r.id = i.id;
        SELECT owning || array_agg(i.type || '/' || i.id), actor_types || array_agg(i.type), actor_ids || array_agg(i.id)
        INTO owning, actor_types, actor_ids
        FROM unnest(claim_types, claim_systems, claim_values) AS w (type, system, value)
        JOIN identifier i ON i.tenant = whose AND i.type = w.type AND i.system = w.system AND i.value = w.value
        WHERE i.type <> 'Appointment' AND i.type <> 'Patient';
    END IF;

    IF actor_types <> '{}' THEN
        RETURN QUERY
        SELECT 'actor', 0::bigint, l.target_type, l.target_id, NULL::bigint, NULL::bigint, l.id, NULL::bytea
        FROM unnest(actor_types, actor_ids) AS w (type, id)
        JOIN link l ON l.tenant = whose AND l.type = 'Schedule' AND l.param = 'actor'
            AND l.target_type = w.type AND l.target_id = w.id;
        IF FOUND THEN
            seats := ARRAY(
                SELECT DISTINCT l.id FROM unnest(actor_types, actor_ids) AS w (type, id)
                JOIN link l ON l.tenant = whose AND l.type = 'Schedule' AND l.param = 'actor'
                    AND l.target_type = w.type AND l.target_id = w.id
            );
            owning := ARRAY(
                SELECT unnest(owning) UNION
                SELECT o.thing FROM unnest(seats) AS s JOIN owner o ON o.tenant = whose AND o.schedule = s
            );
        END IF;
    END IF;

    IF owning <> '{}' THEN
        RETURN QUERY
        SELECT 'agenda', 0::bigint, o.thing, o.schedule, NULL::bigint, NULL::bigint, NULL::text, NULL::bytea
        FROM unnest(owning) AS t JOIN owner o ON o.tenant = whose AND o.thing = t;
        IF FOUND OR seats <> '{}' THEN
            absent := ARRAY(
                SELECT o.schedule FROM unnest(owning) AS t JOIN owner o ON o.tenant = whose AND o.thing = t
                WHERE o.schedule <> ALL (ids)
                UNION SELECT s FROM unnest(seats) AS s WHERE s <> ALL (ids)
            );
            IF absent <> '{}' THEN
                RETURN QUERY
                SELECT 'resource', 0::bigint, r.type, r.id, r.version, r.updated, r.interaction, r.body
                FROM unnest(absent) AS s JOIN resource r ON r.tenant = whose AND r.type = 'Schedule' AND r.id = s;
            END IF;
        END IF;
    END IF;
END
$$;

-- The commit of a plan that writes one new resource, gives nothing up, and whose time meets nobody's: what 0002 says of creneau_commit
-- holds, in the same order of locks, in fewer statements. False: it is another plan, nothing was written, creneau_commit is to judge it.
-- The versions seen are sorted by (type, id), the things taken too; takes: [thing, start, finish, kind, lapse, slot, capacity] by number;
-- added: by table, [param, value, value] each.
CREATE FUNCTION creneau_create(
    whose text, kind text, name text, written bigint, content bytea, instant bigint,
    seen_types text[], seen_ids text[], seen_versions bigint[],
    claim_systems text[], claim_values text[],
    things text[], takes jsonb, added jsonb
) RETURNS boolean
LANGUAGE plpgsql VOLATILE
SET plan_cache_mode TO force_generic_plan
SET enable_seqscan TO off
SET enable_bitmapscan TO off
SET enable_material TO off
SET enable_hashjoin TO off
SET enable_mergejoin TO off
SET jit TO off
AS $$
DECLARE
    day    CONSTANT bigint := 86400000000;
    rows   bigint;
    guards integer[];
    meets  boolean;
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the transaction must be READ COMMITTED';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- (1) Versions, their rows locked against change.
    IF seen_types <> '{}' THEN
        SELECT count(*) INTO rows FROM (
            SELECT r.version, w.version AS expected FROM unnest(seen_types, seen_ids, seen_versions) AS w (type, id, version)
            JOIN resource r ON r.tenant = whose AND r.type = w.type AND r.id = w.id
            ORDER BY r.type, r.id FOR SHARE OF r
        ) AS locked WHERE locked.version = locked.expected;
        IF rows <> cardinality(seen_types) THEN
            RETURN false;
        END IF;
    END IF;

    IF things <> '{}' THEN
        -- The things taken, locked.
        SELECT count(*) INTO rows FROM unnest(things) AS w JOIN thing t ON t.tenant = whose AND t.thing = w;
        IF rows < cardinality(things) THEN
            INSERT INTO thing SELECT whose, w FROM unnest(things) AS w
            WHERE (SELECT true FROM thing t WHERE t.tenant = whose AND t.thing = w) IS NULL
            ORDER BY w COLLATE "C" ON CONFLICT DO NOTHING;
        END IF;
        PERFORM FROM unnest(things) AS w JOIN thing t ON t.tenant = whose AND t.thing = w ORDER BY t.thing FOR UPDATE OF t;

        -- (3) Time: which things own an agenda, and whether any time meets another's.
        SELECT array_agg(coalesce(t.guarded, 0) ORDER BY t.n), bool_or(t.meets IS NOT NULL OR t.long IS NOT NULL)
        INTO guards, meets
        FROM (
            SELECT w.n, (SELECT 1 FROM owner o WHERE o.tenant = whose AND o.thing = w.thing LIMIT 1) AS guarded, (
                SELECT true FROM taken k
                WHERE k.tenant = whose AND k.thing = w.thing AND k.start > w.start - day AND k.start < w.finish
                    AND k.finish > w.start AND (k.lapse IS NULL OR k.lapse > instant) LIMIT 1
            ) AS meets, (
                SELECT true FROM taken k
                WHERE k.tenant = whose AND k.thing = w.thing AND k.start <= w.start - day
                    AND k.finish > w.start AND k.finish - k.start > 86400000000 AND (k.lapse IS NULL OR k.lapse > instant) LIMIT 1
            ) AS long
            FROM (
                SELECT e.n, e.take->>0 AS thing, (e.take->1)::bigint AS start, (e.take->2)::bigint AS finish
                FROM jsonb_array_elements(takes) WITH ORDINALITY AS e (take, n) OFFSET 0
            ) AS w
        ) AS t;
        IF meets THEN
            RETURN false;
        END IF;
    END IF;

    -- (2) Identifiers. They are the first that is written: where the only one is held, nothing was.
    IF cardinality(claim_systems) > 1 THEN
        PERFORM FROM unnest(claim_systems, claim_values) AS w (system, value)
        JOIN identifier i ON i.tenant = whose AND i.type = kind AND i.system = w.system AND i.value = w.value;
        IF FOUND THEN
            RETURN false;
        END IF;
    END IF;
    IF claim_systems <> '{}' THEN
        INSERT INTO identifier SELECT whose, kind, w.system, w.value, name FROM unnest(claim_systems, claim_values) AS w (system, value)
        ORDER BY w.system COLLATE "C", w.value COLLATE "C" ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS rows = ROW_COUNT;
        IF rows = 0 THEN
            RETURN false;
        END IF;
        IF rows <> cardinality(claim_systems) THEN
            RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'creneau: claimed by another transaction';
        END IF;
    END IF;
    INSERT INTO resource VALUES (whose, kind, name, 1, written, 'create', content) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'creneau: created by another transaction';
    END IF;
    IF things <> '{}' THEN
        INSERT INTO taken
        SELECT whose, e.take->>0, (e.take->1)::bigint, name, e.n - 1, (e.take->2)::bigint, e.take->>5, e.take->>3,
            (e.take->>4)::bigint, (e.take->6)::bigint, guards[e.n]
        FROM jsonb_array_elements(takes) WITH ORDINALITY AS e (take, n);
    END IF;
    IF added ? 'token' THEN
        INSERT INTO token SELECT whose, kind, e->>0, e->>1, e->>2, name FROM jsonb_array_elements(added->'token') AS e;
    END IF;
    IF added ? 'period' THEN
        INSERT INTO period SELECT whose, kind, e->>0, (e->1)::bigint, (e->2)::bigint, name
        FROM jsonb_array_elements(added->'period') AS e;
    END IF;
    IF added ? 'text' THEN
        INSERT INTO text SELECT whose, kind, e->>0, e->>1, e->>2, name FROM jsonb_array_elements(added->'text') AS e;
    END IF;
    IF added ? 'link' THEN
        INSERT INTO link SELECT whose, kind, e->>0, e->>1, e->>2, name FROM jsonb_array_elements(added->'link') AS e;
    END IF;
    RETURN true;
END
$$;

-- What a search of slots reads once it has its agendas: resources as above, the things of agendas, and the time taken of these and other
-- things within [begins, ends), holds lapsed at `instant` left out. Columns of `taken` go by their names.
CREATE FUNCTION creneau_around(
    whose text, types text[], ids text[], versions bigint[],
    things text[], schedules text[], begins bigint, ends bigint, instant bigint
) RETURNS TABLE (
    what text, n bigint, a text, b text, version bigint, updated bigint, c text, body bytea, lapse bigint, slot text, capacity bigint
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode TO force_generic_plan
SET enable_seqscan TO off
SET enable_bitmapscan TO off
SET enable_material TO off
SET enable_hashjoin TO off
SET enable_mergejoin TO off
SET jit TO off
AS $$
#variable_conflict use_column
DECLARE
    day CONSTANT bigint := 86400000000;
BEGIN
    IF types <> '{}' THEN
        RETURN QUERY
        SELECT 'resource', 0::bigint, r.type, r.id, r.version, r.updated, r.interaction,
            CASE WHEN r.version = w.version THEN NULL ELSE r.body END, NULL::bigint, NULL::text, NULL::bigint
        FROM unnest(types, ids, versions) AS w (type, id, version)
        JOIN resource r ON r.tenant = whose AND r.type = w.type AND r.id = w.id;
    END IF;
    IF schedules <> '{}' THEN
        RETURN QUERY
        SELECT DISTINCT 'thing', 0::bigint, o.thing, NULL::text, NULL::bigint, NULL::bigint, NULL::text, NULL::bytea,
            NULL::bigint, NULL::text, NULL::bigint
        FROM unnest(schedules) AS s JOIN owner o ON o.tenant = whose AND o.schedule = s;
        things := ARRAY(
            SELECT unnest(things) UNION
            SELECT o.thing FROM unnest(schedules) AS s JOIN owner o ON o.tenant = whose AND o.schedule = s
        );
    END IF;
    RETURN QUERY
    SELECT 'taken', 0::bigint, k.thing, k.appointment, k.start, k.finish, k.kind, NULL::bytea, k.lapse, k.slot, k.capacity
    FROM unnest(things) AS t JOIN taken k ON k.tenant = whose AND k.thing = t
    WHERE k.start > begins - day AND k.start < ends AND k.finish > begins AND (k.lapse IS NULL OR k.lapse > instant)
    UNION ALL
    SELECT 'taken', 0::bigint, k.thing, k.appointment, k.start, k.finish, k.kind, NULL::bytea, k.lapse, k.slot, k.capacity
    FROM unnest(things) AS t JOIN taken k ON k.tenant = whose AND k.thing = t
    WHERE k.start <= begins - day AND k.finish > begins AND k.finish - k.start > 86400000000
        AND (k.lapse IS NULL OR k.lapse > instant);
END
$$;
