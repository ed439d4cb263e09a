"""What every store does, method by method of its protocol."""

import asyncio
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from perdure.core.commands import (
    AnswerCallback,
    Delete,
    FinishInvocation,
    Heartbeat,
    Pause,
    Stop,
    Verdict,
    Wake,
)
from perdure.core.execution import Execution, ExecutionKind, ParentLink
from perdure.core.machine import apply
from perdure.core.outcome import AnnounceEnd, NotifyParent, StartChild
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    ExecutionStatus,
    InvocationStatus,
    OperationAction,
)
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    Due,
    EventQuery,
    ExecutionQuery,
    Store,
)
from perdure.store.records import Record, RecordConflictError, RecordWrite
from tests.core.builders import (
    FUNCTION_ARN,
    LEASE_MS,
    NOW_MS,
    a_begin,
    a_callback,
    a_chained_invoke,
    a_checkpoint,
    a_context,
    a_start,
    a_step,
    a_wait,
    an_end,
)

from .stores import (
    Keeper,
    a_change,
    a_store,
    an_id,
    every_reader,
    every_shared,
    every_store,
    opened,
    with_store,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


COMMITTED, CONFLICT = CommitResult.COMMITTED, CommitResult.CONFLICT
PLAIN = ExecutionKind.PLAIN
AWKWARD = '"\\u0000 \0 太郎 🎉 \x1b \u2028"'
SUCCEED, RETRY = OperationAction.SUCCEED, OperationAction.RETRY


def finish(execution: Execution, status: InvocationStatus | None, **verdict: Any) -> Any:
    return FinishInvocation(
        epoch=execution.progress.epoch,
        started_at_ms=NOW_MS,
        ended_at_ms=NOW_MS,
        verdict=Verdict(status=status, **verdict),
        jitter=0.5,
    )


async def all_events(store: Store, execution_id: str) -> list[Any]:
    return [*await store.events(EventQuery(execution_id=execution_id))]


@every_store
def test_an_execution_is_loaded_as_it_was_committed_at_every_step(
    kind: str, tmp_path: Path
) -> None:
    """H2, S7: every kind of operation, every payload as it was sent."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start(payload=AWKWARD, trace_id="Root=1", is_announced=True)
        error = ErrorObject(error_type="", error_message=AWKWARD, stack_trace=("a", ""))
        steps: list[Callable[[], Any]] = [
            a_begin,
            lambda: a_checkpoint(
                execution,
                a_context(name="kontext"),
                a_step(SUCCEED, payload=AWKWARD, parent_id="context"),
                a_step(RETRY, "again", error=error),
                a_step(RETRY, "and again", payload=""),
                a_wait(5),
                a_callback(timeout_seconds=60, heartbeat_seconds=9),
                a_chained_invoke(payload=AWKWARD),
                client_token="c-1",
            ),
            lambda: Heartbeat(operation_id="callback"),
            lambda: finish(execution, InvocationStatus.PENDING),
            lambda: Pause(reason=AWKWARD, client_token="p"),
            lambda: AnswerCallback(operation_id="callback", error=error),
            lambda: Stop(error=error),
        ]
        for step in steps:
            keeper.now_ms += 1_000
            await keeper.tell(execution, step())
            loaded = await store.load(execution.identity.id)
            assert loaded == execution
            assert loaded is not None
            assert [*loaded.operations] == [*execution.operations]

    with_store(kind, tmp_path, story)


@every_store
def test_an_execution_that_is_not_there_is_none(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        assert await store.load(an_id(1)) is None
        assert await store.find(FUNCTION_ARN, "name-1") is None
        assert await all_events(store, an_id(1)) == []
        await store.erase(an_id(1))

    with_store(kind, tmp_path, story)


@every_store
def test_a_change_of_an_older_version_conflicts_and_writes_nothing(
    kind: str, tmp_path: Path
) -> None:
    """F1, D2: operations, events, letters, deliveries: none of it."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        await keeper.tell(execution, a_checkpoint(execution, a_step()))
        other = await keeper.start(2, is_announced=True)
        await keeper.tell(other, Stop())
        (letter,) = await store.letters(limit=10)
        await keeper.tell(execution, a_checkpoint(execution, a_chained_invoke()))
        stale = dataclasses.replace(
            a_change(execution, a_checkpoint(execution, a_wait(), a_chained_invoke("late"))),
            expected_version=execution.progress.version - 1,
            delivered=[letter.id],
        )
        before = (await all_events(store, an_id(1)), await store.letters(limit=10))
        assert await store.commit(stale) is CONFLICT
        assert await store.load(an_id(1)) == execution
        assert (await all_events(store, an_id(1)), await store.letters(limit=10)) == before

    with_store(kind, tmp_path, story)


@every_store
def test_a_change_of_an_execution_that_is_not_there_conflicts(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, Stop(), Delete())
        change = dataclasses.replace(
            a_change(execution, Delete(), NOW_MS + 1), expected_version=execution.progress.version
        )
        await store.erase(an_id(1))
        assert await store.commit(change) is CONFLICT
        assert await store.load(an_id(1)) is None

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("changes", [{}, {"name": "other"}], ids=["same name", "another name"])
def test_an_id_begins_once(changes: dict[str, str], kind: str, tmp_path: Path) -> None:
    """I4."""

    async def story(store: Store) -> None:
        execution = await Keeper(store).start(name="one")
        again = a_change(None, a_start(**({"id": an_id(1), "name": "one"} | changes)))
        assert await store.commit(again) is CONFLICT
        assert await store.load(an_id(1)) == execution
        assert await store.find(FUNCTION_ARN, "other") is None

    with_store(kind, tmp_path, story)


@every_store
def test_a_name_belongs_to_one_execution_of_a_function_until_that_is_deleted(
    kind: str, tmp_path: Path
) -> None:
    """I1."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        holder = await keeper.start(1, name="order")
        rival = a_change(None, a_start(id=an_id(2), name="order"))
        assert await store.commit(rival) is CONFLICT
        assert await store.load(an_id(2)) is None
        await keeper.start(3, name="order", function_arn="arn:g")
        await keeper.start(4, name="other")
        found = [await store.find(arn, "order") for arn in (FUNCTION_ARN, "arn:g", "arn:h")]
        assert found == [an_id(1), an_id(3), None]
        await keeper.tell(holder, Stop())
        assert await store.commit(rival) is CONFLICT
        await keeper.tell(holder, Delete())
        assert await store.find(FUNCTION_ARN, "order") is None
        assert await store.commit(rival) is COMMITTED
        await store.erase(an_id(1))
        assert await store.find(FUNCTION_ARN, "order") == an_id(2)

    with_store(kind, tmp_path, story)


@every_store
def test_runs_of_ordinary_functions_have_no_name_to_share(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        for number in (1, 2):
            await keeper.start(number, name="order", kind=PLAIN)
        await keeper.start(3, name="order")
        await keeper.start(4, name="order", kind=PLAIN)
        assert await store.find(FUNCTION_ARN, "order") == an_id(3)

    with_store(kind, tmp_path, story)


@every_store
def test_of_many_starts_with_one_name_one_wins(kind: str, tmp_path: Path) -> None:
    """I1."""

    async def story(store: Store) -> None:
        starts = [a_change(None, a_start(id=an_id(n), name="order")) for n in range(1, 51)]
        results = await asyncio.gather(*(store.commit(change) for change in starts))
        assert sorted(results, key=str) == [COMMITTED] + [CONFLICT] * 49
        winner = an_id(1 + results.index(COMMITTED))
        assert await store.find(FUNCTION_ARN, "order") == winner
        assert [identity.id for identity, _ in await store.list(ExecutionQuery())] == [winner]

    with_store(kind, tmp_path, story)


@every_store
def test_of_many_changes_of_one_version_one_wins(kind: str, tmp_path: Path) -> None:
    """F2, F9."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        rivals = [
            a_change(execution, a_checkpoint(execution, a_step(operation_id=f"s{n}")))
            for n in range(50)
        ]
        results = await asyncio.gather(*(store.commit(change) for change in rivals))
        assert sorted(results, key=str) == [COMMITTED] + [CONFLICT] * 49
        loaded = await store.load(an_id(1))
        assert loaded is not None
        assert [*loaded.operations][1:] == [f"s{results.index(COMMITTED)}"]
        assert len(await all_events(store, an_id(1))) == loaded.progress.event_count

    with_store(kind, tmp_path, story)


@every_store
def test_changes_of_one_execution_submitted_in_a_row_are_committed_in_that_order(
    kind: str, tmp_path: Path
) -> None:
    """D2, F9: though nobody waits for the one before."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        changes = []
        for number in range(30):
            checkpoint = a_checkpoint(execution, a_step(SUCCEED, f"s{number}"))
            changes.append(a_change(execution, checkpoint))
            execution = Execution.of(
                execution.identity,
                changes[-1].progress,
                [*execution.operations.values(), *changes[-1].operations],
            )
        results = await asyncio.gather(*(store.commit(change) for change in changes))
        assert results == [COMMITTED] * 30
        assert await store.load(an_id(1)) == execution

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("agenda", Agenda)
def test_an_agenda_lists_what_is_due_before_an_instant_the_earliest_first(
    agenda: Agenda, kind: str, tmp_path: Path
) -> None:
    """T4, E4."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        expected = []
        for number in (3, 1, 2):
            keeper.now_ms = NOW_MS + number * 1_000
            execution = await keeper.start(number, retention_days=1)
            if agenda is not Agenda.READY:
                await keeper.tell(execution, a_begin())
            if agenda is Agenda.EXPIRY:
                await keeper.tell(execution, Stop())
            at_ms = getattr(execution.progress, agenda.value)
            expected.append(Due(at_ms, an_id(number)))
        first, second, third = sorted(expected)
        ends = (third.at_ms, third.at_ms + 1)
        found = [await store.upcoming(agenda, before_ms=end, limit=10) for end in ends]
        assert found == [[first, second], [first, second, third]]
        assert await store.upcoming(agenda, before_ms=ends[1], limit=2) == [first, second]
        assert await store.upcoming(agenda, before_ms=first.at_ms, limit=10) == []

    with_store(kind, tmp_path, story)


@every_store
def test_what_is_no_longer_due_leaves_its_agenda(kind: str, tmp_path: Path) -> None:
    """E8."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start(retention_days=1)

        async def agendas() -> list[Agenda]:
            far = NOW_MS * 2
            return [a for a in Agenda if await store.upcoming(a, before_ms=far, limit=9)]

        seen = [await agendas()]
        for command in (a_begin(), Stop()):
            await keeper.tell(execution, command)
            seen.append(await agendas())
        await keeper.tell(execution, Delete())
        await store.erase(an_id(1))
        seen.append(await agendas())
        assert seen == [
            [Agenda.WAKE, Agenda.READY],
            [Agenda.WAKE, Agenda.LEASE],
            [Agenda.EXPIRY],
            [],
        ]

    with_store(kind, tmp_path, story)


@every_store
def test_many_due_at_one_instant_are_all_found_within_the_limit(kind: str, tmp_path: Path) -> None:
    """T2, T3."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        for number in range(20):
            await keeper.start(number)
        found = await store.upcoming(Agenda.READY, before_ms=NOW_MS + 1, limit=100)
        assert sorted(found) == [Due(NOW_MS, an_id(number)) for number in range(20)]
        assert len(await store.upcoming(Agenda.READY, before_ms=NOW_MS + 1, limit=7)) == 7

    with_store(kind, tmp_path, story)


@every_store
def test_letters_come_with_the_change_and_go_with_the_one_that_answers_them(
    kind: str, tmp_path: Path
) -> None:
    """D3, I4: exactly once."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        parent = await keeper.start(1)
        await keeper.tell(parent, a_begin())
        invokes = (a_chained_invoke("a", payload=AWKWARD), a_chained_invoke("b"))
        await keeper.tell(parent, a_checkpoint(parent, *invokes))
        letters = await store.letters(limit=10)
        version = parent.progress.version
        assert [(i.id, i.sender_id, i.sent_at_ms) for i in letters] == [
            (f"{an_id(1)}-{version}-{n}", an_id(1), NOW_MS) for n in (0, 1)
        ]
        messages = [letter.message for letter in letters]
        assert [type(m) for m in messages] == [StartChild, StartChild]
        assert messages[0].payload == AWKWARD  # type: ignore[union-attr]
        child = a_change(None, a_start(id=an_id(2), name="child"))
        answering = dataclasses.replace(child, delivered=[letters[0].id])
        assert await store.commit(answering) is COMMITTED
        assert await store.letters(limit=10) == letters[1:]
        again = dataclasses.replace(child, delivered=[letters[1].id])
        assert await store.commit(again) is CONFLICT
        assert await store.letters(limit=10) == letters[1:]
        await store.discard([letters[1].id, letters[0].id, "never sent"])
        assert await store.letters(limit=10) == []

    with_store(kind, tmp_path, story)


@every_store
def test_letters_are_read_by_id_in_pages(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        for number in (3, 1, 2):
            execution = await keeper.start(number, is_announced=True)
            await keeper.tell(execution, Stop())
        letters = await store.letters(limit=10)
        assert [letter.sender_id for letter in letters] == [an_id(1), an_id(2), an_id(3)]
        assert await store.letters(limit=2) == letters[:2]
        assert await store.letters(limit=2, after_id=letters[1].id) == letters[2:]
        assert await store.letters(limit=2, after_id=letters[2].id) == []

    with_store(kind, tmp_path, story)


@every_store
def test_every_kind_of_message_arrives_as_it_was_sent(kind: str, tmp_path: Path) -> None:
    """I4."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        parent = ParentLink("f" * 32, "invoke")
        child = await keeper.start(1, parent=parent, is_announced=True)
        await keeper.tell(child, a_begin())
        outcome = await keeper.tell(child, a_checkpoint(child, a_chained_invoke(payload="")))
        sent = [*outcome.messages]
        error = ErrorObject(error_message=AWKWARD, stack_trace=("one",))
        outcome = await keeper.tell(child, finish(child, InvocationStatus.FAILED, error=error))
        sent += outcome.messages
        assert [type(message) for message in sent] == [StartChild, NotifyParent, AnnounceEnd]
        assert [letter.message for letter in await store.letters(limit=10)] == sent

    with_store(kind, tmp_path, story)


async def a_history(keeper: Keeper, steps: int) -> Execution:
    """Return an execution with one event a step, after the first."""
    execution = await keeper.start()
    await keeper.tell(execution, a_begin())
    for number in range(steps):
        await keeper.tell(execution, a_checkpoint(execution, a_step(operation_id=f"s{number}")))
    return execution


@every_store
@pytest.mark.parametrize("newest_first", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize("limit", [1, 3, 10, 11, 1_000])
def test_pages_of_history_add_up_to_the_whole(
    limit: int, newest_first: bool, kind: str, tmp_path: Path
) -> None:
    """H1."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        await a_history(keeper, 9)
        await keeper.start(2)
        whole = await all_events(store, an_id(1))
        read: list[Any] = []
        while page := await store.events(
            EventQuery(
                execution_id=an_id(1),
                after_id=read[-1].id if read else 0,
                limit=limit,
                newest_first=newest_first,
            )
        ):
            assert len(page) <= limit
            read += page
            if newest_first and read[-1].id == 1:
                break
        assert [event.id for event in whole] == [*range(1, 11)]
        assert read == (whole[::-1] if newest_first else whole)

    with_store(kind, tmp_path, story)


@every_store
def test_history_goes_nowhere_before_its_first_event_or_after_its_last(
    kind: str, tmp_path: Path
) -> None:
    """H1."""

    async def story(store: Store) -> None:
        await a_history(Keeper(store), 2)

        async def ids(after_id: int, newest_first: bool) -> list[int]:
            query = EventQuery(
                execution_id=an_id(1), after_id=after_id, newest_first=newest_first, limit=2
            )
            return [event.id for event in await store.events(query)]

        assert [await ids(n, True) for n in (1, 2, 3, 0)] == [[], [1], [2, 1], [3, 2]]
        assert [await ids(n, False) for n in (3, 2, 1, 0)] == [[], [3], [2, 3], [1, 2]]
        assert [await ids(9, False), await ids(9, True)] == [[], [3, 2]]

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("newest_first", [False, True], ids=["forward", "backward"])
def test_a_page_of_history_loses_and_repeats_nothing_under_writes(
    newest_first: bool, kind: str, tmp_path: Path
) -> None:
    """H1."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await a_history(keeper, 4)
        query = EventQuery(execution_id=an_id(1), limit=2, newest_first=newest_first)
        read: list[int] = []
        for number in range(3):
            page = await store.events(dataclasses.replace(query, after_id=read[-1] if read else 0))
            read += [event.id for event in page]
            await keeper.tell(
                execution, a_checkpoint(execution, a_step(operation_id=f"late{number}"))
            )
        assert read == ([5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5, 6])

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize(
    "text",
    [
        *("name", "", "0", "NULL", "ab" * 16, "AB" * 16, "0a" * 32, "0A" * 32, "é" * 32),
        *("a b" * 12, " " * 64, "01234567-89ab-4cde-8f01-23456789abcd", "-" * 36, "0" * 34),
        *("01234567-89AB-4CDE-8F01-23456789ABCD", "0123456789ab-4cde-8f01-23456789-abcd", "z" * 64),
    ],
)
def test_names_and_ids_of_every_form_are_kept(text: str, kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start(name=text, parent=ParentLink(an_id(7), text))
        await keeper.tell(execution, a_begin(request_id=text))
        children = (
            a_context(operation_id=f"c{text}"),
            a_step(SUCCEED, text, name=text, sub_type=text, parent_id=f"c{text}"),
        )
        await keeper.tell(execution, a_checkpoint(execution, *children, client_token=text))
        assert await store.load(an_id(1)) == execution
        assert await store.find(FUNCTION_ARN, text) == an_id(1)
        assert [i.name for i, _ in await store.list(ExecutionQuery(name=text))] == [text]
        await keeper.tell(execution, finish(execution, InvocationStatus.PENDING))
        events = await all_events(store, an_id(1))
        assert [event.operation_id for event in events[1:-1]] == [f"c{text}", text]
        assert events[-1].details["request_id"] == text

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("newest_first", [False, True], ids=["forward", "backward"])
@pytest.mark.parametrize(
    "asked",
    [{}, {"function_arn": FUNCTION_ARN}, {"version": "2"}, {"version": "2", "name": "same"}],
    ids=lambda asked: "-".join(asked) or "all",
)
def test_pages_of_a_list_go_across_versions_and_revisions(
    asked: dict[str, Any], newest_first: bool, kind: str, tmp_path: Path
) -> None:
    """H1: those that share little are as one list."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        lives = []
        for number in range(1, 25):
            keeper.now_ms = NOW_MS + number * 7 % 5
            execution = await keeper.start(
                number * 5 % 24 + 1,
                name="same" if number % 3 == 0 else f"name-{number}",
                version=str(1 + number % 2),
                revision_id=f"r{number % 3}",
                function_arn=FUNCTION_ARN if number % 5 else f"arn:{number}",
            )
            lives.append(execution.identity)
            if number % 3 == 0:
                await keeper.tell(execution, Stop(), Delete())  # the name is free for the next
        expected = sorted(
            (
                identity
                for identity in lives
                if all(getattr(identity, key) == value for key, value in asked.items())
            ),
            key=lambda identity: (identity.started_at_ms, identity.id),
            reverse=newest_first,
        )
        read: list[Any] = []
        query = ExecutionQuery(limit=3, newest_first=newest_first, **asked)
        while page := await store.list(query):
            read += [identity for identity, _ in page]
            query = dataclasses.replace(query, after=(read[-1].started_at_ms, read[-1].id))
        assert len(expected) > query.limit
        assert read == expected

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("count", [1, 63, 64, 65, 200])
def test_history_of_one_large_change_is_read_in_pages(
    count: int, kind: str, tmp_path: Path
) -> None:
    """H1: wherever a page begins and ends."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await a_history(keeper, 2)
        steps = [a_step(operation_id=f"step-{number}") for number in range(count)]
        await keeper.tell(execution, a_checkpoint(execution, *steps))
        events = await all_events(store, an_id(1))
        last = execution.progress.event_count
        assert [event.id for event in events] == [*range(1, last + 1)]
        query = EventQuery(execution_id=an_id(1), limit=3)
        for after in {0, 1, 2, 3, 62, 63, 64, 65, 66, 67, last - 1, last, last + 9} - {-1}:
            page = await store.events(dataclasses.replace(query, after_id=after))
            assert page == events[after : after + 3]
        for before in {0, 1, 2, 3, 62, 63, 64, 65, 66, 67, last - 1, last, last + 9} - {-1}:
            page = await store.events(
                dataclasses.replace(query, after_id=before, newest_first=True)
            )
            earlier = events if before == 0 else events[: before - 1]
            assert page == earlier[::-1][:3]

    with_store(kind, tmp_path, story)


async def a_crowd(keeper: Keeper) -> None:
    """Start six executions of two functions, in different states, one second apart."""
    for number in range(1, 7):
        keeper.now_ms = NOW_MS + number * 1_000
        execution = await keeper.start(
            number,
            name=f"name-{number % 3}-{number}" if number < 6 else "same",
            function_arn="arn:g" if number == 5 else FUNCTION_ARN,
            version="$LATEST" if number == 4 else "1",
            kind=PLAIN if number == 6 else ExecutionKind.DURABLE,
        )
        if number == 2:
            await keeper.tell(execution, Stop())
        if number == 3:
            await keeper.tell(execution, Pause())


@every_reader
@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5]),
        ({"newest_first": True}, [5, 4, 3, 2, 1]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 2, "newest_first": True}, [5, 4]),
        ({"function_arn": FUNCTION_ARN}, [1, 2, 3, 4]),
        ({"function_arn": "arn:nobody"}, []),
        ({"version": "$LATEST"}, [4]),
        ({"version": "1", "function_arn": FUNCTION_ARN}, [1, 2, 3]),
        ({"name": "name-2-2"}, [2]),
        ({"name": "same"}, []),
        ({"statuses": frozenset({ExecutionStatus.STOPPED})}, [2]),
        (
            {"statuses": frozenset({ExecutionStatus.STOPPED, ExecutionStatus.PAUSED})},
            [2, 3],
        ),
        ({"statuses": frozenset()}, []),
        ({"started_after_ms": NOW_MS + 2_000}, [3, 4, 5]),
        ({"started_before_ms": NOW_MS + 2_000}, [1]),
        ({"started_after_ms": NOW_MS + 1_000, "started_before_ms": NOW_MS + 4_000}, [2, 3]),
        ({"after": (NOW_MS + 2_000, an_id(2))}, [3, 4, 5]),
        ({"after": (NOW_MS + 2_000, an_id(1))}, [2, 3, 4, 5]),
        ({"after": (NOW_MS + 2_000, an_id(2)), "newest_first": True}, [1]),
        ({"after": (NOW_MS + 2_000, an_id(3)), "newest_first": True}, [2, 1]),
    ],
    ids=lambda value: "-".join(value) or "all" if isinstance(value, dict) else "",
)
def test_a_list_holds_the_durable_executions_that_were_asked_for(
    query: dict[str, Any], numbers: list[int], kind: str, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        await a_crowd(Keeper(store))
        found = await store.list(ExecutionQuery(**query))
        assert [identity.id for identity, _ in found] == [an_id(n) for n in numbers]
        for identity, progress in found:
            execution = await store.load(identity.id)
            assert execution is not None
            assert (identity, progress) == (execution.identity, execution.progress)

    with_store(kind, tmp_path, story)


@every_reader
@pytest.mark.parametrize(
    ("limit", "counts"),
    [
        (
            100,
            {
                (FUNCTION_ARN, ExecutionStatus.RUNNING): 2,
                (FUNCTION_ARN, ExecutionStatus.STOPPED): 1,
                (FUNCTION_ARN, ExecutionStatus.PAUSED): 1,
                ("arn:g", ExecutionStatus.RUNNING): 1,
            },
        ),
        (0, {}),
    ],
    ids=["all", "none"],
)
def test_a_tally_counts_durable_executions_by_function_and_status(
    limit: int, counts: dict[tuple[str, ExecutionStatus], int], kind: str, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        await a_crowd(Keeper(store))
        tallies = await store.tally(limit=limit)
        found = {(tally.function_arn, tally.status): tally.executions for tally in tallies}
        assert len(found) == len(tallies)
        assert found == counts

    with_store(kind, tmp_path, story)


@every_store
def test_a_tally_counts_no_more_than_the_newest(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        for number in range(1, 6):
            execution = await keeper.start(number)
            if number < 4:
                await keeper.tell(execution, Stop())
        for limit, running, stopped in ((1, 1, 0), (2, 2, 0), (4, 2, 2), (5, 2, 3), (9, 2, 3)):
            counts = {one.status: one.executions for one in await store.tally(limit=limit)}
            assert counts.get(ExecutionStatus.RUNNING, 0) == running
            assert counts.get(ExecutionStatus.STOPPED, 0) == stopped

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("newest_first", [False, True], ids=["forward", "backward"])
def test_pages_of_a_list_lose_and_repeat_nothing_under_writes(
    newest_first: bool, kind: str, tmp_path: Path
) -> None:
    """H1: starts at one instant are told apart by their ids."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        executions = {n: await keeper.start(n) for n in (10, 20, 30, 40, 50)}
        read: list[str] = []
        after = None
        passed_ones = (45, 25, 5) if newest_first else (15, 35, 55)
        for number, passed in zip(executions, passed_ones, strict=False):
            page = await store.list(ExecutionQuery(limit=2, after=after, newest_first=newest_first))
            read += [identity.id for identity, _ in page]
            after = (page[-1][0].started_at_ms, page[-1][0].id)
            await keeper.tell(executions[number], Stop())
            await keeper.start(passed)
        expected = [an_id(n) for n in (10, 20, 30, 40, 50)]
        assert read == (expected[::-1] if newest_first else expected)

    with_store(kind, tmp_path, story)


@every_store
@pytest.mark.parametrize("command", [None, Stop()], ids=["running", "ended"])
def test_only_what_is_being_deleted_can_be_erased(command: Any, kind: str, tmp_path: Path) -> None:
    """R1."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        if command is not None:
            await keeper.tell(execution, command)
        await store.erase(an_id(1))
        assert await store.load(an_id(1)) == execution

    with_store(kind, tmp_path, story)


@every_store
def test_an_erased_execution_is_gone_and_the_others_are_not(kind: str, tmp_path: Path) -> None:
    """R2."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        kept = await keeper.start(1)
        await keeper.tell(kept, a_begin())
        await keeper.tell(kept, a_checkpoint(kept, a_step()))
        events = await all_events(store, an_id(1))
        for number in (2, 3):
            gone = await keeper.start(number)
            await keeper.tell(gone, a_begin())
            await keeper.tell(gone, a_checkpoint(gone, a_step(), a_wait()))
            await keeper.tell(gone, a_checkpoint(gone, an_end(payload="1")))
            await keeper.tell(gone, Delete())
            await store.erase(an_id(number))
            assert await store.load(an_id(number)) is None
            assert await all_events(store, an_id(number)) == []
        assert [identity.id for identity, _ in await store.list(ExecutionQuery())] == [an_id(1)]
        assert (await store.load(an_id(1)), await all_events(store, an_id(1))) == (kept, events)
        again = await keeper.start(2)
        assert await store.load(an_id(2)) == again
        assert [event.id for event in await all_events(store, an_id(2))] == [1]

    with_store(kind, tmp_path, story)


@every_store
def test_a_payload_of_six_megabytes_is_kept(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        payload = "é" * 3_145_728
        await keeper.tell(execution, a_checkpoint(execution, a_step(SUCCEED, payload=payload)))
        assert await store.load(an_id(1)) == execution

    with_store(kind, tmp_path, story)


def a_write(key: str = "k", body: bytes | None = b"1", **changes: Any) -> RecordWrite:
    return RecordWrite(**({"collection": "c", "key": key, "body": body} | changes))


def a_record(key: str = "k", revision: int = 1, body: bytes = b"1") -> Record:
    return Record(collection="c", key=key, revision=revision, body=body)


@every_store
def test_a_record_is_read_as_it_was_written_and_each_write_raises_its_revision(
    kind: str, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        assert await store.read_record("c", "k") is None
        read = []
        for body in (b"1", b"", bytes(range(256))):
            await store.write_records([a_write(body=body)])
            read.append(await store.read_record("c", "k"))
        assert read == [
            a_record(revision=1),
            a_record(revision=2, body=b""),
            a_record(revision=3, body=bytes(range(256))),
        ]
        assert await store.read_record("other", "k") is None
        await store.write_records([a_write(body=None)])
        assert await store.read_record("c", "k") is None
        await store.write_records([a_write(body=None), a_write("new")])
        assert await store.read_record("c", "new") == a_record("new")

    with_store(kind, tmp_path, story)


@every_reader
@pytest.mark.parametrize(
    ("stored", "expected", "is_written"),
    [
        (0, None, True),
        (2, None, True),
        (0, 0, True),
        (2, 0, False),
        (2, 2, True),
        (2, 1, False),
        (2, 3, False),
        (0, 1, False),
    ],
)
def test_a_record_is_written_if_it_is_at_the_revision_that_was_read(
    stored: int, expected: int | None, is_written: bool, kind: str, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        for _ in range(stored):
            await store.write_records([a_write(body=b"old")])
        before = await store.read_record("c", "k")
        write = a_write(body=b"new", expected_revision=expected)
        if is_written:
            await store.write_records([write])
            assert await store.read_record("c", "k") == a_record("k", stored + 1, b"new")
        else:
            with pytest.raises(RecordConflictError, match=f"^c/k is at {stored}$"):
                await store.write_records([write])
            assert await store.read_record("c", "k") == before

    with_store(kind, tmp_path, story)


@every_store
def test_records_are_written_all_or_none(kind: str, tmp_path: Path) -> None:
    """D2."""

    async def story(store: Store) -> None:
        await store.write_records([a_write("a", b"old"), a_write("b", b"old")])
        batch = [
            a_write("a", b"new"),
            a_write("b", None),
            a_write("c"),
            a_write("b", b"new", expected_revision=7),
        ]
        with pytest.raises(RecordConflictError):
            await store.write_records(batch)
        assert await store.list_records("c") == [
            a_record("a", body=b"old"),
            a_record("b", body=b"old"),
        ]
        await store.write_records(batch[:3])
        assert await store.list_records("c") == [a_record("a", 2, b"new"), a_record("c")]

    with_store(kind, tmp_path, story)


@every_reader
@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ({}, ["A", "a", "a%", "a_b", "ab", "é"]),
        ({"prefix": "a"}, ["a", "a%", "a_b", "ab"]),
        ({"prefix": "a_"}, ["a_b"]),
        ({"prefix": "%"}, []),
        ({"after": "a%"}, ["a_b", "ab", "é"]),
        ({"after": "a", "prefix": "a", "limit": 2}, ["a%", "a_b"]),
        ({"after": "é"}, []),
        ({"limit": 0}, []),
    ],
    ids=lambda value: "-".join(value) or "all" if isinstance(value, dict) else "",
)
def test_records_are_listed_by_key(
    query: dict[str, Any], keys: list[str], kind: str, tmp_path: Path
) -> None:
    async def story(store: Store) -> None:
        written = ["é", "ab", "a_b", "a", "A", "a%"]
        await store.write_records([a_write(key) for key in written])
        await store.write_records([a_write("a", collection="other")])
        assert [record.key for record in await store.list_records("c", **query)] == keys

    with_store(kind, tmp_path, story)


@every_store
def test_of_many_writes_of_one_revision_one_wins(kind: str, tmp_path: Path) -> None:
    """F2."""

    async def story(store: Store) -> None:
        writes = [[a_write(body=b"%d" % n, expected_revision=0)] for n in range(20)]
        results = await asyncio.gather(
            *(store.write_records(write) for write in writes), return_exceptions=True
        )
        assert sum(result is None for result in results) == 1
        assert await store.read_record("c", "k") == a_record(body=b"%d" % results.index(None))

    with_store(kind, tmp_path, story)


@every_store
def test_what_was_committed_is_there_after_a_restart(kind: str, tmp_path: Path) -> None:
    """D1, T5."""

    async def story() -> None:
        store = a_store(kind, tmp_path)
        assert await store.open() == 0
        keeper = Keeper(store)
        keeper.now_ms = NOW_MS + 5
        execution = await keeper.start(is_announced=True)
        await keeper.tell(execution, a_begin())
        await keeper.tell(execution, a_checkpoint(execution, a_step(), a_wait()), Stop())
        await store.write_records([a_write()])
        before = (
            await all_events(store, an_id(1)),
            await store.letters(limit=10),
            await store.list_records("c"),
        )
        await store.aclose()
        if kind != "memory":
            store = a_store(kind, tmp_path)
        assert await store.open() == NOW_MS + 5
        assert await store.load(an_id(1)) == execution
        assert before == (
            await all_events(store, an_id(1)),
            await store.letters(limit=10),
            await store.list_records("c"),
        )
        await keeper_of(store).tell(execution, Delete())
        await store.aclose()

    def keeper_of(store: Store) -> Keeper:
        keeper = Keeper(store)
        keeper.now_ms = NOW_MS + 9
        return keeper

    asyncio.run(story())


@every_store
def test_closing_commits_what_was_submitted(kind: str, tmp_path: Path) -> None:
    """D1."""

    async def story() -> None:
        store = a_store(kind, tmp_path)
        await store.open()
        submitted = [
            asyncio.ensure_future(store.commit(a_change(None, a_start(id=an_id(n), name=str(n)))))
            for n in range(20)
        ]
        await asyncio.sleep(0)
        await store.aclose()
        assert await asyncio.gather(*submitted) == [COMMITTED] * 20
        if kind != "memory":
            store = a_store(kind, tmp_path)
        async with opened(store):
            assert len(await store.list(ExecutionQuery())) == 20

    asyncio.run(story())


@every_store
@pytest.mark.parametrize("who", [0, 1], ids=["the first", "another"])
def test_a_caller_that_gives_up_costs_only_itself(who: int, kind: str, tmp_path: Path) -> None:
    """I3: its change is committed all the same."""

    async def story(store: Store) -> None:
        waiting: list[Awaitable[Any]] = [
            asyncio.ensure_future(store.commit(a_change(None, a_start(id=an_id(n), name=str(n)))))
            for n in range(3)
        ]
        await asyncio.sleep(0)
        waiting[who].cancel()  # type: ignore[attr-defined]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert [results[n] for n in range(3) if n != who] == [COMMITTED, COMMITTED]
        keeper = Keeper(store)
        await keeper.start(9)
        assert [await store.load(an_id(n)) is not None for n in range(3)] == [True] * 3

    with_store(kind, tmp_path, story)


@every_store
def test_a_wake_of_nothing_is_no_change_to_commit(kind: str, tmp_path: Path) -> None:
    """E7."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        version = execution.progress.version
        await keeper.tell(execution, Wake())
        assert execution.progress.version == version
        await keeper.tell(execution, a_begin(lease_ms=LEASE_MS))
        assert await store.load(an_id(1)) == execution

    with_store(kind, tmp_path, story)


@every_store
def test_what_is_known_and_has_not_changed_is_returned_as_it_is(kind: str, tmp_path: Path) -> None:
    """F9: and what has changed is returned as it is now."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        known = await store.load(an_id(1))
        assert await store.load(an_id(1), known) == execution
        await keeper.tell(execution, a_begin())
        for number in range(3):
            steps = (a_step(operation_id=f"s{number}"), a_step(SUCCEED, "s0", payload="1"))
            await keeper.tell(execution, a_checkpoint(execution, *steps[: 2 if number < 1 else 1]))
            known = await store.load(an_id(1), known)
            assert known == execution
            assert known is not None
            assert [*known.operations] == [*execution.operations]
        await keeper.tell(execution, Stop(), Delete())
        assert await store.load(an_id(1), known) == execution
        await store.erase(an_id(1))
        assert await store.load(an_id(1), known) is None

    with_store(kind, tmp_path, story)


@every_shared
@pytest.mark.parametrize("agenda", Agenda)
def test_what_one_node_has_claimed_is_left_alone_by_the_others_for_a_while(
    agenda: Agenda, kind: str, tmp_path: Path
) -> None:
    """F6: a courtesy; a change ends it, and so does time."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        lives = [await keeper.start(number, retention_days=1) for number in range(6)]
        for life in lives if agenda is not Agenda.READY else ():
            await keeper.tell(life, a_begin(), *([Stop()] if agenda is Agenda.EXPIRY else []))

        async def claimed(owner: str, limit: int, at_ms: int = NOW_MS) -> list[str]:
            claim = Claim(owner, at_ms, 1_000)
            far = NOW_MS * 2
            due = await store.upcoming(agenda, before_ms=far, limit=limit, claim=claim)
            return sorted(execution_id for _, execution_id in due)

        mine, theirs = await claimed("a", 4), await claimed("b", 4)
        assert (len(mine), len(theirs)) == (4, 2)
        assert sorted(mine + theirs) == [an_id(number) for number in range(6)]
        assert await claimed("c", 9) == []
        assert await claimed("a", 9) == mine
        assert len(await store.upcoming(agenda, before_ms=NOW_MS * 2, limit=9)) == 6
        assert await claimed("c", 9, NOW_MS + 999) == []
        assert len(await claimed("c", 9, NOW_MS + 1_000)) == 6

    with_store(kind, tmp_path, story)


@every_shared
def test_a_change_ends_a_claim(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        claims = [Claim(owner, NOW_MS, 1_000) for owner in ("a", "b")]

        async def claimed(claim: Claim) -> int:
            far = NOW_MS * 2
            return len(await store.upcoming(Agenda.WAKE, before_ms=far, limit=9, claim=claim))

        assert [await claimed(claim) for claim in claims] == [1, 0]
        await keeper.tell(execution, a_begin())
        assert await claimed(claims[1]) == 1

    with_store(kind, tmp_path, story)


@every_shared
def test_letters_are_claimed_like_executions(kind: str, tmp_path: Path) -> None:
    async def story(store: Store) -> None:
        keeper = Keeper(store)
        for number in range(5):
            execution = await keeper.start(number, is_announced=True)
            await keeper.tell(execution, Stop())
        everything = await store.letters(limit=9)

        async def claimed(owner: str, limit: int, at_ms: int = NOW_MS) -> list[Any]:
            return [*await store.letters(limit=limit, claim=Claim(owner, at_ms, 1_000))]

        assert await claimed("a", 3) == everything[:3]
        assert await claimed("b", 3) == everything[3:]
        assert await claimed("c", 3) == []
        assert await claimed("a", 9) == everything[:3]
        assert await store.letters(limit=9) == everything
        assert await claimed("c", 9, NOW_MS + 1_000) == everything
        await store.discard([letter.id for letter in everything])
        assert await claimed("c", 9, NOW_MS + 5_000) == []

    with_store(kind, tmp_path, story)


@every_store
def test_what_is_known_and_was_never_committed_is_not_believed(kind: str, tmp_path: Path) -> None:
    """F9: as after a failover to a database that was behind."""

    async def story(store: Store) -> None:
        keeper = Keeper(store)
        execution = await keeper.start()
        await keeper.tell(execution, a_begin())
        known = await store.load(an_id(1))
        assert known is not None
        for number in range(3):
            checkpoint = a_checkpoint(known, a_step(operation_id=f"never-{number}"))
            known.advance(apply(known, checkpoint, NOW_MS))
        assert await store.load(an_id(1), known) == execution

    with_store(kind, tmp_path, story)
