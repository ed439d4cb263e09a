"""What each call on a context comes to: an identity, taken at once, and the generator that does it.

Arguments are checked here, before anything is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from perdure.protocol.operations import WaitOptions
from perdure.protocol.words import OperationType
from perdure.sdk.batches import envelope_summary_generator
from perdure.sdk.config import (
    CallbackConfig,
    ChildConfig,
    InvokeConfig,
    MapConfig,
    ParallelBranch,
    ParallelConfig,
    StepConfig,
)
from perdure.sdk.decorators import name_of
from perdure.sdk.duration import as_duration
from perdure.sdk.exceptions import ValidationError
from perdure.sdk.operations import callback as callbacks
from perdure.sdk.operations import condition
from perdure.sdk.operations import invoke as invokes
from perdure.sdk.operations import step as steps
from perdure.sdk.operations import wait as waits
from perdure.sdk.operations.batch import Branch, Plan, run_batch
from perdure.sdk.operations.child import child
from perdure.sdk.operations.waiting_for_callback import submit_and_await, translated
from perdure.sdk.requests import Call
from perdure.sdk.words import OperationSubType

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import WaitForCallbackConfig
    from perdure.sdk.duration import Duration, DurationLike
    from perdure.sdk.requests import Body, Request
    from perdure.sdk.waits import WaitForConditionConfig

__all__ = [
    "create_callback",
    "invoke",
    "map_inputs",
    "parallel",
    "run_in_child_context",
    "step",
    "wait",
    "wait_for_callback",
    "wait_for_condition",
]


#: What a service offers that keeps time to the millisecond: ``protocol.invocations.Offer``.
_MILLISECONDS: Final = "WaitMilliseconds"
_STEP: Final = StepConfig()
_STEP_SUB_TYPE: Final = OperationSubType.STEP.value


def step(
    context: BaseContext, func: Callable[..., Any], name: str | None, config: StepConfig | None
) -> Body:
    """Plan a step."""
    config = config or _STEP
    sub_type = config.sub_type or _STEP_SUB_TYPE
    identity = context.identify(OperationType.STEP, sub_type, name_of(name, func))
    return context.followed(identity, steps.step(context, identity, func, config))


def wait(context: BaseContext, duration: DurationLike, name: str | None) -> Body:
    """Plan a wait."""
    options = _wait_options(context, as_duration(duration))
    identity = context.identify(OperationType.WAIT, OperationSubType.WAIT.value, name)
    return context.followed(identity, waits.wait(context, identity, options))


def _wait_options(context: BaseContext, duration: Duration) -> WaitOptions:
    """Return a wait's options: to the millisecond where the service offers that."""
    if _MILLISECONDS in context.run.offers and duration.milliseconds:
        return WaitOptions(wait_milliseconds=duration.to_milliseconds())
    if duration.to_seconds() < 1:
        raise ValidationError("duration must be at least 1 second")
    return WaitOptions(wait_seconds=duration.to_seconds())


def create_callback(context: BaseContext, name: str | None, config: CallbackConfig | None) -> Body:
    """Plan a callback's creation."""
    config = config or CallbackConfig()
    sub_type = config.sub_type or OperationSubType.CALLBACK.value
    identity = context.identify(OperationType.CALLBACK, sub_type, name)

    def body() -> Generator[Request, Any, Any]:
        callback_id = yield from callbacks.create_callback(context, identity, config)
        return context.callback_class(callback_id, context, identity, config.serdes)

    return context.followed(identity, body())


def wait_for_callback(
    context: BaseContext,
    submitter: Callable[..., Any],
    name: str | None,
    config: WaitForCallbackConfig | None,
) -> Body:
    """Plan a callback, the step that hands out its id, and the waiting for its answer."""
    name = name_of(name, submitter)
    sub_type = OperationSubType.WAIT_FOR_CALLBACK.value
    identity = context.identify(OperationType.CONTEXT, sub_type, name)

    def body() -> Generator[Request, Any, Any]:
        inner = context.child(identity)
        work = submit_and_await(inner, submitter, name, config)
        return (
            yield from translated(
                child(context, identity, inner.scope, lambda: work, ChildConfig())
            )
        )

    return context.followed(identity, body())


def wait_for_condition(
    context: BaseContext,
    check: Callable[..., Any],
    config: WaitForConditionConfig[Any],
    name: str | None,
) -> Body:
    """Plan a condition's checks."""
    if check is None:  # pyright: ignore[reportUnnecessaryComparison] - callers are not all typed
        raise ValidationError("`check` is required for wait_for_condition")
    if not config:
        raise ValidationError("`config` is required for wait_for_condition")
    sub_type = OperationSubType.WAIT_FOR_CONDITION.value
    identity = context.identify(OperationType.STEP, sub_type, name)
    return context.followed(
        identity, condition.wait_for_condition(context, identity, check, config)
    )


def invoke(
    context: BaseContext,
    function_name: str,
    payload: Any,
    name: str | None,
    config: InvokeConfig[Any, Any] | None,
) -> Body:
    """Plan a chained invoke."""
    sub_type = OperationSubType.CHAINED_INVOKE.value
    identity = context.identify(OperationType.CHAINED_INVOKE, sub_type, name)
    config = config or InvokeConfig()
    return context.followed(
        identity, invokes.invoke(context, identity, function_name, payload, config)
    )


def run_in_child_context(
    context: BaseContext,
    func: Callable[..., Any],
    name: str | None,
    config: ChildConfig[Any] | None,
) -> Body:
    """Plan a child context."""
    config = config or ChildConfig()
    sub_type = config.sub_type or OperationSubType.RUN_IN_CHILD_CONTEXT.value
    identity = context.identify(OperationType.CONTEXT, sub_type, name_of(name, func))

    def body() -> Generator[Request, Any, Any]:
        inner = context.child(identity, is_virtual=config.is_virtual)
        call = Call(func, (inner,), inner.scope, is_work=False)
        return (yield from child(context, identity, inner.scope, lambda: _once(call), config))

    return context.followed(identity, body(), is_virtual=config.is_virtual)


def map_inputs(
    context: BaseContext,
    inputs: Sequence[Any],
    func: Callable[..., Any],
    name: str | None,
    config: MapConfig[Any] | None,
) -> Body:
    """Plan a map."""
    config = config or MapConfig()
    config.completion_config.check_total(len(inputs))

    def branch(index: int, item: Any) -> Branch:
        own_name = config.item_namer(item, index) if config.item_namer else None

        def call(inner: Any) -> Any:
            return func(inner, item, index, inputs)

        return Branch(call, own_name)

    def plan() -> Plan:
        branches = [branch(index, item) for index, item in enumerate(inputs)]
        return Plan(branches, OperationSubType.MAP_ITERATION.value, "map-item-", config)

    return _batch(context, OperationSubType.MAP, name_of(name, func), plan, config)


def parallel(
    context: BaseContext,
    functions: Sequence[Callable[..., Any]],
    name: str | None,
    config: ParallelConfig | None,
) -> Body:
    """Plan a parallel."""
    config = config or ParallelConfig()
    config.completion_config.check_total(len(functions))

    def plan() -> Plan:
        branches = [
            Branch(function, function.name if isinstance(function, ParallelBranch) else None)
            for function in functions
        ]
        return Plan(branches, OperationSubType.PARALLEL_BRANCH.value, "parallel-branch-", config)

    return _batch(context, OperationSubType.PARALLEL, name, plan, config)


def _batch(
    context: BaseContext,
    sub_type: OperationSubType,
    name: str | None,
    plan: Callable[[], Plan],
    config: MapConfig[Any] | ParallelConfig,
) -> Body:
    identity = context.identify(OperationType.CONTEXT, sub_type.value, name)
    kind = "MapResult" if sub_type is OperationSubType.MAP else "ParallelResult"
    summarize: Any = envelope_summary_generator(kind, config.summary_generator)
    child_config: ChildConfig[Any] = ChildConfig(serdes=config.serdes, summary_generator=summarize)

    def body() -> Generator[Request, Any, Any]:
        inner = context.child(identity)

        def work() -> Generator[Request, Any, Any]:
            return (yield from run_batch(inner, identity, plan()))

        return (yield from child(context, identity, inner.scope, work, child_config))

    return context.followed(identity, body())


def _once(call: Call) -> Generator[Request, Any, Any]:
    return (yield call)
