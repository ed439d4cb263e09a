"""Random durable programs: trees of operations whose result can be told without running them.

One program is interpreted by a sync handler and by an async one. Each step notes its runs, so that
one that runs again after it was recorded is found.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from perdure import (
    AsyncDurableContext,
    CallbackConfig,
    CallbackError,
    CallbackTimeoutError,
    ChildContextError,
    CompletionConfig,
    DurableContext,
    DurableFunction,
    InvokeError,
    MapConfig,
    NestingType,
    ParallelConfig,
    RetryDecision,
    StepConfig,
    StepError,
    StepSemantics,
    WaitForCallbackConfig,
    WaitForConditionConfig,
    WaitForConditionDecision,
    durable_execution,
)
from perdure.protocol.operations import ErrorObject
from perdure.sdk.batches import BatchResult

__all__ = [
    "HANDLERS",
    "Node",
    "Runs",
    "answer_of",
    "expected",
    "nodes",
    "wrap",
]

CAUGHT = "caught"
REFUSED = "refused"
TOO_LATE = "too late"
_STEPS = ("step", "once", "failing")
_BATCHES = ("map", "parallel", "flat", "enough", "mixed")


@dataclass(frozen=True)
class Node:
    """One operation: its kind, a number that decides how it goes, and what is inside."""

    kind: str
    number: int = 0
    inner: "tuple[Node, ...]" = ()


def nodes() -> st.SearchStrategy[tuple[Node, ...]]:
    """Return strategies of programs."""
    leaf_kinds = (*_STEPS, "wait", "callback", "submitted", "condition", "invoke")
    leaves = st.builds(Node, st.sampled_from(leaf_kinds), st.integers(0, 3))
    kinds = st.sampled_from(("child", "broken", *_BATCHES))
    return st.lists(
        st.recursive(
            leaves,
            lambda inner: st.builds(
                Node, kinds, st.integers(0, 3), st.lists(inner, max_size=4).map(tuple)
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
    branches = [expected((inner,)) for inner in node.inner]
    match node.kind:
        case "wait":
            return None
        case "callback" | "submitted":
            return {2: TOO_LATE, 3: REFUSED}.get(node.number, "answer")
        case "failing" | "broken":
            return CAUGHT
        case "invoke":
            return CAUGHT if node.number == 3 else [node.number]
        case "child":
            return expected(node.inner)
        case "map" | "parallel" | "flat":
            return [branches, 0]
        case "enough":
            return [branches[: _few(node)], 0]
        case "mixed":
            return [branches[::2], len(branches[1::2])]
        case _:
            return node.number


def _few(node: Node) -> int:
    return max(1, min(node.number, len(node.inner)))


def answer_of(name: str | None) -> tuple[str | None, ErrorObject | None] | None:
    """Return how a callback is answered, if it is; by its name, which begins with its number."""
    number = int((name or "0").split(" ")[0])
    if number == 2:
        return None
    if number == 3:
        return None, ErrorObject(error_type="Refused", error_message=REFUSED)
    return "answer", None


def wrap(payload: int) -> list[int]:
    """Be the function that programs invoke."""
    if payload == 3:
        raise ValueError("not this one")
    return [payload]


@dataclass
class Runs:
    """The runs of steps' functions, by the step's name, which is its place in the program."""

    #: whether a step is recorded as succeeded by now
    is_recorded: Callable[[str], bool] = lambda _: False
    attempts: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    once: set[str] = field(default_factory=set[str])  #: those that are at-most-once
    again: list[str] = field(default_factory=list[str])  #: what ran that should not have

    def step(self, place: str, node: Node, attempt: int) -> int:
        """Be a step's function: a plain one fails ``number`` times (up to 2) first."""
        self.attempts[place, attempt] += 1
        if self.is_recorded(place):
            self.again.append(place)
        if node.kind == "once":
            self.once.add(place)
        if node.kind == "failing":
            raise ValueError("for good")
        if node.kind == "step" and attempt <= node.number % 3:
            raise ConnectionError("for now")
        return node.number

    def check(self, place: str, node: Node, state: int, attempt: int) -> int:
        """Be a condition's check: counts up to ``number``, from what the last one left."""
        if state + 1 != attempt:
            self.again.append(f"{place}: attempt {attempt} was given {state}")
        return min(state + 1, node.number)


def _step_config(node: Node) -> StepConfig:
    is_last = node.kind == "failing"
    retry = RetryDecision.no_retry() if is_last else RetryDecision.retry(1)
    semantics = (
        StepSemantics.AT_MOST_ONCE_PER_RETRY
        if node.kind == "once"
        else StepSemantics.AT_LEAST_ONCE_PER_RETRY
    )
    return StepConfig(retry_strategy=lambda *_: retry, step_semantics=semantics)


def _batch_options(node: Node) -> dict[str, Any]:
    is_enough = node.kind == "enough"
    return {
        # One at a time, so that who ends first does not depend on who is faster.
        "max_concurrency": 1 if is_enough else node.number or None,
        "completion_config": CompletionConfig(min_successful=_few(node))
        if is_enough and node.inner
        else CompletionConfig.all_completed(),
        "nesting_type": NestingType.FLAT if node.kind == "flat" else NestingType.NESTED,
    }


def _timeout(node: Node) -> dict[str, Any]:
    return {"timeout": 5} if node.number == 2 else {}


def _until(number: int) -> WaitForConditionConfig[int]:
    def strategy(state: int, _: int) -> WaitForConditionDecision:
        if state >= number:
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(2)

    return WaitForConditionConfig(wait_strategy=strategy, initial_state=0)


def _told(batch: BatchResult[Any]) -> list[Any]:
    return [batch.get_results(), batch.failure_count]


def _outcome(error: Exception) -> str:
    match error:
        case CallbackTimeoutError():
            return TOO_LATE
        case CallbackError():
            return REFUSED
        case StepError() | ChildContextError() | InvokeError():
            return CAUGHT
        case _:
            raise error


def _breaking(results: list[Any]) -> None:
    """Fail, after everything inside has been done."""
    raise RuntimeError(json.dumps(len(results)))


class _Sync:
    """Runs a program by blocking."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    def run_all(self, context: DurableContext, inner: tuple[Node, ...], place: str) -> list[Any]:
        results: list[Any] = []
        for i, node in enumerate(inner):
            try:
                results.append(self._run(context, node, f"{place}.{i}"))
            except Exception as error:  # noqa: BLE001 - sorted there
                results.append(_outcome(error))
        return results

    def _run(self, context: DurableContext, node: Node, place: str) -> Any:
        if node.kind in _STEPS:
            return context.step(
                lambda step: self._runs.step(place, node, step.attempt),
                name=place,
                config=_step_config(node),
            )
        return getattr(self, f"_{node.kind}")(context, node, place)

    def _wait(self, context: DurableContext, node: Node, place: str) -> None:
        context.wait(node.number + 1, name=place)

    def _callback(self, context: DurableContext, node: Node, place: str) -> Any:
        name = f"{node.number} {place}"
        return context.create_callback(name, CallbackConfig(**_timeout(node))).result()

    def _submitted(self, context: DurableContext, node: Node, place: str) -> Any:
        return context.wait_for_callback(
            lambda *_: None,
            name=f"{node.number} {place}",
            config=WaitForCallbackConfig(**_timeout(node)),
        )

    def _condition(self, context: DurableContext, node: Node, place: str) -> Any:
        return context.wait_for_condition(
            lambda state, check: self._runs.check(place, node, state, check.attempt),
            _until(node.number),
            name=place,
        )

    def _invoke(self, context: DurableContext, node: Node, place: str) -> Any:
        return context.invoke("wrap", node.number, name=place)

    def _child(self, context: DurableContext, node: Node, place: str) -> Any:
        return context.run_in_child_context(
            lambda inner: self.run_all(inner, node.inner, place), name=place
        )

    def _broken(self, context: DurableContext, node: Node, place: str) -> Any:
        context.run_in_child_context(
            lambda inner: _breaking(self.run_all(inner, node.inner, place)), name=place
        )

    def _map(self, context: DurableContext, node: Node, place: str) -> Any:
        batch = context.map(
            node.inner,
            lambda inner, each, i, _: self.run_all(inner, (each,), f"{place}.{i}"),
            name=place,
            config=MapConfig(**_batch_options(node)),
        )
        return _told(batch)

    def _parallel(self, context: DurableContext, node: Node, place: str) -> Any:
        def branch(i: int) -> Callable[[DurableContext], Any]:
            def call(inner: DurableContext) -> Any:
                results = self.run_all(inner, (node.inner[i],), f"{place}.{i}")
                return _breaking(results) if node.kind == "mixed" and i % 2 else results

            return call

        branches = [branch(i) for i in range(len(node.inner))]
        config = ParallelConfig(**_batch_options(node))
        return _told(context.parallel(branches, name=place, config=config))

    _flat = _enough = _mixed = _parallel


class _Async:
    """Runs a program by awaiting; what is inside a child runs side by side."""

    def __init__(self, runs: Runs) -> None:
        self._runs = runs

    async def run_all(
        self, context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        return [await self._caught(context, each, f"{place}.{i}") for i, each in enumerate(inner)]

    async def _gather(
        self, context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        calls = (self._caught(context, node, f"{place}.{i}") for i, node in enumerate(inner))
        return list(await asyncio.gather(*calls))

    async def _in_pairs(
        self, context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        async def pair(i: int) -> list[Any]:
            return [
                await self._caught(context, node, f"{place}.{j}")
                for j, node in enumerate(inner[i : i + 2], start=i)
            ]

        pairs = await asyncio.gather(*(pair(i) for i in range(0, len(inner), 2)))
        return [result for pair in pairs for result in pair]

    async def _group(
        self, context: AsyncDurableContext, inner: tuple[Node, ...], place: str
    ) -> list[Any]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._caught(context, node, f"{place}.{i}"))
                for i, node in enumerate(inner)
            ]
        return [task.result() for task in tasks]

    async def _caught(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        try:
            return await self._run(context, node, place)
        except Exception as error:  # noqa: BLE001 - sorted there
            return _outcome(error)

    async def _run(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        if node.kind in _STEPS:

            async def work(step: Any) -> int:
                return self._runs.step(place, node, step.attempt)

            def plain(step: Any) -> int:
                return self._runs.step(place, node, step.attempt)

            function = plain if node.number == 1 else work
            return await context.step(function, name=place, config=_step_config(node))
        return await getattr(self, f"_{node.kind}")(context, node, place)

    async def _wait(self, context: AsyncDurableContext, node: Node, place: str) -> None:
        await context.wait(node.number + 1, name=place)

    async def _callback(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        name = f"{node.number} {place}"
        callback = await context.create_callback(name, CallbackConfig(**_timeout(node)))
        return await callback.result()

    async def _submitted(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        return await context.wait_for_callback(
            lambda *_: None,
            name=f"{node.number} {place}",
            config=WaitForCallbackConfig(**_timeout(node)),
        )

    async def _condition(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        return await context.wait_for_condition(
            lambda state, check: self._runs.check(place, node, state, check.attempt),
            _until(node.number),
            name=place,
        )

    async def _invoke(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        return await context.invoke("wrap", node.number, name=place)

    async def _child(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        run_all = (self.run_all, self._gather, self._group, self._in_pairs)[node.number]
        return await context.run_in_child_context(
            lambda inner: run_all(inner, node.inner, place), name=place
        )

    async def _broken(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        async def body(inner: AsyncDurableContext) -> None:
            _breaking(await self._gather(inner, node.inner, place))

        await context.run_in_child_context(body, name=place)

    async def _map(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        batch = await context.map(
            node.inner,
            lambda inner, each, i, _: self.run_all(inner, (each,), f"{place}.{i}"),
            name=place,
            config=MapConfig(**_batch_options(node)),
        )
        return _told(batch)

    async def _parallel(self, context: AsyncDurableContext, node: Node, place: str) -> Any:
        def branch(i: int) -> Callable[[AsyncDurableContext], Any]:
            async def call(inner: AsyncDurableContext) -> Any:
                results = await self.run_all(inner, (node.inner[i],), f"{place}.{i}")
                return _breaking(results) if node.kind == "mixed" and i % 2 else results

            return call

        branches = [branch(i) for i in range(len(node.inner))]
        config = ParallelConfig(**_batch_options(node))
        return _told(await context.parallel(branches, name=place, config=config))

    _flat = _enough = _mixed = _parallel


def _sync_handler(program: tuple[Node, ...], runs: Runs) -> DurableFunction:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[Any]:
        return _Sync(runs).run_all(context, program, "")

    return handler


def _async_handler(program: tuple[Node, ...], runs: Runs) -> DurableFunction:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> list[Any]:
        return await _Async(runs).run_all(context, program, "")

    return handler


#: What makes a program the handler of either colour.
HANDLERS: dict[str, Callable[[tuple[Node, ...], Runs], DurableFunction]] = {
    "sync": _sync_handler,
    "async": _async_handler,
}
