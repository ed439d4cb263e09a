CREATE SCHEMA perdure;
CREATE TABLE perdure.schema_version (version INTEGER NOT NULL);
CREATE TABLE perdure.pin (
    digest BYTEA PRIMARY KEY,
    function BYTEA NOT NULL,
    function_arn TEXT NOT NULL,
    version TEXT NOT NULL,
    is_durable BOOLEAN NOT NULL,
    body BYTEA NOT NULL,
    spare BYTEA NOT NULL
);
CREATE INDEX pin_by_version ON perdure.pin (function_arn, version);
CREATE TABLE perdure.execution (
    id BYTEA PRIMARY KEY,
    started_at_ms BIGINT NOT NULL,
    updated_at_ms BIGINT NOT NULL,
    wake_at_ms BIGINT,
    ready_at_ms BIGINT,
    lease_until_ms BIGINT,
    expires_at_ms BIGINT,
    claimed_until_ms BIGINT,
    version INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    identity_checksum INTEGER NOT NULL,
    pin BYTEA NOT NULL,
    name BYTEA NOT NULL,
    identity BYTEA NOT NULL,
    status TEXT NOT NULL,
    progress BYTEA NOT NULL,
    claimed_by TEXT
) PARTITION BY HASH (id);
CREATE INDEX execution_by_pin ON perdure.execution (pin, started_at_ms, id);
CREATE INDEX execution_by_wake ON perdure.execution (wake_at_ms) WHERE wake_at_ms IS NOT NULL;
CREATE INDEX execution_by_ready ON perdure.execution (ready_at_ms) WHERE ready_at_ms IS NOT NULL;
CREATE INDEX execution_by_lease ON perdure.execution (lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX execution_by_expiry ON perdure.execution (expires_at_ms) WHERE expires_at_ms IS NOT NULL;
CREATE TABLE perdure.name (
    function BYTEA NOT NULL,
    name BYTEA NOT NULL,
    holder BYTEA NOT NULL,
    execution BYTEA NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (function, name, holder)
) PARTITION BY HASH (function, name);
CREATE TABLE perdure.operation (
    execution BYTEA NOT NULL,
    position INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    id BYTEA NOT NULL,
    body BYTEA NOT NULL,
    payload BYTEA,
    input BYTEA,
    PRIMARY KEY (execution, position)
) PARTITION BY HASH (execution);
CREATE TABLE perdure.event (
    execution BYTEA NOT NULL,
    first_id INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (execution, first_id)
) PARTITION BY HASH (execution);
CREATE TABLE perdure.execution_0 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 0) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_1 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 1) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_2 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 2) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_3 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 3) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_4 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 4) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_5 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 5) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_6 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 6) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_7 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 7) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_8 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 8) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_9 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 9) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_10 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 10) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_11 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 11) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_12 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 12) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_13 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 13) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_14 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 14) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.execution_15 PARTITION OF perdure.execution FOR VALUES WITH (MODULUS 16, REMAINDER 15) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
CREATE TABLE perdure.name_0 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 0);
CREATE TABLE perdure.name_1 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 1);
CREATE TABLE perdure.name_2 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 2);
CREATE TABLE perdure.name_3 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 3);
CREATE TABLE perdure.name_4 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 4);
CREATE TABLE perdure.name_5 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 5);
CREATE TABLE perdure.name_6 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 6);
CREATE TABLE perdure.name_7 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 7);
CREATE TABLE perdure.name_8 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 8);
CREATE TABLE perdure.name_9 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 9);
CREATE TABLE perdure.name_10 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 10);
CREATE TABLE perdure.name_11 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 11);
CREATE TABLE perdure.name_12 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 12);
CREATE TABLE perdure.name_13 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 13);
CREATE TABLE perdure.name_14 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 14);
CREATE TABLE perdure.name_15 PARTITION OF perdure.name FOR VALUES WITH (MODULUS 16, REMAINDER 15);
CREATE TABLE perdure.operation_0 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 0) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_1 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 1) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_2 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 2) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_3 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 3) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_4 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 4) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_5 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 5) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_6 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 6) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_7 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 7) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_8 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 8) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_9 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 9) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_10 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 10) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_11 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 11) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_12 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 12) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_13 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 13) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_14 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 14) WITH (fillfactor = 90);
CREATE TABLE perdure.operation_15 PARTITION OF perdure.operation FOR VALUES WITH (MODULUS 16, REMAINDER 15) WITH (fillfactor = 90);
CREATE TABLE perdure.event_0 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 0);
CREATE TABLE perdure.event_1 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 1);
CREATE TABLE perdure.event_2 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 2);
CREATE TABLE perdure.event_3 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 3);
CREATE TABLE perdure.event_4 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 4);
CREATE TABLE perdure.event_5 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 5);
CREATE TABLE perdure.event_6 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 6);
CREATE TABLE perdure.event_7 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 7);
CREATE TABLE perdure.event_8 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 8);
CREATE TABLE perdure.event_9 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 9);
CREATE TABLE perdure.event_10 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 10);
CREATE TABLE perdure.event_11 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 11);
CREATE TABLE perdure.event_12 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 12);
CREATE TABLE perdure.event_13 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 13);
CREATE TABLE perdure.event_14 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 14);
CREATE TABLE perdure.event_15 PARTITION OF perdure.event FOR VALUES WITH (MODULUS 16, REMAINDER 15);
CREATE TABLE perdure.letter (
    id TEXT COLLATE "C" PRIMARY KEY,
    sent_at_ms BIGINT NOT NULL,
    claimed_until_ms BIGINT,
    checksum INTEGER NOT NULL,
    sender BYTEA NOT NULL,
    kind TEXT NOT NULL,
    body BYTEA NOT NULL,
    claimed_by TEXT
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE TABLE perdure.record (
    collection TEXT COLLATE "C" NOT NULL,
    key TEXT COLLATE "C" NOT NULL,
    revision INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (collection, key)
);
CREATE TABLE perdure.instant (
    slot INTEGER PRIMARY KEY,
    high_ms BIGINT NOT NULL
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);
CREATE TABLE perdure.log_group (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    created_at_ms BIGINT NOT NULL,
    stored_bytes BIGINT NOT NULL DEFAULT 0
);
CREATE TABLE perdure.log_stream (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_number BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    created_at_ms BIGINT NOT NULL,
    first_at_ms BIGINT NOT NULL,
    last_at_ms BIGINT NOT NULL,
    UNIQUE (group_number, name)
);
CREATE TABLE perdure.log_event (
    number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    group_number BIGINT NOT NULL,
    stream_number BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    ingested_at_ms BIGINT NOT NULL,
    message BYTEA NOT NULL
);
CREATE INDEX log_event_by_group ON perdure.log_event (group_number, at_ms, number);
CREATE INDEX log_event_by_stream ON perdure.log_event (stream_number);
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
CREATE OR REPLACE FUNCTION perdure.commit_one(level TEXT, wait TEXT, high BIGINT, the_ids BYTEA, the_expected INTEGER, the_statuses TEXT, the_versions INTEGER, the_updated BIGINT, the_wakes BIGINT, the_readies BIGINT, the_leases BIGINT, the_expiries BIGINT, the_bodies BYTEA, the_checksums INTEGER, positions INTEGER[], sequences INTEGER[], operation_ids BYTEA[], operation_bodies BYTEA[], payloads BYTEA[], inputs BYTEA[], operation_checksums INTEGER[], first_ids INTEGER[], event_bodies BYTEA[], event_checksums INTEGER[]) RETURNS BIGINT[]
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
   BEGIN
   IF level <> '' THEN
       PERFORM set_config('synchronous_commit', level, true);
   END IF;
   PERFORM set_config('lock_timeout', wait, true);
   UPDATE perdure.execution SET
       status = the_statuses, version = the_versions, updated_at_ms = the_updated,
       wake_at_ms = the_wakes, ready_at_ms = the_readies, lease_until_ms = the_leases,
       expires_at_ms = the_expiries, progress = the_bodies, checksum = the_checksums,
       claimed_by = NULL, claimed_until_ms = NULL
   WHERE id = the_ids AND version = the_expected;
   IF NOT FOUND THEN
       lost := '{1}';
   ELSE
       FOR i IN 1 .. cardinality(positions) LOOP
           INSERT INTO perdure.operation
               (execution, position, sequence, id, body, payload, input, checksum)
           VALUES (the_ids, positions[i], sequences[i], operation_ids[i], operation_bodies[i],
               payloads[i], inputs[i], operation_checksums[i])
           ON CONFLICT (execution, position) DO UPDATE SET
               sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
               input = excluded.input, checksum = excluded.checksum;
       END LOOP;
       FOR i IN 1 .. cardinality(first_ids) LOOP
           INSERT INTO perdure.event (execution, first_id, body, checksum)
           VALUES (the_ids, first_ids[i], event_bodies[i], event_checksums[i]);
       END LOOP;
   END IF;
   INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
   ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms WHERE excluded.high_ms > i.high_ms;
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
   BEGIN
   IF level <> '' THEN
       PERFORM set_config('synchronous_commit', level, true);
   END IF;
   PERFORM set_config('lock_timeout', wait, true);
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
   INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
   ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms WHERE excluded.high_ms > i.high_ms;
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
       named BYTEA[];
       started_ids BYTEA[];
       doomed TEXT[];
   BEGIN
   IF level <> '' THEN
       PERFORM set_config('synchronous_commit', level, true);
   END IF;
   PERFORM set_config('lock_timeout', wait, true);
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
   INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
   ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms WHERE excluded.high_ms > i.high_ms;
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
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000002', 1, -255173319, '\x92cf0000018bcfe568159100'),
	('\x00000000000000000000000000000002', 2, -534125909, '\x92cf0000018bcfe5681c920802'),
	('\x00000000000000000000000000000002', 3, 969204696, '\x92cf0000018bcfe5681c9317c08304a9726571756573742d3105000600');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000001', 1, -1178769626, '\x92cf0000018bcfe568009100'),
	('\x00000000000000000000000000000001', 2, 941199642, '\x92cf0000018bcfe56807920502'),
	('\x00000000000000000000000000000001', 3, 888039670, '\x93cf0000018bcfe5680e920b03930c03810001'),
	('\x00000000000000000000000000000001', 5, 1058491990, '\x92cf0000018bcfe56815920b05'),
	('\x00000000000000000000000000000008', 1, -147046058, '\x92cf0000018bcfe5683f9100'),
	('\x00000000000000000000000000000008', 2, 1444727010, '\x92cf0000018bcfe56846920802'),
	('\x00000000000000000000000000000008', 3, -661625081, '\x93cf0000018bcfe568469317c08304a9726571756573742d3105f906009104'),
	('\x0000000000000000000000000000000d', 1, 1192266011, '\x92cf0000018bcfe568549100'),
	('\x0000000000000000000000000000000d', 2, -1390604118, '\xdc0029cf0000018bcfe5685b930c02810001930c03810001930c04810001930c05810001930c06810001930c07810001930c08810001930c09810001930c0a810001930c0b810001930c0c810001930c0d810001930c0e810001930c0f810001930c10810001930c11810001930c12810001930c13810001930c14810001930c15810001930c16810001930c17810001930c18810001930c19810001930c1a810001930c1b810001930c1c810001930c1d810001930c1e810001930c1f810001930c20810001930c21810001930c22810001930c23810001930c24810001930c25810001930c26810001930c27810001930c28810001930c29810001'),
	('\x0000000000000000000000000000000d', 42, -698345187, '\x94cf0000018bcfe56862920b2a920b2b920b2c'),
	('\x0000000000000000000000000000000d', 45, -289326631, '\x92cf0000018bcfe568629317c08404a9726571756573742d3105f206000382a76d657373616765d92174686520776f726b6572206f72206974732073657276657220776173206c6f7374a474797065b352756e74696d652e556e617661696c61626c65');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000015', 1, -1766340902, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000015', 2, 1271660442, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000004', 1, 1998091027, '\x92cf0000018bcfe568239100'),
	('\x00000000000000000000000000000004', 2, 272149136, '\x92cf0000018bcfe5682a920b02'),
	('\x00000000000000000000000000000004', 3, 1410642655, '\x92cf0000018bcfe56831930d0283000101050382a76d657373616765a869742062726f6b65a474797065a4426f6f6d'),
	('\x00000000000000000000000000000004', 4, -151961249, '\x92cf0000018bcfe568319317c08304a9726571756573742d3105000600'),
	('\x00000000000000000000000000000006', 1, -1286099131, '\x92cf0000018bcfe568389100'),
	('\x00000000000000000000000000000006', 2, -990295200, '\x92cf0000018bcfe5683f930c02810001'),
	('\x00000000000000000000000000000006', 3, 301162227, '\x93cf0000018bcfe5683f9317c08304a9726571756573742d31050006009101'),
	('\x00000000000000000000000000000009', 1, 733665738, '\x92cf0000018bcfe568469100'),
	('\x00000000000000000000000000000009', 2, -216332980, '\x92cf0000018bcfe5684d930c02810001'),
	('\x00000000000000000000000000000009', 3, -841271086, '\x93cf0000018bcfe5684d9317c08304a9726571756573742d3105f906009104'),
	('\x00000000000000000000000000000016', 1, -986866338, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000016', 2, 332748466, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000018', 1, -2079758904, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000018', 2, 1910847580, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000005', 1, -283324594, '\x92cf0000018bcfe568319100'),
	('\x00000000000000000000000000000005', 2, 2014148384, '\x92cf0000018bcfe56838920e02'),
	('\x00000000000000000000000000000005', 3, -1839534328, '\x92cf0000018bcfe568389317c08304a9726571756573742d3105000600'),
	('\x00000000000000000000000000000014', 1, 286330265, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000014', 2, -890332483, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000003', 1, 2025696757, '\x92cf0000018bcfe5681c9100'),
	('\x00000000000000000000000000000003', 2, 1232562547, '\x93cf0000018bcfe56823921302930c03810001'),
	('\x00000000000000000000000000000003', 4, 594946932, '\x92cf0000018bcfe568239317c08304a9726571756573742d3105000600'),
	('\x0000000000000000000000000000000a', 1, 1953852847, '\x92cf0000018bcfe5684d9100'),
	('\x0000000000000000000000000000000a', 2, -1445446539, '\x92cf0000018bcfe56854920802'),
	('\x0000000000000000000000000000000a', 3, 1854151309, '\x92cf0000018bcfe568549317c08304a9726571756573742d3105000600'),
	('\x0000000000000000000000000000000a', 4, -1151246077, '\x92cf0000018bcfe568549318c08207aa6c6f6f6b20617420697408c3');
INSERT INTO perdure.event VALUES
	('\x0000000000000000000000000000000b', 1, -534495725, '\x92cf0000018bcfe568549100');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000007', 1, 834564739, '\x92cf0000018bcfe5683f9100'),
	('\x00000000000000000000000000000007', 2, 956861162, '\x93cf0000018bcfe5683f9317c08304a9726571756573742d31050006009102');
INSERT INTO perdure.event VALUES
	('\x0000000000000000000000000000000c', 1, -1061797288, '\x92cf0000018bcfe568549100'),
	('\x0000000000000000000000000000000f', 1, -1278574338, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000019', 1, 61845131, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000019', 2, -255828613, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.event VALUES
	('\x00000000000000000000000000000017', 1, 1116427805, '\x92cf0000018bcfe568629100'),
	('\x00000000000000000000000000000017', 2, -1829751915, '\x93cf0000018bcfe56868930c02810001920803');
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000002', 1700000000021, 1700000000028, 1700000010028, NULL, NULL, NULL, NULL, 4, 599707387, -1860154284, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d32', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9901010202030207ce0036ee79c0', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000001', 1700000000000, 1700000000021, 1700003600000, NULL, 1700000060000, NULL, NULL, 5, 2038959620, -1378965689, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d31', '\x91c42008aeaa7e90eecf855c7f4a94ec307029d53bd2ae308f38341360bf2882b95814', 'RUNNING', '\x9d010305050504cce8ce0036ee6bc0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31eb', NULL),
	('\x00000000000000000000000000000008', 1700000000063, 1700000000070, NULL, NULL, NULL, 1701209600070, NULL, 4, -1939775698, -1552095950, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d38', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'STOPPED', '\xdc001501010302040228c0c0c400c0c0c000c2c000c0c0c0c0', NULL),
	('\x0000000000000000000000000000000d', 1700000000084, 1700000000098, 1700003600084, NULL, 1700000060098, NULL, NULL, 6, -319975518, 2077341775, '\xe1b4aa5b8488243c23723afd49f1956e', '\xa76e616d652d3133', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d02002c2c2d2ccc9dce0036ee72c0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d3200', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000015', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, -1088459866, -2030241405, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3231', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000004', 1700000000035, 1700000000049, 1700000005049, NULL, NULL, NULL, NULL, 5, 710246253, 865814980, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d34', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x990102030304020fce0036ee72c0', NULL),
	('\x00000000000000000000000000000006', 1700000000056, 1700000000063, NULL, NULL, NULL, 1701209600063, NULL, 4, -491507068, 638192280, '\x6071171731a1e99fca2178429defa3c1', '\xa66e616d652d36', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'SUCCEEDED', '\xdc00150101030204020ec0c0c400c0c0c000c2c000c0c0c0c0', NULL),
	('\x00000000000000000000000000000009', 1700000000070, 1700000000077, NULL, NULL, NULL, 1700000000077, NULL, 5, 1424764037, 730318626, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d39', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'DELETING', '\xdc001501010302040229c0c0c400c0c0c000c2c000c0c0c0c0', NULL),
	('\x00000000000000000000000000000016', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, -1108996807, 772943172, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3232', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000018', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, 58904976, -217738921, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3234', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000005', 1700000000049, 1700000000056, 1700003600049, NULL, NULL, NULL, NULL, 4, -1790002194, 2109168563, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d35', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9901010202030215ce0036ee79c0', NULL),
	('\x00000000000000000000000000000014', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, 140987372, -514241986, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3230', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000003', 1700000000028, 1700000000035, 1700000600035, NULL, NULL, NULL, NULL, 4, -1056977555, 389795795, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d33', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9901010303040308ce0036ee79c0', NULL),
	('\x0000000000000000000000000000000a', 1700000000077, 1700000000084, 1700000020084, NULL, NULL, NULL, NULL, 5, 822473908, 1920264853, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3130', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'PAUSED', '\xdc001501010202040207cf000000075cd787f9c0c400c0c0c000c2ce0036ee79c094cf0000018bcfe56854c3aa6c6f6f6b206174206974c0c0c0c0', NULL);
INSERT INTO perdure.execution VALUES
	('\x0000000000000000000000000000000b', 1700000000084, 1700000000084, 1700003600084, 1700000000084, NULL, NULL, 1700000020104, 1, -937075960, -422776970, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3131', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9900000100010107ce0036ee80c0', 'node-of-schema-1');
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000007', 1700000000063, 1700000000063, NULL, NULL, NULL, 1701209600063, NULL, 3, -443349283, 841855017, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa66e616d652d37', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'FAILED', '\xdc00150100020103010fc0c0c400c0c0c000c2c000c0c0c0c0', NULL);
INSERT INTO perdure.execution VALUES
	('\x0000000000000000000000000000000c', 1700000000084, 1700000000084, 1700003600084, 1700000000084, NULL, NULL, NULL, 1, -1731321811, 1711256159, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3132', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9900000100010107ce0036ee80c0', NULL),
	('\x0000000000000000000000000000000f', 1700000000098, 1700000000098, 1700003600098, NULL, 1700000060098, NULL, NULL, 2, -1014569006, 1310070128, '\x4c36b64da946aa0597d97c993b5b5128', '\xa56368696c64', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01000101010107ce0036ee80c0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d3100', NULL),
	('\x00000000000000000000000000000019', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, -1258622502, -1801444630, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3235', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.execution VALUES
	('\x00000000000000000000000000000017', 1700000000000, 1700000000104, 1700000030104, NULL, 1700000060101, NULL, NULL, 3, 178138483, 1236770553, '\x1bd35c8d71310ccbea204c80b024ed26', '\xa76e616d652d3233', '\x91c4202bfd14f43d17fc7cea24e0917a8879b4b2f880b8baeec1b9d90fbaad655e71bd', 'RUNNING', '\x9d01010303030308ce0036ee7ac0c42078377b525757b494427f89014f97d79928f3938d14eb51e20fb5dec9834eb304a87365727665722d31a9726571756573742d31fd', NULL);
INSERT INTO perdure.instant VALUES
	(16690, 1700000000104),
	(16688, 1700000000104),
	(16691, 1700000000104),
	(16689, 1700000000104);
INSERT INTO perdure.letter VALUES
	('00000000000000000000000000000005-3-0', 1700000000056, NULL, -1595860586, '\x00000000000000000000000000000005', 'start-child', '\x7b226f7065726174696f6e5f6964223a22696e766f6b65222c226368696c645f6964223a226363636363636363636363636363636363636363636363636363636363636363222c226368696c645f61726e223a2261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a662d673a312f64757261626c652d657865637574696f6e2f63636363636363636363636363636363636363636363636363636363636363632f6363636363636363636363636363636363636363636363636363636363636363222c2266756e6374696f6e5f61726e223a2261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a662d67222c2276657273696f6e223a2231222c22746172676574223a22673a31222c227061796c6f6164223a225c22746f20746865206368696c645c22222c2274656e616e745f6964223a6e756c6c2c2274726163655f6964223a6e756c6c2c226465707468223a317d', NULL),
	('00000000000000000000000000000006-4-0', 1700000000063, NULL, 355259804, '\x00000000000000000000000000000006', 'announce-end', '\x7b22737461747573223a22535543434545444544227d', NULL);
INSERT INTO perdure.log_event OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1, 1700000000000, 1700000000123, '\x6c696e65203020e29c930a'),
	(2, 1, 2, 1700000000001, 1700000000123, '\x6c696e65203120e29c930a'),
	(3, 1, 1, 1700000000002, 1700000000123, '\x6c696e65203220e29c930a'),
	(4, 4, 4, 1700000000000, 1700000000123, '\x6f746865720a');
INSERT INTO perdure.log_group OVERRIDING SYSTEM VALUE VALUES
	(1, '/aws/lambda/f', 1700000000123, 33),
	(4, '/aws/lambda/g', 1700000000123, 6);
INSERT INTO perdure.log_stream OVERRIDING SYSTEM VALUE VALUES
	(2, 1, 'stream-1', 1700000000123, 1700000000001, 1700000000001),
	(1, 1, 'stream-0', 1700000000123, 1700000000000, 1700000000002),
	(4, 4, 'one', 1700000000123, 1700000000000, 1700000000000);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d32', '\x', '\x00000000000000000000000000000002', -2108036372),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d34', '\x', '\x00000000000000000000000000000004', -152681270);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3131', '\x', '\x0000000000000000000000000000000b', -61691855);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3232', '\x', '\x00000000000000000000000000000016', -1817505909);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d38', '\x', '\x00000000000000000000000000000008', 530126982);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d31', '\x', '\x00000000000000000000000000000001', -1207550465);
INSERT INTO perdure.name VALUES
	('\x4332f9b1477e55746e4335d82715dad2', '\xa56368696c64', '\x', '\x0000000000000000000000000000000f', 236947752),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3230', '\x', '\x00000000000000000000000000000014', 152135766);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d39', '\x00000000000000000000000000000009', '\x00000000000000000000000000000009', -1082349496),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3132', '\x', '\x0000000000000000000000000000000c', -1050625221),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3234', '\x', '\x00000000000000000000000000000018', -372299361),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3235', '\x', '\x00000000000000000000000000000019', 1227528529);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d33', '\x', '\x00000000000000000000000000000003', 582769186),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3130', '\x', '\x0000000000000000000000000000000a', 1555503359);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3133', '\x', '\x0000000000000000000000000000000d', 1636109301),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3231', '\x', '\x00000000000000000000000000000015', -1443571560),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa76e616d652d3233', '\x', '\x00000000000000000000000000000017', 860798789);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d36', '\x', '\x00000000000000000000000000000006', 1817977623),
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d37', '\x', '\x00000000000000000000000000000007', -860253223);
INSERT INTO perdure.name VALUES
	('\x267165d46d6cc51345ad4c4d6dcdaf91', '\xa66e616d652d35', '\x', '\x00000000000000000000000000000005', 1443099652);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000002', 1, 1, 911864861, '\xc400', '\x9800cf0000018bcfe5681500a66e616d652d32c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000002', 2, 2, 434254029, '\xa477616974', '\x9c30cf0000018bcfe5681c00c0c0c000c0cd2710c0c00a', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000001', 1, 1, 877409025, '\xc400', '\x9800cf0000018bcfe5680000a66e616d652d31c0c000c0', NULL, '\x7b226772c3b6c39f65223a22e29c93222c226e756c223a22615c753030303062227d'),
	('\x00000000000000000000000000000001', 2, 2, -1173577038, '\xa3637478', '\x9810cf0000018bcfe5680700a56261746368c0c000c0', NULL, NULL),
	('\x00000000000000000000000000000001', 3, 4, -922467810, '\xa27331', '\x9823cf0000018bcfe5680e01a6636861726765c00001a3637478', '\x22727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727272727222', NULL),
	('\x00000000000000000000000000000001', 5, 5, -1499384905, '\xa27332', '\x9820cf0000018bcfe5681500c0c0c000c0', NULL, NULL),
	('\x00000000000000000000000000000008', 2, 2, -126727275, '\xa477616974', '\x9c30cf0000018bcfe5684600c0c0c000c0cdea60c0c03c', NULL, NULL),
	('\x00000000000000000000000000000008', 1, 3, -815223369, '\xc400', '\xdc001307cf0000018bcfe5683f02a66e616d652d38c00700c0c0c0c0c094d921457865637574696f6e2073746f7070656420627920757365722072657175657374c0c0c0c2c0c0c0c0c0', NULL, '\x7b226e223a317d'),
	('\x0000000000000000000000000000000d', 1, 1, -629955816, '\xc400', '\x9800cf0000018bcfe5685400a76e616d652d3133c0c000c0', NULL, '\x7b226e223a317d'),
	('\x0000000000000000000000000000000d', 2, 2, 909922559, '\xa130', '\x9823cf0000018bcfe5685b00a6737465702030c00001c0', '\x223022', NULL),
	('\x0000000000000000000000000000000d', 3, 3, -118459742, '\xa131', '\x9823cf0000018bcfe5685b00a6737465702031c00001c0', '\x223122', NULL),
	('\x0000000000000000000000000000000d', 4, 4, -1424010808, '\xa132', '\x9823cf0000018bcfe5685b00a6737465702032c00001c0', '\x223222', NULL),
	('\x0000000000000000000000000000000d', 5, 5, 1708356501, '\xa133', '\x9823cf0000018bcfe5685b00a6737465702033c00001c0', '\x223322', NULL),
	('\x0000000000000000000000000000000d', 6, 6, -1141975799, '\xa134', '\x9823cf0000018bcfe5685b00a6737465702034c00001c0', '\x223422', NULL),
	('\x0000000000000000000000000000000d', 7, 7, 1965225812, '\xa135', '\x9823cf0000018bcfe5685b00a6737465702035c00001c0', '\x223522', NULL),
	('\x0000000000000000000000000000000d', 8, 8, 1244157415, '\xa136', '\x9823cf0000018bcfe5685b00a6737465702036c00001c0', '\x223622', NULL),
	('\x0000000000000000000000000000000d', 9, 9, -2065401926, '\xa137', '\x9823cf0000018bcfe5685b00a6737465702037c00001c0', '\x223722', NULL),
	('\x0000000000000000000000000000000d', 10, 10, -152543918, '\xa138', '\x9823cf0000018bcfe5685b00a6737465702038c00001c0', '\x223822', NULL),
	('\x0000000000000000000000000000000d', 11, 11, 941915919, '\xa139', '\x9823cf0000018bcfe5685b00a6737465702039c00001c0', '\x223922', NULL),
	('\x0000000000000000000000000000000d', 12, 12, 435636398, '\xa23130', '\x9823cf0000018bcfe5685b00a773746570203130c00001c0', '\x22313022', NULL),
	('\x0000000000000000000000000000000d', 13, 13, 1658905161, '\xa23131', '\x9823cf0000018bcfe5685b00a773746570203131c00001c0', '\x22313122', NULL),
	('\x0000000000000000000000000000000d', 14, 14, -271049376, '\xa23132', '\x9823cf0000018bcfe5685b00a773746570203132c00001c0', '\x22313222', NULL),
	('\x0000000000000000000000000000000d', 15, 15, -1798326393, '\xa23133', '\x9823cf0000018bcfe5685b00a773746570203133c00001c0', '\x22313322', NULL),
	('\x0000000000000000000000000000000d', 16, 16, -1086769663, '\xa23134', '\x9823cf0000018bcfe5685b00a773746570203134c00001c0', '\x22313422', NULL),
	('\x0000000000000000000000000000000d', 17, 17, -1003578138, '\xa23135', '\x9823cf0000018bcfe5685b00a773746570203135c00001c0', '\x22313522', NULL),
	('\x0000000000000000000000000000000d', 18, 18, 1226204111, '\xa23136', '\x9823cf0000018bcfe5685b00a773746570203136c00001c0', '\x22313622', NULL),
	('\x0000000000000000000000000000000d', 19, 19, 838977832, '\xa23137', '\x9823cf0000018bcfe5685b00a773746570203137c00001c0', '\x22313722', NULL),
	('\x0000000000000000000000000000000d', 20, 20, -1763086008, '\xa23138', '\x9823cf0000018bcfe5685b00a773746570203138c00001c0', '\x22313822', NULL),
	('\x0000000000000000000000000000000d', 21, 21, -302064721, '\xa23139', '\x9823cf0000018bcfe5685b00a773746570203139c00001c0', '\x22313922', NULL),
	('\x0000000000000000000000000000000d', 22, 22, 1641589572, '\xa23230', '\x9823cf0000018bcfe5685b00a773746570203230c00001c0', '\x22323022', NULL),
	('\x0000000000000000000000000000000d', 23, 23, 449773987, '\xa23231', '\x9823cf0000018bcfe5685b00a773746570203231c00001c0', '\x22323122', NULL),
	('\x0000000000000000000000000000000d', 24, 24, -553183437, '\xa23232', '\x9823cf0000018bcfe5685b00a773746570203232c00001c0', '\x22323222', NULL),
	('\x0000000000000000000000000000000d', 25, 25, -1542406700, '\xa23233', '\x9823cf0000018bcfe5685b00a773746570203233c00001c0', '\x22323322', NULL),
	('\x0000000000000000000000000000000d', 26, 26, 643282871, '\xa23234', '\x9823cf0000018bcfe5685b00a773746570203234c00001c0', '\x22323422', NULL),
	('\x0000000000000000000000000000000d', 27, 27, 1564482896, '\xa23235', '\x9823cf0000018bcfe5685b00a773746570203235c00001c0', '\x22323522', NULL),
	('\x0000000000000000000000000000000d', 28, 28, -399983890, '\xa23236', '\x9823cf0000018bcfe5685b00a773746570203236c00001c0', '\x22323622', NULL),
	('\x0000000000000000000000000000000d', 29, 29, -1824583671, '\xa23237', '\x9823cf0000018bcfe5685b00a773746570203237c00001c0', '\x22323722', NULL),
	('\x0000000000000000000000000000000d', 30, 30, 260567294, '\xa23238', '\x9823cf0000018bcfe5685b00a773746570203238c00001c0', '\x22323822', NULL),
	('\x0000000000000000000000000000000d', 31, 31, 1955617305, '\xa23239', '\x9823cf0000018bcfe5685b00a773746570203239c00001c0', '\x22323922', NULL),
	('\x0000000000000000000000000000000d', 32, 32, -296776845, '\xa23330', '\x9823cf0000018bcfe5685b00a773746570203330c00001c0', '\x22333022', NULL),
	('\x0000000000000000000000000000000d', 33, 33, -1789386348, '\xa23331', '\x9823cf0000018bcfe5685b00a773746570203331c00001c0', '\x22333122', NULL),
	('\x0000000000000000000000000000000d', 34, 34, 409001661, '\xa23332', '\x9823cf0000018bcfe5685b00a773746570203332c00001c0', '\x22333222', NULL),
	('\x0000000000000000000000000000000d', 35, 35, 1668772954, '\xa23333', '\x9823cf0000018bcfe5685b00a773746570203333c00001c0', '\x22333322', NULL),
	('\x0000000000000000000000000000000d', 36, 36, -648010066, '\xa23334', '\x9823cf0000018bcfe5685b00a773746570203334c00001c0', '\x22333422', NULL),
	('\x0000000000000000000000000000000d', 37, 37, -1569223607, '\xa23335', '\x9823cf0000018bcfe5685b00a773746570203335c00001c0', '\x22333522', NULL),
	('\x0000000000000000000000000000000d', 38, 38, 793736032, '\xa23336', '\x9823cf0000018bcfe5685b00a773746570203336c00001c0', '\x22333622', NULL),
	('\x0000000000000000000000000000000d', 39, 39, 1415108999, '\xa23337', '\x9823cf0000018bcfe5685b00a773746570203337c00001c0', '\x22333722', NULL),
	('\x0000000000000000000000000000000d', 40, 40, -2146381623, '\xa23338', '\x9823cf0000018bcfe5685b00a773746570203338c00001c0', '\x22333822', NULL),
	('\x0000000000000000000000000000000d', 41, 41, -83396050, '\xa23339', '\x9823cf0000018bcfe5685b00a773746570203339c00001c0', '\x22333922', NULL),
	('\x0000000000000000000000000000000d', 42, 42, -1688145638, '\xa27030', '\x9820cf0000018bcfe5686200c0c0c000c0', NULL, NULL),
	('\x0000000000000000000000000000000d', 43, 43, 700646868, '\xa27031', '\x9820cf0000018bcfe5686200c0c0c000c0', NULL, NULL),
	('\x0000000000000000000000000000000d', 44, 44, -555002820, '\xa27032', '\x9820cf0000018bcfe5686200c0c0c000c0', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000015', 1, 1, 1252620131, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3231c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000015', 2, 2, 2139203324, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000015', 3, 3, 1196081157, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000004', 1, 1, -515571170, '\xc400', '\x9800cf0000018bcfe5682300a66e616d652d34c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000004', 2, 3, -1770375661, '\xa173', '\xdc001321cf0000018bcfe5682a01c0c0c001c0cd138fc0c0c094a869742062726f6b65a4426f6f6dc0c0c2c0c0c0c0c0', NULL, NULL),
	('\x00000000000000000000000000000006', 2, 2, 550115438, '\xa173', '\x9823cf0000018bcfe5683f00c0c00001c0', '\x37', NULL),
	('\x00000000000000000000000000000006', 1, 3, -1903839542, '\xc400', '\x9803cf0000018bcfe5683802a66e616d652d36c00700c0', '\x22646f6e6522', '\x7b226e223a317d'),
	('\x00000000000000000000000000000009', 2, 2, 630845632, '\xa173', '\x9823cf0000018bcfe5684d00c0c00001c0', '\x39', NULL),
	('\x00000000000000000000000000000009', 1, 3, -993330164, '\xc400', '\xdc001307cf0000018bcfe5684602a66e616d652d39c00700c0c0c0c0c094d921457865637574696f6e2073746f7070656420627920757365722072657175657374c0c0c0c2c0c0c0c0c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000016', 1, 1, 477422128, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3232c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000016', 2, 2, -871003329, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000016', 3, 3, -862323172, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000018', 1, 1, -876852887, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3234c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000018', 2, 2, -1295122318, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000018', 3, 3, -905239190, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000005', 1, 1, -1251710208, '\xc400', '\x9800cf0000018bcfe5683100a66e616d652d35c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000005', 2, 2, -250883393, '\xa6696e766f6b65', '\xdc001350cf0000018bcfe5683800c0c0c000c0c0c0c0c0c0c2a3673a31c0d98861726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a662d673a312f64757261626c652d657865637574696f6e2f63636363636363636363636363636363636363636363636363636363636363632f6363636363636363636363636363636363636363636363636363636363636363a131c0', NULL, '\x22746f20746865206368696c6422'),
	('\x00000000000000000000000000000014', 1, 1, 2028078162, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3230c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000014', 2, 2, 286113213, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000014', 3, 3, -1999317043, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000003', 1, 1, 1270111234, '\xc400', '\x9800cf0000018bcfe5681c00a66e616d652d33c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000003', 2, 2, -1771248640, '\xa863616c6c6261636b', '\x9c40cf0000018bcfe5682300c0c0c000c0ce002dc6c0ce000927c0cd0258cd0bb8', NULL, NULL),
	('\x00000000000000000000000000000003', 3, 3, 2060100161, '\xa66265666f7265', '\x9823cf0000018bcfe5682300c0c00001c0', '\x31', NULL),
	('\x0000000000000000000000000000000a', 1, 1, -963159510, '\xc400', '\x9800cf0000018bcfe5684d00a76e616d652d3130c0c000c0', NULL, '\x7b226e223a317d'),
	('\x0000000000000000000000000000000a', 2, 2, -633755949, '\xa477616974', '\x9c30cf0000018bcfe5685400c0c0c000c0cd4e20c0c014', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x0000000000000000000000000000000b', 1, 1, 1852049061, '\xc400', '\x9800cf0000018bcfe5685400a76e616d652d3131c0c000c0', NULL, '\x7b226e223a317d');
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000007', 1, 2, -1909471991, '\xc400', '\xdc001304cf0000018bcfe5683f01a66e616d652d37c00000c0c0c0c0c094a869742062726f6b65a4426f6f6dc0c0c2c0c0c0c0c0', NULL, '\x7b226e223a317d');
INSERT INTO perdure.operation VALUES
	('\x0000000000000000000000000000000c', 1, 1, -398929879, '\xc400', '\x9800cf0000018bcfe5685400a76e616d652d3132c0c000c0', NULL, '\x7b226e223a317d'),
	('\x0000000000000000000000000000000f', 1, 1, 208263832, '\xc400', '\x9800cf0000018bcfe5686200a56368696c64c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000019', 1, 1, -101238184, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3235c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000019', 2, 2, -599647437, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000019', 3, 3, 93663906, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.operation VALUES
	('\x00000000000000000000000000000017', 1, 1, 775917825, '\xc400', '\x9800cf0000018bcfe5686200a76e616d652d3233c0c000c0', NULL, '\x7b226e223a317d'),
	('\x00000000000000000000000000000017', 2, 2, -1566994306, '\xa173', '\x9823cf0000018bcfe5686800c0c00001c0', '\x31', NULL),
	('\x00000000000000000000000000000017', 3, 3, 50850260, '\xa477616974', '\x9c30cf0000018bcfe5686800c0c0c000c0cd7530c0c01e', NULL, NULL);
INSERT INTO perdure.pin VALUES
	('\x1bd35c8d71310ccbea204c80b024ed26', '\x267165d46d6cc51345ad4c4d6dcdaf91', 'arn:aws:lambda:us-east-1:000000000000:function:f', '1', true, '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e', '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e'),
	('\x6071171731a1e99fca2178429defa3c1', '\x267165d46d6cc51345ad4c4d6dcdaf91', 'arn:aws:lambda:us-east-1:000000000000:function:f', '1', true, '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c3a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e', '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c3a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e'),
	('\xe1b4aa5b8488243c23723afd49f1956e', '\x267165d46d6cc51345ad4c4d6dcdaf91', 'arn:aws:lambda:us-east-1:000000000000:function:f', '2', true, '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea132ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e', '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93061726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea132ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e'),
	('\x4c36b64da946aa0597d97c993b5b5128', '\x4332f9b1477e55746e4335d82715dad2', 'arn:aws:lambda:us-east-1:000000000000:function:f-g', '1', true, '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a662d67ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e', '\x8ba46b696e64a764757261626c65ac66756e6374696f6e5f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a662d67ab696e766f6b65645f61726ed93261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a31a776657273696f6ea131ab636f64655f736861323536d94061616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161616161ab7265766973696f6e5f6964a0b9657865637574696f6e5f74696d656f75745f7365636f6e6473cd0e10ae726574656e74696f6e5f646179730eab726574726965735f6d617800ac69735f616e6e6f756e636564c2a361726ed94461726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a312f64757261626c652d657865637574696f6e');
INSERT INTO perdure.record VALUES
	('function', 'f', 1, -2137466976, '\x7b224c6174657374223a7b22436f6e66696775726174696f6e223a7b2246756e6374696f6e4e616d65223a2266222c2246756e6374696f6e41726e223a2261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66222c2252756e74696d65223a22707974686f6e332e3131222c22526f6c65223a2261726e3a6177733a69616d3a3a3030303030303030303030303a726f6c652f72222c2248616e646c6572223a226170702e68616e646c6572222c22436f646553697a65223a3134322c224465736372697074696f6e223a22222c2254696d656f7574223a332c224d656d6f727953697a65223a3132382c224c6173744d6f646966696564223a22323032332d31312d31345432323a31333a32302e3132332b30303030222c22436f6465536861323536223a2250624d6234497470423047423758687a6e7678467668564c4b664138706f6e4e41506256487a4c446936303d222c2256657273696f6e223a22244c4154455354222c2254726163696e67436f6e666967223a7b224d6f6465223a22506173735468726f756768227d2c225265766973696f6e4964223a2230303030303030302d303030302d343030302d383030302d303030303030303030303031222c225374617465223a22416374697665222c224c617374557064617465537461747573223a225375636365737366756c222c225061636b61676554797065223a225a6970222c2241726368697465637475726573223a5b227838365f3634225d2c22457068656d6572616c53746f72616765223a7b2253697a65223a3531327d2c22536e61705374617274223a7b224170706c794f6e223a224e6f6e65222c224f7074696d697a6174696f6e537461747573223a224f6666227d2c224c6f6767696e67436f6e666967223a7b224c6f67466f726d6174223a2254657874222c224c6f6747726f7570223a222f6177732f6c616d6264612f66227d2c22436f6e666967536861323536223a224f5674424a444d66534b75655245416e38744b6f5367374949667a32706534423669446e307641337059453d222c2244757261626c65436f6e666967223a7b22526574656e74696f6e506572696f64496e44617973223a31342c22457865637574696f6e54696d656f7574223a333630307d7d7d2c224c61737456657273696f6e223a312c2254616773223a7b7d7d'),
	('code', 'PbMb4ItpB0GB7XhznvxFvhVLKfA8ponNAPbVHzLDi60=', 1, 635305462, '\x504b030414000000000000002100f5e556f32000000020000000060000006170702e70796465662068616e646c6572286576656e742c20636f6e74657874293a202e2e2e504b0102140314000000000000002100f5e556f320000000200000000600000000000000000000008001000000006170702e7079504b0506000000000100010034000000440000000000'),
	('code-use', 'PbMb4ItpB0GB7XhznvxFvhVLKfA8ponNAPbVHzLDi60=:f:$LATEST', 1, 2069117581, '\x31'),
	('version', 'f:0000000001', 1, -1435375429, '\x7b22436f6e66696775726174696f6e223a7b2246756e6374696f6e4e616d65223a2266222c2246756e6374696f6e41726e223a2261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a66222c2252756e74696d65223a22707974686f6e332e3131222c22526f6c65223a2261726e3a6177733a69616d3a3a3030303030303030303030303a726f6c652f72222c2248616e646c6572223a226170702e68616e646c6572222c22436f646553697a65223a3134322c224465736372697074696f6e223a22222c2254696d656f7574223a332c224d656d6f727953697a65223a3132382c224c6173744d6f646966696564223a22323032332d31312d31345432323a31333a32302e3132332b30303030222c22436f6465536861323536223a2250624d6234497470423047423758687a6e7678467668564c4b664138706f6e4e41506256487a4c446936303d222c2256657273696f6e223a2231222c2254726163696e67436f6e666967223a7b224d6f6465223a22506173735468726f756768227d2c225265766973696f6e4964223a2230303030303030302d303030302d343030302d383030302d303030303030303030303032222c225374617465223a22416374697665222c224c617374557064617465537461747573223a225375636365737366756c222c225061636b61676554797065223a225a6970222c2241726368697465637475726573223a5b227838365f3634225d2c22457068656d6572616c53746f72616765223a7b2253697a65223a3531327d2c22536e61705374617274223a7b224170706c794f6e223a224e6f6e65222c224f7074696d697a6174696f6e537461747573223a224f6666227d2c224c6f6767696e67436f6e666967223a7b224c6f67466f726d6174223a2254657874222c224c6f6747726f7570223a222f6177732f6c616d6264612f66227d2c22436f6e666967536861323536223a224f5674424a444d66534b75655245416e38744b6f5367374949667a32706534423669446e307641337059453d222c2244757261626c65436f6e666967223a7b22526574656e74696f6e506572696f64496e44617973223a31342c22457865637574696f6e54696d656f7574223a333630307d7d7d'),
	('code-use', 'PbMb4ItpB0GB7XhznvxFvhVLKfA8ponNAPbVHzLDi60=:f:1', 1, -400529487, '\x31'),
	('alias', 'f:live', 1, -2141503732, '\x7b22416c69617341726e223a2261726e3a6177733a6c616d6264613a75732d656173742d313a3030303030303030303030303a66756e6374696f6e3a663a6c697665222c224e616d65223a226c697665222c2246756e6374696f6e56657273696f6e223a2231222c224465736372697074696f6e223a22222c225265766973696f6e4964223a2230303030303030302d303030302d343030302d383030302d303030303030303030303033227d');
INSERT INTO perdure.schema_version VALUES
	(1);
SELECT pg_catalog.setval('perdure.log_event_number_seq', 4, true);
SELECT pg_catalog.setval('perdure.log_group_number_seq', 4, true);
SELECT pg_catalog.setval('perdure.log_stream_number_seq', 4, true);
