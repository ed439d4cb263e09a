"""Bytes and back: whatever the core makes of an execution survives being stored (D6, F4)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.core.event import Event
from perdure.core.execution import ExecutionKind
from perdure.protocol.words import EventType, ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import CorruptRowError
from perdure.store.rows import (
    checksum,
    decode_event_details,
    decode_identity,
    decode_message,
    decode_operation,
    decode_progress,
    execution_key,
    name_key,
    rows_of,
)
from tests.core.builders import FUNCTION_ARN, NOW_MS, ROOT_ID, a_start, an_operation
from tests.core.test_properties import outcomes

from .stores import a_change


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150))
def test_whatever_is_committed_is_read_back(seed: int, steps: int) -> None:
    """F4: the last reply and what has changed since as well."""
    for execution, _, _, outcome in outcomes(seed, steps):
        if not outcome.is_change:
            continue
        change = Change.of(outcome)
        rows = rows_of(change)
        assert rows.identity is None
        assert decode_progress(*rows.progress[-2:]) == change.progress
        assert rows.progress[:-2] == (
            change.progress.status,
            change.progress.version,
            change.progress.updated_at_ms,
            change.progress.wake_at_ms,
            change.progress.ready_at_ms,
            change.progress.lease_until_ms,
            change.progress.expires_at_ms,
        )
        read = [decode_operation(*operation) for _, _, *operation in rows.operations]
        assert read == [*change.operations]
        assert [row[0] for row in rows.operations] == [o.position for o in change.operations]
        positions = {o.position: o.id for o in execution.after(outcome).operations.values()}
        assert [
            Event(
                number,
                EventType(kind),
                at_ms,
                None if position is None else positions[position],
                decode_event_details(details, expected),
            )
            for number, kind, at_ms, position, details, expected in rows.events
        ] == [*change.events]
        assert [decode_message(row[3], row[4]) for row in rows.letters] == [
            letter.message for letter in change.letters
        ]
        assert rows.frees_name == (change.progress.status is ExecutionStatus.DELETING)


@pytest.mark.parametrize("kind", ExecutionKind)
def test_the_identity_goes_with_the_first_change(kind: ExecutionKind) -> None:
    """I1: only a durable execution has a name to share."""
    change = a_change(None, a_start(kind=kind, input_sha256=b"\x00\xff" * 16, depth=3))
    rows = rows_of(change)
    assert rows.identity is not None
    assert decode_identity(rows.identity, rows.identity_checksum) == change.identity
    is_durable = kind is ExecutionKind.DURABLE
    assert (rows.name_key, rows.function_arn) == (
        (name_key(FUNCTION_ARN, "order-1"), FUNCTION_ARN) if is_durable else (None, None)
    )
    assert (rows.key, rows.started_at_ms) == (bytes.fromhex(ROOT_ID), NOW_MS)


def test_a_name_belongs_to_a_function() -> None:
    keys = {name_key(arn, name) for arn in ("arn:f", "arn:g") for name in ("a", "b")}
    assert (len(keys), {len(key) for key in keys}) == (4, {16})


def test_an_id_is_stored_in_half_its_length() -> None:
    assert execution_key("00ff" * 8) == b"\x00\xff" * 8


@pytest.mark.parametrize(
    ("parts", "others"),
    [
        ((b"ab", b"c"), (b"ab", b"d")),
        ((b"ab", b"c"), (b"b", b"ac")),
        ((b"a", None), (b"b", None)),
    ],
    ids=["a byte", "an order", "with nothing"],
)
def test_a_checksum_tells_rows_apart(
    parts: tuple[bytes | None, ...], others: tuple[bytes | None, ...]
) -> None:
    """D6."""
    assert checksum(*parts) != checksum(*others)


def test_what_does_not_have_its_checksum_is_not_decoded() -> None:
    """D6."""
    rows = rows_of(a_change(None, a_start()))
    _, _, *operation, expected = rows.operations[0]
    assert rows.identity is not None
    for read in (
        lambda: decode_identity(rows.identity or b"", rows.identity_checksum + 1),
        lambda: decode_progress(rows.progress[-2], rows.progress[-1] + 1),
        lambda: decode_operation(*operation, expected + 1),
        lambda: decode_event_details(b"{}", checksum(b"{}") + 1),
    ):
        with pytest.raises(CorruptRowError, match="does not have its checksum"):
            read()


@pytest.mark.parametrize(
    ("body", "expected", "details"),
    [
        (None, None, None),
        (b'{"a":1}', None, {"a": 1}),
        (b'{"a":1}', checksum(b'{"a":1}'), {"a": 1}),
    ],
    ids=["none", "of an older file", "checked"],
)
def test_details_are_read(body: bytes | None, expected: int | None, details: object) -> None:
    assert decode_event_details(body, expected) == details


def test_a_lone_surrogate_is_no_row() -> None:
    """What cannot be stored is said before anything is."""
    with pytest.raises(UnicodeEncodeError):
        rows_of(a_change(None, a_start(payload=None, name="\ud800")))
    assert an_operation(payload="\x00").payload == "\x00"
