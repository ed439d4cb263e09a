"""The table of names is complete, and what it names is there and takes what AWS's does."""

import importlib
import pkgutil
import re
import typing
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import aws_durable_execution_sdk_python_testing as aws
import pytest

import perdure.testing
from tests.sdk.test_names import NONE, Row, _defined, _differences, _find

TABLE = Path(__file__).resolve().parents[2] / "docs" / "testing-names.md"
PACKAGE = ""


def _rows() -> Iterator[Row]:
    module: str | None = None
    for line in TABLE.read_text().splitlines():
        if line.startswith("## "):
            module = "".join(re.findall(r"`(.+)`", line))
        elif found := re.fullmatch(r"\| `(.+?)` \| (.+?) \|(?:(.*)\|)?", line):
            name, here, reason = (part and part.strip() for part in found.groups())
            assert module is not None, "every table has a title"
            yield Row(module, name, None if here == NONE else here.strip("`"), reason or "")


ROWS = tuple(row for row in _rows() if row.module != "*")
MODULES = {row.name: row.here for row in _rows() if row.module == "*"}
NAMES = tuple(row for row in ROWS if "." not in row.name and not row.name.endswith("()"))
EXCEPTIONS = {(row.module, row.name) for row in ROWS} - {(row.module, row.name) for row in NAMES}
COUNTERPARTS = tuple(row for row in NAMES if row.here is not None)


def _aws_module(module: str) -> Any:
    return importlib.import_module(f"{aws.__name__}.{module}" if module else aws.__name__)


def _aws_modules() -> set[str]:
    found = pkgutil.walk_packages(aws.__path__, f"{aws.__name__}.")
    return {module.name.removeprefix(f"{aws.__name__}.") for module in found}


def _aws_names(module: str) -> set[str]:
    loaded = _aws_module(module)
    if module == PACKAGE:
        return set(loaded.__all__)
    return {
        name
        for name in _defined(Path(loaded.__file__))
        if not isinstance(getattr(loaded, name), typing.TypeVar | typing.ParamSpec)
        and name != "logger"
    }


def _problems(row: Row) -> dict[str, str]:
    assert row.here is not None
    return dict(_differences(getattr(_aws_module(row.module), row.name), _find(row.here), row.name))


def test_every_module_is_in_the_table() -> None:
    told = {row.module for row in ROWS} - {PACKAGE}
    inside = {
        pattern: {module for module in _aws_modules() if fnmatch(module, pattern)}
        for pattern in MODULES
    }
    assert told | set().union(*inside.values()) == _aws_modules()
    assert all(inside.values())
    assert all(MODULES.values())


@pytest.mark.parametrize("module", sorted({row.module for row in ROWS}))
def test_every_name_is_in_the_table(module: str) -> None:
    assert sorted(row.name for row in NAMES if row.module == module) == sorted(_aws_names(module))


def test_whatever_is_missing_has_a_reason() -> None:
    assert [row for row in ROWS if row.here is None and not row.reason] == []


@pytest.mark.parametrize("row", COUNTERPARTS, ids=str)
def test_a_counterpart_takes_what_awss_takes(row: Row) -> None:
    problems = _problems(row)
    assert {name for name in problems if (row.module, name) not in EXCEPTIONS} == set(), problems


def test_exceptions_are_still_needed() -> None:
    found = {(row.module, name) for row in COUNTERPARTS for name in _problems(row)}
    assert found >= EXCEPTIONS


def test_what_the_package_promises_is_there() -> None:
    for name in perdure.testing.__all__:
        assert getattr(perdure.testing, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        _ = perdure.testing.nothing
