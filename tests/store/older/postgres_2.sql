CREATE OR REPLACE FUNCTION perdure.claim_wake(
            before_ms BIGINT, most INTEGER, owner TEXT, now_ms BIGINT, until_ms BIGINT)
        RETURNS TABLE (at_ms BIGINT, id BYTEA)
        
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
        DECLARE
            instants BIGINT[];
            found BYTEA[];
        BEGIN
            SELECT array_agg(due.at_ms), array_agg(due.id) INTO instants, found FROM (
                SELECT t.wake_at_ms AS at_ms, t.id FROM perdure.execution t
                WHERE t.wake_at_ms < before_ms AND (t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)
                ORDER BY t.wake_at_ms LIMIT most FOR UPDATE SKIP LOCKED
            ) due;
            UPDATE perdure.execution t SET claimed_by = owner, claimed_until_ms = until_ms
            FROM unnest(found) AS u (id) WHERE t.id = u.id;
            RETURN QUERY SELECT u.* FROM unnest(instants, found) AS u (at_ms, id) ORDER BY 1, 2;
        END $$;
CREATE OR REPLACE FUNCTION perdure.claim_ready(
            before_ms BIGINT, most INTEGER, owner TEXT, now_ms BIGINT, until_ms BIGINT)
        RETURNS TABLE (at_ms BIGINT, id BYTEA)
        
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
        DECLARE
            instants BIGINT[];
            found BYTEA[];
        BEGIN
            SELECT array_agg(due.at_ms), array_agg(due.id) INTO instants, found FROM (
                SELECT t.ready_at_ms AS at_ms, t.id FROM perdure.execution t
                WHERE t.ready_at_ms < before_ms AND (t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)
                ORDER BY t.ready_at_ms LIMIT most FOR UPDATE SKIP LOCKED
            ) due;
            UPDATE perdure.execution t SET claimed_by = owner, claimed_until_ms = until_ms
            FROM unnest(found) AS u (id) WHERE t.id = u.id;
            RETURN QUERY SELECT u.* FROM unnest(instants, found) AS u (at_ms, id) ORDER BY 1, 2;
        END $$;
CREATE OR REPLACE FUNCTION perdure.claim_lease(
            before_ms BIGINT, most INTEGER, owner TEXT, now_ms BIGINT, until_ms BIGINT)
        RETURNS TABLE (at_ms BIGINT, id BYTEA)
        
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
        DECLARE
            instants BIGINT[];
            found BYTEA[];
        BEGIN
            SELECT array_agg(due.at_ms), array_agg(due.id) INTO instants, found FROM (
                SELECT t.lease_until_ms AS at_ms, t.id FROM perdure.execution t
                WHERE t.lease_until_ms < before_ms AND (t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)
                ORDER BY t.lease_until_ms LIMIT most FOR UPDATE SKIP LOCKED
            ) due;
            UPDATE perdure.execution t SET claimed_by = owner, claimed_until_ms = until_ms
            FROM unnest(found) AS u (id) WHERE t.id = u.id;
            RETURN QUERY SELECT u.* FROM unnest(instants, found) AS u (at_ms, id) ORDER BY 1, 2;
        END $$;
CREATE OR REPLACE FUNCTION perdure.claim_expiry(
            before_ms BIGINT, most INTEGER, owner TEXT, now_ms BIGINT, until_ms BIGINT)
        RETURNS TABLE (at_ms BIGINT, id BYTEA)
        
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
        DECLARE
            instants BIGINT[];
            found BYTEA[];
        BEGIN
            SELECT array_agg(due.at_ms), array_agg(due.id) INTO instants, found FROM (
                SELECT t.expires_at_ms AS at_ms, t.id FROM perdure.execution t
                WHERE t.expires_at_ms < before_ms AND (t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)
                ORDER BY t.expires_at_ms LIMIT most FOR UPDATE SKIP LOCKED
            ) due;
            UPDATE perdure.execution t SET claimed_by = owner, claimed_until_ms = until_ms
            FROM unnest(found) AS u (id) WHERE t.id = u.id;
            RETURN QUERY SELECT u.* FROM unnest(instants, found) AS u (at_ms, id) ORDER BY 1, 2;
        END $$;
CREATE OR REPLACE FUNCTION perdure.claim_letters(
        after_id TEXT, most INTEGER, owner TEXT, now_ms BIGINT, until_ms BIGINT)
    RETURNS SETOF perdure.letter
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        found TEXT[];
    BEGIN
        SELECT array_agg(due.id) INTO found FROM (
            SELECT t.id FROM perdure.letter t WHERE t.id > after_id AND (t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)
            ORDER BY t.id LIMIT most FOR UPDATE SKIP LOCKED
        ) due;
        UPDATE perdure.letter t SET claimed_by = owner, claimed_until_ms = until_ms
        WHERE t.id = ANY (found);
        RETURN QUERY SELECT t.* FROM perdure.letter t WHERE t.id = ANY (found) ORDER BY t.id;
    END $$;
CREATE OR REPLACE FUNCTION perdure.read_execution(
        its_id BYTEA, known_version INTEGER, known_sequence INTEGER)
    RETURNS TABLE (read_1 BYTEA, read_2 BYTEA, read_3 BYTEA, read_4 BYTEA, read_5 BYTEA, read_6 BIGINT, read_7 BYTEA, read_8 INTEGER, read_9 TEXT, read_10 INTEGER, read_11 BIGINT, read_12 BIGINT, read_13 BIGINT, read_14 BIGINT, read_15 BIGINT, read_16 BYTEA, read_17 INTEGER, read_18 INTEGER[], read_19 INTEGER[], read_20 BYTEA[], read_21 BYTEA[], read_22 BYTEA[], read_23 BYTEA[], read_24 INTEGER[])
    STABLE 
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    BEGIN
        RETURN QUERY
        SELECT 
e.id, p.digest, p.body, p.spare, e.name, e.started_at_ms, e.identity, e.identity_checksum,
e.status, e.version, e.updated_at_ms, e.wake_at_ms, e.ready_at_ms, e.lease_until_ms,
e.expires_at_ms, e.progress, e.checksum
, o.*
        FROM perdure.execution e LEFT JOIN perdure.pin p ON p.digest = e.pin
        LEFT JOIN LATERAL (
            SELECT array_agg(position), array_agg(sequence), array_agg(id), array_agg(body),
                array_agg(payload), array_agg(input), array_agg(checksum)
            FROM (
                SELECT * FROM perdure.operation WHERE execution = its_id
                    AND sequence > known_sequence AND e.version <> known_version ORDER BY position
            ) ordered
        ) o ON true
        WHERE e.id = its_id;
    END $$;
CREATE OR REPLACE FUNCTION perdure.commit_step(level TEXT, wait TEXT, high BIGINT, the_ids BYTEA, the_expected INTEGER, the_statuses TEXT, the_versions INTEGER, the_updated BIGINT, the_wakes BIGINT, the_readies BIGINT, the_leases BIGINT, the_expiries BIGINT, the_bodies BYTEA, the_checksums INTEGER, the_positions INTEGER, the_sequences INTEGER, the_operation_ids BYTEA, the_operation_bodies BYTEA, the_payloads BYTEA, the_inputs BYTEA, the_operation_checksums INTEGER, the_first_ids INTEGER, the_event_bodies BYTEA, the_event_checksums INTEGER) RETURNS BIGINT[]
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        lost INTEGER[];
        said TEXT;
    BEGIN
        
    IF level <> '' AND level <> current_setting('synchronous_commit') THEN
        said := set_config('synchronous_commit', level, true);
    END IF;
    said := set_config('lock_timeout', wait, true);
 
    UPDATE perdure.execution SET
        status = the_statuses, version = the_versions, updated_at_ms = the_updated,
        wake_at_ms = the_wakes, ready_at_ms = the_readies, lease_until_ms = the_leases,
        expires_at_ms = the_expiries, progress = the_bodies, checksum = the_checksums,
        claimed_by = NULL, claimed_until_ms = NULL
    WHERE id = the_ids AND version = the_expected;

        IF NOT FOUND THEN
            lost := '{1}';
        ELSE
            
    INSERT INTO perdure.operation
        (execution, position, sequence, id, body, payload, input, checksum)
    VALUES (the_ids, the_positions, the_sequences, the_operation_ids, the_operation_bodies,
        the_payloads, the_inputs, the_operation_checksums)
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
 
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    VALUES (the_ids, the_first_ids, the_event_bodies, the_event_checksums);

        END IF;
        
    UPDATE perdure.instant SET high_ms = high WHERE slot = pg_backend_pid() AND high_ms < high;
    IF NOT FOUND THEN
        INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
        ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms
            WHERE excluded.high_ms > i.high_ms;
    END IF;
    RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT || lost::BIGINT[];

    END $$;
CREATE OR REPLACE FUNCTION perdure.commit_few(level TEXT, wait TEXT, high BIGINT, numbers INTEGER[], ids BYTEA[], expected INTEGER[], statuses TEXT[], versions INTEGER[], updated BIGINT[], wakes BIGINT[], readies BIGINT[], leases BIGINT[], expiries BIGINT[], bodies BYTEA[], checksums INTEGER[], operation_numbers INTEGER[], operation_executions BYTEA[], positions INTEGER[], sequences INTEGER[], operation_ids BYTEA[], operation_bodies BYTEA[], payloads BYTEA[], inputs BYTEA[], operation_checksums INTEGER[], event_numbers INTEGER[], event_executions BYTEA[], first_ids INTEGER[], event_bodies BYTEA[], event_checksums INTEGER[], functions BYTEA[], names BYTEA[], holders BYTEA[], name_checksums INTEGER[], started BIGINT[], pins BYTEA[], identities BYTEA[], identity_checksums INTEGER[], digests BYTEA[], pin_functions BYTEA[], function_arns TEXT[], pin_versions TEXT[], durables BOOLEAN[], pin_bodies BYTEA[]) RETURNS BIGINT[]
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        is_done BOOLEAN;
        is_named BOOLEAN;
        lost INTEGER[];
        said TEXT;
    BEGIN
        
    IF level <> '' AND level <> current_setting('synchronous_commit') THEN
        said := set_config('synchronous_commit', level, true);
    END IF;
    said := set_config('lock_timeout', wait, true);
 
    IF cardinality(digests) > 0 THEN
        INSERT INTO perdure.pin (digest, function, function_arn, version, is_durable, body, spare)
        SELECT u.digest, u.function, u.arn, u.version, u.is_durable, u.body, u.body
        FROM unnest(digests, pin_functions, function_arns, pin_versions, durables, pin_bodies) AS u (digest, function, arn, version, is_durable, body)
        ON CONFLICT DO NOTHING;
    END IF;

        FOR i IN 1 .. cardinality(numbers) LOOP
            IF expected[i] > 0 THEN
                
    UPDATE perdure.execution SET
        status = statuses[i], version = versions[i], updated_at_ms = updated[i],
        wake_at_ms = wakes[i], ready_at_ms = readies[i], lease_until_ms = leases[i],
        expires_at_ms = expiries[i], progress = bodies[i], checksum = checksums[i],
        claimed_by = NULL, claimed_until_ms = NULL
    WHERE id = ids[i] AND version = expected[i];

                is_done := FOUND;
            ELSE
                
    is_named := true;
    IF functions[i] IS NOT NULL THEN
        INSERT INTO perdure.name (function, name, holder, execution, checksum)
        VALUES (functions[i], names[i], holders[i], ids[i], name_checksums[i])
        ON CONFLICT DO NOTHING;
        is_named := FOUND;
    END IF;
    is_done := false;
    IF is_named THEN
        INSERT INTO perdure.execution (id, pin, name, started_at_ms, identity, identity_checksum,
            status, version, updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms,
            progress, checksum)
        VALUES (ids[i], pins[i], names[i], started[i], identities[i], identity_checksums[i],
            statuses[i], versions[i], updated[i], wakes[i], readies[i], leases[i], expiries[i],
            bodies[i], checksums[i])
        ON CONFLICT DO NOTHING;
        is_done := FOUND;
        IF NOT is_done THEN
            DELETE FROM perdure.name WHERE function = functions[i] AND name = names[i]
                AND holder = holders[i] AND execution = ids[i];
        END IF;
    END IF;

            END IF;
            IF NOT is_done THEN
                lost := lost || numbers[i];
            END IF;
        END LOOP;
        FOR i IN 1 .. cardinality(positions) LOOP
            IF lost IS NULL OR operation_numbers[i] <> ALL (lost) THEN
                
    INSERT INTO perdure.operation
        (execution, position, sequence, id, body, payload, input, checksum)
    VALUES (operation_executions[i], positions[i], sequences[i], operation_ids[i], operation_bodies[i],
        payloads[i], inputs[i], operation_checksums[i])
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;

            END IF;
        END LOOP;
        FOR i IN 1 .. cardinality(first_ids) LOOP
            IF lost IS NULL OR event_numbers[i] <> ALL (lost) THEN
                
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    VALUES (event_executions[i], first_ids[i], event_bodies[i], event_checksums[i]);

            END IF;
        END LOOP;
        
    UPDATE perdure.instant SET high_ms = high WHERE slot = pg_backend_pid() AND high_ms < high;
    IF NOT FOUND THEN
        INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
        ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms
            WHERE excluded.high_ms > i.high_ms;
    END IF;
    RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT || lost::BIGINT[];

    END $$;
CREATE OR REPLACE FUNCTION perdure.commit_plain(level TEXT, wait TEXT, high BIGINT, numbers INTEGER[], ids BYTEA[], expected INTEGER[], statuses TEXT[], versions INTEGER[], updated BIGINT[], wakes BIGINT[], readies BIGINT[], leases BIGINT[], expiries BIGINT[], bodies BYTEA[], checksums INTEGER[], operation_numbers INTEGER[], operation_executions BYTEA[], positions INTEGER[], sequences INTEGER[], operation_ids BYTEA[], operation_bodies BYTEA[], payloads BYTEA[], inputs BYTEA[], operation_checksums INTEGER[], event_numbers INTEGER[], event_executions BYTEA[], first_ids INTEGER[], event_bodies BYTEA[], event_checksums INTEGER[]) RETURNS BIGINT[]
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        done INTEGER[] := '{}';
        lost INTEGER[];
        said TEXT;
    BEGIN
        
    IF level <> '' AND level <> current_setting('synchronous_commit') THEN
        said := set_config('synchronous_commit', level, true);
    END IF;
    said := set_config('lock_timeout', wait, true);
 
    WITH moved AS (
        UPDATE perdure.execution e SET
            status = u.status, version = u.version, updated_at_ms = u.updated_at_ms,
            wake_at_ms = u.wake_at_ms, ready_at_ms = u.ready_at_ms,
            lease_until_ms = u.lease_until_ms, expires_at_ms = u.expires_at_ms,
            progress = u.progress, checksum = u.checksum,
            claimed_by = NULL, claimed_until_ms = NULL
        FROM unnest(numbers, ids, expected, statuses, versions, updated, wakes, readies, leases, expiries, bodies, checksums) AS u (n, id, expected, status, version, updated_at_ms,
            wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, progress, checksum)
        WHERE e.id = u.id AND e.version = u.expected AND u.expected > 0
        RETURNING u.n
    )
    SELECT done || coalesce(array_agg(moved.n), '{}') INTO done FROM moved;
 
    IF cardinality(done) < cardinality(numbers) THEN
        SELECT array_agg(n) INTO lost FROM unnest(numbers) n WHERE n <> ALL (done);
    END IF;
 
    INSERT INTO perdure.operation AS o
        (execution, position, sequence, id, body, payload, input, checksum)
    SELECT u.execution, u.position, u.sequence, u.id, u.body, u.payload, u.input, u.checksum
    FROM unnest(operation_numbers, operation_executions, positions, sequences, operation_ids, operation_bodies, payloads, inputs, operation_checksums)
        AS u (n, execution, position, sequence, id, body, payload, input, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost)
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    SELECT u.execution, u.first_id, u.body, u.checksum
    FROM unnest(event_numbers, event_executions, first_ids, event_bodies, event_checksums) AS u (n, execution, first_id, body, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost);
 
    UPDATE perdure.instant SET high_ms = high WHERE slot = pg_backend_pid() AND high_ms < high;
    IF NOT FOUND THEN
        INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
        ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms
            WHERE excluded.high_ms > i.high_ms;
    END IF;
    RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT || lost::BIGINT[];

    END $$;
CREATE OR REPLACE FUNCTION perdure.commit_many(level TEXT, wait TEXT, high BIGINT, numbers INTEGER[], ids BYTEA[], expected INTEGER[], statuses TEXT[], versions INTEGER[], updated BIGINT[], wakes BIGINT[], readies BIGINT[], leases BIGINT[], expiries BIGINT[], bodies BYTEA[], checksums INTEGER[], operation_numbers INTEGER[], operation_executions BYTEA[], positions INTEGER[], sequences INTEGER[], operation_ids BYTEA[], operation_bodies BYTEA[], payloads BYTEA[], inputs BYTEA[], operation_checksums INTEGER[], event_numbers INTEGER[], event_executions BYTEA[], first_ids INTEGER[], event_bodies BYTEA[], event_checksums INTEGER[], functions BYTEA[], names BYTEA[], holders BYTEA[], name_checksums INTEGER[], started BIGINT[], pins BYTEA[], identities BYTEA[], identity_checksums INTEGER[], digests BYTEA[], pin_functions BYTEA[], function_arns TEXT[], pin_versions TEXT[], durables BOOLEAN[], pin_bodies BYTEA[], letter_numbers INTEGER[], letter_ids TEXT[], senders BYTEA[], sent BIGINT[], kinds TEXT[], letter_bodies BYTEA[], letter_checksums INTEGER[], delivery_numbers INTEGER[], delivered TEXT[], freed BYTEA[]) RETURNS BIGINT[]
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        done INTEGER[] := '{}';
        lost INTEGER[];
        said TEXT;
        named BYTEA[];
        started_ids BYTEA[];
        doomed TEXT[];
    BEGIN
        
    IF level <> '' AND level <> current_setting('synchronous_commit') THEN
        said := set_config('synchronous_commit', level, true);
    END IF;
    said := set_config('lock_timeout', wait, true);
 
    INSERT INTO perdure.pin (digest, function, function_arn, version, is_durable, body, spare)
    SELECT u.digest, u.function, u.arn, u.version, u.is_durable, u.body, u.body
    FROM unnest(digests, pin_functions, function_arns, pin_versions, durables, pin_bodies) AS u (digest, function, arn, version, is_durable, body)
    ON CONFLICT DO NOTHING;
    WITH won AS (
        INSERT INTO perdure.name (function, name, holder, execution, checksum)
        SELECT u.function, u.name, u.holder, u.id, u.checksum
        FROM unnest(functions, names, holders, ids, name_checksums)
            AS u (function, name, holder, id, checksum)
        WHERE u.function IS NOT NULL
        ON CONFLICT DO NOTHING
        RETURNING execution
    )
    SELECT array_agg(execution) INTO named FROM won;
    WITH begun AS (
        INSERT INTO perdure.execution (id, pin, name, started_at_ms, identity, identity_checksum,
            status, version, updated_at_ms, wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms,
            progress, checksum)
        SELECT u.id, u.pin, u.name, u.started_at_ms, u.identity, u.identity_checksum,
            u.status, u.version, u.updated_at_ms, u.wake_at_ms, u.ready_at_ms, u.lease_until_ms,
            u.expires_at_ms, u.progress, u.checksum
        FROM unnest(numbers, ids, expected, statuses, versions, updated, wakes, readies, leases, expiries, bodies, checksums, functions, names, started, pins, identities,
                identity_checksums)
            AS u (n, id, expected, status, version, updated_at_ms, wake_at_ms, ready_at_ms,
                lease_until_ms, expires_at_ms, progress, checksum, function, name, started_at_ms,
                pin, identity, identity_checksum)
        WHERE u.expected = 0 AND (u.function IS NULL OR u.id = ANY (named))
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT array_agg(id) INTO started_ids FROM begun;
    SELECT coalesce(array_agg(u.n), '{}') INTO done
    FROM unnest(numbers, ids, expected) AS u (n, id, expected)
    WHERE u.expected = 0 AND u.id = ANY (started_ids);
    DELETE FROM perdure.name t
    USING unnest(functions, names, holders, ids) AS u (function, name, holder, id)
    WHERE t.function = u.function AND t.name = u.name AND t.holder = u.holder
        AND t.execution = u.id AND u.id = ANY (named)
        AND (started_ids IS NULL OR u.id <> ALL (started_ids));
 
    WITH moved AS (
        UPDATE perdure.execution e SET
            status = u.status, version = u.version, updated_at_ms = u.updated_at_ms,
            wake_at_ms = u.wake_at_ms, ready_at_ms = u.ready_at_ms,
            lease_until_ms = u.lease_until_ms, expires_at_ms = u.expires_at_ms,
            progress = u.progress, checksum = u.checksum,
            claimed_by = NULL, claimed_until_ms = NULL
        FROM unnest(numbers, ids, expected, statuses, versions, updated, wakes, readies, leases, expiries, bodies, checksums) AS u (n, id, expected, status, version, updated_at_ms,
            wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, progress, checksum)
        WHERE e.id = u.id AND e.version = u.expected AND u.expected > 0
        RETURNING u.n
    )
    SELECT done || coalesce(array_agg(moved.n), '{}') INTO done FROM moved;
 
    IF cardinality(done) < cardinality(numbers) THEN
        SELECT array_agg(n) INTO lost FROM unnest(numbers) n WHERE n <> ALL (done);
    END IF;
 
    INSERT INTO perdure.operation AS o
        (execution, position, sequence, id, body, payload, input, checksum)
    SELECT u.execution, u.position, u.sequence, u.id, u.body, u.payload, u.input, u.checksum
    FROM unnest(operation_numbers, operation_executions, positions, sequences, operation_ids, operation_bodies, payloads, inputs, operation_checksums)
        AS u (n, execution, position, sequence, id, body, payload, input, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost)
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    SELECT u.execution, u.first_id, u.body, u.checksum
    FROM unnest(event_numbers, event_executions, first_ids, event_bodies, event_checksums) AS u (n, execution, first_id, body, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost);
 
    INSERT INTO perdure.letter (id, sender, sent_at_ms, kind, body, checksum)
    SELECT u.id, u.sender, u.sent_at_ms, u.kind, u.body, u.checksum
    FROM unnest(letter_numbers, letter_ids, senders, sent, kinds, letter_bodies, letter_checksums) AS u (n, id, sender, sent_at_ms, kind, body, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost);
    doomed := ARRAY(SELECT u.id FROM unnest(delivery_numbers, delivered) AS u (n, id)
        WHERE lost IS NULL OR u.n <> ALL (lost));
    DELETE FROM perdure.letter t WHERE t.id = ANY (doomed);
    IF cardinality(freed) > 0 THEN
        UPDATE perdure.name t SET holder = t.execution
        FROM unnest(ids, numbers) AS u (id, n), perdure.execution e, perdure.pin p
        WHERE u.id = ANY (freed) AND (lost IS NULL OR u.n <> ALL (lost))
            AND e.id = u.id AND p.digest = e.pin
            AND t.function = p.function AND t.name = e.name AND t.holder = ''
            AND t.execution = e.id;
    END IF;
 
    UPDATE perdure.instant SET high_ms = high WHERE slot = pg_backend_pid() AND high_ms < high;
    IF NOT FOUND THEN
        INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
        ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms
            WHERE excluded.high_ms > i.high_ms;
    END IF;
    RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT || lost::BIGINT[];

    END $$;
CREATE OR REPLACE FUNCTION perdure.erase_some(doomed BYTEA, most INTEGER) RETURNS BOOLEAN
    
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
 AS $$
    DECLARE
        gone INTEGER;
        more INTEGER;
        its_pin BYTEA;
        its_name BYTEA;
    BEGIN
        SELECT pin, name INTO its_pin, its_name FROM perdure.execution
        WHERE id = doomed AND status = 'DELETING' FOR UPDATE;
        IF NOT FOUND THEN
            RETURN true;
        END IF;
        DELETE FROM perdure.operation WHERE execution = doomed AND position = ANY (ARRAY(
            SELECT position FROM perdure.operation WHERE execution = doomed LIMIT most));
        GET DIAGNOSTICS gone = ROW_COUNT;
        DELETE FROM perdure.event WHERE execution = doomed AND first_id = ANY (ARRAY(
            SELECT first_id FROM perdure.event WHERE execution = doomed LIMIT most));
        GET DIAGNOSTICS more = ROW_COUNT;
        IF gone + more > 0 THEN
            RETURN false;
        END IF;
        DELETE FROM perdure.name t USING perdure.pin p
        WHERE p.digest = its_pin AND t.function = p.function AND t.name = its_name
            AND t.execution = doomed;
        DELETE FROM perdure.execution WHERE id = doomed;
        RETURN true;
    END $$;
UPDATE perdure.schema_version SET version = 2;
