"""The authors' guide is true: its code runs and does what is said, its tables are the classes'."""

import builtins
import contextlib
import datetime
import inspect
import io
import re
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import pytest

import perdure
import perdure.exceptions
import perdure.retries
import perdure.waits
from perdure import AsyncDurableContext, DurableContext, DurableFunction
from perdure.testing import DurableFunctionTestResult, DurableFunctionTestRunner

from .guide import GUIDE, Page, Passage, Transcript

#: The pages that are held to be true here. Those of others have tests of their own.
PAGES: Final = (
    "README.md",
    "async.md",
    "callbacks.md",
    "child-contexts.md",
    "conditions.md",
    "configuration.md",
    "determinism.md",
    "errors.md",
    "invoke.md",
    "large-payloads.md",
    "map-and-parallel.md",
    "moving-from-aws.md",
    "retries.md",
    "steps.md",
    "waits.md",
)
ELSEWHERE: Final = {
    "embedded.md",
    "endpoints.md",
    "logging.md",
    "plugins.md",
    "serialization.md",
    "testing.md",
}
OPERATIONS: Final = (
    "callbacks.md",
    "child-contexts.md",
    "conditions.md",
    "invoke.md",
    "map-and-parallel.md",
    "retries.md",
    "steps.md",
    "waits.md",
)
SDK: Final = GUIDE.parents[1] / "src" / "perdure" / "sdk"
NAMES: Final = vars(perdure) | vars(perdure.retries) | vars(perdure.exceptions)

every_page = pytest.mark.parametrize("name", PAGES)


def run(names: Mapping[str, Any], said: Transcript, *, keep: bool) -> tuple[Any, list[str], Any]:
    """Run the handler that a page has defined; return its result, what it printed, and its time."""
    output = io.StringIO()
    with (
        DurableFunctionTestRunner(names["handler"], keep_handlers=keep) as runner,
        contextlib.redirect_stdout(output),
    ):
        for name, value in names.items():
            register(runner, name, value)
        for name, answer in said.callbacks.items():
            runner.on_callback(name, lambda _, answer=answer: answer)
        for name, message in said.refusals.items():
            runner.on_callback(name, refusing(message))
        begun = runner.now
        result = runner.run(said.event)
        return result, output.getvalue().splitlines(), runner.now - begun


def register(runner: DurableFunctionTestRunner, name: str, value: Any) -> None:
    """Let the page's functions be invoked by their names."""
    if isinstance(value, DurableFunction):
        runner.register_durable_function(name, value)
    elif inspect.isfunction(value) and list(inspect.signature(value).parameters) == [
        "event",
        "context",
    ]:
        runner.register_function(name, value)


def refusing(message: str) -> Any:
    """Return what answers a callback with a failure."""

    def refuse(callback_id: str) -> None:
        raise RuntimeError(message)

    return refuse


def check(said: Transcript, result: DurableFunctionTestResult, place: str) -> None:
    """Hold an execution to what is said of it."""
    error = result.error
    if "error" in said.facts:
        assert error is not None, place
        told = f"{error.type}: {error.message}"
        expected = said.facts["error"]
        if expected.endswith("..."):
            assert told.startswith(expected.removesuffix("...")), place
        else:
            assert told == expected, place
    else:
        assert error is None, f"{place}: {error}"
    if "result" in said.facts:
        assert result.value == Transcript.parse(f"event {said.facts['result']}").event, place


def seconds(text: str) -> datetime.timedelta:
    """Return a span such as ``90 seconds``, ``2 days`` or ``3 days, 1:01:30``."""
    days, clock = re.fullmatch(r"(?:(\d+) days?,? ?)?(.*)", text).groups()  # type: ignore[union-attr]
    span = datetime.timedelta(days=int(days or 0))
    if match := re.fullmatch(r"(\d+):(\d+):(\d+)", clock):
        hours, minutes, rest = map(int, match.groups())
        return span + datetime.timedelta(hours=hours, minutes=minutes, seconds=rest)
    if match := re.fullmatch(r"(\d+) (second|minute|hour)s?", clock):
        return span + datetime.timedelta(**{f"{match[2]}s": int(match[1])})
    assert not clock, text
    return span


def run_page(page: Page) -> None:
    """Run all code of a page, block after block, with the names of those before."""
    module = ModuleType(f"guide_{page.name.partition('.')[0].replace('-', '_')}")
    sys.modules[module.__name__] = module  # where classes are found when they are read
    for passage in page.passages():
        run_passage(module, passage, f"{page.name}, line {passage.line}")


def run_passage(module: ModuleType, passage: Passage, place: str) -> None:
    """Run a block of code, and then what is said of it, with handlers replayed and kept."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(passage.code, place, "exec"), module.__dict__)
    assert ("def handler(" in passage.code) <= bool(passage.transcripts), place
    for said in passage.transcripts:
        result, printed, time = run(module.__dict__, said, keep=False)
        check(said, result, place)
        assert printed == said.prints or not said.prints, place
        if "invocations" in said.facts:
            assert len(result.invocations) == int(said.facts["invocations"]), place
        if "time" in said.facts:
            assert time == seconds(said.facts["time"]), place
        if "error" not in said.facts:
            kept, _, _ = run(module.__dict__, said, keep=True)
            check(said, kept, f"{place}, kept")


def check_signatures(page: Page) -> None:
    """Hold the calls that a page shows to the functions' own signatures."""
    for shown in page.signatures():
        called, _, parameters = shown.partition("(")
        parameters = parameters.rpartition(")")[0]
        owner, _, method = called.rpartition(".")
        if owner:
            candidates = [getattr(DurableContext, method), getattr(AsyncDurableContext, method)]
        else:
            candidates = [NAMES[method]]
        for function in candidates:
            own = [p for p in inspect.signature(function).parameters.values() if p.name != "self"]
            told = ", ".join(
                p.name if p.default is p.empty else f"{p.name}={p.default!r}"
                for p in own
                if p.name != "chance"  # for tests of strategies
            )
            assert parameters.replace("*, ", "") == told, shown


def check_options(page: Page) -> None:
    """Hold the tables of options to the classes."""
    for table in page.option_tables():
        parameters = inspect.signature(NAMES[table.name]).parameters
        assert list(table.defaults) == list(parameters), table.name
        for option, text in table.defaults.items():
            default = parameters[option].default
            if text is None:
                assert default is inspect.Parameter.empty, f"{table.name}.{option}"
            else:
                assert default == eval(text, dict(NAMES)), f"{table.name}.{option}"


@every_page
def test_a_page_is_true(name: str) -> None:
    page = Page.read(name)

    check_signatures(page)
    check_options(page)
    run_page(page)


CODE: Final = """
```python
from perdure import durable_execution

@durable_execution
def handler(event, context):
    context.wait(5)
    return context.step(lambda step: event["n"] + 1)
```

```text
event        {"n": 1}
result       RESULT
invocations  2
time         TIME
```
"""


def test_a_page_whose_code_is_right_passes() -> None:
    run_page(Page("right.md", CODE.replace("RESULT", "2").replace("TIME", "5 seconds")))


@pytest.mark.parametrize(
    "text",
    [
        CODE.replace("RESULT", "3").replace("TIME", "5 seconds"),
        CODE.replace("RESULT", "2").replace("TIME", "6 seconds"),
        CODE.replace("RESULT", "2").replace("TIME", "5 seconds").replace("ions  2", "ions  1"),
        CODE.replace("RESULT", "2").replace("TIME", "5 seconds").replace("event[", "evt["),
        CODE.partition("```text")[0],
        "```python\nassert False\n```",
    ],
    ids=["result", "time", "invocations", "code", "no transcript", "no handler"],
)
def test_a_page_whose_code_is_wrong_fails(text: str) -> None:
    with pytest.raises(AssertionError):
        run_page(Page("wrong.md", text))


def test_a_page_whose_tables_or_signatures_are_wrong_fails() -> None:
    table = (
        "| `InvokeConfig` | default | what |\n| --- | --- | --- |\n| `tenant_id` | `None` | x |\n"
    )
    with pytest.raises(AssertionError, match="InvokeConfig"):
        check_options(Page("wrong.md", table))
    with pytest.raises(AssertionError, match="wait"):
        check_signatures(Page("wrong.md", "```text\ncontext.wait(duration)\n```"))


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_page_of_an_operation_has_all_that_it_should(name: str) -> None:
    text = Page.read(name).text
    missing = [
        part
        for part in ("**Not for**", "\n## Signature", "\n## Errors", "\n## Pitfalls", "async def")
        if part not in text
    ]
    assert missing == []


def test_the_tree_of_errors_is_that_of_the_classes() -> None:
    above: list[type] = []
    shown: set[type] = set()
    for line in Page.read("errors.md").text.partition("\nThree kinds")[0].splitlines():
        if match := re.fullmatch(r"(    +)(\w+)", line):
            depth = len(match[1]) // 4 - 1
            kind = NAMES.get(match[2]) or getattr(builtins, match[2])
            del above[depth:]
            assert not above or kind.__bases__ == (above[-1],), match[2]
            above.append(kind)
            shown.add(kind)

    raised = [kind for kind in NAMES.values() if isinstance(kind, type)]
    assert {kind for kind in raised if issubclass(kind, BaseException)} <= shown


def test_the_variables_of_the_environment_are_those_that_the_sdk_reads() -> None:
    sources = "".join(file.read_text() for file in SDK.rglob("*.py"))
    read = set(re.findall(r'environ\.get\(\s*"(\w+)"', sources))
    read |= set(re.findall(r'_VARIABLE: Final = "(\w+)"', sources))

    told = set(re.findall(r"^\| `([A-Z_]+)` \|", Page.read("configuration.md").text, re.MULTILINE))
    assert told == read


def test_every_page_is_in_the_index_and_is_held_to_be_true() -> None:
    index = (GUIDE / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in GUIDE.glob("*.md")}

    assert pages <= set(PAGES) | ELSEWHERE
    assert [page for page in pages if page != "README.md" and f"({page})" not in index] == []
