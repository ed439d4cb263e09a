"""History, folded into a timeline, and how that is drawn."""

import io
from typing import Any

import pytest
from rich.console import Console

from perdure.cli.progress import draw
from perdure.cli.timeline import OperationLine, Timeline, fold
from perdure.protocol.events import Event
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import decode
from perdure.protocol.words import EventType, ExecutionStatus, OperationStatus, OperationType

START = 1_000.0
ERROR = {"Payload": {"ErrorType": "E", "ErrorMessage": "no"}}


def an_event(kind: EventType, second: float, **members: Any) -> Event:
    """Return an event ``second`` seconds after the start of its execution."""
    members = {"EventType": kind, "EventTimestamp": START + second, **members}
    return decode(Event, members)


def started() -> Event:
    return an_event(EventType.EXECUTION_STARTED, 0)


def a_line(**members: Any) -> OperationLine:
    defaults: dict[str, Any] = {
        "id": "1",
        "type": OperationType.STEP,
        "status": OperationStatus.STARTED,
        "name": "",
        "depth": 0,
        "started_at_ms": 1_000_000,
    }
    return OperationLine(**defaults | members)


def test_an_execution_has_its_span_and_its_invocations() -> None:
    times = {"StartTimestamp": START, "EndTimestamp": START, "RequestId": "r"}
    timeline = fold(
        [
            started(),
            an_event(EventType.INVOCATION_COMPLETED, 1, InvocationCompletedDetails=times),
            an_event(EventType.INVOCATION_COMPLETED, 2, InvocationCompletedDetails=times),
            an_event(EventType.EXECUTION_FAILED, 3, ExecutionFailedDetails={"Error": ERROR}),
        ]
    )

    assert timeline == Timeline(
        status=ExecutionStatus.FAILED,
        started_at_ms=1_000_000,
        ended_at_ms=1_003_000,
        latest_at_ms=1_003_000,
        invocations=2,
        error=ErrorObject(error_type="E", error_message="no"),
        operations=[],
    )


def test_a_paused_execution_goes_on_when_it_is_resumed() -> None:
    pause = an_event(
        EventType.EXECUTION_PAUSED,
        1,
        ExecutionPausedDetails={"PauseRequestTimestamp": START, "ExecutionTimeoutPaused": True},
    )
    resume = an_event(
        EventType.EXECUTION_RESUMED, 2, ExecutionResumedDetails={"ResumeRequestTimestamp": START}
    )

    assert fold([started(), pause]).status is ExecutionStatus.PAUSED
    assert fold([started(), pause, resume]).status is ExecutionStatus.RUNNING
    assert fold([started(), pause, resume]).started_at_ms == 1_000_000


def test_a_step_that_is_retried_waits_and_then_counts_its_attempts() -> None:
    failed = {"Error": ERROR, "RetryDetails": {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 5}}
    events = [
        an_event(EventType.STEP_STARTED, 0, Id="1", Name="s"),
        an_event(EventType.STEP_FAILED, 1, Id="1", Name="s", StepFailedDetails=failed),
    ]

    (waiting,) = fold(events).operations
    assert waiting == a_line(
        name="s", status=OperationStatus.PENDING, attempts=1, note="again in 5 s: no"
    )

    done = {"Result": {"Payload": "1"}, "RetryDetails": {"CurrentAttempt": 2}}
    events.append(an_event(EventType.STEP_SUCCEEDED, 7, Id="1", StepSucceededDetails=done))
    (line,) = fold(events).operations
    assert line == a_line(
        name="s", status=OperationStatus.SUCCEEDED, attempts=2, ended_at_ms=1_007_000
    )


def test_children_follow_their_context() -> None:
    kinds = [
        an_event(EventType.CONTEXT_STARTED, 0, Id="a", Name="outer"),
        an_event(EventType.CONTEXT_STARTED, 0, Id="b", Name="other"),
        an_event(EventType.STEP_STARTED, 0, Id="c", Name="inner", ParentId="a"),
        an_event(EventType.STEP_STARTED, 0, Id="d", Name="orphan", ParentId="gone"),
    ]

    lines = fold(kinds).operations

    assert [(line.name, line.depth) for line in lines] == [
        ("outer", 0),
        ("inner", 1),
        ("other", 0),
        ("orphan", 0),
    ]


@pytest.mark.parametrize(
    ("kind", "details", "note"),
    [
        (
            EventType.WAIT_STARTED,
            {"WaitStartedDetails": {"Duration": 5, "ScheduledEndTimestamp": START}},
            "5 s",
        ),
        (EventType.CALLBACK_STARTED, {"CallbackStartedDetails": {"CallbackId": "abc"}}, "abc"),
        (
            EventType.CHAINED_INVOKE_STARTED,
            {"ChainedInvokeStartedDetails": {"FunctionName": "other"}},
            "other",
        ),
        (EventType.CALLBACK_FAILED, {"CallbackFailedDetails": {"Error": ERROR}}, "no"),
    ],
)
def test_a_line_says_what_it_waits_for_or_why_it_failed(
    kind: EventType, details: dict[str, Any], note: str
) -> None:
    (line,) = fold([an_event(kind, 0, Id="1", **details)]).operations

    assert line.note == note


@pytest.mark.parametrize("kind", EventType)
def test_every_kind_of_event_is_taken(kind: EventType) -> None:
    members = {"Id": "1"} if "Execution" not in kind and "Invocation" not in kind else {}

    timeline = fold([started(), an_event(kind, 1, **members)])

    assert timeline.latest_at_ms == 1_001_000
    assert len(timeline.operations) == len(members)


def drawn(timeline: Timeline, **options: Any) -> str:
    """Return what a plain, wide terminal shows."""
    stream = io.StringIO()
    Console(file=stream, width=200).print(draw("title", timeline, **options))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def test_a_timeline_is_drawn_as_bars() -> None:
    timeline = Timeline(
        status=ExecutionStatus.SUCCEEDED,
        started_at_ms=1_000_000,
        ended_at_ms=1_002_000,
        invocations=1,
        operations=[
            a_line(name="first", status=OperationStatus.SUCCEEDED, ended_at_ms=1_001_000),
            a_line(name="in\x1b", depth=1, started_at_ms=1_001_000, attempts=2, note="why"),
        ],
    )

    assert drawn(timeline) == "\n".join(
        [
            "title  SUCCEEDED  2.000 s, 1 invocation",
            "  first     STEP  SUCCEEDED  0.000 s  1.000 s  ━━━━━━━━━━━━━",
            r"    in\x1b  STEP  STARTED    1.000 s                       ━━━━━━━━━━━━"
            " 2 attempts, why",
        ]
    )


def test_a_long_timeline_shows_its_end() -> None:
    lines = [a_line(id=str(number), name=f"s{number}") for number in range(1_000)]

    text = drawn(Timeline(operations=lines), lines_max=2)

    assert "(998 earlier operations)" in text
    assert "s999" in text
    assert "s997" not in text
