"""The table of names is complete, and what it names is there and takes what AWS's does."""

import ast
import dataclasses
import enum
import importlib
import inspect
import logging
import pkgutil
import re
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aws_durable_execution_sdk_python as aws
import pytest

TABLE = Path(__file__).resolve().parents[2] / "docs" / "sdk-names.md"
NONE = "none"


class Row(NamedTuple):
    """One line of the table."""

    module: str
    name: str
    here: str | None
    reason: str

    def __str__(self) -> str:
        return f"{self.module or 'package'}:{self.name}"

    @property
    def is_exception(self) -> bool:
        """Whether this is about a member of a class."""
        return "." in self.name or self.name.endswith("()")


def _rows() -> Iterator[Row]:
    module = ""
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            module = "".join(re.findall(r"`(.+)`", line))
        elif found := re.fullmatch(r"\| `(.+?)` \| (.+?) \|(.*)\|", line):
            name, here, reason = (part.strip() for part in found.groups())
            yield Row(module, name, None if here == NONE else here.strip("`"), reason)


ROWS = tuple(_rows())
NAMES = tuple(row for row in ROWS if not row.is_exception)
COUNTERPARTS = tuple(row for row in NAMES if row.here is not None)
EXCEPTIONS = {(row.module, row.name) for row in ROWS if row.is_exception}


def _aws_module(module: str) -> Any:
    return importlib.import_module(f"{aws.__name__}.{module}" if module else aws.__name__)


def _aws_names() -> Iterator[tuple[str, str]]:
    """Yield every public name with the module that defines it."""
    yield from (("", name) for name in aws.__all__)
    for found in pkgutil.walk_packages(aws.__path__, f"{aws.__name__}."):
        short = found.name.removeprefix(f"{aws.__name__}.")
        module: Any = importlib.import_module(found.name)
        for name in _defined(Path(module.__file__)):
            value = getattr(module, name)
            if not isinstance(value, typing.TypeVar | typing.ParamSpec | logging.Logger):
                yield short, name


def _defined(source: Path) -> Iterator[str]:
    for node in ast.parse(source.read_text()).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        yield from (name for name in names if not name.startswith("_") or name == "__version__")


def _find(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_the_table_has_every_public_name_and_no_other() -> None:
    assert sorted((row.module, row.name) for row in NAMES) == sorted(set(_aws_names()))


def test_whatever_is_missing_has_a_reason() -> None:
    assert [row for row in ROWS if row.here is None and not row.reason] == []


@pytest.mark.parametrize("row", COUNTERPARTS, ids=str)
def test_a_counterpart_takes_what_awss_takes(row: Row) -> None:
    assert row.here is not None
    ours = _find(row.here)
    if not row.module or row.name == "__version__":
        return  # compared where it is defined; and a version is each package's own
    theirs = getattr(_aws_module(row.module), row.name)
    differences = {
        name: problem
        for name, problem in _differences(theirs, ours, row.name)
        if (row.module, name) not in EXCEPTIONS
    }
    assert differences == {}


def test_exceptions_are_still_needed() -> None:
    excepted = {(module, re.split(r"[.(]", name)[0]) for module, name in EXCEPTIONS}
    found = {
        (row.module, name)
        for row in COUNTERPARTS
        if row.here is not None and (row.module, row.name) in excepted
        for name, _ in _differences(
            getattr(_aws_module(row.module), row.name), _find(row.here), row.name
        )
    }
    assert found >= EXCEPTIONS


class _Theirs:
    """Stands for a class of AWS's."""

    def __init__(self, first: int, second: int = 1) -> None: ...

    def act(self, name: str, *, often: bool = False) -> None: ...


class _Lacking:
    def __init__(self, first: int, second: int = 1) -> None: ...


class _Moved:
    def __init__(self, second: int = 1, first: int = 0) -> None: ...

    def act(self, name: str, *, often: bool = True) -> None: ...


class _Demanding:
    def __init__(self, first: int, second: int = 1, *, third: int) -> None: ...

    def act(self, name: str, *, often: bool = False, more: int = 0) -> None: ...


class _Word(enum.Enum):
    ONE = "one"


class _OtherWord(enum.Enum):
    ONE = "uno"


_Theirs.__module__ = aws.__name__


@pytest.mark.parametrize(
    ("theirs", "ours", "names"),
    [
        (_Theirs, _Theirs, set()),
        (_Theirs, _Lacking, {"it.act"}),
        (_Theirs, _Moved, {"it()", "it.act"}),
        (_Theirs, _Demanding, {"it()"}),
        (_Theirs, 1, {"it"}),
        (KeyError, ValueError, {"it"}),
        (_Word, _OtherWord, {"it"}),
        (5, 6, {"it"}),
        (len, 6, {"it"}),
    ],
)
def test_every_kind_of_difference_is_found(theirs: Any, ours: Any, names: set[str]) -> None:
    assert {name for name, _ in _differences(theirs, ours, "it")} == names


def _differences(theirs: Any, ours: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield what ``ours`` lacks of ``theirs``: the member's name, and the problem."""
    if not isinstance(theirs, type):
        if callable(theirs):
            yield from ((name, problem) for problem in _call_problems(theirs, ours))
        elif _plain(theirs) != _plain(ours):
            yield name, f"{theirs!r} is {ours!r}"
        return
    if not isinstance(ours, type):
        yield name, "is no class"
        return
    if issubclass(theirs, BaseException):
        missing = {base.__name__ for base in theirs.__mro__} - {b.__name__ for b in ours.__mro__}
        yield from ((name, f"is no {base}") for base in missing)
    if issubclass(theirs, enum.Enum):
        values = {member.name: member.value for member in theirs}
        if values != {member.name: member.value for member in ours if member.name in values}:
            yield name, f"members are {list(ours)}"
    elif not getattr(theirs, "_is_protocol", False) and _has_signature(theirs):
        yield from ((f"{name}()", problem) for problem in _call_problems(theirs, ours))
    yield from _member_differences(theirs, ours, name)


def _member_differences(theirs: type, ours: type, name: str) -> Iterator[tuple[str, str]]:
    for member in sorted(_members(theirs)):
        full = f"{name}.{member}"
        if not hasattr(ours, member):
            if member not in _instance_members(ours):
                yield full, "is missing"
            continue
        value = inspect.getattr_static(theirs, member, None)
        if isinstance(value, property | type | enum.Enum | None) or not callable(
            getattr(theirs, member)
        ):
            continue
        problems = _call_problems(getattr(theirs, member), getattr(ours, member))
        yield from ((full, problem) for problem in problems)


def _has_signature(kind: type) -> bool:
    """Tell whether ``kind`` says itself what it is made of, rather than inheriting that."""
    return any("__init__" in base.__dict__ for base in kind.__mro__ if _is_awss(base))


def _is_awss(kind: type) -> bool:
    return kind.__module__.startswith(aws.__name__)


def _members(kind: type) -> set[str]:
    """Return the public members that AWS's classes give ``kind``."""
    return {
        member
        for base in kind.__mro__
        if _is_awss(base)
        for member in {*base.__dict__, *inspect.get_annotations(base)}
        if not member.startswith("_") or member == "__call__"
    }


def _instance_members(kind: Any) -> set[str]:
    """Return what instances of ``kind`` have: what it declares, and what its constructor sets."""
    declared = {name for base in kind.__mro__ for name in inspect.get_annotations(base)}
    constructor = getattr(kind.__init__, "__code__", None)
    return declared | set(constructor.co_names if constructor else ())


def _call_problems(theirs: Any, ours: Any) -> Iterator[str]:
    """Yield why a call that AWS's takes may not do what it does there."""
    if not callable(ours):
        yield "cannot be called"
        return
    wanted, given = _parameters(theirs), _parameters(ours)
    positional = [p.name for p in given.values() if p.kind in _POSITIONAL]
    for index, parameter in enumerate(wanted.values()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        found = given.get(parameter.name)
        if found is None:
            yield f"takes no {parameter.name}"
        elif parameter.kind in _POSITIONAL and positional[index : index + 1] != [parameter.name]:
            yield f"{parameter.name} is not at {index}"
        elif _default(parameter, theirs) != _default(found, ours):
            yield f"{parameter.name} is {found.default!r}, not {parameter.default!r}"
    for parameter in given.values():
        is_free = parameter.default is not parameter.empty or parameter.kind not in _NAMED
        if parameter.name not in wanted and not is_free:
            yield f"needs {parameter.name}"


_POSITIONAL = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
)
_NAMED = (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY)


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    return dict(inspect.signature(function).parameters)


def _default(parameter: inspect.Parameter, owner: Any) -> object:
    value = parameter.default
    if isinstance(owner, type) and dataclasses.is_dataclass(owner):
        for field in dataclasses.fields(owner):
            if field.name == parameter.name and field.default_factory is not dataclasses.MISSING:
                value = field.default_factory()
    return _plain(value)


def _plain(value: Any) -> object:
    """Return ``value`` without its package."""
    if value is inspect.Parameter.empty:
        return "required"
    if isinstance(value, enum.Enum):
        return value.value
    if hasattr(value, "to_seconds"):
        return value.to_seconds()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if callable(value):
        return "a function"
    if isinstance(value, str | int | float | None):
        return value
    return type(value).__name__
