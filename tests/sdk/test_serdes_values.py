"""What AWS's SDK refuses or simplifies comes back as what it was."""

import enum
import json
import subprocess
import sys
import uuid
from collections import Counter, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from http import HTTPStatus
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

import aws_durable_execution_sdk_python.serdes as aws
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk.batches import BatchItem
from perdure.sdk.completion import BatchItemStatus
from perdure.sdk.exceptions import SerDesError
from perdure.sdk.serdes import EXTENDED_TYPES_SERDES, SerDesContext
from tests.sdk import serdes_samples as samples
from tests.sdk.serdes_samples import (
    Aliased,
    Box,
    Checked,
    Club,
    Colour,
    Crate,
    Customer,
    DictLabel,
    Event,
    Failure,
    Fixed,
    Handmade,
    Hashed,
    Holder,
    Indexed,
    Label,
    Lazy,
    Level,
    Line,
    Login,
    Member,
    Numbers,
    OldCustomer,
    OldOpen,
    OldSite,
    Opaque,
    Open,
    Order,
    Outer,
    Pair,
    Parcel,
    Plain,
    Point,
    Right,
    Rush,
    Site,
    Status,
    Summed,
    stable_repr,
)

NOW = datetime(2024, 2, 29, 12, 30, tzinfo=UTC)

#: Everything that compares by value, on all that the samples know.
ATOMS = (
    st.none()
    | st.integers()
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.just(UTC))
    | st.timedeltas()
    | st.times()
    | st.uuids()
    | st.fractions()
    | st.ip_addresses()
    | st.complex_numbers(allow_nan=False)
    | st.sampled_from([*Colour, *Level, *Status, *Right, Right.READ | Right.RUN, Right(0)])
    | st.builds(Point, st.integers(), st.floats(allow_nan=False))
    | st.text("abc/.", min_size=1).map(PurePosixPath)
)
LINES = st.builds(Line, st.text(), st.integers(), st.decimals(allow_nan=False), st.sets(st.text()))
CUSTOMERS = st.builds(
    Customer,
    name=st.text(),
    limits=st.dictionaries(st.integers(), st.decimals(-1e9, 1e9), max_size=3),
    rights=st.frozensets(st.text(), max_size=3),
    hidden=st.text(),
)


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(values, max_size=4)
    return (
        lists
        | lists.map(tuple)
        | st.sets(ATOMS, max_size=4)
        | st.frozensets(ATOMS, max_size=4)
        | st.dictionaries(st.text(), values, max_size=4)
        | st.dictionaries(st.tuples(st.integers()) | st.dates(), values, max_size=4).filter(bool)
        | st.builds(Box, values)
        | st.builds(Box, st.dictionaries(ATOMS, values, max_size=4))
        | st.builds(Parcel, st.integers(), items=lists)
        | st.builds(Event, st.text(), st.just(NOW), st.dictionaries(st.text(), values))
        | st.builds(lambda content: Crate(content=content), values)
    )


VALUES = st.recursive(ATOMS | LINES | CUSTOMERS, _containers, max_leaves=15)


def _write(value: object) -> str:
    return EXTENDED_TYPES_SERDES.serialize(value, SerDesContext())


def _read(payload: str) -> Any:
    return EXTENDED_TYPES_SERDES.deserialize(payload, SerDesContext())


def _round(value: Any) -> Any:
    """Return what comes back, having checked that it is of the same class."""
    read = _read(_write(value))
    assert type(read) is type(value)
    return read


@given(VALUES)
def test_a_value_comes_back_as_what_it_was(value: object) -> None:
    assert _round(value) == value
    assert _write(_read(_write(value))) == _write(value)


@pytest.mark.parametrize(
    "value",
    [
        {1, "a", None, (1, 2)},
        frozenset({frozenset({1}), frozenset()}),
        timedelta(days=-1, microseconds=1),
        timedelta.max,
        time(12, 30, 1, 5, tzinfo=timezone(timedelta(hours=2))),
        Path("/a/b"),
        Path("a") / "ü",
        PurePosixPath("a"),
        PureWindowsPath("c:\\a"),
        1 + 2j,
        Fraction(1, 3),
        ZoneInfo("Europe/Berlin"),
        *[ip_address("10.0.0.1"), ip_interface("10.0.0.1/8"), ip_network("10.0.0.0/8")],
        *[ip_address("::1"), ip_interface("::1/128"), ip_network("::/8")],
        *[Colour.RED, Colour.MIXED, Level.HIGH, Status.SENT, HTTPStatus.NOT_FOUND],
        *[Right.READ, Right.READ | Right.WRITE, Right(0), [Status.PAID, Level.LOW], [Colour.RED]],
        Point(1, 2.5),
        Pair(left=[1], right={"a": ()}),
        [Point(1), (1,), Point(2)],
        {(1, 2): "a", 3: "b"},
        {date(2024, 2, 29): 1, uuid.UUID(int=1): 2, Colour.RED: 3, None: 4, 1.5: 5},
        Line("a", 1, Decimal("1.50"), {"x", "y"}),
        Rush("a", 1, Decimal(1), until=date(2024, 2, 29)),
        Order(order_id="1", lines=[], placed=NOW, counts={1: "a", 2: "b"}),
        Box([Box({1: Box(None)})]),
        Outer.Inner(5),
        Checked(amount=5),
        BatchItem(0, BatchItemStatus.SUCCEEDED, {"a": 1}),
        Parcel(1.5, "ann", [Label("x"), {"a": Label("y", 1)}]),
        Plain("2024-02-29"),
        Summed([1, 2]),
        Event("a", NOW, {"b": [Fixed(number=1)]}),
        Event("a", NOW, note="text"),
        Fixed(number=13, label="y"),
        Customer(name="a"),
        Customer(name="a", born=date(2024, 2, 29), hidden="seen", limits={1: Decimal("0.10")}),
        Club(members=[Member(name="m", level=Level.HIGH), Customer(name="c")]),
        Aliased(first="1", second="2", o="once"),
        Open(known=1, other=Point(1)),
        Numbers([1, 2]),
        Crate(content=Point(1)),
        OldCustomer(name="a", born=date(2024, 2, 29), thing=Customer(name="b"), name2="c"),
        OldOpen(known=1, other={1: (2,)}),
        OldOpen(),
    ],
    ids=lambda value: f"{type(value).__name__}",
)
def test_each_kind_comes_back_as_what_it_was(value: object) -> None:
    assert _round(value) == value
    assert _round([value]) == [value]
    assert _round({"a": value}) == {"a": value}
    with pytest.raises(aws.SerDesError):
        aws.deserialize(None, _write({"a": value}), "operation", "arn")


@pytest.mark.parametrize("value", [1 + 2j, {"a": {1}}, Customer(name="a")], ids=stable_repr)
def test_awss_sdk_refuses_it(value: object) -> None:
    with pytest.raises(aws.SerDesError, match=r"Unknown type tag|is not a valid TypeTag"):
        aws.deserialize(None, _write(value), "operation", "arn")


def test_the_form_of_a_class_is_readable() -> None:
    assert json.loads(_write(Line("a", 1, Decimal(1), {"b"}))) == {
        "t": "py:instance",
        "v": {
            "class": "tests.sdk.serdes_samples:Line",
            "fields": {
                "sku": {"t": "s", "v": "a"},
                "quantity": {"t": "i", "v": 1},
                "price": {"t": "d", "v": "1"},
                "tags": {"t": "py:set", "v": [{"t": "s", "v": "b"}]},
            },
        },
    }


def test_a_set_is_written_in_the_same_order_by_every_process() -> None:
    assert _write({"b", "a", 3, 20}) == _write({20, "a", 3, "b"})


def test_keys_become_text_where_awss_sdk_makes_them_text() -> None:
    assert _read(_write({1: "a", None: {2.5: True}})) == {"1": "a", "null": {"2.5": True}}
    assert _round(Box({1: {2: "a"}})) == Box({1: {2: "a"}})


def test_dicts_of_other_classes_come_back_as_dicts() -> None:
    assert type(_round(Box(Counter("aab"))).content) is dict


def test_a_path_of_this_system_is_recorded_for_all() -> None:
    assert '"class":"pathlib:Path"' in _write(Path("a"))
    assert isinstance(_read(_write(PurePath("a"))), PurePath)


def test_an_unset_field_stays_unset() -> None:
    assert '"note"' not in _write(Event("a", NOW))
    read = _round(Lazy(1))
    assert vars(read) == {"given": 1}


def test_a_hook_runs_and_cannot_change_what_was_recorded() -> None:
    value = Indexed(["a", "b"])
    read = _round(value)
    assert (read.number, read.price) == (value.number, value.price) == (value.number, 200)
    assert read.by_name == {"a": 0, "b": 1}


def test_a_hook_that_needs_what_was_never_kept_does_not_run() -> None:
    value = Hashed("secret")
    assert _round(value) == value
    assert _round(value).digest == "terces"


def test_a_constructor_of_ones_own_is_not_called() -> None:
    assert _round(Handmade([1, 2])) == Handmade([3])


def test_an_exception_with_fields_comes_back() -> None:
    assert _round(Failure(5)).code == 5


@pytest.mark.parametrize("value", [Label("a"), DictLabel("a")], ids=stable_repr)
def test_a_value_that_keeps_its_hash_can_be_hashed(value: object) -> None:
    hash(value)
    assert hash(_round(value)) == hash(value)
    assert _round({value}) == {value}


def test_a_model_keeps_its_state_and_not_its_json() -> None:
    value = Customer(name="a", hidden="seen")
    value._cache["a"] = 1
    read = _round(value)
    assert (read.hidden, read._cache) == ("seen", {})
    assert read.model_fields_set == {"name", "hidden"}
    assert read.model_dump(exclude_unset=True) == value.model_dump(exclude_unset=True)
    assert type(_round(Club(members=[Member(name="m", level=1)])).members[0]) is Member
    assert _round(Aliased(first="1", second="2", o="once")).once == "once!"


def test_a_model_keeps_what_was_set() -> None:
    assert _round(Customer(name="a", born=None)).model_fields_set == {"name", "born"}
    assert _round(Open(other=1)).model_fields_set == {"other"}
    assert _round(OldOpen(other=1)).__fields_set__ == {"other"}
    assert _round(OldCustomer(name="a")).dict(exclude_unset=True) == {"name": "a"}


def test_a_model_made_in_part_comes_back_in_part_or_not_at_all() -> None:
    assert _round(Open.model_construct()).known == 0
    with pytest.raises(SerDesError, match="Customer requires name, which the recorded value does"):
        _read(_write(Customer.model_construct()))


def test_a_generic_model_comes_back_as_what_it_was_made_from() -> None:
    value = Crate[list[int]](content=[1])
    assert value.size == 3
    read = _read(_write(value))
    assert type(read) is Crate
    assert read == value


@pytest.mark.parametrize(
    "value",
    [
        Site(url="https://example.com/a", address="10.0.0.1"),
        OldSite(pattern="a+"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_model_with_a_field_that_only_pydantic_knows_is_left_to_pydantic(value: Any) -> None:
    assert '"json":{' in _write(value)
    assert _round(value) == value
    assert _round([value]) == [value]


def test_a_model_with_a_field_that_nobody_knows_is_an_error() -> None:
    for holder in (Holder(thing=Opaque()), OldCustomer(name="a", thing=Opaque())):
        with pytest.raises(SerDesError, match=r"Opaque'> at \.thing; give the"):
            _write(holder)


def test_a_secret_is_not_written_in_clear() -> None:
    with pytest.raises(SerDesError, match=r"SecretStr'> at \['a'\]\.password; it keeps a secret"):
        _write({"a": Login(user="u", password="p")})


def test_an_error_says_in_which_field_the_value_is() -> None:
    with pytest.raises(SerDesError, match=r"Opaque'> at \.content\[0\]\.items\[1\]; give the"):
        _write(Box([Parcel(1, items=[0, Opaque()])]))


def _local_classes() -> list[Any]:
    @dataclass
    class Local:
        value: int

    class LocalColour(enum.Enum):
        RED = 1

    return [Local(1), LocalColour.RED]


@pytest.mark.parametrize("value", _local_classes(), ids=stable_repr)
def test_a_local_class_is_an_error(value: object) -> None:
    with pytest.raises(SerDesError, match="is local to a function, where no other process finds"):
        _write(value)


def test_what_awss_sdk_carries_is_written_even_if_its_class_cannot_be_found() -> None:
    row = namedtuple("Row", ["a"])(1)  # as a database driver makes them
    word = enum.StrEnum("Word", {"A": "a"}, module="nowhere")
    for value in (row, word.A, [word.A], {"a": [row, word.A]}):
        payload = _write(value)
        assert payload == aws.EXTENDED_TYPES_SERDES.serialize(value, aws.SerDesContext())
        assert _read(payload) == value


PAYLOADS: dict[str, tuple[str, str]] = {
    "no class": ('{"t":"py:instance","v":{"class":"os:path","fields":{}}}', "no class path in"),
    "function": ('{"t":"py:instance","v":{"class":"os:system","fields":{}}}', "no class system"),
    "any class": (
        '{"t":"py:instance","v":{"class":"subprocess:Popen","fields":{"args":"ls"}}}',
        "subprocess:Popen is none of what a payload may name: a dataclass, a named tuple",
    ),
    "tuple": ('{"t":"py:instance","v":{"class":"builtins:tuple","fields":{}}}', "is none of"),
    "no enum": ('{"t":"py:enum","v":{"class":"builtins:bool","name":"x"}}', "is not an enum"),
    "no model": (
        '{"t":"py:instance","v":{"class":"tests.sdk.serdes_samples:Point","json":{}}}',
        "Point was recorded as a pydantic model, and is none",
    ),
    "no text": ('{"t":"py:text","v":{"class":"os:system","text":"ls"}}', "'os:system' is not a"),
    "no name": ('{"t":"py:instance","v":{"class":"Point","fields":{}}}', "'Point' does not name"),
    "no member": (
        '{"t":"py:enum","v":{"class":"tests.sdk.serdes_samples:Colour","name":"BLUE"}}',
        "Colour has no member BLUE: it has RED, GREEN, MIXED",
    ),
    "no such value": (
        '{"t":"py:enum","v":{"class":"tests.sdk.serdes_samples:Colour","name":"B","value":"b"}}',
        "Colour has no member B",
    ),
    "not a list": ('{"t":"py:set","v":{}}', "tag 'py:set' holds a dict, not a list"),
    "not an object": ('{"t":"py:enum","v":[]}', "tag 'py:enum' holds a list, not an object"),
}


@pytest.mark.parametrize(("payload", "message"), PAYLOADS.values(), ids=PAYLOADS)
def test_a_payload_names_nothing_but_what_it_may(payload: str, message: str) -> None:
    with pytest.raises(SerDesError) as raised:
        _read(payload)
    assert message in str(raised.value)


class Drifted:
    """What the classes of the samples became since a value of theirs was recorded."""

    @dataclass
    class Line:
        sku: str
        price: Decimal
        note: str = "new"
        more: tuple[int, ...] = (1,)

    @dataclass
    class Indexed:
        names: list[str]
        sorted_names: list[str]

    class Customer(pydantic.BaseModel):
        name: str
        rank: int = 5
        marks: list[int] = pydantic.Field(default_factory=lambda: [1])

    class Point(samples.NamedTuple):
        z: int = 9
        y: float = 1.0
        x: int = 0


def _rename(payload: str, name: str) -> str:
    return payload.replace("tests.sdk.serdes_samples:", f"{__name__}:{name}.")


def test_fields_come_and_go() -> None:
    def drifted(value: object) -> Any:
        return _read(_rename(_write(value), "Drifted"))

    line = drifted(Line("a", 1, Decimal(2), {"x"}))
    assert line == Drifted.Line("a", Decimal(2), "new", (1,))
    customer = drifted(Customer(name="a", hidden="gone"))
    assert customer == Drifted.Customer(name="a")
    assert (customer.rank, customer.marks, customer.model_fields_set) == (5, [1], {"name"})
    assert drifted(Point(1, 2.5)) == Drifted.Point(z=9, y=2.5, x=1)
    with pytest.raises(
        SerDesError, match="Indexed requires sorted_names, which the recorded value"
    ):
        drifted(Indexed(["a"]))


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ('"Parcel","fields":{"weight":1}', Parcel(1)),
        ('"Parcel","fields":{"weight":1,"_owner":"me","gone":2}', Parcel(1, "me")),
        ('"Fixed","fields":{"number":1,"gone":2}', Fixed(number=1)),
        ('"Summed","fields":{"parts":[1,2]}', Summed([1, 2])),
        ('"Open","fields":{"gone":2},"extra":{"known":3}', Open(known=3, gone=2)),
        ('"Crate","fields":{"content":2},"extra":{"gone":3}', Crate(content=2)),
        ('"OldOpen","fields":{"gone":2},"extra":{"known":3}', OldOpen(known=3, gone=2)),
        ('"OldCustomer","fields":{"name":"a"},"extra":{"gone":3}', OldCustomer(name="a")),
        ('"Point","fields":{"x":1,"gone":2}', Point(1)),
        ('"Handmade","fields":{"total":1}', None),
        ('"Parcel","fields":{}', None),
        ('"Fixed","fields":{}', None),
        ('"Point","fields":{}', None),
        ('"OldCustomer","fields":{}', None),
    ],
)
def test_a_record_meets_a_class_with_other_fields(payload: str, expected: object) -> None:
    text = f'{{"t":"py:instance","v":{{"class":"tests.sdk.serdes_samples:{payload[1:]}}}}}'
    if expected is None:
        with pytest.raises(
            SerDesError, match=r"requires .*, which the recorded value does not have"
        ):
            _read(text)
    else:
        assert str(_read(text)) == str(expected) or _read(text) == expected


def test_a_class_may_become_one_of_another_kind() -> None:
    payload = _write(Point(1, 2.5)).replace(":Point", ":Pixel")
    assert _read(payload.replace(samples.__name__, __name__)) == Pixel(x=1, y=2.5)


class Pixel(pydantic.BaseModel):
    """What a named tuple became."""

    x: int
    y: float


@pytest.mark.parametrize(
    ("record", "member"),
    [
        ('"Colour","name":"CRIMSON","value":"red"', Colour.RED),
        ('"Colour","name":"RED","value":"crimson"', Colour.RED),
        ('"Right","name":"READ|RUN","value":5', Right.READ | Right.RUN),
        ('"Right","name":null,"value":0', Right(0)),
        ('"Level","name":"MIDDLE","value":2', Level.HIGH),
    ],
)
def test_a_member_is_found_by_its_name_or_else_its_value(record: str, member: object) -> None:
    text = f'{{"t":"py:enum","v":{{"class":"tests.sdk.serdes_samples:{record[1:]}}}}}'
    assert _read(text) is member


def test_nothing_is_imported_that_is_not_needed() -> None:
    names = ["pydantic", "attr", "msgspec", "uuid", "decimal", "pathlib", "zoneinfo", "fractions"]
    script = f"import perdure.sdk.serdes, sys; print([n for n in {names} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"


@pytest.mark.parametrize("make", [lambda: Opaque(), lambda: samples], ids=["instance", "module"])
def test_a_class_without_marks_is_an_error(make: Callable[[], object]) -> None:
    with pytest.raises(SerDesError, match="unsupported type"):
        _write(make())
