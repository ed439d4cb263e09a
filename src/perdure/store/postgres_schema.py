"""What a PostgreSQL database holds, in a schema of its own.

Tables are keyed by execution first and hash-partitioned by it, so that they can be spread as one.
Names are kept unique in a table of their own, since an index over partitions cannot. Texts that may
hold anything are BYTEA, payloads are BYTEA, instants are epoch milliseconds.
"""

from typing import Final

from perdure.store.postgres_functions import FUNCTIONS
from perdure.store.postgres_parameters import PARTITIONS
from perdure.store.protocol import Agenda

__all__ = ["MIGRATIONS", "SCHEMA"]

#: Rows that are often rewritten leave room in their page, so that no index has to be written (HOT).
_REWRITTEN: Final = "fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05"
_QUEUE: Final = (
    "fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000"
)

_TABLES: Final = (
    # What executions started alike have in common: kept once, twice over. Never removed: a node
    # that starts an execution need not ask whether it is still there.
    """
    CREATE TABLE perdure.pin (
        digest BYTEA PRIMARY KEY,
        function BYTEA NOT NULL,
        function_arn TEXT NOT NULL,
        version TEXT NOT NULL,
        is_durable BOOLEAN NOT NULL,
        body BYTEA NOT NULL,
        spare BYTEA NOT NULL
    )
    """,
    "CREATE INDEX pin_by_version ON perdure.pin (function_arn, version)",
    """
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
    ) PARTITION BY HASH (id)
    """,
    "CREATE INDEX execution_by_pin ON perdure.execution (pin, started_at_ms, id)",
    *(
        f"CREATE INDEX execution_by_{agenda.name.lower()} ON perdure.execution ({agenda.value})"
        f" WHERE {agenda.value} IS NOT NULL"
        for agenda in Agenda
    ),
    # ``holder`` is empty while an execution holds its name, then the execution.
    """
    CREATE TABLE perdure.name (
        function BYTEA NOT NULL,
        name BYTEA NOT NULL,
        holder BYTEA NOT NULL,
        execution BYTEA NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (function, name, holder)
    ) PARTITION BY HASH (function, name)
    """,
    """
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
    ) PARTITION BY HASH (execution)
    """,
    """
    CREATE TABLE perdure.event (
        execution BYTEA NOT NULL,
        first_id INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        body BYTEA NOT NULL,
        PRIMARY KEY (execution, first_id)
    ) PARTITION BY HASH (execution)
    """,
    *(
        f"CREATE TABLE perdure.{table}_{number} PARTITION OF perdure.{table}"
        f" FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {number}){options}"
        for table, options in (
            ("execution", f" WITH ({_REWRITTEN})"),
            ("name", ""),
            ("operation", " WITH (fillfactor = 90)"),
            ("event", ""),
        )
        for number in range(PARTITIONS)
    ),
    # A letter's id begins with its sender's. Letters are few at any time: a queue, read by id.
    f"""
    CREATE TABLE perdure.letter (
        id TEXT COLLATE "C" PRIMARY KEY,
        sent_at_ms BIGINT NOT NULL,
        claimed_until_ms BIGINT,
        checksum INTEGER NOT NULL,
        sender BYTEA NOT NULL,
        kind TEXT NOT NULL,
        body BYTEA NOT NULL,
        claimed_by TEXT
    ) WITH ({_QUEUE})
    """,
    """
    CREATE TABLE perdure.record (
        collection TEXT COLLATE "C" NOT NULL,
        key TEXT COLLATE "C" NOT NULL,
        revision INTEGER NOT NULL,
        checksum INTEGER NOT NULL,
        body BYTEA NOT NULL,
        PRIMARY KEY (collection, key)
    )
    """,
    # The highest instant that was committed over each connection (T5): a row each, so that none
    # waits for another.
    f"""
    CREATE TABLE perdure.instant (
        slot INTEGER PRIMARY KEY,
        high_ms BIGINT NOT NULL
    ) WITH ({_QUEUE})
    """,
)

_LOG_TABLES: Final = (
    """
    CREATE TABLE perdure.log_group (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name TEXT COLLATE "C" NOT NULL UNIQUE,
        created_at_ms BIGINT NOT NULL,
        stored_bytes BIGINT NOT NULL DEFAULT 0
    )
    """,
    """
    CREATE TABLE perdure.log_stream (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        group_number BIGINT NOT NULL,
        name TEXT COLLATE "C" NOT NULL,
        created_at_ms BIGINT NOT NULL,
        first_at_ms BIGINT NOT NULL,
        last_at_ms BIGINT NOT NULL,
        UNIQUE (group_number, name)
    )
    """,
    """
    CREATE TABLE perdure.log_event (
        number BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        group_number BIGINT NOT NULL,
        stream_number BIGINT NOT NULL,
        at_ms BIGINT NOT NULL,
        ingested_at_ms BIGINT NOT NULL,
        message BYTEA NOT NULL
    )
    """,
    "CREATE INDEX log_event_by_group ON perdure.log_event (group_number, at_ms, number)",
    "CREATE INDEX log_event_by_stream ON perdure.log_event (stream_number)",
)

#: What each version adds to the one before. Forward only (V3). Functions come anew with the last;
#: none is removed, nor is called otherwise, since nodes of the version before may be calling it.
MIGRATIONS: Final = ((*_TABLES, *_LOG_TABLES), (), FUNCTIONS)
SCHEMA: Final = len(MIGRATIONS)
