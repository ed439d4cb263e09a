"""What the functions in the database that commit have in common: parameters, settings, their end.

A group of changes comes as arrays, one element a change or a row; ``numbers`` say whose a row is.
"""

from typing import Final

__all__ = [
    "EVENTS",
    "NOTE_INSTANT",
    "OPERATIONS",
    "PARTITIONS",
    "PINNED",
    "PINS",
    "PIN_SETTINGS",
    "PLAIN",
    "PLANS",
    "STARTS",
    "STATE",
    "call",
    "call_even",
    "names_of",
]

PARTITIONS: Final = 16

#: Plans are made once, for index scans alone.
PLANS: Final = """
    LANGUAGE plpgsql
    SET enable_seqscan = off
    SET enable_hashjoin = off
    SET enable_mergejoin = off
    SET enable_material = off
    SET enable_memoize = off
    SET jit = off
    SET plan_cache_mode = force_generic_plan
"""

PINNED: Final = ("level TEXT", "wait TEXT", "high BIGINT")
STATE: Final = (
    *("numbers INTEGER[]", "ids BYTEA[]", "expected INTEGER[]", "statuses TEXT[]"),
    *("versions INTEGER[]", "updated BIGINT[]", "wakes BIGINT[]", "readies BIGINT[]"),
    *("leases BIGINT[]", "expiries BIGINT[]", "bodies BYTEA[]", "checksums INTEGER[]"),
)
OPERATIONS: Final = (
    *("operation_numbers INTEGER[]", "operation_executions BYTEA[]", "positions INTEGER[]"),
    *("sequences INTEGER[]", "operation_ids BYTEA[]", "operation_bodies BYTEA[]"),
    *("payloads BYTEA[]", "inputs BYTEA[]", "operation_checksums INTEGER[]"),
)
EVENTS: Final = (
    *("event_numbers INTEGER[]", "event_executions BYTEA[]", "first_ids INTEGER[]"),
    *("event_bodies BYTEA[]", "event_checksums INTEGER[]"),
)
STARTS: Final = (
    *("functions BYTEA[]", "names BYTEA[]", "holders BYTEA[]", "name_checksums INTEGER[]"),
    *("started BIGINT[]", "pins BYTEA[]", "identities BYTEA[]", "identity_checksums INTEGER[]"),
)
PINS: Final = (
    *("digests BYTEA[]", "pin_functions BYTEA[]", "function_arns TEXT[]"),
    *("pin_versions TEXT[]", "durables BOOLEAN[]", "pin_bodies BYTEA[]"),
)
#: Of changes that have one operation and one row of events each, what is the same array.
_EVEN: Final = {
    whose: same
    for same, *both in zip(STATE[:2], OPERATIONS[:2], EVENTS[:2], strict=True)
    for whose in both
}
#: Of executions that are there already: their state, operations and events.
PLAIN: Final = (*PINNED, *STATE, *OPERATIONS, *EVENTS)

#: How durable this transaction is cannot be weakened by a role or a database; nor does it wait for
#: somebody's lock for ever. An assignment costs less than a statement.
PIN_SETTINGS: Final = """
    IF level <> '' AND level <> current_setting('synchronous_commit') THEN
        said := set_config('synchronous_commit', level, true);
    END IF;
    said := set_config('lock_timeout', wait, true);
"""

#: Not ``extract``, which is numeric: that and the array without company are a tenth of a commit.
_NOW_MS: Final = "floor(date_part('epoch', clock_timestamp()) * 1000)::BIGINT"
#: The row is there already but for a connection's first commit.
NOTE_INSTANT: Final = f"""
    UPDATE perdure.instant SET high_ms = high WHERE slot = pg_backend_pid() AND high_ms < high;
    IF NOT FOUND THEN
        INSERT INTO perdure.instant AS i (slot, high_ms) VALUES (pg_backend_pid(), high)
        ON CONFLICT (slot) DO UPDATE SET high_ms = excluded.high_ms
            WHERE excluded.high_ms > i.high_ms;
    END IF;
    IF lost IS NULL THEN
        RETURN ARRAY[{_NOW_MS}];
    END IF;
    RETURN {_NOW_MS} || lost::BIGINT[];
"""  # noqa: S608 - constants


def names_of(*parameters: str) -> str:
    """Return the names of parameters that are written with their types."""
    return ", ".join(parameter.split()[0] for parameter in parameters)


def call(name: str, *parameters: str) -> str:
    """Return the statement that calls a function with a value for each parameter."""
    return f"SELECT perdure.{name}({', '.join(f'${n}' for n in range(1, len(parameters) + 1))})"


def call_even(name: str, *parameters: str) -> str:
    """Return the statement that calls a function for changes that have one operation and one row of
    events each: whose these are need not be said.
    """
    given: dict[str, str] = {}
    for parameter in parameters:
        given.setdefault(_EVEN.get(parameter, parameter), f"${len(given) + 1}")
    return f"SELECT perdure.{name}({', '.join(given[_EVEN.get(p, p)] for p in parameters)})"
