"""What is recorded decides what a handler's next request means."""

from typing import Any

import pytest

from perdure.protocol.operations import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ErrorObject,
    Operation,
    StepDetails,
    WaitDetails,
)
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.journal import (
    FINISHED,
    Begun,
    Decision,
    Diverged,
    Failed,
    Fresh,
    Identity,
    Journal,
    Replayed,
    Waiting,
)

STEP, WAIT, CONTEXT = OperationType.STEP, OperationType.WAIT, OperationType.CONTEXT
CALLBACK, INVOKE = OperationType.CALLBACK, OperationType.CHAINED_INVOKE
STARTED, READY = OperationStatus.STARTED, OperationStatus.READY
PENDING, SUCCEEDED = OperationStatus.PENDING, OperationStatus.SUCCEEDED
ERROR = ErrorObject(error_type="ValueError", error_message="no")


def an_operation(
    kind: OperationType = STEP, status: OperationStatus = STARTED, **members: Any
) -> Operation:
    return Operation(
        **{"id": "1", "sub_type": "Step", "name": "a", "start_timestamp": 1_000, **members},
        type=kind,
        status=status,
    )


def an_identity(operation: Operation, **changes: Any) -> Identity:
    same = Identity(
        operation.id,
        operation.type,
        operation.sub_type or "",
        operation.parent_id,
        operation.name,
    )
    return same._replace(**changes)


def decided(operation: Operation) -> Decision:
    return Journal([operation]).decide(an_identity(operation))


def check(decision: Decision, expected: Decision) -> None:
    """Decisions are tuples: one of another kind may be equal."""
    assert (type(decision), decision) == (type(expected), expected)


def test_what_is_not_recorded_is_fresh() -> None:
    journal = Journal([an_operation(id="2")])

    assert isinstance(journal.decide(an_identity(an_operation())), Fresh)


@pytest.mark.parametrize(
    ("operation", "payload", "replay_children"),
    [
        pytest.param(
            an_operation(STEP, SUCCEEDED, step_details=StepDetails(result="1")),
            "1",
            False,
            id="a step",
        ),
        pytest.param(
            an_operation(STEP, SUCCEEDED, step_details=StepDetails(result="")),
            "",
            False,
            id="an empty result",
        ),
        pytest.param(
            an_operation(STEP, SUCCEEDED, step_details=StepDetails()),
            None,
            False,
            id="no result",
        ),
        pytest.param(an_operation(WAIT, SUCCEEDED), None, False, id="no details"),
        pytest.param(
            an_operation(WAIT, SUCCEEDED, wait_details=WaitDetails(scheduled_end_timestamp=9)),
            None,
            False,
            id="a wait",
        ),
        pytest.param(
            an_operation(CALLBACK, SUCCEEDED, callback_details=CallbackDetails(result="c")),
            "c",
            False,
            id="a callback",
        ),
        pytest.param(
            an_operation(
                INVOKE, SUCCEEDED, chained_invoke_details=ChainedInvokeDetails(result="i")
            ),
            "i",
            False,
            id="an invoke",
        ),
        pytest.param(
            an_operation(CONTEXT, SUCCEEDED, context_details=ContextDetails(result="x")),
            "x",
            False,
            id="a child",
        ),
        pytest.param(
            an_operation(
                CONTEXT,
                SUCCEEDED,
                context_details=ContextDetails(result="", replay_children=True),
            ),
            "",
            True,
            id="a child whose result is not kept",
        ),
    ],
)
def test_a_success_is_replayed(
    operation: Operation, payload: str | None, replay_children: bool
) -> None:
    check(decided(operation), Replayed(payload, operation, replay_children))


@pytest.mark.parametrize("status", sorted(FINISHED - {SUCCEEDED}))
@pytest.mark.parametrize(
    ("kind", "details"),
    [
        pytest.param(STEP, {"step_details": StepDetails(error=ERROR)}, id="step"),
        pytest.param(CONTEXT, {"context_details": ContextDetails(error=ERROR)}, id="context"),
        pytest.param(CALLBACK, {"callback_details": CallbackDetails(error=ERROR)}, id="callback"),
        pytest.param(
            INVOKE, {"chained_invoke_details": ChainedInvokeDetails(error=ERROR)}, id="invoke"
        ),
    ],
)
def test_every_other_end_is_a_failure(
    status: OperationStatus, kind: OperationType, details: dict[str, Any]
) -> None:
    operation = an_operation(kind, status, **details)

    check(decided(operation), Failed(ERROR, operation))


def test_a_failure_may_have_no_error() -> None:
    operation = an_operation(WAIT, OperationStatus.CANCELLED)

    check(decided(operation), Failed(None, operation))


@pytest.mark.parametrize(
    ("operation", "until_ms"),
    [
        pytest.param(
            an_operation(STEP, PENDING, step_details=StepDetails(next_attempt_timestamp=7)),
            7,
            id="a retry",
        ),
        pytest.param(an_operation(STEP, PENDING), None, id="a retry without details"),
        pytest.param(
            an_operation(WAIT, STARTED, wait_details=WaitDetails(scheduled_end_timestamp=9)),
            9,
            id="a wait",
        ),
        pytest.param(an_operation(WAIT, STARTED), None, id="a wait without details"),
        pytest.param(
            an_operation(CALLBACK, STARTED, callback_details=CallbackDetails(callback_id="c")),
            None,
            id="a callback",
        ),
        pytest.param(an_operation(INVOKE, STARTED), None, id="an invoke"),
    ],
)
def test_what_time_or_others_move_on_is_waited_for(
    operation: Operation, until_ms: int | None
) -> None:
    check(decided(operation), Waiting(operation, until_ms))


@pytest.mark.parametrize(
    ("operation", "attempts_ended", "payload", "is_started"),
    [
        pytest.param(an_operation(STEP, STARTED), 0, None, True, id="a first attempt"),
        pytest.param(
            an_operation(STEP, STARTED, step_details=StepDetails()),
            0,
            None,
            True,
            id="none has ended",
        ),
        pytest.param(
            an_operation(STEP, STARTED, step_details=StepDetails(attempt=2)),
            2,
            None,
            True,
            id="a third attempt",
        ),
        pytest.param(
            an_operation(STEP, READY, step_details=StepDetails(attempt=1, result="s")),
            1,
            "s",
            False,
            id="a second may begin, with what the first has left",
        ),
        pytest.param(an_operation(CONTEXT, STARTED), 0, None, True, id="a child"),
    ],
)
def test_what_was_begun_is_the_handlers_turn(
    operation: Operation, attempts_ended: int, payload: str | None, is_started: bool
) -> None:
    check(decided(operation), Begun(operation, attempts_ended, payload, is_started))


@pytest.mark.parametrize(
    ("changes", "differences"),
    [
        pytest.param(
            {"operation_type": WAIT}, ("type checkpoint='STEP' current='WAIT'",), id="type"
        ),
        pytest.param(
            {"sub_type": "Map"}, ("subtype checkpoint='Step' current='Map'",), id="subtype"
        ),
        pytest.param({"name": "b"}, ("name checkpoint='a' current='b'",), id="name"),
        pytest.param({"name": None}, ("name checkpoint='a' current=None",), id="no name"),
        pytest.param({"parent_id": "p"}, ("parent_id checkpoint=None current='p'",), id="parent"),
        pytest.param(
            {"operation_type": WAIT, "sub_type": "Wait", "name": "b"},
            (
                "type checkpoint='STEP' current='WAIT'",
                "subtype checkpoint='Step' current='Wait'",
                "name checkpoint='a' current='b'",
            ),
            id="several",
        ),
    ],
)
@pytest.mark.parametrize("status", [STARTED, SUCCEEDED])
def test_another_operation_in_its_place_is_a_divergence(
    changes: dict[str, Any], differences: tuple[str, ...], status: OperationStatus
) -> None:
    operation = an_operation(status=status)

    decision = Journal([operation]).decide(an_identity(operation, **changes))

    check(decision, Diverged(operation, differences))


@pytest.mark.parametrize(
    ("recorded", "requested"),
    [
        pytest.param({"name": ""}, {"name": None}, id="name"),
        pytest.param({"name": None}, {"name": ""}, id="name, the other way round"),
        pytest.param({"parent_id": ""}, {"parent_id": None}, id="parent"),
    ],
)
def test_an_empty_word_is_none_at_all(recorded: dict[str, Any], requested: dict[str, Any]) -> None:
    operation = an_operation(**recorded)

    decision = Journal([operation]).decide(an_identity(operation, **requested))

    assert isinstance(decision, Begun)


def test_a_merge_replaces_what_has_changed_and_adds_what_is_new() -> None:
    first, second = an_operation(), an_operation(id="2")
    journal = Journal([first])
    ended = an_operation(status=SUCCEEDED)

    journal.merge([ended, second])

    assert journal.all() == {"1": ended, "2": second}
    assert journal.find("1") is ended
    assert journal.find("3") is None


def test_what_is_returned_as_all_is_a_copy() -> None:
    journal = Journal([an_operation()])

    journal.all().clear()

    assert journal.find("1") is not None


def test_the_execution_is_found_and_is_no_history() -> None:
    execution = an_operation(OperationType.EXECUTION, id="e")
    journal = Journal([execution])

    assert journal.execution() is execution
    assert not journal.has_history()

    journal.merge([an_operation()])

    assert journal.execution() is execution
    assert journal.has_history()


def test_without_operations_there_is_neither() -> None:
    assert Journal().execution() is None
    assert not Journal().has_history()
    assert Journal([an_operation()]).execution() is None
