"""Our SDK on AWS's own local test runner: the same handlers as on AWS's SDK come to the same there.

What runs is AWS's service, in memory, as AWS tests with; only the SDK under the handlers differs.
"""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from aws_durable_execution_sdk_python.lambda_service import ErrorObject
from aws_durable_execution_sdk_python_testing import (
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
)

from perdure import AsyncDurableContext, durable_execution

from . import aws_programs as theirs

AWS: Final = "aws_durable_execution_sdk_python"
POLL_SECONDS: Final = 0.01
PROGRAMS: Final = (
    "steps_and_waits",
    "retries",
    "failures",
    "failed_execution",
    "children",
    "batches",
    "conditions",
    "invokes",
)

Answers = dict[str, bytes | ErrorObject]


def _ours() -> ModuleType:
    """Return the programs with their import lines changed, and nothing else."""
    path = Path(theirs.__file__)
    module = ModuleType("perdure_programs")
    sys.modules[module.__name__] = module
    code = path.read_text(encoding="utf-8").replace(f"from {AWS}", "from perdure")
    exec(compile(code, str(path), "exec"), module.__dict__)
    return module


ours = _ours()


def double(event: dict[str, int], context: object) -> int:
    """Be a function that is not durable."""
    return event["n"] * 2


def absent_minded(event: object, context: object) -> None:
    """Be a function that fails."""
    raise RuntimeError("I forgot what for")


@contextmanager
def a_runner(
    handler: Callable[..., Any], **options: Any
) -> Generator[DurableFunctionTestRunner, None, None]:
    """Give AWS's runner, and close the event loop that it leaves open."""
    runner = DurableFunctionTestRunner(handler, poll_interval=POLL_SECONDS, **options)
    try:
        with runner:
            yield runner
    finally:
        runner._scheduler._loop.close()


def run(
    handler: Callable[..., Any], target: Callable[..., Any], answers: Answers | None = None
) -> DurableFunctionTestResult:
    """Run a handler on AWS's runner, and answer its callbacks in their order."""
    with a_runner(handler) as runner:
        runner.register_function("double", double)
        runner.register_function("absent-minded", absent_minded)
        runner.register_durable_function("steps-and-waits", target)
        arn = runner.run_async(input='{"who": "Ada"}')
        for name, answer in (answers or {}).items():
            callback_id = runner.wait_for_callback(arn, name=name)
            if isinstance(answer, bytes):
                runner.send_callback_success(callback_id, answer)
            else:
                runner.send_callback_failure(callback_id, answer)
        return runner.wait_for_result(arn)


def story(result: DurableFunctionTestResult) -> list[tuple[Any, ...]]:
    """Return the operations, in an order that no thread decides."""

    def told(operations: list[Any], path: str) -> list[tuple[Any, ...]]:
        return [
            line
            for operation in operations
            for line in (
                (
                    f"{path}/{operation.name}",
                    operation.operation_type.value,
                    operation.sub_type,
                    operation.status.value,
                    getattr(operation, "result", None),
                    getattr(operation, "attempt", None),
                ),
                *told(getattr(operation, "child_operations", []), f"{path}/{operation.name}"),
            )
        ]

    return sorted(told(result.operations, ""), key=repr)


def assert_same(one: DurableFunctionTestResult, other: DurableFunctionTestResult) -> None:
    """Hold two results to each other, to the last operation."""
    assert (one.status, one.result, one.error) == (other.status, other.result, other.error)
    assert story(one) == story(other)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_handler_comes_to_the_same_as_on_awss_sdk(name: str) -> None:
    by_theirs = run(getattr(theirs, name), theirs.steps_and_waits)
    by_ours = run(getattr(ours, name), ours.steps_and_waits)

    assert_same(by_ours, by_theirs)


def test_callbacks_come_to_the_same_as_on_awss_sdk() -> None:
    failure = ErrorObject(message="no", type="Refused", data="d", stack_trace=None)
    answers: Answers = {
        "first": b'{"ok": true}',
        "second create callback id": b"as it is",
        "third create callback id": failure,
    }
    by_theirs = run(theirs.callbacks, theirs.steps_and_waits, answers)
    by_ours = run(ours.callbacks, ours.steps_and_waits, answers)

    assert by_ours.result == '[{"ok": true}, "as it is", "no"]'
    assert by_ours.result == by_theirs.result
    assert without_results(by_ours) == without_results(by_theirs)


def without_results(result: DurableFunctionTestResult) -> list[tuple[Any, ...]]:
    """Return the story without results: callback ids differ from run to run."""
    return [line[:4] for line in story(result)]


def test_an_execution_of_one_sdk_is_the_others_too() -> None:
    """The runner does not know which SDK is there: it may change from invocation to invocation."""
    invocations = 0

    def alternating(event: Any, context: Any) -> Any:
        nonlocal invocations
        invocations += 1
        return (ours if invocations % 2 else theirs).batches(event, context)

    assert_same(run(alternating, ours.steps_and_waits), run(theirs.batches, theirs.steps_and_waits))
    assert invocations > 2


def test_a_state_of_several_pages_is_read() -> None:
    @durable_execution
    def handler(event: Any, context: Any) -> int:
        lengths = [len(context.step(lambda _: "x" * 20_000)) for _ in range(40)]
        context.wait(5)
        return sum(lengths)

    with a_runner(handler, max_invocation_page_bytes=100_000) as runner:
        assert runner.run().result == "800000"


def test_an_async_handler_runs_there_too() -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> Any:
        first = await context.step(lambda _: 1, name="first")
        await context.wait(3_600)

        async def branch(inner: AsyncDurableContext) -> int:
            await inner.wait(60)
            return await inner.step(lambda step: step.attempt)

        both = await context.parallel([branch, branch], name="both")
        return [event, first, both.get_results()]

    result = run(handler, ours.steps_and_waits)

    assert result.result == '[{"who": "Ada"}, 1, [1, 1]]'
