"""The serdes are AWS's: the same bytes, the same values, errors in the same places."""

import json
import math
import sys
import uuid
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import aws_durable_execution_sdk_python.serdes as aws
import pytest
from aws_durable_execution_sdk_python.concurrency.models import BatchResult as AwsBatchResult
from hypothesis import given
from hypothesis import strategies as st

from perdure import serdes as door
from perdure.sdk import serdes
from perdure.sdk.batches import BatchResult
from perdure.sdk.exceptions import RetryableSerDesError, SerDesError
from perdure.sdk.serdes import (
    DEFAULT_JSON_SERDES,
    EXTENDED_TYPES_SERDES,
    PASS_THROUGH_SERDES,
    SerDes,
    SerDesContext,
    deserialize,
    serialize,
)
from tests.sdk.serdes_samples import stable_repr

ZONES = st.none() | st.integers(-23 * 60, 23 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.uuids()
    | st.decimals()
    | st.datetimes(timezones=ZONES)
    | st.dates()
)
KEYS = st.text() | st.integers() | st.floats() | st.booleans() | st.none()


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=5)
    return (
        lists
        | lists.map(tuple)
        | st.dictionaries(KEYS, values, max_size=5)
        | st.dictionaries(st.sampled_from("tv"), values)
    )


VALUES = st.recursive(LEAVES, _containers, max_leaves=20)

_TAGS = [tag.value for tag in aws.TypeTag]
#: What JSON may hold, much of it in envelopes, some of these wrong.
_JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("2024-02-29")
TREES = st.recursive(
    _JSON,
    lambda trees: (
        st.lists(trees, max_size=3)
        | st.dictionaries(st.text(max_size=2), trees, max_size=3)
        | st.fixed_dictionaries({"t": st.sampled_from(_TAGS), "v": trees})
        | st.fixed_dictionaries({"t": trees, "v": trees})
    ),
    max_leaves=10,
)


class Name(str):
    """Text of a class of its own."""


class Count(int):
    """A number of a class of its own."""


class Share(float):
    """A number of a class of its own."""


class Row(list[Any]):
    """A list of a class of its own."""


class Moment(datetime):
    """A datetime of a class of its own, as of pendulum or pandas."""


ODD_VALUES = [
    bytearray(b"abc"),
    memoryview(b"abc"),
    OrderedDict(a=1),
    defaultdict(list, a=[1]),
    Name("name"),
    Count(5),
    Share(0.5),
    Share("nan"),
    Row([1, 2]),
    Row([1, {}]),
    [Name("name"), Count(5), [Share(1)]],
    {"a": [Name("näme"), Count(5), Share("inf"), Row([(1,)])]},
    {Name("key"): 1, Count(5): 2, Share(1.5): 3, None: 4, True: 5, math.inf: 6},
    Moment(2024, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    {1: "a", "1": "b"},
    "\ud800 \x00 \u2028 \N{SNOWMAN} \U0001f600",
    {"\ud800\x7f": '\\"/'},
    [[[[]]], []],
    [[[[()]]], []],
    {"t": "x", "v": 1},
    {"t": {"t": "s", "v": 1}, "v": ()},
    2**200,
    [2**64, -0.0, 1e300, math.nan, math.inf, -math.inf],
    {"a": [2**64, -0.0, 1e300, math.nan, math.inf, -math.inf]},
    sys.float_info,
]


def _extended(value: object) -> str:
    return EXTENDED_TYPES_SERDES.serialize(value, SerDesContext())


@given(VALUES)
def test_a_value_is_written_as_aws_writes_it_and_each_reads_the_other(value: object) -> None:
    payload = _extended(value)
    theirs = aws.EXTENDED_TYPES_SERDES.serialize(value, aws.SerDesContext())
    assert payload == theirs
    assert repr(EXTENDED_TYPES_SERDES.deserialize(payload, SerDesContext())) == repr(
        aws.EXTENDED_TYPES_SERDES.deserialize(payload, aws.SerDesContext())
    )


@pytest.mark.parametrize("value", ODD_VALUES, ids=stable_repr)
def test_what_comes_back_as_something_simpler_is_written_as_aws_writes_it(value: object) -> None:
    assert _extended(value) == aws.EXTENDED_TYPES_SERDES.serialize(value, aws.SerDesContext())


@given(TREES)
def test_a_payload_is_read_as_aws_reads_it_or_refused_as_there(tree: object) -> None:
    payload = json.dumps(tree)
    assert _outcome(deserialize, payload, SerDesError) == _outcome(
        aws.deserialize, payload, aws.SerDesError
    )


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "{",
        "nothing",
        "{}",
        '{"t":"s"}',
        '{"v":1}',
        '[{"t":"s","v":"a"}]',
        '{"t":"zz","v":1}',
        '{"t":5,"v":1}',
        '{"t":["s"],"v":1}',
        '{"t":"l","v":[{"t":"zz","v":1}]}',
        "[[{}]]",
        '{"t":"l","v":{}}',
        '{"t":"t","v":"ab"}',
        '{"t":"m","v":[]}',
        '{"t":"br","v":{}}',
        '{"t":"u","v":"no"}',
        '{"t":"d","v":"no"}',
        '{"t":"dt","v":"no"}',
        '{"t":"D","v":5}',
        '{"t":"B","v":5}',
        '{"t":"l","v":[{"t":["s"],"v":1}]}',
        "null",
        '{"t":"n","v":5}',
        '{"t":"dt","v":"2024-02-29T12:00:00Z"}',
        '{"t":"s","v":"a","x":1}',
    ],
)
def test_a_broken_payload_is_refused_as_by_aws(payload: str) -> None:
    assert _outcome(deserialize, payload, SerDesError) == _outcome(
        aws.deserialize, payload, aws.SerDesError
    )


def _outcome(read: Callable[..., object], payload: str, error: type[Exception]) -> str:
    try:
        return repr(read(None, payload, "operation", "arn"))
    except error:
        return "refused"


@given(st.lists(VALUES, max_size=4))
def test_a_batch_is_written_as_aws_writes_it(results: list[object]) -> None:
    data = {
        "all": [
            {"index": index, "status": "SUCCEEDED", "result": result, "error": None}
            for index, result in enumerate(results)
        ]
        + [
            {"index": 9, "status": "FAILED", "result": None, "error": {"ErrorMessage": "no"}},
            {"index": 10, "status": "STARTED", "result": None, "error": None},
        ],
        "completionReason": "ALL_COMPLETED",
    }
    ours, theirs = BatchResult[Any].from_dict(data), AwsBatchResult.from_dict(data)
    payload = _extended(ours)
    assert payload == aws.EXTENDED_TYPES_SERDES.serialize(theirs, aws.SerDesContext())
    read = EXTENDED_TYPES_SERDES.deserialize(payload, SerDesContext())
    assert isinstance(read, BatchResult)
    assert _extended(read) == payload


@pytest.mark.parametrize(
    "value", [object(), {"a": [object()]}, (object(),), Ellipsis], ids=range(4)
)
def test_what_neither_can_write_is_an_error_of_the_same_kind(value: object) -> None:
    with pytest.raises(SerDesError, match="unsupported type: <class") as raised:
        serialize(None, value, "operation", "arn")
    with pytest.raises(aws.SerDesError):
        aws.serialize(None, value, "operation", "arn")
    assert type(raised.value) is SerDesError


def test_an_error_says_where_the_value_is() -> None:
    with pytest.raises(SerDesError, match=r"<class 'object'> at \['orders'\]\[1\]\[0\]; give"):
        _extended({"id": "a", "orders": [1, (object(),)]})


def test_a_value_that_holds_itself_is_an_error() -> None:
    loop: list[object] = []
    loop.append(loop)
    for value in (loop, {"loop": loop}):
        with pytest.raises(SerDesError, match="serialization failed for id operation: maximum rec"):
            serialize(None, value, "operation", "arn")


@given(st.recursive(st.text() | st.integers() | st.none() | st.floats(), st.lists))
def test_plain_values_are_plain_json(value: object) -> None:
    assert _extended(value) == json.dumps(value, separators=(",", ":"))


@given(VALUES)
def test_is_primitive_is_awss(value: object) -> None:
    assert SerDes.is_primitive(value) is aws.SerDes.is_primitive(value)
    assert SerDes.is_primitive([1, value]) is aws.SerDes.is_primitive([1, value])


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_json_is_awss(value: object) -> None:
    payload = DEFAULT_JSON_SERDES.serialize({"a": value}, SerDesContext())
    assert payload == aws.DEFAULT_JSON_SERDES.serialize({"a": value}, aws.SerDesContext())
    assert DEFAULT_JSON_SERDES.deserialize(payload, SerDesContext()) == {"a": value}


def test_pass_through_changes_nothing() -> None:
    assert PASS_THROUGH_SERDES.serialize("{", SerDesContext()) == "{"
    assert PASS_THROUGH_SERDES.deserialize("{", SerDesContext()) == "{"


def test_a_serdes_without_a_method_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="abstract"):
        SerDes()  # type: ignore[abstract]


class Recording(SerDes[str]):
    """Notes for whom it was called, or raises what it was given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.calls: list[SerDesContext] = []

    def __len__(self) -> int:
        return 0

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return self._answer(value.upper(), serdes_context)

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return self._answer(data.lower(), serdes_context)

    def _answer(self, answer: str, context: SerDesContext) -> str:
        self.calls.append(context)
        if self.error:
            raise self.error
        return answer


def test_a_serdes_is_told_whose_value_it_is() -> None:
    recording = Recording()
    assert serialize(recording, "a", "operation", "arn") == "A"
    assert deserialize(recording, "A", "operation", "arn") == "a"
    assert recording.calls == [SerDesContext("operation", "arn")] * 2


def test_without_a_serdes_the_default_is_used() -> None:
    value = (uuid.UUID(int=1), Decimal("1.50"), date(2024, 2, 29))
    assert (
        deserialize(None, serialize(None, value, "operation", "arn"), "operation", "arn") == value
    )


@pytest.mark.parametrize("error", [SerDesError("no", data="kept"), RetryableSerDesError("later")])
def test_an_error_of_a_serdes_stays_what_it_is(error: Exception) -> None:
    for call in (serialize, deserialize):
        with pytest.raises(type(error)) as raised:
            call(Recording(error), "a", "operation", "arn")
        assert raised.value is error


def test_any_other_error_of_a_serdes_becomes_one_for_good() -> None:
    for call in (serialize, deserialize):
        error = KeyError("gone")
        with pytest.raises(SerDesError, match="for id operation: 'gone'") as raised:
            call(Recording(error), "a", "operation", "arn")
        assert raised.value.__cause__ is error


def test_the_door_has_all_names() -> None:
    assert set(serdes.__all__) <= set(door.__all__)
    assert {getattr(door, name) is not None for name in door.__all__} == {True}
