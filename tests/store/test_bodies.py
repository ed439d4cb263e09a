"""Values as bytes and back: nothing is lost, and what was once written stays readable."""

import dataclasses
from typing import Any

import msgspec
import pytest

from perdure.core.event import Event
from perdure.core.execution import ExecutionKind, Identity, LastReply, ParentLink, Pause, Progress
from perdure.core.operation import Operation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import (
    EventType,
    ExecutionStatus,
    OperationStatus,
    OperationType,
)
from perdure.store import codes
from perdure.store.bodies import (
    decode_operation,
    decode_progress,
    encode_operation,
    encode_progress,
)
from perdure.store.codes import pack, unpack
from perdure.store.event_bodies import decode_events, encode_events
from perdure.store.identity_bodies import decode_identity, encode_identity, encode_pin
from tests.core.builders import NOW_MS, an_identity, an_operation

UUID = "01234567-89ab-4cde-8f01-23456789abcd"
ERROR = ErrorObject(error_message="m", error_type="t", error_data="d", stack_trace=("one", "two"))
#: Every member has a value of its own.
OPERATION = Operation(
    id="5" * 64,
    type=OperationType.CHAINED_INVOKE,
    status=OperationStatus.FAILED,
    started_at_ms=NOW_MS,
    sequence=9,
    position=4,
    sub_type="ours",
    name="name",
    parent_id="ab" * 32,
    ended_at_ms=NOW_MS + 1,
    attempt=2,
    due_at_ms=NOW_MS + 3,
    heartbeat_due_at_ms=NOW_MS - 4,
    heartbeat_seconds=5,
    seconds=6,
    payload="payload",
    error=ERROR,
    input="input",
    replay_children=True,
    target="g:1",
    tenant_id="tenant",
    child_arn="arn",
    child_version="7",
    span_ms=250,
)
REPLY = LastReply(
    client_token=UUID,
    inbound_sequence=1,
    outbound_sequence=2,
    updates_sha256=b"\x01",
    after_sequence=3,
    until_sequence=4,
    at_ms=NOW_MS - 5,
    earlier=(OPERATION,),
)
PROGRESS = Progress(
    status=ExecutionStatus.PAUSING,
    version=1,
    updated_at_ms=NOW_MS,
    epoch=2,
    token_sequence=3,
    nonce_sha256=b"\x02",
    lease_owner="owner",
    lease_until_ms=NOW_MS + 4,
    request_id=UUID,
    invoked_at_ms=NOW_MS - 5,
    failures=6,
    ready_at_ms=NOW_MS + 7,
    owes_invocation=True,
    timeout_at_ms=NOW_MS + 8,
    timeout_left_ms=9,
    wake_at_ms=NOW_MS + 10,
    sequence=11,
    seen_sequence=12,
    event_count=13,
    operation_count=14,
    stored_bytes=15,
    ended_at_ms=NOW_MS + 16,
    expires_at_ms=NOW_MS + 17,
    pause=Pause(NOW_MS, True, "reason", "token"),
    resume_token="resume",
    last_reply=REPLY,
    quarantine="why",
    ended_pause_token="pause",
)
IDENTITY = Identity(
    id="0f" * 16,
    name=UUID,
    arn=f"stem/{UUID}/{'0f' * 16}",
    kind=ExecutionKind.PLAIN,
    function_arn="arn:f",
    invoked_arn="arn:f:alias",
    version="3",
    code_sha256="code",
    revision_id="revision",
    started_at_ms=NOW_MS,
    execution_timeout_seconds=4,
    retention_days=5,
    input_sha256=b"\x03",
    parent=ParentLink("1f" * 16, "6" * 64),
    depth=7,
    retries_max=8,
    tenant_id="tenant",
    trace_id="trace",
    is_announced=True,
)


def kept_operation(operation: Operation, body: bytes | None = None) -> Operation:
    payload = None if operation.payload is None else operation.payload.encode()
    entered = None if operation.input is None else operation.input.encode()
    body = encode_operation(operation) if body is None else body
    return decode_operation(operation.id, operation.position, body, payload, entered)


def kept_progress(progress: Progress, body: bytes | None = None) -> Progress:
    due = (
        progress.wake_at_ms,
        progress.ready_at_ms,
        progress.lease_until_ms,
        progress.expires_at_ms,
    )
    body = encode_progress(progress) if body is None else body
    return decode_progress(
        str(progress.status), progress.version, progress.updated_at_ms, due, body
    )


def kept_identity(identity: Identity) -> Identity:
    name, pin, body = pack(identity.name), encode_pin(identity), encode_identity(identity)
    assert name is not None
    return decode_identity(identity.id, name, identity.started_at_ms, pin, body)


def members(value: Any) -> list[str]:
    if dataclasses.is_dataclass(value):
        return [field.name for field in dataclasses.fields(value)]
    return list(value._fields)


@pytest.mark.parametrize("name", members(OPERATION))
def test_no_member_of_an_operation_is_lost(name: str) -> None:
    """Whatever a member that is added later is called: it must have a value above."""
    default = Operation._field_defaults.get(name)
    assert getattr(OPERATION, name) != default
    if name in Operation._field_defaults:
        bare = an_operation(sequence=1, position=1)
        for operation in (
            OPERATION._replace(**{name: default}),
            bare._replace(**{name: getattr(OPERATION, name)}),
        ):
            assert kept_operation(operation) == operation
    assert kept_operation(OPERATION) == OPERATION


@pytest.mark.parametrize("name", members(PROGRESS))
def test_no_member_of_progress_is_lost(name: str) -> None:
    default = Progress._field_defaults[name]
    assert getattr(PROGRESS, name) != default
    bare = Progress(updated_at_ms=NOW_MS)
    for progress in (
        PROGRESS,
        bare,
        bare._replace(**{name: getattr(PROGRESS, name)}),
        PROGRESS if name == "updated_at_ms" else PROGRESS._replace(**{name: default}),
    ):
        assert kept_progress(progress) == progress


@pytest.mark.parametrize("name", members(IDENTITY))
def test_no_member_of_an_identity_is_lost(name: str) -> None:
    bare = an_identity()
    for identity in (
        IDENTITY,
        bare,
        dataclasses.replace(bare, **{name: getattr(IDENTITY, name)}),
        dataclasses.replace(IDENTITY, **{name: getattr(bare, name)}),
    ):
        assert kept_identity(identity) == identity


@pytest.mark.parametrize("name", members(ERROR))
def test_no_member_of_an_error_is_lost(name: str) -> None:
    assert getattr(ERROR, name) is not None
    for error in (ErrorObject(), dataclasses.replace(ERROR, **{name: None})):
        operation = an_operation(sequence=1, position=1, error=error)
        assert kept_operation(operation) == operation


@pytest.mark.parametrize("members_then", [13, 17, 18, 19])
def test_an_operation_of_a_time_with_fewer_members_is_read(members_then: int) -> None:
    """V3: those it did not have are at their defaults."""
    values = msgspec.msgpack.decode(encode_operation(OPERATION))
    assert len(values) == 19
    body = msgspec.msgpack.encode(values[:members_then])
    later = ("replay_children", "target", "tenant_id", "child_arn", "child_version", "span_ms")
    missing = later[members_then - 13 :]
    defaults = {name: Operation._field_defaults[name] for name in missing}
    assert kept_operation(OPERATION, body) == OPERATION._replace(**defaults)


def test_progress_of_a_time_with_fewer_members_is_read() -> None:
    """V3."""
    *values, last = msgspec.msgpack.decode(encode_progress(PROGRESS))
    assert last == PROGRESS.ended_pause_token
    body = msgspec.msgpack.encode(values)
    assert kept_progress(PROGRESS, body) == PROGRESS._replace(ended_pause_token=None)


@pytest.mark.parametrize(
    "details",
    [
        None,
        {},
        {"attempt": 1},
        {"started_at_ms": NOW_MS - 9, "ended_at_ms": None, "request_id": UUID},
        {"ended_at_ms": 0, "request_id": None, "error": {"type": "t", "stack": ["a"]}},
        {"of our own": "text", "at_ms": 3, "timeout_paused": False, "reason": ""},
    ],
    ids=str,
)
@pytest.mark.parametrize("operation_id", [None, "op"])
@pytest.mark.parametrize("later_ms", [0, 7])
def test_events_are_kept(later_ms: int, operation_id: str | None, details: Any) -> None:
    events = [
        Event(4, EventType.STEP_STARTED, NOW_MS, "op"),
        Event(5, EventType.INVOCATION_COMPLETED, NOW_MS + later_ms, operation_id, details),
        Event(6, EventType.EXECUTION_PAUSED, NOW_MS),
    ]
    read = decode_events(4, encode_events(events, {"op": 3}))
    named = [event._replace(operation_id=None if p is None else "op") for event, p in read]
    assert named == events
    assert {position for _, position in read} <= {None, 3}


def test_the_same_start_again_shares_its_pin() -> None:
    own = {
        "id": "f" * 32,
        "name": "other",
        "started_at_ms": NOW_MS + 1,
        "input_sha256": b"",
        "parent": None,
        "depth": 0,
        "tenant_id": None,
        "trace_id": None,
        "arn": f"stem/other/{'f' * 32}",
    }
    assert encode_pin(dataclasses.replace(IDENTITY, **own)) == encode_pin(IDENTITY)
    for name in {*members(IDENTITY)} - {*own}:
        other = dataclasses.replace(IDENTITY, **{name: "other"})
        assert encode_pin(other) != encode_pin(IDENTITY)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("ab" * 16, 16),
        ("01" * 32, 32),
        (UUID, 17),
        ("AB" * 16, 32),
        ("zz" * 16, 32),
        ("ab" * 17, 34),
        ("", 0),
    ],
)
def test_an_id_is_packed_only_if_it_can_be_unpacked(text: str, size: int) -> None:
    packed = pack(text)
    assert packed is not None
    assert (len(packed), unpack(packed)) == (size, text)
    assert (pack(None), unpack(None)) == (None, None)


def test_every_word_has_a_number() -> None:
    assert {*codes.EVENTS} == {*EventType}
    assert {*codes.STATES.values()} == {
        (kind, status) for kind in OperationType for status in OperationStatus
    }


def test_numbers_are_for_ever() -> None:
    """V3: a word that is new comes at the end, here too."""
    assert " ".join(codes.EVENTS) == (
        "ExecutionStarted ExecutionSucceeded ExecutionFailed ExecutionTimedOut ExecutionStopped"
        " ContextStarted ContextSucceeded ContextFailed WaitStarted WaitSucceeded WaitCancelled"
        " StepStarted StepSucceeded StepFailed ChainedInvokeStarted ChainedInvokeSucceeded"
        " ChainedInvokeFailed ChainedInvokeTimedOut ChainedInvokeStopped CallbackStarted"
        " CallbackSucceeded CallbackFailed CallbackTimedOut InvocationCompleted ExecutionPaused"
        " ExecutionResumed"
    )
    kinds = ["EXECUTION", "CONTEXT", "STEP", "WAIT", "CALLBACK", "CHAINED_INVOKE"]
    statuses = [
        *("STARTED", "PENDING", "READY", "SUCCEEDED"),
        *("FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"),
    ]
    assert {number: (str(k), str(s)) for number, (k, s) in codes.STATES.items()} == {
        16 * k + s: (kind, status)
        for k, kind in enumerate(kinds)
        for s, status in enumerate(statuses)
    }
    assert " ".join(codes.SUB_TYPES) == (
        "Step Wait Callback RunInChildContext Map MapIteration Parallel ParallelBranch"
        " WaitForCallback WaitForCondition ChainedInvoke"
    )
    assert " ".join(codes.DETAILS) == (
        "attempt delay_seconds payload error request_id started_at_ms ended_at_ms reason"
        " timeout_paused"
    )


def test_bodies_are_as_they_were_first_written() -> None:
    """V3: a change of these bytes needs a migration."""
    bare = an_operation(name="n", sub_type="Step", sequence=3, position=2, attempt=1)
    assert encode_operation(bare).hex() == "9820cf0000018bcfe5680001a16e00c001c0"
    progress = Progress(updated_at_ms=NOW_MS, sequence=4, epoch=1, timeout_at_ms=NOW_MS + 9)
    assert encode_progress(progress).hex() == "990100040000000009c0"
    assert len(encode_operation(OPERATION)) < len(msgspec.json.encode(OPERATION)) / 2
