"""A run: what it sends, what it makes of answers, and what stops it."""

import threading
from collections.abc import Sequence
from typing import Any

import pytest

from perdure.protocol.operations import ErrorObject, Operation, OperationUpdate
from perdure.protocol.words import OperationAction, OperationStatus, OperationType
from perdure.sdk.calls import make_calls
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.exceptions import (
    BackgroundThreadError,
    OrphanedChildException,
    SuspendExecution,
)
from perdure.sdk.journal import Fresh, Identity, Journal, Replayed
from perdure.sdk.misuse import ReplayMismatchError
from perdure.sdk.run import BATCH_BYTES_MAX, BATCH_UPDATES_MAX, Run
from perdure.sdk.scopes import Scope
from perdure.sdk.service_errors import CheckpointError, GetExecutionStateError


class Client:
    """Answers from a list; what is an exception is raised."""

    def __init__(self, *answers: Progress | Exception) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Any, ...]] = []

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """Answer with what comes next."""
        self.asked.append((arn, token, [update.id for update in updates], client_token))
        return self._next()

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Answer with what comes next."""
        self.asked.append((arn, token, marker))
        return self._next()

    def _next(self) -> Progress:
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def an_operation(name: str, status: OperationStatus = OperationStatus.SUCCEEDED) -> Operation:
    return Operation(id=name, type=OperationType.STEP, status=status, start_timestamp=0)


def an_update(name: str = "step", **members: Any) -> OperationUpdate:
    values = {"id": name, "type": OperationType.STEP, "action": OperationAction.START} | members
    return OperationUpdate(**values)


def a_run(*operations: Operation) -> Run:
    return Run("arn", "token-0", Journal(operations), None, threading.Lock(), weight=1)


def a_progress(number: int, *operations: Operation, marker: str | None = None) -> Progress:
    return Progress(f"token-{number}", operations, marker)


SCOPE = Scope(None, None)
UNAVAILABLE = ServiceError("away", code="Away", status=503)


def test_a_batch_is_sent_with_the_last_token_and_its_answer_taken_in() -> None:
    run = a_run()
    first, second = run.record(an_update("1"), SCOPE), run.record(an_update("2"), SCOPE)
    client = Client(a_progress(1, an_operation("1")), a_progress(2))
    assert (first, second, run.stored, run.has_pending) == (1, 2, 0, True)

    make_calls(run.exchange(), client)
    make_calls(run.exchange(), client)

    assert [asked[:3] for asked in client.asked] == [
        ("arn", "token-0", ["1", "2"]),
        ("arn", "token-1", []),
    ]
    assert client.asked[0][3] != client.asked[1][3], "each is recognised when it is sent again"
    assert (run.stored, run.recorded, run.has_pending) == (2, 2, False)
    assert run.journal.find("1") is not None
    assert run.token == "token-2"


def test_an_answer_in_pages_is_read_to_its_end() -> None:
    run = a_run()
    client = Client(
        a_progress(1, an_operation("1"), marker="a"),
        Progress(None, [an_operation("2")], "b"),
        Progress(None, [an_operation("3")], None),
    )

    make_calls(run.exchange(), client)

    assert client.asked[1:] == [("arn", "token-1", "a"), ("arn", "token-1", "b")]
    assert all(run.journal.find(name) for name in "123")
    assert run.token == "token-1"


def test_a_batch_holds_so_many_updates() -> None:
    run = a_run()
    for number in range(BATCH_UPDATES_MAX + 1):
        run.record(an_update(f"{number}"), SCOPE)
    client = Client(a_progress(1), a_progress(2))

    make_calls(run.exchange(), client)
    assert (len(client.asked[0][2]), run.stored) == (BATCH_UPDATES_MAX, BATCH_UPDATES_MAX)
    make_calls(run.exchange(), client)

    assert client.asked[1][2] == [f"{BATCH_UPDATES_MAX}"]


@pytest.mark.parametrize(
    "members",
    [
        {"payload": "x" * (BATCH_BYTES_MAX // 2)},
        {"error": ErrorObject(error_message="x" * (BATCH_BYTES_MAX // 2))},
        {"error": ErrorObject(error_data="x" * (BATCH_BYTES_MAX // 2))},
        {"error": ErrorObject(stack_trace=("x" * (BATCH_BYTES_MAX // 4),) * 2)},
    ],
    ids=["payload", "message", "data", "trace"],
)
def test_a_batch_holds_so_many_bytes(members: dict[str, Any]) -> None:
    run = a_run()
    for name in ("1", "2", "3"):
        run.record(an_update(name, **members), SCOPE)
    client = Client(*(a_progress(number) for number in range(1, 4)))

    while run.has_pending:
        make_calls(run.exchange(), client)

    assert [asked[2] for asked in client.asked] == [["1"], ["2"], ["3"]]


def test_an_update_that_is_larger_than_a_batch_goes_alone() -> None:
    run = a_run()
    run.record(an_update("large", payload="x" * (2 * BATCH_BYTES_MAX)), SCOPE)
    run.record(an_update("small"), SCOPE)
    client = Client(a_progress(1), a_progress(2))

    while run.has_pending:
        make_calls(run.exchange(), client)

    assert [asked[2] for asked in client.asked] == [["large"], ["small"]]


@pytest.mark.parametrize(
    ("answers", "source"),
    [
        ([UNAVAILABLE], CheckpointError),
        ([a_progress(1, marker="a"), UNAVAILABLE], GetExecutionStateError),
    ],
    ids=["the checkpoint", "a page of its answer"],
)
def test_what_the_service_refuses_stops_the_run(
    answers: list[Progress | Exception], source: type
) -> None:
    run, client = a_run(), Client(*answers)
    run.record(an_update(), SCOPE)

    with pytest.raises(BackgroundThreadError) as raised:
        make_calls(run.exchange(), client)
    assert type(raised.value.source_exception) is source
    asked = len(client.asked)

    for stopped in (
        lambda: run.record(an_update(), SCOPE),
        run.check,
        lambda: make_calls(run.exchange(), client),
    ):
        with pytest.raises(BackgroundThreadError) as again:
            stopped()
        assert again.value is raised.value
    assert len(client.asked) == asked, "nobody asks again"
    assert run.stored == 0


def test_an_answer_without_a_token_suspends_the_run() -> None:
    run, client = a_run(), Client(Progress(None, [], None))
    run.record(an_update(), SCOPE)

    make_calls(run.exchange(), client)

    assert (run.is_revoked, run.is_suspended, run.is_completed) == (True, True, False)
    assert run.stored == 0
    for stopped in (lambda: run.record(an_update(), SCOPE), run.check):
        with pytest.raises(SuspendExecution):
            stopped()


def test_an_answer_without_a_token_to_the_executions_end_completes_it() -> None:
    run, client = a_run(), Client(Progress(None, [], None))
    end = run.record(an_update("end", type=OperationType.EXECUTION), SCOPE)

    make_calls(run.exchange(), client)

    assert (run.is_revoked, run.is_suspended, run.is_completed) == (False, False, True)
    assert run.stored == end
    for stopped in (lambda: run.record(an_update(), SCOPE), run.check):
        with pytest.raises(OrphanedChildException):
            stopped()


def test_who_is_under_a_closed_scope_records_nothing() -> None:
    run, scope = a_run(), Scope(SCOPE, "batch")
    run.board.close(scope)

    with pytest.raises(OrphanedChildException):
        run.record(an_update(), scope)

    assert not run.has_pending
    run.record(an_update(), SCOPE)


def test_whatever_is_left_at_the_end_records_nothing() -> None:
    run = a_run()
    run.leave_orphans()

    with pytest.raises(OrphanedChildException):
        run.record(an_update(), SCOPE)


def test_a_request_is_compared_with_the_record() -> None:
    run = a_run(an_operation("step"))
    known = Identity("step", OperationType.STEP, "", None, None)._replace(sub_type=None)  # type: ignore[arg-type]

    assert isinstance(run.look(known), Replayed)
    assert isinstance(run.look(known._replace(operation_id="other")), Fresh)
    with pytest.raises(ReplayMismatchError, match="type checkpoint='STEP' current='WAIT'"):
        run.look(known._replace(operation_type=OperationType.WAIT))
