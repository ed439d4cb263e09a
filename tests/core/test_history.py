"""All 26 kinds of events in their wire shapes, with data and without."""

from typing import Any

import pytest

from perdure.core.event import Event
from perdure.core.history import HistoryReader
from perdure.protocol import events as shapes
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import Instant
from perdure.protocol.words import EventType, OperationStatus, OperationType

from .builders import (
    BOOM,
    INPUT,
    NOW_MS,
    ROOT_ID,
    Story,
    a_callback,
    a_chained_invoke,
    a_step,
    a_wait,
    an_identity,
    an_operation,
)

AT_MS = NOW_MS + 5
BOOM_DETAILS = {"message": "it broke", "type": "Boom"}

RESULT = shapes.EventResult(payload="1", truncated=False)
NO_RESULT = shapes.EventResult(truncated=True)
ERROR = shapes.EventError(payload=BOOM, truncated=False)
NO_ERROR = shapes.EventError(truncated=True)

#: Kind; type and members of its operation; what the event keeps; its member; details with data,
#: and without.
Row = tuple[EventType, OperationType, dict[str, Any], Any, str, Any, Any]
EXECUTION, STEP, WAIT = OperationType.EXECUTION, OperationType.STEP, OperationType.WAIT
CONTEXT, CALLBACK = OperationType.CONTEXT, OperationType.CALLBACK
INVOKE = OperationType.CHAINED_INVOKE
OUT, BROKEN = {"payload": "1"}, {"error": BOOM}


def with_result(kind: EventType, operation: OperationType, member: str, details: Any) -> Row:
    with_data, without = details(result=RESULT), details(result=NO_RESULT)
    return (kind, operation, OUT, None, member, with_data, without)


def with_error(kind: EventType, operation: OperationType, member: str, details: Any) -> Row:
    with_data, without = details(error=ERROR), details(error=NO_ERROR)
    return (kind, operation, BROKEN, None, member, with_data, without)


def plain(kind: EventType, operation: OperationType, member: str, details: Any) -> Row:
    return (kind, operation, {}, None, member, details(), details())


def a_retry(attempt: int | None, delay_seconds: int | None = None) -> shapes.RetryDetails:
    return shapes.RetryDetails(current_attempt=attempt, next_attempt_delay_seconds=delay_seconds)


ROWS: list[Row] = [
    (
        EventType.EXECUTION_STARTED,
        EXECUTION,
        {"input": INPUT},
        None,
        "execution_started_details",
        shapes.ExecutionStartedDetails(
            input=shapes.EventInput(payload=INPUT, truncated=False), execution_timeout=3_600
        ),
        shapes.ExecutionStartedDetails(
            input=shapes.EventInput(truncated=True), execution_timeout=3_600
        ),
    ),
    with_result(
        EventType.EXECUTION_SUCCEEDED,
        EXECUTION,
        "execution_succeeded_details",
        shapes.ExecutionSucceededDetails,
    ),
    with_error(
        EventType.EXECUTION_FAILED,
        EXECUTION,
        "execution_failed_details",
        shapes.ExecutionFailedDetails,
    ),
    with_error(
        EventType.EXECUTION_TIMED_OUT,
        EXECUTION,
        "execution_timed_out_details",
        shapes.ExecutionTimedOutDetails,
    ),
    with_error(
        EventType.EXECUTION_STOPPED,
        EXECUTION,
        "execution_stopped_details",
        shapes.ExecutionStoppedDetails,
    ),
    (
        EventType.EXECUTION_PAUSED,
        EXECUTION,
        {},
        {"reason": "audit", "timeout_paused": True},
        "execution_paused_details",
        shapes.ExecutionPausedDetails(
            pause_request_timestamp=Instant(AT_MS),
            execution_timeout_paused=True,
            reason=shapes.EventPauseReason(payload="audit", truncated=False),
        ),
        shapes.ExecutionPausedDetails(
            pause_request_timestamp=Instant(AT_MS),
            execution_timeout_paused=True,
            reason=shapes.EventPauseReason(truncated=True),
        ),
    ),
    (
        EventType.EXECUTION_RESUMED,
        EXECUTION,
        {},
        {"reason": "done"},
        "execution_resumed_details",
        shapes.ExecutionResumedDetails(
            resume_request_timestamp=Instant(AT_MS),
            reason=shapes.EventResumeReason(payload="done", truncated=False),
        ),
        shapes.ExecutionResumedDetails(
            resume_request_timestamp=Instant(AT_MS),
            reason=shapes.EventResumeReason(truncated=True),
        ),
    ),
    (
        EventType.INVOCATION_COMPLETED,
        EXECUTION,
        {},
        {"request_id": "r-1", "started_at_ms": 1, "ended_at_ms": 2, "error": BOOM_DETAILS},
        "invocation_completed_details",
        shapes.InvocationCompletedDetails(
            start_timestamp=Instant(1), end_timestamp=Instant(2), request_id="r-1", error=ERROR
        ),
        shapes.InvocationCompletedDetails(
            start_timestamp=Instant(1), end_timestamp=Instant(2), request_id="r-1", error=NO_ERROR
        ),
    ),
    plain(
        EventType.CONTEXT_STARTED, CONTEXT, "context_started_details", shapes.ContextStartedDetails
    ),
    with_result(
        EventType.CONTEXT_SUCCEEDED,
        CONTEXT,
        "context_succeeded_details",
        shapes.ContextSucceededDetails,
    ),
    with_error(
        EventType.CONTEXT_FAILED, CONTEXT, "context_failed_details", shapes.ContextFailedDetails
    ),
    (
        EventType.WAIT_STARTED,
        WAIT,
        {"seconds": 10},
        None,
        "wait_started_details",
        *[shapes.WaitStartedDetails(duration=10, scheduled_end_timestamp=Instant(NOW_MS + 10_000))]
        * 2,
    ),
    (
        EventType.WAIT_SUCCEEDED,
        WAIT,
        {"seconds": 10},
        None,
        "wait_succeeded_details",
        *[shapes.WaitSucceededDetails(duration=10)] * 2,
    ),
    plain(EventType.WAIT_CANCELLED, WAIT, "wait_cancelled_details", shapes.WaitCancelledDetails),
    plain(EventType.STEP_STARTED, STEP, "step_started_details", shapes.StepStartedDetails),
    (
        EventType.STEP_SUCCEEDED,
        STEP,
        OUT,
        {"attempt": 2},
        "step_succeeded_details",
        shapes.StepSucceededDetails(result=RESULT, retry_details=a_retry(2)),
        shapes.StepSucceededDetails(result=NO_RESULT, retry_details=a_retry(2)),
    ),
    (
        EventType.STEP_FAILED,
        STEP,
        BROKEN,
        {"attempt": 2},
        "step_failed_details",
        shapes.StepFailedDetails(error=ERROR, retry_details=a_retry(2)),
        shapes.StepFailedDetails(error=NO_ERROR, retry_details=a_retry(2)),
    ),
    (
        EventType.CHAINED_INVOKE_STARTED,
        INVOKE,
        {
            "input": INPUT,
            "target": "g:1",
            "tenant_id": "t",
            "child_arn": "arn-of-child",
            "child_version": "1",
        },
        None,
        "chained_invoke_started_details",
        *[
            shapes.ChainedInvokeStartedDetails(
                function_name="g:1",
                tenant_id="t",
                input=entered,
                executed_version="1",
                durable_execution_arn="arn-of-child",
            )
            for entered in (
                shapes.EventInput(payload=INPUT, truncated=False),
                shapes.EventInput(truncated=True),
            )
        ],
    ),
    with_result(
        EventType.CHAINED_INVOKE_SUCCEEDED,
        INVOKE,
        "chained_invoke_succeeded_details",
        shapes.ChainedInvokeSucceededDetails,
    ),
    with_error(
        EventType.CHAINED_INVOKE_FAILED,
        INVOKE,
        "chained_invoke_failed_details",
        shapes.ChainedInvokeFailedDetails,
    ),
    with_error(
        EventType.CHAINED_INVOKE_TIMED_OUT,
        INVOKE,
        "chained_invoke_timed_out_details",
        shapes.ChainedInvokeTimedOutDetails,
    ),
    with_error(
        EventType.CHAINED_INVOKE_STOPPED,
        INVOKE,
        "chained_invoke_stopped_details",
        shapes.ChainedInvokeStoppedDetails,
    ),
    (
        EventType.CALLBACK_STARTED,
        CALLBACK,
        {"seconds": 60, "heartbeat_seconds": 5},
        None,
        "callback_started_details",
        *[shapes.CallbackStartedDetails(callback_id="id-of-op", heartbeat_timeout=5, timeout=60)]
        * 2,
    ),
    with_result(
        EventType.CALLBACK_SUCCEEDED,
        CALLBACK,
        "callback_succeeded_details",
        shapes.CallbackSucceededDetails,
    ),
    with_error(
        EventType.CALLBACK_FAILED,
        CALLBACK,
        "callback_failed_details",
        shapes.CallbackFailedDetails,
    ),
    with_error(
        EventType.CALLBACK_TIMED_OUT,
        CALLBACK,
        "callback_timed_out_details",
        shapes.CallbackTimedOutDetails,
    ),
]


def shape(
    kind: EventType,
    operation: OperationType,
    members: dict[str, Any],
    details: Any,
    *,
    with_data: bool,
) -> shapes.Event:
    """Return the shape of one event, whose operation is called ``op`` if it has one."""
    is_of_execution = operation is EXECUTION
    operation_id = ROOT_ID if is_of_execution else "op"
    named = {} if is_of_execution else {"name": "n", "parent_id": "p", "sub_type": "s"}
    held = an_operation(operation, OperationStatus.STARTED, operation_id, **named, **members)
    reader = HistoryReader(
        an_identity(), {operation_id: held}, lambda i: f"id-of-{i}", with_data=with_data
    )
    event = Event(7, kind, AT_MS, None if is_of_execution else operation_id, details)
    return reader.shape(event)


def test_the_table_below_has_every_kind_of_event() -> None:
    assert [row[0] for row in sorted(ROWS)] == sorted(EventType)


@pytest.mark.parametrize("with_data", [True, False], ids=["with data", "without"])
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_an_event_is_put_together_with_its_operation(row: Row, with_data: bool) -> None:
    kind, operation, members, details, member, full, truncated = row
    named: dict[str, Any] = {"id": "op", "name": "n", "parent_id": "p", "sub_type": "s"}
    if operation is EXECUTION:
        named = {"id": ROOT_ID, "name": "order-1"}
    if kind is EventType.INVOCATION_COMPLETED:
        named = {}
    expected = full if with_data else truncated
    assert shape(kind, operation, members, details, with_data=with_data) == shapes.Event(
        event_type=kind,
        event_id=7,
        event_timestamp=Instant(AT_MS),
        **named,
        **{member: expected},
    )


@pytest.mark.parametrize("with_data", [True, False], ids=["with data", "without"])
@pytest.mark.parametrize(
    ("kind", "details", "member", "expected"),
    [
        (
            EventType.EXECUTION_PAUSED,
            {"reason": None, "timeout_paused": False},
            "execution_paused_details",
            shapes.ExecutionPausedDetails(
                pause_request_timestamp=Instant(AT_MS), execution_timeout_paused=False
            ),
        ),
        (
            EventType.EXECUTION_RESUMED,
            None,
            "execution_resumed_details",
            shapes.ExecutionResumedDetails(resume_request_timestamp=Instant(AT_MS)),
        ),
        (
            EventType.INVOCATION_COMPLETED,
            {"started_at_ms": 1, "ended_at_ms": 2},
            "invocation_completed_details",
            shapes.InvocationCompletedDetails(
                start_timestamp=Instant(1), end_timestamp=Instant(2), request_id=""
            ),
        ),
    ],
    ids=["pause", "resume", "invocation"],
)
def test_what_nobody_said_is_absent_and_not_truncated(
    kind: EventType, details: Any, member: str, expected: Any, with_data: bool
) -> None:
    event = shape(kind, EXECUTION, {}, details, with_data=with_data)
    assert getattr(event, member) == expected


@pytest.mark.parametrize(
    ("payload", "full", "truncated"),
    [
        ("", shapes.EventResult(payload="", truncated=False), shapes.EventResult(truncated=True)),
        (None, shapes.EventResult(truncated=False), shapes.EventResult(truncated=False)),
    ],
    ids=["empty", "none"],
)
def test_an_empty_result_is_a_result_and_no_result_is_not_truncated(
    payload: str | None, full: shapes.EventResult, truncated: shapes.EventResult
) -> None:
    shown = [
        shape(
            EventType.CALLBACK_SUCCEEDED, CALLBACK, {"payload": payload}, None, with_data=with_data
        ).callback_succeeded_details
        for with_data in (True, False)
    ]
    assert [details.result for details in shown if details] == [full, truncated]


def test_an_error_that_is_not_there_is_an_empty_one_with_data_and_none_without() -> None:
    shown = [
        shape(EventType.CONTEXT_FAILED, CONTEXT, {}, None, with_data=with_data)
        for with_data in (True, False)
    ]
    assert [event.context_failed_details for event in shown] == [
        shapes.ContextFailedDetails(
            error=shapes.EventError(payload=ErrorObject(), truncated=False)
        ),
        shapes.ContextFailedDetails(error=shapes.EventError(truncated=False)),
    ]


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        (
            EventType.STEP_FAILED,
            {"attempt": 1, "delay_seconds": 5, "error": BOOM_DETAILS},
            shapes.StepFailedDetails(error=ERROR, retry_details=a_retry(1, 5)),
        ),
        (
            EventType.STEP_SUCCEEDED,
            {"attempt": 1, "delay_seconds": 5, "payload": "1"},
            shapes.StepSucceededDetails(result=RESULT, retry_details=a_retry(1, 5)),
        ),
        (
            EventType.STEP_SUCCEEDED,
            {"attempt": 1, "delay_seconds": 5, "payload": None},
            shapes.StepSucceededDetails(
                result=shapes.EventResult(truncated=False), retry_details=a_retry(1, 5)
            ),
        ),
    ],
    ids=["an error", "a state", "neither"],
)
def test_an_attempts_own_outcome_outlives_the_next_attempts(
    kind: EventType, details: Any, expected: Any
) -> None:
    """S5: the operation holds another by then."""
    event = shape(kind, STEP, {"payload": "later", "error": None}, details, with_data=True)
    shown = event.step_failed_details or event.step_succeeded_details
    assert shown == expected


@pytest.mark.parametrize("kind", [EventType.STEP_SUCCEEDED, EventType.STEP_FAILED])
def test_an_event_without_details_still_shows(kind: EventType) -> None:
    event = shape(kind, STEP, {}, None, with_data=False)
    shown = event.step_failed_details or event.step_succeeded_details
    assert shown is not None
    assert shown.retry_details == a_retry(None)


def test_a_wait_and_an_invoke_that_say_little_still_show() -> None:
    wait = shape(EventType.WAIT_STARTED, WAIT, {}, None, with_data=True)
    invoke = shape(EventType.CHAINED_INVOKE_STARTED, INVOKE, {}, None, with_data=True)
    assert wait.wait_started_details == shapes.WaitStartedDetails(
        duration=0, scheduled_end_timestamp=Instant(NOW_MS)
    )
    assert invoke.chained_invoke_started_details == shapes.ChainedInvokeStartedDetails(
        function_name="", input=shapes.EventInput(truncated=False)
    )


def test_a_whole_life_reads_as_it_was_lived() -> None:
    """H1: from 1, without gaps, in the order of time."""
    story = Story()
    story.checkpoint(a_step(name="charge"), a_wait(10), a_callback(), a_chained_invoke())
    story.pass_ms(1_000).finish()
    story.pass_ms(9_000).wake()
    reader = HistoryReader(
        story.execution.identity, story.execution.operations, lambda i: i, with_data=True
    )
    read = [reader.shape(event) for event in story.events]
    assert [(e.event_id, e.event_type, e.id, e.name) for e in read] == [
        (1, EventType.EXECUTION_STARTED, ROOT_ID, "order-1"),
        (2, EventType.STEP_STARTED, "step", "charge"),
        (3, EventType.WAIT_STARTED, "wait", None),
        (4, EventType.CALLBACK_STARTED, "callback", None),
        (5, EventType.CHAINED_INVOKE_STARTED, "invoke", None),
        (6, EventType.INVOCATION_COMPLETED, None, None),
        (7, EventType.WAIT_SUCCEEDED, "wait", None),
    ]


@pytest.mark.parametrize(
    ("kind", "operation", "members", "size"),
    [
        (EventType.EXECUTION_STARTED, EXECUTION, {"input": "12345", "payload": "1"}, 5),
        (EventType.EXECUTION_STARTED, EXECUTION, {}, 0),
        (EventType.EXECUTION_SUCCEEDED, EXECUTION, {"input": "12345", "payload": "1"}, 1),
        (EventType.CHAINED_INVOKE_STARTED, INVOKE, {"input": "123", "payload": "1"}, 3),
        (EventType.CHAINED_INVOKE_FAILED, INVOKE, {"input": "123", "error": BOOM}, 8),
        (EventType.STEP_SUCCEEDED, STEP, {"payload": "12"}, 2),
        (EventType.INVOCATION_COMPLETED, EXECUTION, {"input": "12345", "payload": "1"}, 0),
    ],
    ids=lambda value: value if isinstance(value, EventType) else "",
)
def test_an_event_weighs_what_it_shows_of_its_operation(
    kind: EventType, operation: OperationType, members: dict[str, Any], size: int
) -> None:
    operation_id = ROOT_ID if operation is EXECUTION else "op"
    held = {operation_id: an_operation(operation, operation_id=operation_id, **members)}
    event = Event(7, kind, AT_MS, None if operation is EXECUTION else "op")
    weights = [
        HistoryReader(an_identity(), held, lambda i: i, with_data=with_data).size_bytes(event)
        for with_data in (True, False)
    ]
    assert weights == [size, 0]
