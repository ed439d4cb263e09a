"""Random durable programs: trees of operations whose result can be told without running them.

One program is interpreted by a sync handler and by an async one. Each step counts its runs, so that
one that runs again after it was recorded is found.
"""

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from perdure import (
    AsyncDurableContext,
    CallbackError,
    ChildContextError,
    CompletionConfig,
    DurableContext,
    DurableFunction,
    MapConfig,
    NestingType,
    ParallelConfig,
    RetryDecision,
    StepConfig,
    StepError,
    StepSemantics,
    WaitForConditionConfig,
    WaitForConditionDecision,
    durable_execution,
)
from perdure.protocol.operations import ErrorObject

__all__ = ["Node", "Runs", "answer_of", "async_handler", "expected", "nodes", "sync_handler"]

REFUSED = "refused"


@dataclass(frozen=True)
class Node:
    """One operation: its kind, a number that decides how it goes, and what is inside."""

    kind: str
    number: int = 0
    inner: "tuple[Node, ...]" = ()


def nodes() -> st.SearchStrategy[tuple[Node, ...]]:
    """Return strategies of programs."""
    leaves = st.one_of(
        st.builds(Node, st.sampled_from(["step", "once", "wait", "short"]), st.integers(0, 3)),
        st.builds(Node, st.sampled_from(["callback", "submitted"]), st.integers(0, 3)),
        st.builds(Node, st.sampled_from(["condition", "invoke", "failing"]), st.integers(0, 3)),
    )
    kinds = st.sampled_from(["child", "broken", "map", "parallel", "flat"])
    return st.lists(
        st.recursive(
            leaves,
            lambda inner: st.builds(
                Node, kinds, st.integers(0, 3), st.lists(inner, max_size=3).map(tuple)
            ),
            max_leaves=8,
        ),
        min_size=1,
        max_size=4,
    ).map(tuple)


def expected(program: tuple[Node, ...]) -> list[Any]:
    """Return what a program comes to."""
    return [_value(node) for node in program]


def _value(node: Node) -> Any:
    match node.kind:
        case "wait" | "short":
            return None
        case "callback" | "submitted":
            return REFUSED if node.number == 3 else "answer"
        case "failing" | "broken":
            return "caught"
        case "condition":
            return node.number
        case "invoke":
            return [node.number]
        case "child":
            return expected(node.inner)
        case "map" | "parallel" | "flat":
            return [expected((inner,)) for inner in node.inner]
        case _:
            return node.number


@dataclass
class Runs:
    """How often each step's function has run."""

    counts: Counter[str] = field(default_factory=Counter[str])
    once: set[str] = field(default_factory=set[str])  #: those that are at-most-once

    def step(self, place: str, node: Node, attempt: int) -> int:
        """Be a step's function: fails ``number`` times first, unless it is at-most-once."""
        self.counts[place] += 1
        if node.kind == "once":
            self.once.add(place)
        if node.kind == "failing":
            raise ValueError("for good")
        if node.kind == "step" and attempt <= node.number % 3:
            raise ConnectionError("for now")
        return node.number


def answer_of(callback_number: int) -> tuple[str | None, ErrorObject | None]:
    """Return how a callback is answered, by its program's number."""
    if callback_number == 3:
        return None, ErrorObject(error_type="Refused", error_message=REFUSED)
    return "answer", None


def _config(node: Node) -> StepConfig:
    retry = RetryDecision.no_retry() if node.kind == "failing" else RetryDecision.retry(1)
    semantics = (
        StepSemantics.AT_MOST_ONCE_PER_RETRY
        if node.kind == "once"
        else StepSemantics.AT_LEAST_ONCE_PER_RETRY
    )
    return StepConfig(retry_strategy=lambda *_: retry, step_semantics=semantics)


def _batch(node: Node) -> dict[str, Any]:
    return {
        "max_concurrency": node.number or None,
        "completion_config": CompletionConfig.all_completed(),
        "nesting_type": NestingType.FLAT if node.kind == "flat" else NestingType.NESTED,
    }


def _until(number: int) -> WaitForConditionConfig[int]:
    def strategy(state: int, _: int) -> WaitForConditionDecision:
        if state >= number:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(2)

    return WaitForConditionConfig(wait_strategy=strategy, initial_state=0)


def sync_handler(  # noqa: C901 - one case an operation
    program: tuple[Node, ...], runs: Runs
) -> DurableFunction:
    """Return the program as a handler that blocks."""

    def run_all(context: DurableContext, inner: tuple[Node, ...], place: str) -> list[Any]:
        return [run(context, node, f"{place}.{i}") for i, node in enumerate(inner)]

    def run(context: DurableContext, node: Node, place: str) -> Any:
        match node.kind:
            case "wait" | "short":
                return context.wait(node.number + 1, name=place)
            case "callback":
                return caught(lambda: context.create_callback(f"{node.number}").result())
            case "submitted":
                return caught(
                    lambda: context.wait_for_callback(lambda *_: None, name=f"{node.number}")
                )
            case "condition":
                return context.wait_for_condition(
                    lambda state, _: min(state + 1, node.number), _until(node.number), name=place
                )
            case "invoke":
                return context.invoke("wrap", node.number, name=place)
            case "child":
                return context.run_in_child_context(
                    lambda inner: run_all(inner, node.inner, place), name=place
                )
            case "broken":
                return caught(
                    lambda: context.run_in_child_context(
                        lambda inner: breaking(run_all(inner, node.inner, place)), name=place
                    )
                )
            case "map":
                batch = context.map(
                    node.inner,
                    lambda inner, each, i, _: run_all(inner, (each,), f"{place}.{i}"),
                    name=place,
                    config=MapConfig(**_batch(node)),
                )
                return batch.get_results()
            case "parallel" | "flat":
                branches = [
                    lambda inner, each=each, i=i: run_all(inner, (each,), f"{place}.{i}")
                    for i, each in enumerate(node.inner)
                ]
                config = ParallelConfig(**_batch(node))
                return context.parallel(branches, name=place, config=config).get_results()
            case _:
                return caught(
                    lambda: context.step(
                        lambda step: runs.step(place, node, step.attempt),
                        name=place,
                        config=_config(node),
                    )
                )

    def caught(call: Any) -> Any:
        try:
            return call()
        except CallbackError:
            return REFUSED
        except (StepError, ChildContextError):
            return "caught"

    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[Any]:
        return run_all(context, program, "")

    return handler


def async_handler(  # noqa: C901 - one case an operation
    program: tuple[Node, ...], runs: Runs
) -> DurableFunction:
    """Return the program as an async handler; what is inside a child runs side by side."""

    async def run_all(
        context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        return [await run(context, node, f"{place}.{i}") for i, node in enumerate(inner)]

    async def gather(
        context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        calls = (run(context, node, f"{place}.{i}") for i, node in enumerate(inner))
        return list(await asyncio.gather(*calls))

    async def run(  # noqa: C901 - one case an operation
        context: AsyncDurableContext, node: Node, place: str
    ) -> Any:
        match node.kind:
            case "wait" | "short":
                return await context.wait(node.number + 1, name=place)
            case "callback":
                return await caught(answered(context, node))
            case "submitted":
                return await caught(
                    context.wait_for_callback(lambda *_: None, name=f"{node.number}")
                )
            case "condition":
                return await context.wait_for_condition(
                    lambda state, _: min(state + 1, node.number), _until(node.number), name=place
                )
            case "invoke":
                return await context.invoke("wrap", node.number, name=place)
            case "child":
                return await context.run_in_child_context(
                    lambda inner: gather(inner, node.inner, place), name=place
                )
            case "broken":
                return await caught(
                    context.run_in_child_context(
                        lambda inner: broken(inner, node, place), name=place
                    )
                )
            case "map":
                batch = await context.map(
                    node.inner,
                    lambda inner, each, i, _: run_all(inner, (each,), f"{place}.{i}"),
                    name=place,
                    config=MapConfig(**_batch(node)),
                )
                return batch.get_results()
            case "parallel" | "flat":
                branches = [
                    lambda inner, each=each, i=i: run_all(inner, (each,), f"{place}.{i}")
                    for i, each in enumerate(node.inner)
                ]
                config = ParallelConfig(**_batch(node))
                return (await context.parallel(branches, name=place, config=config)).get_results()
            case _:

                async def work(step: Any) -> int:
                    return runs.step(place, node, step.attempt)

                return await caught(context.step(work, name=place, config=_config(node)))

    async def answered(context: AsyncDurableContext, node: Node) -> Any:
        return await (await context.create_callback(f"{node.number}")).result()

    async def broken(context: AsyncDurableContext, node: Node, place: str) -> Any:
        return breaking(await run_all(context, node.inner, place))

    async def caught(call: Any) -> Any:
        try:
            return await call
        except CallbackError:
            return REFUSED
        except (StepError, ChildContextError):
            return "caught"

    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> list[Any]:
        return await run_all(context, program, "")

    return handler


def breaking(results: list[Any]) -> None:
    """Fail, after everything inside has been done."""
    raise RuntimeError(json.dumps(len(results)))
