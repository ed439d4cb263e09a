"""What is read at once is what the codec reads, and the codec has the last word."""

import contextlib
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.api.binding import Binding
from perdure.api.documents import QuickReader
from perdure.protocol.calls import CALLS
from perdure.protocol.executions import CheckpointDurableExecutionRequest
from perdure.protocol.functions import CreateFunctionRequest
from perdure.protocol.operations import OperationUpdate
from perdure.protocol.wire import Location, WireError, decode, encode, members
from perdure.protocol.words import OperationAction, OperationType
from tests.protocol.strategies import json_values, shapes

from .fakes import EXECUTION_ARN, TOKEN


def _reader(shape: type) -> QuickReader | None:
    with contextlib.suppress(TypeError):
        return QuickReader(shape)
    return None


READERS = {call.request: reader for call in CALLS if (reader := _reader(call.request))}


def _parted(shape: type, data: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what of a shape travels in the body, and what in the path."""
    elsewhere = {m.wire for m in members(shape) if m.location is not Location.BODY}
    body = {wire: value for wire, value in data.items() if wire not in elsewhere}
    return body, {wire: data[wire] for wire in elsewhere}


def test_a_checkpoint_is_read_at_once() -> None:
    update = {"Id": "a", "Type": "STEP", "Action": "SUCCEED", "Payload": "", "Error": None}
    body = {"CheckpointToken": TOKEN, "Updates": [update], "DurableExecutionArn": 5}
    labels = {"DurableExecutionArn": EXECUTION_ARN}
    read = QuickReader(CheckpointDurableExecutionRequest).read(msgspec.json.encode(body), labels)
    assert read == CheckpointDurableExecutionRequest(
        durable_execution_arn=EXECUTION_ARN,
        checkpoint_token=TOKEN,
        updates=(
            OperationUpdate(
                id="a", type=OperationType.STEP, action=OperationAction.SUCCEED, payload=""
            ),
        ),
    )


@pytest.mark.parametrize("shape", READERS, ids=lambda shape: shape.__name__)
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_as_it_must_be_is_read_as_by_the_codec(shape: type, data: st.DataObject) -> None:
    value = data.draw(shapes(shape))
    body, labels = _parted(shape, encode(value))
    read = READERS[shape].read(msgspec.json.encode(body), labels)
    assert read == value
    assert type(read) is shape


@pytest.mark.parametrize("shape", READERS, ids=lambda shape: shape.__name__)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_what_is_spoiled_is_read_as_by_the_codec_or_left_to_it(
    shape: type, data: st.DataObject
) -> None:
    whole, labels = _parted(shape, encode(data.draw(shapes(shape))))
    wires = [m.wire for m in members(shape) if m.location is Location.BODY]
    strange = data.draw(st.dictionaries(st.sampled_from([*wires, "X"]), json_values))
    if data.draw(st.booleans()) and isinstance(whole.get("Updates"), list):
        names = [m.wire for m in members(OperationUpdate)]
        for update in whole["Updates"]:
            update |= data.draw(st.dictionaries(st.sampled_from(names), json_values, max_size=1))
    else:
        whole |= strange
    text = msgspec.json.encode(whole)
    read = READERS[shape].read(text, labels)
    if read is not None:
        assert repr(read) == repr(decode(shape, {**msgspec.json.decode(text), **labels}))


def test_a_bad_label_is_named() -> None:
    body = msgspec.json.encode({"CheckpointToken": TOKEN})
    reader = QuickReader(CheckpointDurableExecutionRequest)
    with pytest.raises(WireError, match=r"^DurableExecutionArn does not match"):
        reader.read(body, {"DurableExecutionArn": "x"})


def test_what_the_codec_reads_otherwise_is_left_to_it() -> None:
    with pytest.raises(TypeError):
        QuickReader(CreateFunctionRequest)


def test_an_unusual_checkpoint_is_read_by_the_codec() -> None:
    call = next(call for call in CALLS if call.request is CheckpointDurableExecutionRequest)
    body = b'{"CheckpointToken": "%s", "Unknown": 1}' % TOKEN.encode()
    read = Binding(call).request({"DurableExecutionArn": EXECUTION_ARN}, b"", {}, body)
    assert isinstance(read, CheckpointDurableExecutionRequest)
    assert read.checkpoint_token == TOKEN
