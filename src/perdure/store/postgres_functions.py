"""The functions in the database that commit a group of changes in one call: one round trip, one
transaction.

They know no rule: a change whose version is not the expected one, or whose name is taken, is left
out, and its number is in the answer, after the database's clock. Plans are made once, for index
scans alone: a group touches a handful of rows, however many there are.
"""

from typing import Final

from perdure.store.protocol import Agenda

__all__ = [
    "CLAIM_LETTERS",
    "CLAIM_UPCOMING",
    "COMMIT_MANY",
    "COMMIT_ONE",
    "COMMIT_PLAIN",
    "ERASE_SOME",
    "FUNCTIONS",
]

_PLANS: Final = """
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
"""

_PINNED: Final = ("level TEXT", "wait TEXT", "high BIGINT")
_STATE: Final = (
    *("numbers INTEGER[]", "ids BYTEA[]", "expected INTEGER[]", "statuses TEXT[]"),
    *("versions INTEGER[]", "updated BIGINT[]", "wakes BIGINT[]", "readies BIGINT[]"),
    *("leases BIGINT[]", "expiries BIGINT[]", "bodies BYTEA[]", "checksums INTEGER[]"),
)
_OPERATIONS: Final = (
    *("operation_numbers INTEGER[]", "operation_executions BYTEA[]", "positions INTEGER[]"),
    *("sequences INTEGER[]", "operation_ids BYTEA[]", "operation_bodies BYTEA[]"),
    *("payloads BYTEA[]", "inputs BYTEA[]", "operation_checksums INTEGER[]"),
)
_EVENTS: Final = (
    *("event_numbers INTEGER[]", "event_executions BYTEA[]", "first_ids INTEGER[]"),
    *("event_bodies BYTEA[]", "event_checksums INTEGER[]"),
)
_STARTS: Final = (
    *("functions BYTEA[]", "names BYTEA[]", "holders BYTEA[]", "name_checksums INTEGER[]"),
    *("started BIGINT[]", "pins BYTEA[]", "identities BYTEA[]", "identity_checksums INTEGER[]"),
)
_PINS: Final = (
    *("digests BYTEA[]", "pin_functions BYTEA[]", "function_arns TEXT[]"),
    *("pin_versions TEXT[]", "durables BOOLEAN[]", "pin_bodies BYTEA[]"),
)
_LETTERS: Final = (
    *("letter_numbers INTEGER[]", "letter_ids TEXT[]", "senders BYTEA[]", "sent BIGINT[]"),
    *("kinds TEXT[]", "letter_bodies BYTEA[]", "letter_checksums INTEGER[]"),
)
_ENDS: Final = ("delivery_numbers INTEGER[]", "delivered TEXT[]", "freed BYTEA[]")

#: Of one change: its state is no arrays.
_ONE: Final = (
    *_PINNED,
    *(f"the_{name.replace('[]', '')}" for name in _STATE[1:]),
    *_OPERATIONS[2:],
    *_EVENTS[2:],
)
_PLAIN: Final = (*_PINNED, *_STATE, *_OPERATIONS, *_EVENTS)
_MANY: Final = (*_PLAIN, *_STARTS, *_PINS, *_LETTERS, *_ENDS)


def _names(*parameters: str) -> str:
    return ", ".join(parameter.split()[0] for parameter in parameters)


def _call(name: str, count: int) -> str:
    return f"SELECT perdure.{name}({', '.join(f'${n}' for n in range(1, count + 1))})"


#: The plain case: executions that are there already, their operations and events.
COMMIT_PLAIN: Final = _call("commit_plain", len(_PLAIN))
#: The same for a lone change, at half the cost.
COMMIT_ONE: Final = _call("commit_one", len(_ONE))
#: Everything: also executions that begin, names that are freed, letters.
COMMIT_MANY: Final = _call("commit_many", len(_MANY))
ERASE_SOME: Final = _call("erase_some", 2)
#: Before which instant, how many, for whom, now, and until when.
CLAIM_UPCOMING: Final = {
    agenda: f"SELECT at_ms, id FROM perdure.claim_{agenda.name.lower()}($1, $2, $3, $4, $5)"  # noqa: S608 - an enum
    for agenda in Agenda
}
CLAIM_LETTERS: Final = """
SELECT id, sender, sent_at_ms, kind, body, checksum
FROM perdure.claim_letters($1, $2, $3, $4, $5)
"""

#: How durable this transaction is cannot be weakened by a role or a database; nor does it wait for
#: somebody's lock for ever.
_PIN_SETTINGS: Final = """
    IF level <> '' THEN
        PERFORM set_config('synchronous_commit', level, true);
    END IF;
    PERFORM set_config('lock_timeout', wait, true);
"""

_UPDATE_STATE: Final = f"""
    WITH moved AS (
        UPDATE perdure.execution e SET
            status = u.status, version = u.version, updated_at_ms = u.updated_at_ms,
            wake_at_ms = u.wake_at_ms, ready_at_ms = u.ready_at_ms,
            lease_until_ms = u.lease_until_ms, expires_at_ms = u.expires_at_ms,
            progress = u.progress, checksum = u.checksum,
            claimed_by = NULL, claimed_until_ms = NULL
        FROM unnest({_names(*_STATE)}) AS u (n, id, expected, status, version, updated_at_ms,
            wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, progress, checksum)
        WHERE e.id = u.id AND e.version = u.expected AND u.expected > 0
        RETURNING u.n
    )
    SELECT done || coalesce(array_agg(moved.n), '{{}}') INTO done FROM moved;
"""  # noqa: S608 - constants

#: Statements of one row each: nothing is made ready for partitions that are not concerned.
_DO_ONE: Final = """
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
"""

_FIND_LOST: Final = """
    IF cardinality(done) < cardinality(numbers) THEN
        SELECT array_agg(n) INTO lost FROM unnest(numbers) n WHERE n <> ALL (done);
    END IF;
"""

_PUT_ROWS: Final = f"""
    INSERT INTO perdure.operation AS o
        (execution, position, sequence, id, body, payload, input, checksum)
    SELECT u.execution, u.position, u.sequence, u.id, u.body, u.payload, u.input, u.checksum
    FROM unnest({_names(*_OPERATIONS)})
        AS u (n, execution, position, sequence, id, body, payload, input, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost)
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    SELECT u.execution, u.first_id, u.body, u.checksum
    FROM unnest({_names(*_EVENTS)}) AS u (n, execution, first_id, body, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost);
"""  # noqa: S608 - constants

_NOTE_INSTANT: Final = """
    INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
    ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms WHERE excluded.high_ms > i.high_ms;
    RETURN floor(extract(epoch FROM clock_timestamp()) * 1000)::BIGINT || lost::BIGINT[];
"""

#: A name is taken before its execution is there, so that of two who want it one waits for the
#: other's commit; it is given back if the id is somebody's already.
_START: Final = f"""
    INSERT INTO perdure.pin (digest, function, function_arn, version, is_durable, body, spare)
    SELECT u.digest, u.function, u.arn, u.version, u.is_durable, u.body, u.body
    FROM unnest({_names(*_PINS)}) AS u (digest, function, arn, version, is_durable, body)
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
        FROM unnest({_names(*_STATE)}, functions, names, started, pins, identities,
                identity_checksums)
            AS u (n, id, expected, status, version, updated_at_ms, wake_at_ms, ready_at_ms,
                lease_until_ms, expires_at_ms, progress, checksum, function, name, started_at_ms,
                pin, identity, identity_checksum)
        WHERE u.expected = 0 AND (u.function IS NULL OR u.id = ANY (named))
        ON CONFLICT DO NOTHING
        RETURNING id
    )
    SELECT array_agg(id) INTO started_ids FROM begun;
    SELECT coalesce(array_agg(u.n), '{{}}') INTO done
    FROM unnest(numbers, ids, expected) AS u (n, id, expected)
    WHERE u.expected = 0 AND u.id = ANY (started_ids);
    DELETE FROM perdure.name t
    USING unnest(functions, names, holders, ids) AS u (function, name, holder, id)
    WHERE t.function = u.function AND t.name = u.name AND t.holder = u.holder
        AND t.execution = u.id AND u.id = ANY (named)
        AND (started_ids IS NULL OR u.id <> ALL (started_ids));
"""  # noqa: S608 - constants

_SEND: Final = f"""
    INSERT INTO perdure.letter (id, sender, sent_at_ms, kind, body, checksum)
    SELECT u.id, u.sender, u.sent_at_ms, u.kind, u.body, u.checksum
    FROM unnest({_names(*_LETTERS)}) AS u (n, id, sender, sent_at_ms, kind, body, checksum)
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
"""  # noqa: S608 - constants

#: Rows that another node has locked or claimed are passed over, and nobody is waited for.
_FREE: Final = (
    "(t.claimed_until_ms IS NULL OR t.claimed_until_ms <= now_ms OR t.claimed_by = owner)"
)
_CLAIMED_BY: Final = "owner TEXT, now_ms BIGINT, until_ms BIGINT"
_CLAIMS: Final = (
    *(
        f"""
        CREATE OR REPLACE FUNCTION perdure.claim_{agenda.name.lower()}(
            before_ms BIGINT, most INTEGER, {_CLAIMED_BY})
        RETURNS TABLE (at_ms BIGINT, id BYTEA)
        {_PLANS} AS $$
        DECLARE
            instants BIGINT[];
            found BYTEA[];
        BEGIN
            SELECT array_agg(due.at_ms), array_agg(due.id) INTO instants, found FROM (
                SELECT t.{agenda.value} AS at_ms, t.id FROM perdure.execution t
                WHERE t.{agenda.value} < before_ms AND {_FREE}
                ORDER BY t.{agenda.value} LIMIT most FOR UPDATE SKIP LOCKED
            ) due;
            UPDATE perdure.execution t SET claimed_by = owner, claimed_until_ms = until_ms
            FROM unnest(found) AS u (id) WHERE t.id = u.id;
            RETURN QUERY SELECT u.* FROM unnest(instants, found) AS u (at_ms, id) ORDER BY 1, 2;
        END $$
        """  # noqa: S608 - constants
        for agenda in Agenda
    ),
    f"""
    CREATE OR REPLACE FUNCTION perdure.claim_letters(
        after_id TEXT, most INTEGER, {_CLAIMED_BY})
    RETURNS SETOF perdure.letter
    {_PLANS} AS $$
    DECLARE
        found TEXT[];
    BEGIN
        SELECT array_agg(due.id) INTO found FROM (
            SELECT t.id FROM perdure.letter t WHERE t.id > after_id AND {_FREE}
            ORDER BY t.id LIMIT most FOR UPDATE SKIP LOCKED
        ) due;
        UPDATE perdure.letter t SET claimed_by = owner, claimed_until_ms = until_ms
        WHERE t.id = ANY (found);
        RETURN QUERY SELECT t.* FROM perdure.letter t WHERE t.id = ANY (found) ORDER BY t.id;
    END $$
    """,  # noqa: S608 - constants
)

FUNCTIONS: Final = (
    *_CLAIMS,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_one({", ".join(_ONE)}) RETURNS BIGINT[]
    {_PLANS} AS $$
    DECLARE
        lost INTEGER[];
    BEGIN
        {_PIN_SETTINGS} {_DO_ONE} {_NOTE_INSTANT}
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_plain({", ".join(_PLAIN)}) RETURNS BIGINT[]
    {_PLANS} AS $$
    DECLARE
        done INTEGER[] := '{{}}';
        lost INTEGER[];
    BEGIN
        {_PIN_SETTINGS} {_UPDATE_STATE} {_FIND_LOST} {_PUT_ROWS} {_NOTE_INSTANT}
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_many({", ".join(_MANY)}) RETURNS BIGINT[]
    {_PLANS} AS $$
    DECLARE
        done INTEGER[] := '{{}}';
        lost INTEGER[];
        named BYTEA[];
        started_ids BYTEA[];
        doomed TEXT[];
    BEGIN
        {_PIN_SETTINGS} {_START} {_UPDATE_STATE} {_FIND_LOST} {_PUT_ROWS} {_SEND} {_NOTE_INSTANT}
    END $$
    """,
    # Removes some rows of an execution that is being deleted; true when none is left (R2).
    f"""
    CREATE OR REPLACE FUNCTION perdure.erase_some(doomed BYTEA, most INTEGER) RETURNS BOOLEAN
    {_PLANS} AS $$
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
    END $$
    """,  # noqa: S608 - constants
)
