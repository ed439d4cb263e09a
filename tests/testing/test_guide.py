"""The guide's page on testing: its code runs, its tests pass, and they print what it says."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import pytest

from perdure.testing import DurableFunctionTestRunner
from tests.examples.guide import Page

PAGE = Page.read("testing.md")
BLOCKS = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE.text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def durable_runner() -> Iterator[Callable[..., DurableFunctionTestRunner]]:
    """Do as the plugin's fixture, which may not be installed here."""
    made: list[DurableFunctionTestRunner] = []

    def make(handler: Any, **options: Any) -> DurableFunctionTestRunner:
        made.append(DurableFunctionTestRunner(handler, **options))
        return made[-1]

    yield make
    for runner in made:
        runner.close()


def test_the_page_does_what_it_says(durable_runner: Any) -> None:
    names: dict[str, Any] = {"__name__": "page"}
    printed, ran = "", []
    for language, text in BLOCKS:
        if language == "text":
            assert printed == text
            continue
        before = set(names)
        exec(compile(text, "testing.md", "exec"), names)
        output = StringIO()
        with redirect_stdout(output):
            for name in names.keys() - before:
                if name.startswith("test_"):
                    wants = inspect.signature(names[name]).parameters
                    names[name](**({"durable_runner": durable_runner} if wants else {}))
                    ran.append(name)
        printed = output.getvalue()
    assert len(ran) == 7


def test_every_member_that_the_page_names_is_there() -> None:
    assert len(PAGE.passages()) == 8
    section = PAGE.text.partition("What is only here:")[2].partition("everything")[0]
    own = re.findall(r"`(\w+)`", section)
    assert len(own) == 7
    for name in own:
        assert hasattr(DurableFunctionTestRunner, name)
