"""A block is tried again as AWS's SDK does, by threads and by event loops."""

import asyncio
import functools
from collections.abc import Callable
from typing import Any

import pytest
from aws_durable_execution_sdk_python import config as aws_config
from aws_durable_execution_sdk_python import retries as aws

from perdure.sdk.duration import as_duration
from perdure.sdk.exceptions import SuspendExecution
from perdure.sdk.retries import RetryDecision
from perdure.sdk.retrying import WithRetryConfig, with_retry


class Context:
    """Notes what it is asked for."""

    def __init__(self, name: str = "handler", calls: list[Any] | None = None) -> None:
        self.name = name
        self.calls: list[Any] = [] if calls is None else calls

    def wait(self, duration: Any, name: str | None = None) -> Any:
        self.calls.append((self.name, "wait", duration.to_seconds(), name))

    def run_in_child_context(
        self, func: Callable[[Any], Any], name: str | None = None, config: Any = None
    ) -> Any:
        self.calls.append((self.name, "child", name, config))
        return func(type(self)("child", self.calls))


class AsyncContext(Context):
    """The same, awaited."""

    is_async = True

    async def wait(self, duration: Any, name: str | None = None) -> None:
        super().wait(as_duration(duration), name)

    async def run_in_child_context(
        self, func: Callable[[Any], Any], name: str | None = None, config: Any = None
    ) -> Any:
        return await super().run_in_child_context(func, name, config)


def _failing(times: int) -> Callable[[Any, int], str]:
    """Return a block that fails so many times."""

    def block(context: Any, attempt: int) -> str:
        context.calls.append((context.name, "block", attempt))
        if attempt <= times:
            raise ValueError(attempt)
        return "done"

    return block


def _failing_async(times: int) -> Callable[[Any, int], Any]:
    block = _failing(times)

    async def block_async(context: Any, attempt: int) -> str:
        return block(context, attempt)

    return block_async


def _strategy(module: Any, duration: Callable[[int], Any]) -> Callable[[Exception, int], Any]:
    """Return three attempts, in the words of ``module``."""

    def decide(_error: Exception, attempt: int) -> Any:
        if attempt >= 3:
            return module.no_retry()
        return module.retry(duration(attempt))

    return decide


def _outcome(call: Callable[[], Any]) -> object:
    try:
        return call()
    except ValueError as error:
        return error.args


@pytest.mark.parametrize("failures", [0, 1, 2, 3])
@pytest.mark.parametrize("is_wrapped", [True, False])
@pytest.mark.parametrize("name", [None, "charge"])
def test_a_block_is_tried_again_as_in_aws(
    failures: int, is_wrapped: bool, name: str | None
) -> None:
    theirs, mine, awaited = Context(), Context(), AsyncContext()
    expected = _outcome(
        lambda: aws.with_retry(
            theirs,  # type: ignore[arg-type]
            _failing(failures),
            aws.WithRetryConfig(
                _strategy(aws.RetryDecision, aws_config.Duration), is_wrapped, "config"
            ),
            name,
        )
    )
    config: Any = WithRetryConfig(
        _strategy(RetryDecision, as_duration),
        is_wrapped,
        "config",  # type: ignore[arg-type]
    )
    assert _outcome(lambda: with_retry(mine, _failing(failures), config, name)) == expected
    assert mine.calls == theirs.calls
    block = _failing_async(failures)
    assert _outcome(lambda: asyncio.run(with_retry(awaited, block, config, name))) == expected
    assert awaited.calls == theirs.calls


def test_without_a_strategy_there_are_three_attempts() -> None:
    context = Context()
    with pytest.raises(ValueError, match="3"):
        with_retry(context, _failing(5), WithRetryConfig(wrap_with_run_in_child_context=False))
    assert [call[1] for call in context.calls] == ["block", "wait"] * 2 + ["block"]


@pytest.mark.parametrize("context", [Context(), AsyncContext()], ids=["sync", "async"])
def test_a_suspension_is_no_failure(context: Any) -> None:
    def suspend(_context: Any, _attempt: int) -> Any:
        raise SuspendExecution("waiting")

    config: Any = WithRetryConfig(wrap_with_run_in_child_context=False)
    with pytest.raises(SuspendExecution):
        _awaited(with_retry(context, suspend, config))
    assert context.calls == []


def _awaited(value: Any) -> Any:
    return asyncio.run(value) if asyncio.iscoroutine(value) else value


class _Block:
    """An object that is called, and one that is bound."""

    async def __call__(self, context: Any, attempt: int) -> Any:
        return await self.bound(context, attempt)

    async def bound(self, context: Any, attempt: int) -> int:
        await context.wait(1)
        return attempt


@pytest.mark.parametrize(
    "block",
    [
        _Block(),
        _Block().bound,
        functools.partial(_Block().bound),
        lambda context, attempt: _Block().bound(context, attempt),
    ],
    ids=["called", "bound", "partial", "lambda"],
)
def test_every_kind_of_coroutine_function_is_awaited(block: Any) -> None:
    context = AsyncContext()
    assert asyncio.run(with_retry(context, block, WithRetryConfig())) == 1


def test_a_coroutine_function_is_awaited_whatever_the_context() -> None:
    async def block(_context: Any, attempt: int) -> int:
        return attempt

    config: Any = WithRetryConfig(wrap_with_run_in_child_context=False)
    assert asyncio.run(with_retry(Context(), block, config)) == 1


@pytest.mark.parametrize("block", [len, functools.partial(max)])
def test_a_builtin_is_no_coroutine_function(block: Any) -> None:
    config: Any = WithRetryConfig(lambda _error, _attempt: RetryDecision.no_retry())
    with pytest.raises(TypeError):
        with_retry(Context(), block, config)
