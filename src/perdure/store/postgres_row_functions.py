"""The functions in the database that commit a few changes, row by row.

A statement of one row makes nothing ready for the partitions that are not concerned, and need not
take arrays apart: for a lone change, and for a few that begin executions, that costs less than
statements over all of them. What they do is what those in ``postgres_functions`` do.

To find the partition costs half of what it takes to write to it: so a lone change goes to its
partition by name.
"""

import re
from typing import Final

from perdure.store.postgres_parameters import (
    EVENTS,
    NOTE_INSTANT,
    OPERATIONS,
    PARTITIONS,
    PIN_SETTINGS,
    PINNED,
    PINS,
    PLAIN,
    PLANS,
    STARTS,
    STATE,
    call,
    call_even,
    names_of,
)

__all__ = ["COMMIT_FEW", "COMMIT_FEW_EVEN", "COMMIT_STEP", "ROW_FUNCTIONS", "partition_of"]

#: Of one change with one operation and one row of events: no arrays.
_STEP: Final = (
    *PINNED,
    *(f"the_{name.replace('[]', '')}" for name in (*STATE[1:], *OPERATIONS[2:], *EVENTS[2:])),
)
_FEW: Final = (*PLAIN, *STARTS, *PINS)

#: One change of an execution that is there already: most checkpoints of a lone caller.
COMMIT_STEP: Final = call("commit_step", *_STEP)
#: A few changes, some of which may begin executions.
COMMIT_FEW: Final = call("commit_few", *_FEW)
COMMIT_FEW_EVEN: Final = call_even("commit_few", *_FEW)


def partition_of(key: str) -> str:
    """Return the number of the partition that an execution of 16 bytes of id is in, in SQL.

    PostgreSQL hashes them as it does UUIDs. Source: its partbounds.h and hashfn.h.
    """
    seed, most = 8816678312871386365, PARTITIONS - 1
    return f"((uuid_hash_extended(encode({key}, 'hex')::UUID, {seed}) & {most}) + 3) & {most}"


_SET_STATE: Final = """
    UPDATE perdure.execution SET
        status = {statuses}, version = {versions}, updated_at_ms = {updated},
        wake_at_ms = {wakes}, ready_at_ms = {readies}, lease_until_ms = {leases},
        expires_at_ms = {expiries}, progress = {bodies}, checksum = {checksums},
        claimed_by = NULL, claimed_until_ms = NULL
    WHERE id = {ids} AND version = {expected};
"""
_PUT_OPERATION: Final = """
    INSERT INTO perdure.operation
        (execution, position, sequence, id, body, payload, input, checksum)
    VALUES ({operation_executions}, {positions}, {sequences}, {operation_ids}, {operation_bodies},
        {payloads}, {inputs}, {operation_checksums})
    ON CONFLICT (execution, position) DO UPDATE SET
        sequence = excluded.sequence, body = excluded.body, payload = excluded.payload,
        input = excluded.input, checksum = excluded.checksum;
"""
_PUT_EVENTS: Final = """
    INSERT INTO perdure.event (execution, first_id, body, checksum)
    VALUES ({event_executions}, {first_ids}, {event_bodies}, {event_checksums});
"""

#: A name is taken before its execution is there, so that of two who want it one waits for the
#: other's commit; it is given back if the id is somebody's already.
_BEGIN: Final = """
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
"""
_PUT_PINS: Final = f"""
    IF cardinality(digests) > 0 THEN
        INSERT INTO perdure.pin (digest, function, function_arn, version, is_durable, body, spare)
        SELECT u.digest, u.function, u.arn, u.version, u.is_durable, u.body, u.body
        FROM unnest({names_of(*PINS)}) AS u (digest, function, arn, version, is_durable, body)
        ON CONFLICT DO NOTHING;
    END IF;
"""  # noqa: S608 - constants


def _in_turn(statement: str) -> str:
    """Return a statement on row ``i`` of the arrays."""
    arrays = (*STATE, *OPERATIONS, *EVENTS)
    return statement.format(**{name: f"{name}[i]" for name in names_of(*arrays).split(", ")})


def _alone(statement: str) -> str:
    """Return a statement on values that are no arrays."""
    names = names_of(*STATE, *OPERATIONS, *EVENTS).split(", ")
    given = {name: f"the_{name}" for name in names}
    given["operation_executions"] = given["event_executions"] = given["ids"]
    return statement.format(**given)


def _where_it_is(key: str, statements: str) -> str:
    """Return statements on the tables of the one partition that ``key`` is in."""
    cases = [
        f"WHEN {number} THEN {_TABLE.sub(lambda found, n=number: f'{found[0]}_{n}', statements)}"
        for number in range(PARTITIONS)
    ]
    return f"CASE {partition_of(key)} {' '.join(cases)} END CASE;"


_TABLE: Final = re.compile(r"perdure\.(execution|operation|event)\b")
_STEP_ALONE: Final = f"""
    {_alone(_SET_STATE)}
    IF FOUND THEN
        is_done := true;
        {_alone(_PUT_OPERATION)} {_alone(_PUT_EVENTS)}
    END IF;
"""

ROW_FUNCTIONS: Final = (
    # What is not found where it should be is looked for everywhere, before it counts as lost.
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_step({", ".join(_STEP)}) RETURNS BIGINT[]
    {PLANS} AS $$
    DECLARE
        is_done BOOLEAN := false;
        lost INTEGER[];
        said TEXT;
    BEGIN
        {PIN_SETTINGS} {_where_it_is("the_ids", _STEP_ALONE)}
        IF NOT is_done THEN
            {_STEP_ALONE}
        END IF;
        IF NOT is_done THEN
            lost := '{{1}}';
        END IF;
        {NOTE_INSTANT}
    END $$
    """,
    f"""
    CREATE OR REPLACE FUNCTION perdure.commit_few({", ".join(_FEW)}) RETURNS BIGINT[]
    {PLANS} AS $$
    DECLARE
        is_done BOOLEAN;
        is_named BOOLEAN;
        lost INTEGER[];
        said TEXT;
    BEGIN
        {PIN_SETTINGS} {_PUT_PINS}
        FOR i IN 1 .. cardinality(numbers) LOOP
            IF expected[i] > 0 THEN
                {_in_turn(_SET_STATE)}
                is_done := FOUND;
            ELSE
                {_BEGIN}
            END IF;
            IF NOT is_done THEN
                lost := lost || numbers[i];
            END IF;
        END LOOP;
        FOR i IN 1 .. cardinality(positions) LOOP
            IF lost IS NULL OR operation_numbers[i] <> ALL (lost) THEN
                {_in_turn(_PUT_OPERATION)}
            END IF;
        END LOOP;
        FOR i IN 1 .. cardinality(first_ids) LOOP
            IF lost IS NULL OR event_numbers[i] <> ALL (lost) THEN
                {_in_turn(_PUT_EVENTS)}
            END IF;
        END LOOP;
        {NOTE_INSTANT}
    END $$
    """,
)
