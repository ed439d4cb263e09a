"""Changes as rows and back: whatever the core makes of an execution survives being stored, and what
has changed since is not served (D6, F4).
"""

import dataclasses
import hashlib
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perdure.core.execution import ExecutionKind
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change
from perdure.store.protocol import CorruptRowError
from perdure.store.rows import (
    _seal,
    execution_key,
    letter_checksum,
    read_events,
    read_identity,
    read_letter,
    read_operation,
    read_pin,
    read_progress,
    read_record,
    record_checksum,
    rows_of,
)
from tests.core.builders import FUNCTION_ARN, NOW_MS, ROOT_ID, a_start
from tests.core.test_properties import outcomes

from .stores import a_change

KEY = execution_key(ROOT_ID)


def state_row(rows: Any) -> tuple[Any, ...]:
    """Return a change's progress as its row is read."""
    *said, body, checksum = rows.state
    return (*said, *rows.due, body, checksum)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 150))
def test_whatever_is_committed_is_read_back(seed: int, steps: int) -> None:
    """F4: the last reply and what has changed since as well."""
    for execution, _, _, outcome in outcomes(seed, steps):
        if not outcome.is_change:
            continue
        change = Change.of(outcome)
        rows, key = rows_of(change), execution_key(change.execution_id)
        assert (rows.key, rows.first) == (key, None)
        assert read_progress(key, state_row(rows)) == change.progress
        read = [read_operation(key, position, row) for position, *row in rows.operations]
        assert read == [*change.operations]
        ids = {o.position: o.id for o in execution.after(outcome).operations.values()}
        events = [line for row in rows.events for line in read_events(key, *row)]
        assert [
            event._replace(operation_id=None if position is None else ids[position])
            for event, position in events
        ] == [*change.events]
        assert [read_letter(row) for row in rows.letters] == [*change.letters]
        assert rows.frees_name == (change.progress.status is ExecutionStatus.DELETING)


@pytest.mark.parametrize("kind", ExecutionKind)
def test_the_identity_goes_with_the_first_change(kind: ExecutionKind) -> None:
    """I1: only a durable execution has a name to share."""
    change = a_change(None, a_start(kind=kind, input_sha256=b"\x00\xff" * 16, depth=3))
    first = rows_of(change).first
    assert first is not None
    pin, *row = first
    assert read_identity(KEY, pin.body, row) == change.identity
    is_durable = kind is ExecutionKind.DURABLE
    assert (pin.function_arn, pin.version, pin.is_durable) == (FUNCTION_ARN, "1", is_durable)
    assert (first.name, first.started_at_ms) == ("order-1", NOW_MS)


def test_an_id_is_stored_in_half_its_length() -> None:
    assert execution_key("00ff" * 8) == b"\x00\xff" * 8


def a_stored_life() -> list[tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Return a way to read each kind of row, and a row of that kind."""
    change = a_change(None, a_start(payload="input"))
    rows = rows_of(change)
    assert rows.first is not None
    pin, *identity = rows.first
    position, *operation = rows.operations[0]
    letter = ("id", KEY, NOW_MS, "announce-end", b'{"status":"STOPPED"}')
    return [
        (lambda *row: read_identity(KEY, pin.body, row), tuple(identity)),
        (lambda *row: read_progress(KEY, row), state_row(rows)),
        (lambda *row: read_operation(KEY, position, row), tuple(operation)),
        (lambda *row: read_events(KEY, *row), rows.events[0]),
        (
            lambda *row: read_record("c", row),
            ("k", 2, b"body", record_checksum("c", "k", 2, b"body")),
        ),
        (lambda *row: read_letter(row), (*letter, letter_checksum(letter))),
    ]


def another(value: Any) -> list[Any]:
    """Return values that a damaged one may be read as."""
    if isinstance(value, bytes):
        flips = [bytes([*value[:i], value[i] ^ 1, *value[i + 1 :]]) for i in range(len(value))]
        return [*flips, value[:-1] or b"x", value + b"\0", None, 7]
    if isinstance(value, str):
        return [f"{value}x", "", "\udc80", value.encode(), None]
    return [0 if value is None else value + 1, -1, None if value is not None else 1, 0.5, "text"]


@pytest.mark.parametrize(
    "number", range(6), ids=["identity", "progress", "operation", "events", "record", "letter"]
)
def test_no_part_of_a_row_can_change_unnoticed(number: int) -> None:
    """D6: keys, instants and numbers as well."""
    read, row = a_stored_life()[number]
    read(*row)
    for place, value in enumerate(row):
        for damaged in another(value):
            with pytest.raises(CorruptRowError):
                read(*row[:place], damaged, *row[place + 1 :])


def test_a_row_of_another_execution_is_not_served() -> None:
    """D6: though its own bytes are right."""
    change = a_change(None, a_start())
    rows = rows_of(change)
    other = bytes([KEY[0] ^ 1, *KEY[1:]])
    assert rows.first is not None
    pin, *identity = rows.first
    position, *operation = rows.operations[0]
    for read in (
        lambda: read_identity(other, pin.body, identity),
        lambda: read_identity(KEY, pin.body + b"\0", identity),
        lambda: read_progress(other, state_row(rows)),
        lambda: read_operation(other, position, operation),
        lambda: read_operation(KEY, position + 1, operation),
        lambda: read_events(other, *rows.events[0]),
    ):
        with pytest.raises(CorruptRowError, match="does not have its checksum"):
            read()


def test_what_is_whole_and_still_makes_no_sense_is_an_unreadable_row() -> None:
    """D6, V3: a word of a later version, for one."""
    seed = zlib.crc32(KEY)
    nonsense = b"\xc1"
    state = ("NOBODY KNOWS", 1, NOW_MS, None, None, None, None, b"\x90")
    for read in (
        lambda: read_identity(
            KEY, b"\x80", ("n", 1, nonsense, _seal(seed, ("n", 1, digest_of(b"\x80"), nonsense)))
        ),
        lambda: read_progress(KEY, (*state, _seal(seed, state))),
        lambda: read_operation(
            KEY, 2, ("id", nonsense, None, None, _seal(seed, (2, "id", nonsense), None, None))
        ),
        lambda: read_events(KEY, 1, b"\x92\x01\x91\x63", _seal(seed, (1, b"\x92\x01\x91\x63"))),
        lambda: read_letter(
            (
                "id",
                KEY,
                1,
                "unheard-of",
                b"{}",
                letter_checksum(("id", KEY, 1, "unheard-of", b"{}")),
            )
        ),
    ):
        with pytest.raises(CorruptRowError, match="cannot be read"):
            read()


def digest_of(pin: bytes) -> bytes:
    return hashlib.blake2b(pin, digest_size=16).digest()


def test_of_a_pin_the_one_that_is_whole_is_read() -> None:
    """D6: it is kept twice, since many executions depend on it."""
    first = rows_of(a_change(None, a_start())).first
    assert first is not None
    digest, body = first.pin.digest, first.pin.body
    damaged = body[:-1] + b"\xff"
    for columns in [
        (digest, body, body),
        (digest, damaged, body),
        (digest, body, damaged),
        (b"damaged", body, body),
    ]:
        assert read_pin(*columns) == body
    with pytest.raises(CorruptRowError):
        read_pin(digest, damaged, body + b"\0")


@pytest.mark.parametrize(
    "members", [{"name": "\ud800"}, {"payload": "\ud800"}, {"retries_max": 1 << 70}]
)
def test_what_cannot_be_stored_is_refused_before_anything_is(members: dict[str, Any]) -> None:
    """It costs only its caller: nothing of it reaches the writer."""
    with pytest.raises((UnicodeEncodeError, OverflowError)):
        rows_of(a_change(None, a_start(**({"payload": None} | members))))


def test_an_operation_whose_id_is_no_text_is_refused() -> None:
    change = a_change(None, a_start())
    (operation,) = change.operations
    bad = dataclasses.replace(change, operations=(operation._replace(id="\ud800"),), events=())
    with pytest.raises(UnicodeEncodeError):
        rows_of(bad)
