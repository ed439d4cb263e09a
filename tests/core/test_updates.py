"""What a checkpoint's updates do: the full matrix (S2), the batch (D2), parents (S6), fields and
sizes (Q1).
"""

from itertools import product
from typing import Any

import pytest

from perdure.core.errors import InvalidCheckpointToken, InvalidParameterValue
from perdure.core.event import Event
from perdure.core.execution import Execution, ParentLink
from perdure.core.machine import apply
from perdure.core.operation import Operation
from perdure.core.outcome import StartChild
from perdure.core.quotas import CHAINED_PAYLOAD_BYTES_MAX, ERROR_BYTES_MAX
from perdure.protocol.operations import (
    PAYLOAD_BYTES_MAX,
    CallbackOptions,
    ChainedInvokeOptions,
    ContextOptions,
    ErrorObject,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)
from perdure.protocol.words import (
    CLOSED_EXECUTION_STATUSES,
    EventType,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)

from .builders import (
    BOOM,
    CHILD_ID,
    FUNCTION_ARN,
    NOW_MS,
    ROOT_ID,
    Story,
    a_chained_invoke,
    a_checkpoint,
    a_context,
    a_start,
    a_step,
    a_target,
    a_wait,
    an_end,
    an_execution,
    an_identity,
    an_operation,
    an_update,
)

CALLBACK, CHAINED_INVOKE, CONTEXT = (
    OperationType.CALLBACK,
    OperationType.CHAINED_INVOKE,
    OperationType.CONTEXT,
)
STEP, WAIT, EXECUTION = OperationType.STEP, OperationType.WAIT, OperationType.EXECUTION
START, SUCCEED, FAIL = OperationAction.START, OperationAction.SUCCEED, OperationAction.FAIL
RETRY, CANCEL = OperationAction.RETRY, OperationAction.CANCEL
STARTED, PENDING, READY = OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY
SUCCEEDED, FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED
CANCELLED = OperationStatus.CANCELLED
FINISHED = [SUCCEEDED, FAILED, CANCELLED, OperationStatus.TIMED_OUT, OperationStatus.STOPPED]

NEVER = "Invalid action for the given operation type."
#: For each type and action: what it makes of which status, and how it is refused in any other.
MATRIX: dict[tuple[OperationType, OperationAction], tuple[dict[Any, OperationStatus], str]] = {
    (STEP, START): ({None: STARTED, READY: STARTED}, "Invalid current STEP state to start."),
    (STEP, SUCCEED): (
        {None: SUCCEEDED, STARTED: SUCCEEDED, READY: SUCCEEDED},
        "Invalid current STEP state to close.",
    ),
    (STEP, FAIL): (
        {None: FAILED, STARTED: FAILED, READY: FAILED},
        "Invalid current STEP state to close.",
    ),
    (STEP, RETRY): (
        {None: PENDING, STARTED: PENDING, READY: PENDING},
        "Invalid current STEP state to re-attempt.",
    ),
    (STEP, CANCEL): ({}, NEVER),
    (WAIT, START): ({None: STARTED}, "Cannot start a WAIT that already exist."),
    (WAIT, SUCCEED): ({}, NEVER),
    (WAIT, FAIL): ({}, NEVER),
    (WAIT, RETRY): ({}, NEVER),
    (WAIT, CANCEL): (
        {STARTED: CANCELLED},
        "Cannot cancel a WAIT that does not exist or has already completed.",
    ),
    (CALLBACK, START): ({None: STARTED}, "Cannot start a CALLBACK that already exist."),
    (CALLBACK, SUCCEED): ({}, NEVER),
    (CALLBACK, FAIL): ({}, NEVER),
    (CALLBACK, RETRY): ({}, NEVER),
    (CALLBACK, CANCEL): ({}, NEVER),
    (CHAINED_INVOKE, START): (
        {None: STARTED},
        "Cannot start a CHAINED_INVOKE operation that already exists.",
    ),
    (CHAINED_INVOKE, SUCCEED): ({}, NEVER),
    (CHAINED_INVOKE, FAIL): ({}, NEVER),
    (CHAINED_INVOKE, RETRY): ({}, NEVER),
    (CHAINED_INVOKE, CANCEL): ({}, NEVER),
    (CONTEXT, START): ({None: STARTED}, "Cannot start a CONTEXT that already exist."),
    (CONTEXT, SUCCEED): (
        {None: SUCCEEDED, STARTED: SUCCEEDED},
        "Invalid current CONTEXT state to close.",
    ),
    (CONTEXT, FAIL): (
        {None: FAILED, STARTED: FAILED},
        "Invalid current CONTEXT state to close.",
    ),
    (CONTEXT, RETRY): ({}, NEVER),
    (CONTEXT, CANCEL): ({}, NEVER),
    (EXECUTION, START): ({}, "Invalid EXECUTION action."),
    (EXECUTION, SUCCEED): ({STARTED: SUCCEEDED}, ""),
    (EXECUTION, FAIL): ({STARTED: FAILED}, ""),
    (EXECUTION, RETRY): ({}, "Invalid EXECUTION action."),
    (EXECUTION, CANCEL): ({}, "Invalid EXECUTION action."),
}


def refused(execution: Execution, *updates: OperationUpdate, **changes: Any) -> str:
    """Return the message that a batch is refused with."""
    with pytest.raises(InvalidParameterValue) as caught:
        apply(execution, a_checkpoint(execution, *updates, **changes), NOW_MS)
    return caught.value.message


def stored(execution: Execution, *updates: OperationUpdate, **changes: Any) -> dict[str, Operation]:
    """Return the operations that a batch writes."""
    checkpoint = a_checkpoint(execution, *updates, **changes)
    return dict(apply(execution, checkpoint, NOW_MS).operations)


@pytest.mark.parametrize(
    ("kind", "action", "status"),
    [
        *product(
            (STEP, WAIT, CALLBACK, CHAINED_INVOKE, CONTEXT),
            OperationAction,
            (None, *OperationStatus),
        )
    ],
    ids=lambda value: str(value),
)
def test_an_update_moves_its_operation_or_is_refused_in_awss_words(
    kind: OperationType, action: OperationAction, status: OperationStatus | None
) -> None:
    """S2."""
    legal, message = MATRIX[kind, action]
    execution = an_execution() if status is None else an_execution(an_operation(kind, status))
    if status in legal:
        assert stored(execution, an_update(kind, action))["op"].status is legal[status]
    else:
        assert refused(execution, an_update(kind, action)) == message


@pytest.mark.parametrize("action", OperationAction)
def test_an_execution_update_ends_a_running_execution_or_is_refused(
    action: OperationAction,
) -> None:
    """S2."""
    legal, message = MATRIX[EXECUTION, action]
    if STARTED in legal:
        assert stored(an_execution(), an_end(action))[ROOT_ID].status is legal[STARTED]
    else:
        assert refused(an_execution(), an_end(action)) == message


@pytest.mark.parametrize(
    ("action", "status"),
    [*product(OperationAction, sorted(CLOSED_EXECUTION_STATUSES))],
    ids=lambda value: str(value),
)
def test_an_ended_execution_takes_no_update_at_all(
    action: OperationAction, status: ExecutionStatus
) -> None:
    """S2, X1, F3: EXECUTION in SUCCEEDED, FAILED, TIMED_OUT and STOPPED."""
    execution = an_execution(status=status, ended_at_ms=NOW_MS, lease_until_ms=None)
    with pytest.raises(InvalidCheckpointToken, match="the execution has ended"):
        apply(execution, a_checkpoint(execution, an_end(action)), NOW_MS)


def test_a_step_started_and_ended_in_one_batch_counts_one_attempt() -> None:
    story = Story()
    reply = story.checkpoint(a_step(name="charge", sub_type="Step"), a_step(SUCCEED, payload="1"))
    assert reply.operations == (
        Operation(
            "step",
            STEP,
            SUCCEEDED,
            NOW_MS,
            sequence=3,
            position=2,
            sub_type="Step",
            name="charge",
            ended_at_ms=NOW_MS,
            attempt=1,
            payload="1",
        ),
    )
    assert story.events[1:] == [
        Event(2, EventType.STEP_STARTED, NOW_MS, "step"),
        Event(3, EventType.STEP_SUCCEEDED, NOW_MS, "step", {"attempt": 1}),
    ]


@pytest.mark.parametrize(
    ("given", "kept"),
    [(BOOM, BOOM), (None, ErrorObject())],
    ids=["with an error", "without one"],
)
@pytest.mark.parametrize(
    ("update", "kind"),
    [(a_step(FAIL), EventType.STEP_FAILED), (a_context(FAIL), EventType.CONTEXT_FAILED)],
    ids=["step", "context"],
)
def test_what_fails_has_an_error(
    update: OperationUpdate, kind: EventType, given: ErrorObject | None, kept: ErrorObject
) -> None:
    members = {"id": update.id, "type": update.type, "action": FAIL, "error": given}
    story = Story()
    story.checkpoint(OperationUpdate(**members))
    failed = story.operation(update.id)
    assert (failed.status, failed.error, failed.ended_at_ms) == (FAILED, kept, NOW_MS)
    assert story.kinds(1) == [kind]


@pytest.mark.parametrize(
    ("outcome", "event", "details"),
    [
        (
            {"error": BOOM},
            EventType.STEP_FAILED,
            {"error": {"message": "it broke", "type": "Boom"}},
        ),
        ({"payload": '{"tries":1}'}, EventType.STEP_SUCCEEDED, {"payload": '{"tries":1}'}),
        ({}, EventType.STEP_SUCCEEDED, {"payload": None}),
    ],
    ids=["an error", "a state", "neither"],
)
def test_a_retry_counts_the_attempt_and_keeps_its_outcome_with_the_event(
    outcome: dict[str, Any], event: EventType, details: dict[str, Any]
) -> None:
    """S5: the next attempt replaces the outcome in the operation."""
    story = Story()
    story.checkpoint(a_step(), a_step(RETRY, delay_seconds=7, **outcome))
    step = story.operation("step")
    assert (step.status, step.attempt, step.due_at_ms) == (PENDING, 1, NOW_MS + 7_000)
    assert (step.payload, step.error) == (outcome.get("payload"), outcome.get("error"))
    assert story.events[-1] == Event(
        3, event, NOW_MS, "step", {"attempt": 1, "delay_seconds": 7, **details}
    )


def test_attempts_of_a_step_count_up_by_one() -> None:
    """S5."""
    story, attempts = Story(), []
    for _ in range(3):
        story.checkpoint(a_step(), a_step(RETRY, delay_seconds=1, error=BOOM))
        attempts.append(story.operation("step").attempt)
        story.pass_ms(1_000).wake()
    story.checkpoint(a_step(), a_step(SUCCEED, payload="1"))
    step = story.operation("step")
    assert (attempts, step.attempt, step.error) == ([1, 2, 3], 4, None)
    assert [e.details["attempt"] for e in story.events if e.details and "attempt" in e.details] == [
        1,
        2,
        3,
        4,
    ]


@pytest.mark.parametrize(
    ("update", "message"),
    [
        (
            a_step(FAIL, payload="1"),
            "Cannot provide a Payload for FAIL action.",
        ),
        (a_context(FAIL, payload="1"), "Cannot provide a Payload for FAIL action."),
        (an_end(FAIL, payload="1"), "Cannot provide a Payload for FAIL action."),
        (a_step(SUCCEED, error=BOOM), "Cannot provide an Error for SUCCEED action."),
        (a_context(SUCCEED, error=BOOM), "Cannot provide an Error for SUCCEED action."),
        (an_end(SUCCEED, error=BOOM), "Cannot provide an Error for SUCCEED action."),
        (
            a_step(RETRY, payload="1", error=BOOM),
            "Cannot provide both error and payload to RETRY a STEP.",
        ),
        (a_step(RETRY, step_options=None), "Invalid StepOptions for the given action."),
        (a_step(RETRY, step_options=StepOptions()), "Invalid StepOptions for the given action."),
        (
            an_update(WAIT, START, wait_options=None),
            "Invalid WaitOptions for the given action.",
        ),
        (
            an_update(WAIT, START, wait_options=WaitOptions()),
            "Invalid WaitOptions for the given action.",
        ),
        (
            a_chained_invoke(chained_invoke_options=None),
            "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions.",
        ),
    ],
    ids=lambda value: f"{value.type}-{value.action}" if isinstance(value, OperationUpdate) else "",
)
def test_members_that_do_not_fit_the_action_are_refused(
    update: OperationUpdate, message: str
) -> None:
    assert refused(an_execution(), update) == message


def test_a_chained_invoke_whose_function_nobody_looked_up_is_refused() -> None:
    message = "Update for CHAINED_INVOKE operation requires ChainedInvokeOptions."
    assert refused(an_execution(), a_chained_invoke(), targets={}) == message


def test_a_wait_ends_so_many_seconds_after_its_start() -> None:
    """T4: 366 days are representable."""
    story = Story(a_start(execution_timeout_seconds=99_999_999))
    story.checkpoint(a_wait(31_622_400))
    assert story.operation("wait") == Operation(
        "wait",
        WAIT,
        STARTED,
        NOW_MS,
        sequence=2,
        position=2,
        due_at_ms=NOW_MS + 31_622_400_000,
        seconds=31_622_400,
    )
    assert story.progress.wake_at_ms == NOW_MS + 31_622_400_000


def test_a_cancelled_wait_never_fires() -> None:
    """T3."""
    story = Story()
    story.checkpoint(a_wait(10))
    story.pass_ms(4_000).checkpoint(an_update(WAIT, CANCEL, "wait"))
    story.pass_ms(60_000).wake()
    wait = story.operation("wait")
    assert (wait.status, wait.ended_at_ms, wait.due_at_ms) == (CANCELLED, NOW_MS + 4_000, None)
    assert story.kinds(1) == [EventType.WAIT_STARTED, EventType.WAIT_CANCELLED]


@pytest.mark.parametrize(
    ("options", "timeout", "heartbeat"),
    [
        (None, None, None),
        (CallbackOptions(), None, None),
        (CallbackOptions(timeout_seconds=0, heartbeat_timeout_seconds=0), None, None),
        (CallbackOptions(timeout_seconds=60), 60, None),
        (CallbackOptions(timeout_seconds=60, heartbeat_timeout_seconds=5), 60, 5),
    ],
    ids=["no options", "empty", "zeros", "timeout", "both"],
)
def test_a_callback_may_wait_for_ever_or_a_time(
    options: CallbackOptions | None, timeout: int | None, heartbeat: int | None
) -> None:
    update = an_update(CALLBACK, START, callback_options=options)
    kept = stored(an_execution(), update)["op"]
    assert (kept.seconds, kept.heartbeat_seconds) == (timeout, heartbeat)
    assert kept.due_at_ms == (None if timeout is None else NOW_MS + timeout * 1_000)
    assert kept.heartbeat_due_at_ms == (None if heartbeat is None else NOW_MS + heartbeat * 1_000)


@pytest.mark.parametrize(
    ("options", "keeps"),
    [(None, False), (ContextOptions(), False), (ContextOptions(replay_children=True), True)],
    ids=["no options", "empty", "true"],
)
def test_a_closed_context_says_whether_its_children_replay(
    options: ContextOptions | None, keeps: bool
) -> None:
    story = Story()
    story.checkpoint(a_context(), a_context(SUCCEED, payload="1", context_options=options))
    assert story.operation("context") == Operation(
        "context",
        CONTEXT,
        SUCCEEDED,
        NOW_MS,
        sequence=3,
        position=2,
        ended_at_ms=NOW_MS,
        payload="1",
        replay_children=keeps,
    )
    assert story.kinds(1) == [EventType.CONTEXT_STARTED, EventType.CONTEXT_SUCCEEDED]


def test_a_chained_invoke_sends_its_child_off_with_the_change() -> None:
    """D3, I4."""
    execution = an_execution(identity=an_identity(depth=2))
    options = ChainedInvokeOptions(
        function_name="g:live", tenant_id="tenant", x_amzn_trace_id="Root=1"
    )
    update = a_chained_invoke(payload="1", chained_invoke_options=options)
    outcome = apply(execution, a_checkpoint(execution, update), NOW_MS)
    target = a_target()
    assert outcome.messages == (
        StartChild(
            operation_id="invoke",
            child_id=CHILD_ID,
            child_arn=target.child_arn,
            function_arn=f"{FUNCTION_ARN}-g",
            version="1",
            target="g:live",
            payload="1",
            tenant_id="tenant",
            trace_id="Root=1",
            depth=3,
        ),
    )
    assert outcome.operations["invoke"] == Operation(
        "invoke",
        CHAINED_INVOKE,
        STARTED,
        NOW_MS,
        sequence=2,
        position=2,
        input="1",
        target="g:live",
        tenant_id="tenant",
        child_arn=target.child_arn,
        child_version="1",
    )


def test_a_chained_invoke_of_a_function_that_is_not_there_fails_in_the_same_checkpoint() -> None:
    story = Story()
    missing = ErrorObject(error_type="ResourceNotFoundException", error_message="no function g")
    target = a_target(error=missing)
    outcome = story.tell(
        a_checkpoint(story.execution, a_chained_invoke(), targets={"invoke": target})
    )
    invoke = story.operation("invoke")
    assert (invoke.status, invoke.error, invoke.target) == (FAILED, missing, "g:1")
    assert (outcome.messages, outcome.reply.operations) == ((), (invoke,))  # type: ignore[union-attr]
    assert story.kinds(1) == [EventType.CHAINED_INVOKE_STARTED, EventType.CHAINED_INVOKE_FAILED]


@pytest.mark.parametrize(
    ("updates", "message"),
    [
        ((an_end(), an_end()), "Cannot checkpoint multiple EXECUTION updates."),
        ((an_end(), a_step()), "EXECUTION checkpoint must be the last update."),
        ((a_wait(), a_wait()), "Cannot checkpoint multiple operations with the same ID."),
        (
            (a_wait(), an_update(WAIT, CANCEL, "wait")),
            "Cannot checkpoint multiple operations with the same ID.",
        ),
        ((a_step(), a_step()), "Cannot checkpoint multiple operations with the same ID."),
        (
            (a_step(), a_step(SUCCEED), a_step(FAIL)),
            "Cannot checkpoint multiple operations with the same ID.",
        ),
        (
            (a_step(RETRY), a_step(SUCCEED)),
            "Cannot checkpoint multiple operations with the same ID.",
        ),
        ((a_step(SUCCEED), a_step()), "Cannot checkpoint multiple operations with the same ID."),
        ((a_step(), an_update(CONTEXT, SUCCEED, "step")), "Inconsistent operation type."),
    ],
    ids=[
        "two ends",
        "end not last",
        "one wait twice",
        "wait and cancel",
        "two starts",
        "three updates",
        "after a retry",
        "start after the end",
        "another type",
    ],
)
def test_a_batch_that_is_not_in_order_is_refused_whole(
    updates: tuple[OperationUpdate, ...], message: str
) -> None:
    """D2."""
    assert refused(an_execution(), *updates) == message


def test_an_id_shared_with_a_chained_invoke_is_refused_and_no_fault_of_ours() -> None:
    """E2: what an outsider can break is a refusal."""
    targets = {"step": a_target(error=BOOM)}
    batch = (a_step(), a_chained_invoke("step"))
    message = "Cannot checkpoint multiple operations with the same ID."
    assert refused(an_execution(), *batch, targets=targets) == message


def test_a_batch_of_which_the_last_is_bad_changes_nothing() -> None:
    """D2: all or none."""
    story = Story()
    batch = a_checkpoint(
        story.execution, a_step(SUCCEED, payload="1"), a_wait(), a_context(), a_step(START, "x"),
        an_update(CALLBACK, SUCCEED),
    )  # fmt: skip
    assert story.refusal(batch).message == NEVER
    assert story.statuses == {}


def test_a_batch_is_applied_in_the_order_of_the_request() -> None:
    """D2."""
    batch = (a_context(), a_step(parent_id="context"), a_context(START, "b"), a_wait())
    changed = stored(an_execution(), *batch)
    assert [(o.id, o.sequence, o.position) for o in changed.values()] == [
        ("context", 2, 2),
        ("step", 3, 3),
        ("b", 4, 4),
        ("wait", 5, 5),
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sub_type": "other"}, "Inconsistent operation subtype."),
        ({"name": "other"}, "Inconsistent operation name."),
        ({"parent_id": "p2"}, "Inconsistent parent operation id."),
        ({"type": CONTEXT}, "Inconsistent operation type."),
    ],
    ids=["subtype", "name", "parent", "type"],
)
def test_what_names_an_operation_never_changes(change: dict[str, Any], message: str) -> None:
    execution = an_execution(
        an_operation(CONTEXT, STARTED, "p1"),
        an_operation(CONTEXT, STARTED, "p2"),
        an_operation(STEP, STARTED, sub_type="Step", name="charge", parent_id="p1"),
    )
    same = {"id": "op", "type": STEP, "action": SUCCEED, "sub_type": "Step", "name": "charge"}
    assert refused(execution, OperationUpdate(**(same | {"parent_id": "p1"} | change))) == message
    assert stored(execution, OperationUpdate(**same, parent_id="p1"))["op"].status is SUCCEEDED


def test_the_execution_itself_cannot_be_updated_as_another_type() -> None:
    assert refused(an_execution(), a_step(SUCCEED, ROOT_ID)) == "Inconsistent operation type."


@pytest.mark.parametrize(
    ("parent_id", "message"),
    [
        ("nobody", "Invalid parent operation id."),
        ("step", "Invalid parent operation id."),
        (ROOT_ID, "Invalid parent operation id."),
        ("closed", "Invalid parent operation id. The context closed is SUCCEEDED."),
        ("inner", "Invalid parent operation id. The context closed is SUCCEEDED."),
    ],
    ids=["missing", "a step", "the execution", "closed", "under a closed one"],
)
def test_a_parent_is_an_open_context_under_open_contexts(parent_id: str, message: str) -> None:
    """S6."""
    execution = an_execution(
        an_operation(STEP, STARTED, "step"),
        an_operation(CONTEXT, SUCCEEDED, "closed"),
        an_operation(CONTEXT, STARTED, "inner", parent_id="closed"),
    )
    assert refused(execution, a_step(START, "new", parent_id=parent_id)) == message


def test_nothing_under_a_closed_context_goes_on_even_if_it_does_not_say_so() -> None:
    """S6."""
    execution = an_execution(
        an_operation(CONTEXT, FAILED, "closed"),
        an_operation(STEP, STARTED, "step", parent_id="closed"),
    )
    message = "Invalid parent operation id. The context closed is FAILED."
    assert refused(execution, a_step(SUCCEED)) == message
    assert refused(execution, a_step(SUCCEED, parent_id="closed")) == message


def test_a_child_may_come_with_its_parent_in_one_batch_but_not_before_it() -> None:
    """S6."""
    child = a_step(SUCCEED, parent_id="context", payload="1")
    assert [*stored(an_execution(), a_context(), child)] == ["context", "step"]
    assert refused(an_execution(), child, a_context()) == "Invalid parent operation id."


def test_a_child_may_not_come_after_its_parents_end_in_one_batch() -> None:
    """S6."""
    batch = (a_context(), a_context(SUCCEED), a_step(parent_id="context"))
    message = "Invalid parent operation id. The context context is SUCCEEDED."
    assert refused(an_execution(), *batch) == message


def test_a_payload_of_the_limit_is_kept_and_one_byte_more_is_not() -> None:
    """Q1."""
    fits = "a" * (PAYLOAD_BYTES_MAX - 2) + "é"
    assert stored(an_execution(), a_step(SUCCEED, payload=fits))["step"].payload == fits
    assert refused(an_execution(), a_step(SUCCEED, payload=f"{fits}a")) == (
        "payload of operation step is 6,291,457 bytes; the limit is 6,291,456"
    )


def test_the_input_of_a_chained_invoke_is_bounded_on_its_own() -> None:
    """Q1."""
    fits = "a" * CHAINED_PAYLOAD_BYTES_MAX
    assert stored(an_execution(), a_chained_invoke(payload=fits))["invoke"].input == fits
    assert refused(an_execution(), a_chained_invoke(payload=f"{fits}a")) == (
        "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes."
    )


@pytest.mark.parametrize("is_child", [True, False], ids=["of a child", "of nobody's child"])
def test_the_result_of_a_chained_execution_is_bounded_like_its_input(is_child: bool) -> None:
    """Q1."""
    parent = ParentLink("f" * 32, "invoke") if is_child else None
    execution = an_execution(identity=an_identity(parent=parent))
    fits = "a" * CHAINED_PAYLOAD_BYTES_MAX
    assert stored(execution, an_end(payload=fits))[ROOT_ID].payload == fits
    if is_child:
        assert refused(execution, an_end(payload=f"{fits}a")) == (
            "Execution output payload size must be less than or equal to 1048576 bytes."
        )
    else:
        assert stored(execution, an_end(payload=f"{fits}a"))[ROOT_ID].payload == f"{fits}a"


def test_an_error_of_the_limit_is_kept_and_one_byte_more_is_not() -> None:
    """Q1: all four members count, as JSON."""
    frame = len('["t", "", "d", ["s"]]')
    fits = ErrorObject(
        error_type="t",
        error_message="m" * (ERROR_BYTES_MAX - frame),
        error_data="d",
        stack_trace=("s",),
    )
    over = ErrorObject(
        error_type="t",
        error_message=f"{fits.error_message}m",
        error_data="d",
        stack_trace=("s",),
    )
    assert stored(an_execution(), a_step(FAIL, error=fits))["step"].error == fits
    message = "Error object size must be less than 32768 bytes."
    assert refused(an_execution(), a_step(FAIL, error=over)) == message


def test_an_end_needs_no_payload_and_a_failed_one_always_has_an_error() -> None:
    ends = [stored(an_execution(), an_end(action))[ROOT_ID] for action in (SUCCEED, FAIL)]
    assert [(end.status, end.payload, end.error) for end in ends] == [
        (SUCCEEDED, None, None),
        (FAILED, None, ErrorObject()),
    ]


@pytest.mark.parametrize("late_ms", [0, 5_000], ids=["that moment", "long ago"])
def test_a_retry_that_is_due_can_be_started_whoever_noticed(late_ms: int) -> None:
    """T1, S5."""
    retrying = an_operation(STEP, PENDING, "step", attempt=1, due_at_ms=NOW_MS - late_ms)
    step = stored(an_execution(retrying), a_step())["step"]
    assert (step.status, step.attempt, step.due_at_ms) == (STARTED, 1, None)


def test_a_retry_that_is_due_can_be_started_and_ended_at_once() -> None:
    """T1, S5, E2."""
    retrying = an_operation(STEP, PENDING, "step", attempt=1, due_at_ms=NOW_MS)
    step = stored(an_execution(retrying), a_step(), a_step(SUCCEED, payload="1"))["step"]
    assert (step.status, step.attempt, step.payload) == (SUCCEEDED, 2, "1")


def test_a_retry_is_not_started_before_its_time() -> None:
    """T1, S5."""
    retrying = an_operation(STEP, PENDING, "step", due_at_ms=NOW_MS + 1)
    assert refused(an_execution(retrying), a_step()) == "Invalid current STEP state to start."


def test_a_wait_that_is_over_cannot_be_cancelled_whoever_noticed() -> None:
    """T1."""
    over = an_operation(WAIT, STARTED, "wait", due_at_ms=NOW_MS)
    assert refused(an_execution(over), an_update(WAIT, CANCEL, "wait")) == (
        "Cannot cancel a WAIT that does not exist or has already completed."
    )


def test_a_wait_may_last_a_fraction_of_a_second() -> None:
    story = Story()
    options = WaitOptions(wait_milliseconds=250)
    story.checkpoint(
        an_update(OperationType.WAIT, OperationAction.START, "wait", wait_options=options)
    )
    wait = story.operation("wait")
    assert (wait.due_at_ms, wait.wait_ends_at_ms) == (story.now_ms + 250, story.now_ms + 250)
    assert wait.seconds == 1
    assert story.pass_ms(250).wake().operations["wait"].status is OperationStatus.SUCCEEDED
    assert story.operation("wait").wait_ends_at_ms == story.now_ms
