"""A database of an older schema is brought forward with live executions in it, and they go on (V3).

``older/postgres_1.sql`` is that schema as the last code before decision 0038 made it, with what
that code kept in it: executions in every state, also ones that ran when it was taken, a function,
an alias, letters, logs. ``older/postgres_1.json`` says what it read of that. Each later file is
what that schema's own code made of the one before.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import asyncpg
import msgspec
import pytest

from perdure.core.commands import (
    AnswerCallback,
    Command,
    Delete,
    FinishChainedInvoke,
    Heartbeat,
    ReleaseLease,
    Resume,
    Stop,
    Wake,
)
from perdure.core.errors import Refusal
from perdure.core.event import Event
from perdure.core.execution import Execution, Identity, Progress
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.core.outcome import AnnounceEnd, NotifyParent, StartChild
from perdure.engine.functions.documents import StoredVersion
from perdure.engine.functions.registry import Account, Registry
from perdure.protocol.words import ExecutionStatus, OperationAction, OperationStatus
from perdure.store.logs import LogEvent, LogGroup, LogQuery, LogStream
from perdure.store.postgres import PostgresStore
from perdure.store.postgres_connections import Address
from perdure.store.postgres_logs import PostgresLogs
from perdure.store.postgres_migrations import migrate
from perdure.store.postgres_rows import piece_of
from perdure.store.postgres_schema import MIGRATIONS, SCHEMA
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    CorruptRowError,
    EventQuery,
    ExecutionQuery,
    StoreOpenError,
)
from perdure.store.records import Record
from tests.core.builders import FUNCTION_ARN, NOW_MS, SECOND_MS, a_begin, a_checkpoint, a_step
from tests.engine.functions.builders import CountingEntropy, FakeClock

from .clusters import OLDER, a_database
from .stores import Keeper, a_change, an_id, opened

MESSAGES: Final = {kind.__name__: kind for kind in (AnnounceEnd, NotifyParent, StartChild)}
SUCCEED: Final = OperationAction.SUCCEED
#: When every wait and retry in it is due, and nothing has timed out.
LATER_MS: Final = NOW_MS + 60 * SECOND_MS
#: What only the older code calls: not made any more, left where it is.
LEFT: Final = {"commit_one"}


class Life(msgspec.Struct):
    """An execution, as the older code read it."""

    identity: Identity
    progress: Progress
    operations: list[Operation]
    events: list[Event]

    @property
    def id(self) -> str:
        return self.identity.id

    @property
    def execution(self) -> Execution:
        """The execution, anew."""
        return Execution.of(self.identity, self.progress, self.operations)


class Sent(msgspec.Struct):
    """A letter."""

    id: str
    sender_id: str
    sent_at_ms: int
    kind: str
    message: msgspec.Raw

    @property
    def decoded(self) -> tuple[Any, ...]:
        message = msgspec.json.decode(self.message, type=MESSAGES[self.kind])
        return self.id, self.sender_id, self.sent_at_ms, message


class Reading(msgspec.Struct):
    """All that the older code read."""

    executions: list[Life]
    upcoming: dict[str, list[tuple[int, str]]]
    names: list[tuple[str, str, str | None]]
    listed: list[str]
    letters: list[Sent]
    records: list[Record]
    log_groups: list[LogGroup]
    log_streams: list[LogStream]
    log_events: list[LogEvent]
    high_ms: int


READING: Final = msgspec.json.decode((OLDER / "postgres_1.json").read_bytes(), type=Reading)
LIVES: Final = {int(life.id, 16): life for life in READING.executions}


@pytest.fixture(params=range(1, SCHEMA), ids="schema {}".format)
def tmp_path(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A folder by the name of an older schema."""
    return tmp_path / f"{request.param}"


def an_older_database(folder: Path) -> str:
    """Return the address of a database of the schema of that name, with everything in it."""
    return a_database(folder, schema=int(folder.name))


def shared(folder: Path) -> PostgresStore:
    """Return today's store on the older database; several may be open at once."""
    url = an_older_database(folder)
    return PostgresStore(url, connections_max=4, allows_weak_durability=True)


@contextlib.asynccontextmanager
async def an_admin(folder: Path) -> AsyncIterator[Any]:
    """Lend a connection that knows nothing of perdure."""
    connection = await asyncpg.connect(an_older_database(folder))
    try:
        yield connection
    finally:
        await connection.close()


async def history(store: PostgresStore, execution_id: str) -> list[Event]:
    return [*await store.events(EventQuery(execution_id=execution_id, limit=10_000))]


async def assert_reads_as_before(store: PostgresStore, *, but: str = "") -> None:
    """Every execution but one is what it was, and so is its history."""
    for life in READING.executions:
        if life.id != but:
            assert await store.load(life.id) == life.execution
            assert await history(store, life.id) == life.events


def test_there_is_a_database_of_every_older_schema() -> None:
    """V3: whoever makes a new schema takes one of the present schema first."""
    assert {path.name for path in OLDER.glob("postgres_*.sql")} == {
        f"postgres_{version}.sql" for version in range(1, SCHEMA)
    }


def test_the_older_database_has_executions_in_every_state() -> None:
    """So that what is tested with it is what it says."""
    assert {life.progress.status for life in READING.executions} >= {
        ExecutionStatus.RUNNING,
        ExecutionStatus.SUCCEEDED,
        ExecutionStatus.FAILED,
        ExecutionStatus.STOPPED,
        ExecutionStatus.DELETING,
    }
    open_ones = {
        (operation.type.value, operation.status.value)
        for life in READING.executions
        if life.progress.status is ExecutionStatus.RUNNING
        for operation in life.operations
    }
    assert open_ones >= {
        ("STEP", "STARTED"),
        ("STEP", "PENDING"),
        ("STEP", "SUCCEEDED"),
        ("WAIT", "STARTED"),
        ("CALLBACK", "STARTED"),
        ("CHAINED_INVOKE", "STARTED"),
        ("CONTEXT", "STARTED"),
    }
    assert all(READING.upcoming.values())
    assert {letter.kind for letter in READING.letters} == {"AnnounceEnd", "StartChild"}


def test_everything_in_an_older_database_is_read_as_it_was(tmp_path: Path) -> None:
    """V3: executions, history, agendas, names, letters, records."""

    async def story() -> None:
        store = shared(tmp_path)
        assert await store.open() == READING.high_ms
        await assert_reads_as_before(store)
        for agenda in Agenda:
            due = await store.upcoming(agenda, before_ms=1 << 60, limit=1_000)
            assert [*due] == [*READING.upcoming[agenda.name]]
        for function_arn, name, holder in READING.names:
            assert await store.find(function_arn, name) == holder
        found = await store.list(ExecutionQuery(limit=1_000))
        assert [identity.id for identity, _ in found] == READING.listed
        letters = await store.letters(limit=1_000)
        assert [tuple(letter) for letter in letters] == [sent.decoded for sent in READING.letters]
        collections = sorted({record.collection for record in READING.records})
        records = [record for c in collections for record in await store.list_records(c)]
        assert records == READING.records
        assert store.unreadable_rows == 0
        await store.aclose()

    # The first opening brings it forward, the second finds it so.
    asyncio.run(story())
    asyncio.run(story())


def test_functions_and_aliases_of_an_older_database_are_found(tmp_path: Path) -> None:
    """V1: an execution needs the version that it began with."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            account, entropy = Account(), CountingEntropy()
            registry = Registry(store, account=account, clock=FakeClock(), entropy=entropy)
            document, version = await registry.find(registry.refer("f", "live"))
            published = (await registry.version("f", "1")).document
            assert isinstance(version, StoredVersion)
            assert version == published
            assert document.latest.configuration.function_name == "f"

    asyncio.run(story())


def test_logs_of_an_older_database_are_read_and_go_on(tmp_path: Path) -> None:
    """V3."""

    async def story() -> None:
        async with opened(shared(tmp_path)):
            logs = PostgresLogs(an_older_database(tmp_path), clock=FakeClock())
            await logs.open()
            groups = [*await logs.groups()]
            assert groups == READING.log_groups
            streams = [stream for group in groups for stream in await logs.streams(group.name)]
            assert streams == READING.log_streams
            queries = [LogQuery(group=group.name) for group in groups]
            assert [e for q in queries for e in await logs.events(q)] == READING.log_events
            logs.append([LogEvent(group=groups[0].name, stream="new", at_ms=NOW_MS, message="new")])
            events = await logs.events(queries[0])
            assert max(events, key=lambda event: event.id).message == "new"
            await logs.aclose()

    asyncio.run(story())


def test_executions_of_an_older_database_go_on(tmp_path: Path) -> None:
    """V3: checkpoints, wakes, retries, callbacks, children, leases that ran out, ends."""
    step = functools.partial(a_step, SUCCEED, payload='"new"')
    going_on: dict[int, list[Command]] = {
        2: [Wake(), a_begin()],
        3: [
            Heartbeat(operation_id="callback"),
            AnswerCallback(operation_id="callback", payload="1"),
        ],
        4: [Wake(), a_begin()],
        5: [FinishChainedInvoke(operation_id="invoke", status=OperationStatus.SUCCEEDED)],
        10: [Resume(), Wake(), a_begin()],
        11: [a_begin()],
        13: [ReleaseLease(epoch=2), a_begin(request_id="request-3")],
        15: [Stop()],
    }
    expected = {
        (2, "wait"): OperationStatus.SUCCEEDED,
        (3, "callback"): OperationStatus.SUCCEEDED,
        (4, "s"): OperationStatus.READY,
        (5, "invoke"): OperationStatus.SUCCEEDED,
        (10, "wait"): OperationStatus.SUCCEEDED,
    }

    async def story() -> None:
        async with opened(shared(tmp_path)) as store, opened(shared(tmp_path)) as other:
            keeper = Keeper(store)
            # With the token that the older code gave out.
            running = LIVES[1].execution
            keeper.now_ms = READING.high_ms
            await keeper.tell(running, a_checkpoint(running, step("s2")), Stop())
            assert running.operations["s2"].payload == '"new"'
            keeper.now_ms = LATER_MS
            lives = {number: LIVES[number].execution for number in going_on}
            for number, commands in going_on.items():
                await keeper.tell(lives[number], *commands)
                if lives[number].progress.lease_until_ms is not None:
                    more = a_checkpoint(lives[number], step("more"))
                    await keeper.tell(lives[number], more)
                    stale = a_checkpoint(LIVES[number].execution, step("stale"))
                    with pytest.raises(Refusal):
                        apply(lives[number], stale, keeper.now_ms)
            for (number, operation_id), status in expected.items():
                assert lives[number].operations[operation_id].status is status
            assert lives[13].progress.epoch == 3
            for number, execution in (lives | {1: running}).items():
                assert await other.load(an_id(number)) == execution
                events, before = await history(other, an_id(number)), LIVES[number].events
                assert events[: len(before)] == before
                assert [event.id for event in events] == [*range(1, len(events) + 1)]
                assert len(events) > len(before)
            # Nobody can change what the older code had read of them any more (F2).
            late = a_change(LIVES[1].execution, Stop(), keeper.now_ms)
            assert await other.commit(late) is CommitResult.CONFLICT

    asyncio.run(story())


def test_what_an_older_node_has_claimed_is_its_own_for_as_long_as_it_said(tmp_path: Path) -> None:
    """And no longer: it may be the one that was replaced."""
    ready = [i for _, i in READING.upcoming["READY"]]

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            claimed = []
            for now_ms in (READING.high_ms, LATER_MS):
                claim = Claim("a node of today", now_ms, 1)
                due = await store.upcoming(Agenda.READY, before_ms=LATER_MS, limit=100, claim=claim)
                claimed.append([execution_id for _, execution_id in due])
            assert claimed == [[i for i in ready if i != ready[0]], ready]

    asyncio.run(story())


def test_names_of_an_older_database_are_taken(tmp_path: Path) -> None:
    """I1."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            keeper = Keeper(store)
            with pytest.raises(AssertionError):
                await keeper.start(1 << 100, name="name-1")
            assert await store.find(FUNCTION_ARN, "name-1") == an_id(1)
            await keeper.start(1 << 100, name="name-1", function_arn="arn:another")

    asyncio.run(story())


def test_executions_of_an_older_database_end_and_leave_nothing(tmp_path: Path) -> None:
    """R2."""

    async def story() -> None:
        async with opened(shared(tmp_path)) as store:
            keeper = Keeper(store)
            keeper.now_ms = LATER_MS
            for life in READING.executions:
                execution = life.execution
                if life.progress.ended_at_ms is None:
                    await keeper.tell(execution, Stop())
                if life.progress.status is not ExecutionStatus.DELETING:
                    await keeper.tell(execution, Delete())
                await store.erase(life.id)
                assert await store.load(life.id) is None
            await store.discard([letter.id for letter in await store.letters(limit=1_000)])
        async with an_admin(tmp_path) as admin:
            for table in ("execution", "operation", "event", "name", "letter"):
                assert await admin.fetchval(f"SELECT count(*) FROM perdure.{table}") == 0

    asyncio.run(story())


def test_of_several_nodes_one_brings_it_forward(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """V3: while the others wait, and all of them go on."""
    stores = [shared(tmp_path) for _ in range(4)]

    async def story() -> None:
        opened_at = await asyncio.gather(*(store.open() for store in stores))
        assert opened_at == [READING.high_ms] * len(stores)
        keeper = Keeper(stores[0])
        execution = LIVES[1].execution
        await keeper.tell(execution, a_checkpoint(execution, a_step(SUCCEED, "s2")))
        for store in stores:
            assert await store.load(an_id(1)) == execution
            await store.aclose()

    with caplog.at_level(logging.INFO):
        asyncio.run(story())
    brought = [record.getMessage() for record in caplog.records if "bringing" in record.message]
    assert brought == [
        f"bringing the database from schema {version} to {version + 1}"
        for version in range(int(tmp_path.name), SCHEMA)
    ]


def test_a_node_of_the_older_version_refuses_what_was_brought_forward(tmp_path: Path) -> None:
    """V3: it says so, and leaves it alone."""

    async def story() -> None:
        async with opened(shared(tmp_path)):
            pass
        connection = await Address(an_older_database(tmp_path)).connect()
        with pytest.raises(StoreOpenError, match=f"has schema {SCHEMA}; .* up to {tmp_path.name}$"):
            await migrate(connection, MIGRATIONS[: int(tmp_path.name)])
        await connection.close()
        async with opened(shared(tmp_path)) as store:
            await assert_reads_as_before(store)

    asyncio.run(story())


async def _commit_as_before(connection: Any, execution: Execution, command: Command) -> None:
    """Commit a lone change as nodes of schema 1 do."""
    outcome = apply(execution, command, NOW_MS + SECOND_MS)
    piece = piece_of(a_change(execution, command, NOW_MS + SECOND_MS))
    rows = piece.rows
    values = [
        *("on", "1000", rows.state[2], rows.key, rows.expected_version),
        *(*rows.state[:3], *rows.due, *rows.state[3:]),
        *([*column] for column in zip(*piece.operations, strict=True)),
        *([*column] for column in zip(*rows.events, strict=True)),
    ]
    places = ", ".join(f"${n}" for n in range(1, len(values) + 1))
    answer = await connection.fetchval(f"SELECT perdure.commit_one({places})", *values)
    assert len(answer) == 1, "the clock, and no change that was lost"
    execution.advance(outcome)


def test_an_older_node_that_runs_goes_on_beside_newer_ones(tmp_path: Path) -> None:
    """V3: during a roll. What it calls is still there, and what it commits is read."""

    async def story() -> None:
        async with an_admin(tmp_path) as older:
            execution = LIVES[1].execution
            await _commit_as_before(
                older, execution, a_checkpoint(execution, a_step(SUCCEED, "s2"))
            )
            async with opened(shared(tmp_path)) as store:
                assert await store.load(an_id(1)) == execution
                for number in range(3):
                    mine = a_checkpoint(execution, a_step(operation_id=f"mine-{number}"))
                    await _commit_as_before(older, execution, mine)
                    assert await store.load(an_id(1)) == execution
                    theirs = a_checkpoint(execution, a_step(operation_id=f"theirs-{number}"))
                    await Keeper(store).tell(execution, theirs)
                events = await history(store, an_id(1))
                assert [event.id for event in events] == [*range(1, len(events) + 1)]
                assert store.unreadable_rows == 0

    asyncio.run(story())


#: Tables with their columns, indices, constraints and options.
_TABLES: Final = """
SELECT c.relname, c.relkind, pg_get_expr(c.relpartbound, c.oid), c.reloptions,
    (SELECT array_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attcollation,
        attnotnull, attidentity, pg_get_expr(d.adbin, d.adrelid)) ORDER BY attnum)
     FROM pg_attribute LEFT JOIN pg_attrdef d ON d.adrelid = attrelid AND d.adnum = attnum
     WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns,
    (SELECT array_agg(pg_get_constraintdef(o.oid) ORDER BY o.conname)
     FROM pg_constraint o WHERE o.conrelid = c.oid) AS constraints,
    CASE WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid) END AS index
FROM pg_class c WHERE c.relnamespace = 'perdure'::regnamespace ORDER BY c.relname
"""
_FUNCTIONS: Final = """
SELECT p.proname, pg_get_functiondef(p.oid), pg_get_function_arguments(p.oid),
    pg_get_function_result(p.oid)
FROM pg_proc p WHERE p.pronamespace = 'perdure'::regnamespace ORDER BY p.proname
"""


def test_a_database_that_was_brought_forward_is_as_a_new_one(tmp_path: Path) -> None:
    """V3: but for functions that older nodes may be calling, which stay as they are called."""

    async def shape(url: str) -> tuple[list[Any], dict[str, Any]]:
        admin = await asyncpg.connect(url)
        tables = [tuple(row) for row in await admin.fetch(_TABLES)]
        functions = {name: tuple(rest) for name, *rest in await admin.fetch(_FUNCTIONS)}
        await admin.close()
        return tables, functions

    async def story() -> None:
        new_tables, new_functions = await shape(a_database(tmp_path / "new"))
        _, older_functions = await shape(an_older_database(tmp_path))
        async with opened(shared(tmp_path)):
            pass
        tables, functions = await shape(an_older_database(tmp_path))
        assert tables == new_tables
        assert len(tables) > 64
        assert functions.keys() - new_functions.keys() == LEFT
        assert {name: functions[name] for name in new_functions} == new_functions
        called = {name: (where, what) for name, (_, where, what) in older_functions.items()}
        assert {name: functions[name][1:] for name in called} == called

    asyncio.run(story())


FLIP: Final = "set_bit({column}, 5, 1 - get_bit({column}, 5))"


@pytest.mark.parametrize(
    ("table", "column", "change", "is_history"),
    [
        ("execution", "identity", FLIP, False),
        ("execution", "progress", FLIP, False),
        ("execution", "wake_at_ms", "17", False),
        ("execution", "version", "version + 1", False),
        ("operation", "body", FLIP, False),
        ("operation", "payload", "'\\x22'", False),
        ("event", "body", FLIP, True),
    ],
)
def test_what_was_damaged_before_stays_so_and_costs_only_itself(
    table: str, column: str, change: str, is_history: bool, tmp_path: Path
) -> None:
    """D6: nothing is mended by being brought forward."""
    damaged, mine = an_id(2), "id" if table == "execution" else "execution"

    async def story() -> None:
        async with an_admin(tmp_path) as admin:
            done = await admin.execute(
                f"UPDATE perdure.{table} SET {column} = {change.format(column=column)}"
                f" WHERE {mine} = $1",
                bytes.fromhex(damaged),
            )
            assert done != "UPDATE 0"
        async with opened(shared(tmp_path)) as store:
            with pytest.raises(CorruptRowError):
                await (history if is_history else PostgresStore.load)(store, damaged)
            assert store.unreadable_rows > 0
            await assert_reads_as_before(store, but=damaged)

    asyncio.run(story())


@pytest.mark.parametrize("table", ["letter", "record"])
def test_a_damaged_letter_or_record_stays_so(table: str, tmp_path: Path) -> None:
    """D6."""

    async def story() -> None:
        async with an_admin(tmp_path) as admin:
            await admin.execute(f"UPDATE perdure.{table} SET body = {FLIP.format(column='body')}")
        async with opened(shared(tmp_path)) as store:
            if table == "letter":
                assert await store.letters(limit=100) == []
                assert store.unreadable_rows == len(READING.letters)
            else:
                record = READING.records[0]
                with pytest.raises(CorruptRowError):
                    await store.read_record(record.collection, record.key)

    asyncio.run(story())


def test_a_migration_that_is_cut_short_has_not_begun(tmp_path: Path) -> None:
    """V3: a database is of one schema or of another; the next who comes does all of it."""
    ended = (*MIGRATIONS[-1], "SELECT pg_terminate_backend(pg_backend_pid())")

    async def state(admin: Any) -> list[Any]:
        version = await admin.fetch("SELECT version FROM perdure.schema_version")
        return [version, await admin.fetch(_FUNCTIONS), await admin.fetch(_TABLES)]

    async def story() -> None:
        async with an_admin(tmp_path) as admin:
            before = await state(admin)
            connection = await Address(an_older_database(tmp_path)).connect()
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                await migrate(connection, (*MIGRATIONS[:-1], ended))
            assert await state(admin) == before
        async with opened(shared(tmp_path)) as store:
            await assert_reads_as_before(store)

    asyncio.run(story())
