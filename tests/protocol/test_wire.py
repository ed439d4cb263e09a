"""The codec: what goes in comes out, what is wrong is said with its path."""

import enum
import json
from dataclasses import dataclass, field
from typing import Annotated, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure.protocol.calls import CALLS, LOGS_CALLS
from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.invocations import InvocationAnswer, InvocationEnvelope
from perdure.protocol.operations import Operation, OperationUpdate
from perdure.protocol.wire import (
    IN_URI,
    Instant,
    Location,
    TimeUnit,
    WireError,
    bound,
    camel_case,
    decode,
    encode,
    members,
    wire_name,
)

from .strategies import json_values, shapes


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    size: Annotated[int, Number(1, 3)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One member of each kind."""

    name: Annotated[str, Text(1, 5, "[a-z]+")]
    flag: bool | None = None
    count: int | None = None
    ratio: float | None = None
    colour: Colour | None = None
    blob: Annotated[bytes, Text(0, 4)] | None = None
    at: Instant | None = None
    inner: Inner | None = None
    names: Annotated[tuple[str, ...], Items(1, 2)] | None = None
    blobs: tuple[bytes, ...] | None = None
    weights: dict[Annotated[str, Text(pattern="[0-9]")], Annotated[float, Number(0.0, 1.0)]] | (
        None
    ) = None
    inners: dict[str, Inner] | None = None
    kms_key_arn: str | None = field(default=None, metadata=wire_name("KMSKeyArn"))
    place: str | None = field(default=None, metadata=IN_URI)
    header: str | None = field(default=None, metadata=bound(Location.HEADER, "X-Header"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Camel:
    wire_case: ClassVar = camel_case

    log_group_name: str | None = None


FULL = Sample(
    name="abc",
    flag=False,
    count=0,
    ratio=0.5,
    colour=Colour.BLUE,
    blob=b"\x00\xff",
    at=Instant(1_500),
    inner=Inner(),
    names=("", "b"),
    blobs=(b"a",),
    weights={"1": 1.0},
    inners={"x": Inner(size=2)},
    kms_key_arn="",
    place="p",
    header="h",
)
FULL_ON_THE_WIRE = {
    "Name": "abc",
    "Flag": False,
    "Count": 0,
    "Ratio": 0.5,
    "Colour": "blue",
    "Blob": "AP8=",
    "At": 1.5,
    "Inner": {},
    "Names": ["", "b"],
    "Blobs": ["YQ=="],
    "Weights": {"1": 1.0},
    "Inners": {"x": {"Size": 2}},
    "KMSKeyArn": "",
    "Place": "p",
    "X-Header": "h",
}


def test_a_shape_is_written_and_read_with_its_empty_values() -> None:
    assert encode(FULL) == FULL_ON_THE_WIRE
    assert decode(Sample, FULL_ON_THE_WIRE) == FULL


def test_absent_null_and_unknown_members_are_nothing() -> None:
    data = {"Name": "abc", "Flag": None, "Unknown": {"deep": [1]}}
    assert decode(Sample, data) == Sample(name="abc")
    assert encode(Sample(name="abc")) == {"Name": "abc"}


def test_instants_are_milliseconds_in_the_envelope() -> None:
    sample = Sample(name="a", at=Instant(1_500))
    written = encode(sample, unit=TimeUnit.MILLISECONDS)
    assert written == {"Name": "a", "At": 1_500}
    assert decode(Sample, written, unit=TimeUnit.MILLISECONDS) == sample


def test_a_shape_may_be_in_camel_case() -> None:
    assert encode(Camel(log_group_name="g")) == {"logGroupName": "g"}
    assert decode(Camel, {"logGroupName": "g"}) == Camel(log_group_name="g")


def test_a_kind_of_string_is_a_string() -> None:
    assert decode(Sample, {"Name": Colour.RED}) == Sample(name="red")


def test_bytes_and_whole_floats_are_taken_as_they_are() -> None:
    assert decode(Sample, {"Name": "a", "Blob": b"\x01", "Count": 3.0}) == Sample(
        name="a", blob=b"\x01", count=3
    )


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("Name", "", "is 0 characters long; the least is 1"),
        ("Name", "abcdef", "is 6 characters long; the limit is 5"),
        ("Name", "ab1", "does not match [a-z]+"),
        ("Name", "ab\n", "does not match [a-z]+"),
        ("Name", 1, "must be a string"),
        ("Flag", "true", "must be true or false"),
        ("Count", True, "must be a whole number"),
        ("Count", 1.5, "must be a whole number"),
        ("Count", "1", "must be a whole number"),
        ("Ratio", "1", "must be a number"),
        ("Ratio", False, "must be a number"),
        ("Colour", "green", "must be one of red, blue"),
        ("Colour", ["red"], "must be one of red, blue"),
        ("Blob", "!", "must be base64"),
        ("Blob", "é", "must be base64"),
        ("Blob", 1, "must be base64"),
        ("Blob", "AAAAAAAA", "is 6 bytes long; the limit is 4"),
        ("At", "now", "must be epoch seconds"),
        ("At", True, "must be epoch seconds"),
        ("At", -1, "is out of range"),
        ("At", 1e300, "is out of range"),
        ("At", float("inf"), "is out of range"),
        ("At", float("nan"), "is out of range"),
        ("Inner", "x", "must be an object"),
        ("Names", "x", "must be a list"),
        ("Names", [], "has 0 entries; the least is 1"),
        ("Names", ["a", "b", "c"], "has 3 entries; the limit is 2"),
        ("Weights", [], "must be an object"),
    ],
)
def test_a_bad_member_is_named_with_its_value(member: str, value: object, problem: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(Sample, {"Name": "abc", member: value})
    assert str(caught.value).startswith(f"{member} {problem}")
    assert caught.value.path == member


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ({"Inner": {"Size": 4}}, "Inner.Size"),
        ({"Inner": {"Size": 0}}, "Inner.Size"),
        ({"Names": ["a", 1]}, "Names[1]"),
        ({"Weights": {"x": 0.5}}, "Weights key"),
        ({"Weights": {"1": 1.5}}, "Weights.1"),
        ({"Inners": {"x": {"Size": 9}}}, "Inners.x.Size"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_bad_member_of_a_member_is_named_by_its_path(data: dict[str, object], path: str) -> None:
    with pytest.raises(WireError) as caught:
        decode(Sample, {"Name": "abc", **data})
    assert caught.value.path == path


def test_a_required_member_may_not_be_absent_or_null() -> None:
    for data in ({}, {"Name": None}):
        with pytest.raises(WireError, match=r"^Name is required$"):
            decode(Sample, data)


def test_what_is_no_object_is_no_shape() -> None:
    with pytest.raises(WireError, match=r"^Sample must be an object"):
        decode(Sample, [])


def test_a_long_value_is_shown_shortened() -> None:
    with pytest.raises(WireError) as caught:
        decode(Sample, {"Name": "x" * 10_000})
    assert len(str(caught.value)) < 200


EVERY_SHAPE = sorted(
    {call.request for call in CALLS + LOGS_CALLS}
    | {call.response for call in CALLS + LOGS_CALLS if call.response is not None}
    | {InvocationEnvelope, InvocationAnswer},
    key=lambda shape: shape.__name__,
)


@pytest.mark.parametrize("shape", EVERY_SHAPE, ids=lambda shape: shape.__name__)
@pytest.mark.parametrize("unit", TimeUnit, ids=lambda unit: unit.name)
def test_every_shape_survives_the_wire(shape: type, unit: TimeUnit) -> None:
    @settings(max_examples=20, suppress_health_check=list(HealthCheck))
    @given(shapes(shape))
    def survives(value: object) -> None:
        written = json.loads(json.dumps(encode(value, unit=unit)))
        assert decode(shape, written, unit=unit) == value

    survives()


@given(
    st.sampled_from([Sample, OperationUpdate, Operation, InvocationEnvelope]).flatmap(
        lambda shape: st.tuples(
            st.just(shape),
            st.dictionaries(
                st.sampled_from([member.wire for member in members(shape)]), json_values
            )
            | json_values,
        )
    )
)
def test_whatever_comes_is_a_shape_or_a_wire_error(case: tuple[type, object]) -> None:
    shape, data = case
    try:
        result: object = decode(shape, data)
    except WireError as error:
        result = str(error)
    assert isinstance(result, shape | str)
