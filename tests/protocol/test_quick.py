"""Values that are made quickly are as those that ``dataclasses`` makes."""

import dataclasses
import inspect
from dataclasses import dataclass, field

import pytest

from perdure.protocol.quick import quick


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """One as it is written."""

    name: str
    count: int = 3
    tags: list[str] = field(default_factory=list[str])


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    """The same, made quickly."""

    name: str
    count: int = 3
    tags: list[str] = field(default_factory=list[str])


def test_it_has_the_same_members_and_shows_itself_alike() -> None:
    plain, made = Plain(name="a", tags=["x"]), Quick(name="a", tags=["x"])
    assert dataclasses.asdict(made) == dataclasses.asdict(plain)
    assert repr(made) == repr(plain).replace("Plain", "Quick")
    assert made == Quick(name="a", count=3, tags=["x"])
    assert dataclasses.replace(made, count=4) == Quick(name="a", count=4, tags=["x"])
    assert inspect.get_annotations(Quick.__init__) == inspect.get_annotations(Plain.__init__)


def test_each_has_defaults_of_its_own() -> None:
    first, second = Quick(name="a"), Quick(name="a")
    assert first == second
    assert first.tags is not second.tags


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "colour": 1}, {"count": 1}], ids=str)
def test_what_is_missing_or_unknown_is_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(TypeError, match=r"Quick.__init__\(\)"):
        Quick(**arguments)  # type: ignore[arg-type]


def test_it_stays_frozen() -> None:
    made = Quick(name="a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.name = "b"  # type: ignore[misc]
