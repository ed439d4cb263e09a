"""The functions in the database that commit a group of changes in one call: one round trip, one
transaction.

They know no rule: a change whose version is not the expected one, or whose name is taken, is left
out, and its number is in the answer, after the database's clock. Plans are made once, for index
scans alone: a group touches a handful of rows, however many there are. What a few changes cost less
with is in ``postgres_row_functions``.
"""

from typing import Final

from perdure.store.postgres_parameters import (
    EVENTS,
    NOTE_INSTANT,
    OPERATIONS,
    PIN_SETTINGS,
    PINS,
    PLAIN,
    PLANS,
    STARTS,
    STATE,
    call,
    call_even,
    names_of,
)
from perdure.store.postgres_row_functions import ROW_FUNCTIONS
from perdure.store.protocol import Agenda

__all__ = [
    "CLAIM_LETTERS",
    "CLAIM_UPCOMING",
    "COMMIT_MANY",
    "COMMIT_MANY_EVEN",
    "COMMIT_PLAIN",
    "COMMIT_PLAIN_EVEN",
    "ERASE_SOME",
    "EXECUTION_COLUMNS",
    "FUNCTIONS",
    "READ_EXECUTION",
]

_LETTERS: Final = (
    *("letter_numbers INTEGER[]", "letter_ids TEXT[]", "senders BYTEA[]", "sent BIGINT[]"),
    *("kinds TEXT[]", "letter_bodies BYTEA[]", "letter_checksums INTEGER[]"),
)
_ENDS: Final = ("delivery_numbers INTEGER[]", "delivered TEXT[]", "freed BYTEA[]")

_MANY: Final = (*PLAIN, *STARTS, *PINS, *_LETTERS, *_ENDS)


#: Executions that are there already, their operations and events.
COMMIT_PLAIN: Final = call("commit_plain", *PLAIN)
COMMIT_PLAIN_EVEN: Final = call_even("commit_plain", *PLAIN)
#: Everything: also executions that begin, names that are freed, letters.
COMMIT_MANY: Final = call("commit_many", *_MANY)
COMMIT_MANY_EVEN: Final = call_even("commit_many", *_MANY)
ERASE_SOME: Final = "SELECT perdure.erase_some($1, $2)"
#: Before which instant, how many, for whom, now, and until when.
CLAIM_UPCOMING: Final = {
    agenda: f"SELECT at_ms, id FROM perdure.claim_{agenda.name.lower()}($1, $2, $3, $4, $5)"  # noqa: S608 - an enum
    for agenda in Agenda
}
#: Of which execution; the version and the sequence that are known.
READ_EXECUTION: Final = "SELECT * FROM perdure.read_execution($1, $2, $3)"
CLAIM_LETTERS: Final = """
SELECT id, sender, sent_at_ms, kind, body, checksum
FROM perdure.claim_letters($1, $2, $3, $4, $5)
"""

#: Of an execution ``e`` with its pin ``p``, in the order in which rows are read.
EXECUTION_COLUMNS: Final = """
e.id, p.digest, p.body, p.spare, e.name, e.started_at_ms, e.identity, e.identity_checksum,
e.status, e.version, e.updated_at_ms, e.wake_at_ms, e.ready_at_ms, e.lease_until_ms,
e.expires_at_ms, e.progress, e.checksum
"""
_READ_TYPES: Final = (
    *("BYTEA", "BYTEA", "BYTEA", "BYTEA", "BYTEA", "BIGINT", "BYTEA", "INTEGER"),
    *("TEXT", "INTEGER", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BIGINT", "BYTEA", "INTEGER"),
    *("INTEGER[]", "INTEGER[]", "BYTEA[]", "BYTEA[]", "BYTEA[]", "BYTEA[]", "INTEGER[]"),
)
#: Planned once, and for the partition alone that is concerned: as a plain statement it is planned
#: each time, for ten times what it costs.
_READ: Final = f"""
    CREATE OR REPLACE FUNCTION perdure.read_execution(
        its_id BYTEA, known_version INTEGER, known_sequence INTEGER)
    RETURNS TABLE ({", ".join(f"read_{n} {kind}" for n, kind in enumerate(_READ_TYPES, 1))})
    STABLE {PLANS} AS $$
    BEGIN
        RETURN QUERY
        SELECT {EXECUTION_COLUMNS}, o.*
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
    END $$
"""  # noqa: S608 - constants

_UPDATE_STATE: Final = f"""
    WITH moved AS (
        UPDATE perdure.execution e SET
            status = u.status, version = u.version, updated_at_ms = u.updated_at_ms,
            wake_at_ms = u.wake_at_ms, ready_at_ms = u.ready_at_ms,
            lease_until_ms = u.lease_until_ms, expires_at_ms = u.expires_at_ms,
            progress = u.progress, checksum = u.checksum,
            claimed_by = NULL, claimed_until_ms = NULL
        FROM unnest({names_of(*STATE)}) AS u (n, id, expected, status, version, updated_at_ms,
            wake_at_ms, ready_at_ms, lease_until_ms, expires_at_ms, progress, checksum)
        WHERE e.id = u.id AND e.version = u.expected AND u.expected > 0
        RETURNING u.n
    )
    SELECT done || coalesce(array_agg(moved.n), '{{}}') INTO done FROM moved;
"""  # noqa: S608 - constants

_FIND_LOST: Final = """
    IF cardinality(done) < cardinality(numbers) THEN
        SELECT array_agg(n) INTO lost FROM unnest(numbers) n WHERE n <> ALL (done);
    END IF;
"""

_PUT_ROWS: Final = f"""
    INSERT INTO perdure.operation AS o
        (execution, position, sequence, id, body, payload, input, checksum)
    SELECT u.execution, u.position, u.sequence, u.id, u.body, u.payload, u.input, u.checksum
    FROM unnest({names_of(*OPERATIONS)})
        AS u (n, execution, position, sequence, id, body, payload, input, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost)
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    SELECT u.execution, u.first_id, u.body, u.checksum
    FROM unnest({names_of(*EVENTS)}) AS u (n, execution, first_id, body, checksum)
    WHERE lost IS NULL OR u.n <> ALL (lost);
"""  # noqa: S608 - constants

#: A name is taken before its execution is there, so that of two who want it one waits for the
#: other's commit; it is given back if the id is somebody's already.
_START: Final = f"""
    INSERT INTO perdure.pin (digest, function, function_arn, version, is_durable, body, spare)
    SELECT u.digest, u.function, u.arn, u.version, u.is_durable, u.body, u.body
    FROM unnest({names_of(*PINS)}) AS u (digest, function, arn, version, is_durable, body)
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
        FROM unnest({names_of(*STATE)}, functions, names, started, pins, identities,
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
    FROM unnest({names_of(*_LETTERS)}) AS u (n, id, sender, sent_at_ms, kind, body, checksum)
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
        {PLANS} AS $$
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
    {PLANS} AS $$
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
    _READ,
    *ROW_FUNCTIONS,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_plain({", ".join(PLAIN)}) RETURNS BIGINT[]
    {PLANS} AS $$
    DECLARE
        done INTEGER[] := '{{}}';
        lost INTEGER[];
        said TEXT;
    BEGIN
        {PIN_SETTINGS} {_UPDATE_STATE} {_FIND_LOST} {_PUT_ROWS} {NOTE_INSTANT}
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_many({", ".join(_MANY)}) RETURNS BIGINT[]
    {PLANS} AS $$
    DECLARE
        done INTEGER[] := '{{}}';
        lost INTEGER[];
        said TEXT;
        named BYTEA[];
        started_ids BYTEA[];
        doomed TEXT[];
    BEGIN
        {PIN_SETTINGS} {_START} {_UPDATE_STATE} {_FIND_LOST} {_PUT_ROWS} {_SEND} {NOTE_INSTANT}
    END $$
    """,
    # Removes some rows of an execution that is being deleted; true when none is left (R2).
    f"""
    CREATE OR REPLACE FUNCTION perdure.erase_some(doomed BYTEA, most INTEGER) RETURNS BOOLEAN
    {PLANS} AS $$
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
