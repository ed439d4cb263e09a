"""A record is what a dataclass is, and converts."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from typing import Any, Generic, TypeVar

import pytest

from perdure.sdk.records import member, open_record, record

T = TypeVar("T")


@record
class Point(Generic[T]):
    """Two numbers, and what they are of."""

    x: int
    y: int = 0
    of: T | None = member(default=None, kw_only=True)


@record
class Labelled(Point[Any]):
    """A point with a label."""

    label: str = ""


@open_record
class Box:
    """Holds a number."""

    size: int = member(default="3", converter=int)
    weight: int = member(converter=int, kw_only=True)

    def __repr__(self) -> str:
        return f"<{self.size}>"


@record
class Checked:
    """Never negative."""

    value: int

    def __post_init__(self) -> None:
        if self.value < 0:
            raise ValueError("negative")


def test_members_are_taken_by_position_and_by_name() -> None:
    assert (Point(1, 2).x, Point(1, y=2).y, Point(x=1).y, Point(1, of="a").of) == (1, 2, 0, "a")


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        (lambda: Point(1, 2, 3), "takes at most 2 positional arguments (3 given)"),
        (lambda: Point(1, x=2), "got multiple values for argument 'x'"),
        (lambda: Point(1, z=2), "got an unexpected keyword argument 'z'"),
        (lambda: Point(), "missing required arguments: 'x'"),
    ],
)
def test_wrong_arguments_are_refused_as_python_does(call: Any, problem: str) -> None:
    with pytest.raises(TypeError) as refused:
        call()
    assert str(refused.value) == f"Point.__init__() {problem}"


def test_records_compare_by_class_and_members() -> None:
    assert Point(1, 2) == Point(1, 2) != Point(2, 1)
    assert Point(1, 2) != Labelled(1, 2)
    assert hash(Point(1, 2)) == hash(Point(1, 2))
    assert Point(1).__eq__(1) is NotImplemented


def test_a_record_shows_its_members() -> None:
    assert repr(Labelled(1, of=2)) == "Labelled(x=1, y=0, of=2, label='')"
    assert repr(Box(weight=1)) == "<3>"


def test_a_record_never_changes() -> None:
    point: Any = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'x'"):
        point.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field 'x'"):
        del point.x


def test_an_open_record_changes_and_has_no_hash() -> None:
    box: Any = Box(weight=1)
    box.size = "7"
    box.colour = "red"
    assert (box.size, box.colour) == (7, "red")
    with pytest.raises(TypeError, match="unhashable"):
        hash(box)


def test_a_default_is_converted_and_a_member_without_one_is_required() -> None:
    assert (Box(weight="4").weight, Box.size) == (4, 3)  # pyright: ignore[reportArgumentType]
    assert not hasattr(Box, "weight")


def test_a_record_checks_itself() -> None:
    with pytest.raises(ValueError, match="negative"):
        Checked(-1)


def test_records_are_matched_by_position() -> None:
    match Labelled(1, 2, "a"):
        case Labelled(x, y, label):
            assert (x, y, label) == (1, 2, "a")
        case _:
            pytest.fail("no match")


def test_records_are_copied_and_pickled() -> None:
    point: Any = Labelled(1, 2, of=[3])
    assert copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    assert point.__replace__(y=5) == Labelled(1, 5, of=[3])


def test_dataclasses_takes_a_record_for_its_own() -> None:
    assert dataclasses.is_dataclass(Point)
    assert [field.name for field in dataclasses.fields(Labelled)] == ["x", "y", "of", "label"]
    assert [field.kw_only for field in dataclasses.fields(Labelled)] == [False, False, True, False]
    assert dataclasses.replace(Point(1), y=5) == Point(1, 5)
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 0, "of": None}


def test_a_dataclass_may_extend_a_record() -> None:
    @dataclasses.dataclass(frozen=True)
    class Coloured(Point[Any]):
        colour: str = "red"

    assert Coloured(1, 2, "blue").colour == "blue"
    assert Coloured(1).y == 0


def test_a_plain_subclass_of_a_record_is_one() -> None:
    class Named(Point[int]):
        pass

    assert repr(Named(1)).endswith("Named(x=1, y=0, of=None)")
    assert [field.name for field in dataclasses.fields(Named)] == ["x", "y", "of"]


def test_the_signature_of_a_record_is_known() -> None:
    assert list(inspect.signature(Point).parameters) == ["x", "y", "of"]
    assert inspect.signature(Box).parameters["size"].default == 3
    assert not hasattr(Point(1), "__signature__")
