-- The commit of contract.Store: one call, one transaction, READ COMMITTED. Each statement of a VOLATILE function sees what was committed
-- before it began, so what is read after the locks is what holds until the end; the same folded into one statement would read an older
-- snapshot and book twice (reliability.md, B.4). Locks are taken in one order everywhere: resources by (type, id), things, new rows sorted.
-- A refusal is a value, and nothing but rows of "thing" was written; what two transactions insert at once raises 40001 and is decided again.

-- A take of the plan; put is the index of its put.
CREATE TYPE wanted_take AS (
    put         integer,
    appointment text,
    thing       text,
    start       bigint,
    finish      bigint,
    kind        text,
    lapse       bigint,
    slot        text,
    capacity    bigint,
    number      integer
);

-- The first stretch [start, finish) in which "capacity" appointments or more hold a thing at once, or null: store/overlap.py.
CREATE FUNCTION creneau_crowded(holds jsonb, capacity bigint) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    began bigint;
    ended bigint;
BEGIN
    SELECT min((h->0)::bigint) INTO began FROM jsonb_array_elements(holds) AS h
    WHERE capacity <= (
        SELECT count(DISTINCT g->>2) FROM jsonb_array_elements(holds) AS g
        WHERE (g->0)::bigint <= (h->0)::bigint AND (g->1)::bigint > (h->0)::bigint
    );
    IF began IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT min((h->1)::bigint) INTO ended FROM jsonb_array_elements(holds) AS h
    WHERE (h->1)::bigint > began AND capacity > (
        SELECT count(DISTINCT g->>2) FROM jsonb_array_elements(holds) AS g
        WHERE (g->0)::bigint < (h->1)::bigint AND (g->1)::bigint > (h->1)::bigint
    );
    RETURN ARRAY[began, ended];
END
$$;

-- Whether one of the slots (ids, between spaces) is of that agenda: plan.names.
CREATE FUNCTION creneau_names(slots text, schedule text) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT EXISTS (
        SELECT FROM unnest(string_to_array(slots, ' ')) AS slot
        WHERE slot <> '' AND regexp_replace(slot, '(\.[^.]*){1,2}$', '') = schedule
    )
$$;

-- The plan as store/postgres_plan.py writes it. Returns null, or {"met": [numbers of takes]}, or {"refused": why, …}.
-- Its settings hold the planner to looking up keys: plans are made once per connection, maybe while the tables are empty. Where a key is
-- looked up for a few rows it says (SELECT true … LIMIT 1) IS NULL: of EXISTS the planner made a hash of all the tenant's rows.
CREATE FUNCTION creneau_commit(whose text, plan jsonb, bodies bytea[]) RETURNS jsonb
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
    day      CONSTANT bigint  := 86400000000;
    instant  CONSTANT bigint  := (plan->'now')::bigint;
    written  CONSTANT jsonb   := plan->'written';
    changing CONSTANT jsonb   := plan->'schedules';
    owned    CONSTANT jsonb   := plan->'owned';
    created  CONSTANT integer := (plan->'created')::integer;
    updates  CONSTANT boolean := jsonb_array_length(plan->'puts') > (plan->'created')::integer;
    several  CONSTANT boolean := jsonb_array_length(plan->'puts') > 1;
    things   text[];
    one      jsonb;
    take     record;
    stretch  bigint[];
    known    bigint;
    rows     bigint;
    barrier  integer := 2147483647;
    refusal  jsonb;
    behind   jsonb;
    guards   integer[] := '{}';
    met      integer[] := '{}';
BEGIN
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'the transaction must be READ COMMITTED';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    -- (1) Versions, their rows locked: those to be replaced for us alone, those seen against change.
    FOR one IN SELECT e FROM jsonb_array_elements(plan->'rests') AS e LOOP
        IF (one->3)::boolean THEN
            SELECT r.version INTO known FROM resource r
            WHERE r.tenant = whose AND r.type = one->>0 AND r.id = one->>1 FOR UPDATE;
        ELSE
            SELECT r.version INTO known FROM resource r
            WHERE r.tenant = whose AND r.type = one->>0 AND r.id = one->>1 FOR SHARE;
        END IF;
        IF coalesce(known, 0) <> (one->2)::bigint THEN
            RETURN '{"refused": "moved"}';
        END IF;
    END LOOP;

    -- The things taken, owned, and owned before, locked.
    things := ARRAY(
        SELECT jsonb_array_elements_text(plan->'things')
        UNION
        SELECT o.thing FROM jsonb_array_elements_text(changing) AS s
        JOIN owner o ON o.tenant = whose AND o.schedule = s
    );
    INSERT INTO thing SELECT whose, w FROM unnest(things) AS w
    WHERE (SELECT true FROM thing t WHERE t.tenant = whose AND t.thing = w) IS NULL
    ORDER BY w COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM FROM unnest(things) AS w JOIN thing t ON t.tenant = whose AND t.thing = w ORDER BY t.thing FOR UPDATE OF t;

    -- (3) Identifiers.
    IF jsonb_array_length(plan->'claims') > 0 THEN
        SELECT (c.e->0)::integer, jsonb_build_object('refused', 'claimed', 'claim', c.n - 1, 'id', coalesce(c.e->>4, i.id))
        INTO barrier, refusal
        FROM jsonb_array_elements(plan->'claims') WITH ORDINALITY AS c (e, n)
        LEFT JOIN identifier i ON i.tenant = whose AND i.type = c.e->>1 AND i.system = c.e->>2 AND i.value = c.e->>3
            AND NOT written ? (i.type || '/' || i.id)
        WHERE c.e->>4 IS NOT NULL OR i.id IS NOT NULL
        ORDER BY c.n LIMIT 1;
        barrier := coalesce(barrier, 2147483647);
    END IF;

    -- (2, 3) Time. "covered": a former take holds it already. "holds": others' time within it, those of the plan included.
    FOR take IN
        SELECT t.put, t.thing, t.capacity, t.n, (
            SELECT max(f.guarded) FROM taken f
            WHERE updates AND f.tenant = whose AND f.appointment = t.appointment AND f.thing = t.thing
                AND f.start <= t.start AND f.finish >= t.finish AND (f.lapse IS NULL OR f.lapse > instant)
        ) AS covered, (
            owned ? t.thing OR (
                SELECT true FROM owner o WHERE o.tenant = whose AND o.thing = t.thing AND NOT changing ? o.schedule LIMIT 1
            ) IS NOT NULL
        ) AS guarded, (
            SELECT jsonb_agg(jsonb_build_array(h.start, h.finish, h.appointment)) FROM (
                SELECT k.start, k.finish, k.appointment FROM taken k
                WHERE k.tenant = whose AND k.thing = t.thing AND k.start > t.start - day AND k.start < t.finish
                    AND k.finish > t.start AND (k.lapse IS NULL OR k.lapse > instant)
                    AND NOT written ? ('Appointment/' || k.appointment)
                UNION ALL
                SELECT k.start, k.finish, k.appointment FROM taken k
                WHERE k.tenant = whose AND k.thing = t.thing AND k.start <= t.start - day
                    AND k.finish > t.start AND k.finish - k.start > 86400000000 AND (k.lapse IS NULL OR k.lapse > instant)
                    AND NOT written ? ('Appointment/' || k.appointment)
                UNION ALL
                SELECT o.start, o.finish, o.appointment
                FROM jsonb_populate_recordset(NULL::wanted_take, plan->'takes') AS o
                WHERE several AND o.appointment <> t.appointment AND o.thing = t.thing
                    AND o.start < t.finish AND o.finish > t.start AND (o.lapse IS NULL OR o.lapse > instant)
                    AND (o.put < t.put OR (
                        SELECT true FROM taken f
                        WHERE f.tenant = whose AND f.appointment = o.appointment AND f.thing = o.thing
                            AND f.start <= o.start AND f.finish >= o.finish AND (f.lapse IS NULL OR f.lapse > instant)
                        LIMIT 1
                    ) IS NOT NULL)
            ) AS h
        ) AS holds
        FROM jsonb_populate_recordset(NULL::wanted_take, plan->'takes') WITH ORDINALITY AS t
            (put, appointment, thing, start, finish, kind, lapse, slot, capacity, number, n)
        ORDER BY t.n
    LOOP
        EXIT WHEN take.put >= barrier;
        guards := guards || coalesce(take.covered, take.guarded::integer);
        CONTINUE WHEN take.covered IS NOT NULL OR take.holds IS NULL;
        IF NOT take.guarded THEN
            met := met || (take.n - 1)::integer;
            CONTINUE;
        END IF;
        stretch := creneau_crowded(take.holds, take.capacity);
        IF stretch IS NOT NULL THEN
            barrier := take.put;
            refusal := jsonb_build_object('refused', 'taken', 'take', take.n - 1, 'start', stretch[1], 'end', stretch[2]);
        END IF;
    END LOOP;

    -- What a deletion, or an agenda that gives things up, may not leave behind.
    FOR one IN SELECT e FROM jsonb_array_elements(plan->'leaving') AS e LOOP
        EXIT WHEN (one->'put')::integer >= barrier;
        SELECT jsonb_build_object('refused', 'referred', 'put', one->'put', 'type', l.type, 'id', l.id) INTO behind
        FROM jsonb_array_elements(one->'unreferenced') WITH ORDINALITY AS u (e, n)
        JOIN link l ON l.tenant = whose AND l.type = u.e->>0 AND l.param = u.e->>1
            AND l.target_type = one->>'type' AND l.target_id = one->>'id'
        WHERE NOT written ? (l.type || '/' || l.id)
        ORDER BY u.n, l.id LIMIT 1;
        EXIT WHEN behind IS NOT NULL;
        IF jsonb_array_length(one->'inside') > 0 THEN
            behind := jsonb_build_object(
                'refused', 'referred', 'put', one->'put', 'type', one->'inside'->0, 'id', one->'inside'->1);
            EXIT;
        END IF;
        CONTINUE WHEN NOT (one->'unbooked')::boolean;
        SELECT jsonb_build_object('refused', 'booked', 'put', one->'put', 'appointment', h.appointment) INTO behind
        FROM (
            SELECT o.thing, NOT owned ? o.thing AND (
                SELECT true FROM owner x WHERE x.tenant = whose AND x.thing = o.thing AND NOT changing ? x.schedule LIMIT 1
            ) IS NULL AS alone
            FROM owner o WHERE o.tenant = whose AND o.schedule = one->>'id' AND NOT one->'owns' ? o.thing
        ) AS g
        CROSS JOIN LATERAL (
            SELECT k.start, k.appointment, k.slot FROM taken k
            WHERE k.tenant = whose AND k.thing = g.thing AND k.start > instant - day AND k.finish > instant
                AND (k.lapse IS NULL OR k.lapse > instant) AND NOT written ? ('Appointment/' || k.appointment)
            UNION ALL
            SELECT k.start, k.appointment, k.slot FROM taken k
            WHERE k.tenant = whose AND k.thing = g.thing AND k.start <= instant - day AND k.finish > instant
                AND k.finish - k.start > 86400000000
                AND (k.lapse IS NULL OR k.lapse > instant) AND NOT written ? ('Appointment/' || k.appointment)
            UNION ALL
            SELECT t.start, t.appointment, t.slot
            FROM jsonb_populate_recordset(NULL::wanted_take, plan->'takes') AS t
            WHERE t.thing = g.thing AND t.finish > instant AND (t.lapse IS NULL OR t.lapse > instant)
        ) AS h
        WHERE g.alone OR ((one->'gone')::boolean AND creneau_names(h.slot, one->>'id'))
        ORDER BY g.thing, h.start, h.appointment COLLATE "C" LIMIT 1;
        EXIT WHEN behind IS NOT NULL;
    END LOOP;
    refusal := coalesce(behind, refusal);

    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;

    -- Accepted: what the puts give up, then what they hold.
    IF updates THEN
        INSERT INTO history SELECT r.* FROM jsonb_array_elements(plan->'puts') AS p
        JOIN resource r ON r.tenant = whose AND r.type = p->>0 AND r.id = p->>1;
        UPDATE resource r
        SET version = (p.e->2)::bigint, updated = (p.e->3)::bigint, interaction = p.e->>4, body = bodies[p.n]
        FROM jsonb_array_elements(plan->'puts') WITH ORDINALITY AS p (e, n)
        WHERE r.tenant = whose AND r.type = p.e->>0 AND r.id = p.e->>1;
        DELETE FROM identifier i USING jsonb_array_elements(plan->'puts') WITH ORDINALITY AS p (e, n)
        WHERE i.tenant = whose AND i.type = p.e->>0 AND i.id = p.e->>1 AND NOT EXISTS (
            SELECT FROM jsonb_array_elements(plan->'claims') AS c
            WHERE (c->0)::integer = p.n - 1 AND c->>2 = i.system AND c->>3 = i.value
        );
        DELETE FROM taken k USING jsonb_array_elements(plan->'puts') AS p
        WHERE k.tenant = whose AND p->>0 = 'Appointment' AND k.appointment = p->>1;
        DELETE FROM owner o USING jsonb_array_elements_text(changing) AS s WHERE o.tenant = whose AND o.schedule = s;
    END IF;
    IF created > 0 THEN
        INSERT INTO resource
        SELECT whose, p.e->>0, p.e->>1, 1, (p.e->3)::bigint, p.e->>4, bodies[p.n]
        FROM jsonb_array_elements(plan->'puts') WITH ORDINALITY AS p (e, n)
        WHERE (p.e->2)::bigint = 1
        ORDER BY (p.e->>0) COLLATE "C", (p.e->>1) COLLATE "C" ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS rows = ROW_COUNT;
        IF rows <> created THEN
            RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'creneau: created by another transaction';
        END IF;
    END IF;
    IF jsonb_array_length(plan->'claims') > 0 THEN
        INSERT INTO identifier SELECT whose, c->>1, c->>2, c->>3, c->>5 FROM jsonb_array_elements(plan->'claims') AS c
        ORDER BY (c->>1) COLLATE "C", (c->>2) COLLATE "C", (c->>3) COLLATE "C" ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS rows = ROW_COUNT;
        IF rows < jsonb_array_length(plan->'claims') AND EXISTS (
            SELECT FROM jsonb_array_elements(plan->'claims') AS c
            JOIN identifier i ON i.tenant = whose AND i.type = c->>1 AND i.system = c->>2 AND i.value = c->>3
            WHERE i.id <> c->>5
        ) THEN
            RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'creneau: claimed by another transaction';
        END IF;
    END IF;
    INSERT INTO taken
    SELECT whose, t.thing, t.start, t.appointment, t.number, t.finish, t.slot, t.kind, t.lapse, t.capacity, guards[t.n]
    FROM jsonb_populate_recordset(NULL::wanted_take, plan->'takes') WITH ORDINALITY AS t
        (put, appointment, thing, start, finish, kind, lapse, slot, capacity, number, n);
    IF jsonb_array_length(plan->'owners') > 0 THEN
        INSERT INTO owner SELECT whose, o->>0, o->>1 FROM jsonb_array_elements(plan->'owners') AS o;
    END IF;

    -- Index rows: the difference.
    IF plan ? 'drop' THEN
        DELETE FROM token x USING jsonb_array_elements(plan->'drop'->'token') AS e
        WHERE x.tenant = whose AND x.type = e->>0 AND x.param = e->>1 AND x.code = e->>2 AND x.system = e->>3 AND x.id = e->>4;
        DELETE FROM period x USING jsonb_array_elements(plan->'drop'->'period') AS e
        WHERE x.tenant = whose AND x.type = e->>0 AND x.param = e->>1
            AND x.lo = (e->2)::bigint AND x.hi = (e->3)::bigint AND x.id = e->>4;
        DELETE FROM text x USING jsonb_array_elements(plan->'drop'->'text') AS e
        WHERE x.tenant = whose AND x.type = e->>0 AND x.param = e->>1 AND x.folded = e->>2 AND x.text = e->>3 AND x.id = e->>4;
        DELETE FROM link x USING jsonb_array_elements(plan->'drop'->'link') AS e
        WHERE x.tenant = whose AND x.type = e->>0 AND x.param = e->>1
            AND x.target_type = e->>2 AND x.target_id = e->>3 AND x.id = e->>4;
        DELETE FROM place x USING jsonb_array_elements(plan->'drop'->'place') AS e
        WHERE x.tenant = whose AND x.type = e->>0 AND x.param = e->>1
            AND x.latitude = (e->>2)::double precision AND x.longitude = (e->>3)::double precision AND x.id = e->>4;
    END IF;
    PERFORM creneau_index(whose, plan->'add');
    IF met <> '{}' THEN
        RETURN jsonb_build_object('met', met);
    END IF;
    RETURN NULL;
END
$$;

-- Adds index rows: by table, [type, param, value, value, id] each.
CREATE FUNCTION creneau_index(whose text, added jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    IF added ? 'token' THEN
        INSERT INTO token SELECT whose, e->>0, e->>1, e->>2, e->>3, e->>4
        FROM jsonb_array_elements(added->'token') AS e ON CONFLICT DO NOTHING;
    END IF;
    IF added ? 'period' THEN
        INSERT INTO period SELECT whose, e->>0, e->>1, (e->2)::bigint, (e->3)::bigint, e->>4
        FROM jsonb_array_elements(added->'period') AS e ON CONFLICT DO NOTHING;
    END IF;
    IF added ? 'text' THEN
        INSERT INTO text SELECT whose, e->>0, e->>1, e->>2, e->>3, e->>4
        FROM jsonb_array_elements(added->'text') AS e ON CONFLICT DO NOTHING;
    END IF;
    IF added ? 'link' THEN
        INSERT INTO link SELECT whose, e->>0, e->>1, e->>2, e->>3, e->>4
        FROM jsonb_array_elements(added->'link') AS e ON CONFLICT DO NOTHING;
    END IF;
    IF added ? 'place' THEN
        INSERT INTO place SELECT whose, e->>0, e->>1, (e->>2)::double precision, (e->>3)::double precision, e->>4
        FROM jsonb_array_elements(added->'place') AS e ON CONFLICT DO NOTHING;
    END IF;
END
$$;
