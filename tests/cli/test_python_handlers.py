"""Handlers in Python, found without running them."""

import pytest

from perdure.cli.handlers import Handler, SourceError
from perdure.cli.python_handlers import find_python_handlers


def durable(name: str) -> Handler:
    return Handler(name=name, is_durable=True)


def plain(name: str) -> Handler:
    return Handler(name=name, is_durable=False)


@pytest.mark.parametrize(
    ("text", "handlers"),
    [
        pytest.param("@durable_execution\ndef run(e, c): ...", [durable("run")], id="decorated"),
        pytest.param("@sdk.durable_execution\ndef run(e, c): ...", [durable("run")], id="dotted"),
        pytest.param(
            "@durable_execution(plugins=[])\ndef run(e, c): ...", [durable("run")], id="called"
        ),
        pytest.param(
            "@durable_execution\nasync def run(e, c): ...", [durable("run")], id="asynchronous"
        ),
        pytest.param(
            "from sdk import durable_execution as d\n@d\ndef run(e, c): ...",
            [durable("run")],
            id="renamed",
        ),
        pytest.param("run = durable_execution(go)", [durable("run")], id="assigned"),
        pytest.param("run: F = durable_execution(go)", [durable("run")], id="annotated"),
        pytest.param("def handler(e, c): ...", [plain("handler")], id="plain"),
        pytest.param("def lambda_handler(e, c): ...", [plain("lambda_handler")], id="aws-name"),
        pytest.param("@other\ndef handler(e, c): ...", [plain("handler")], id="other-decorator"),
        pytest.param("def run(e, c): ...\nx = 1\nrun()", [], id="none"),
        pytest.param("class A:\n  @durable_execution\n  def run(s): ...", [], id="method"),
        pytest.param(
            "@durable_execution\ndef b(e, c): ...\ndef handler(e, c): ...",
            [durable("b"), plain("handler")],
            id="several",
        ),
    ],
)
def test_handlers_are_found(text: str, handlers: list[Handler]) -> None:
    assert find_python_handlers(text) == handlers


def test_the_file_is_not_run() -> None:
    assert find_python_handlers("raise SystemExit\ndef handler(e, c): ...") == [plain("handler")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("def x(:", "line 1: ", id="syntax"),
        pytest.param("x = 1\ny = (", "line 2: ", id="unfinished"),
        pytest.param("x = '\0'", "null bytes", id="nul"),
        pytest.param("(" * 5_000, "nested", id="deep"),
    ],
)
def test_what_is_no_python_is_refused(text: str, problem: str) -> None:
    with pytest.raises(SourceError, match=problem):
        find_python_handlers(text)
