"""Whole executions, on our SDK and on AWS's: plugins hear the same, and logs say the same.

Handlers are written once, against the names that both SDKs have.
"""

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable
from contextvars import ContextVar, Token
from types import SimpleNamespace
from typing import Any

import aws_durable_execution_sdk_python as aws
import aws_durable_execution_sdk_python.config as aws_config
import aws_durable_execution_sdk_python.plugin as aws_plugin
import aws_durable_execution_sdk_python.retries as aws_retries
import aws_durable_execution_sdk_python.waits as aws_waits
import pytest

import perdure
import perdure.config
import perdure.plugin
import perdure.retries
import perdure.waits
from perdure.sdk.client import ServiceError
from tests.sdk.aws_function import AwsFunction
from tests.sdk.plugin_worlds import HOOKS, Factory, Note, noting
from tests.sdk.service import Ended, Service

Handler = Callable[[Any, Any, Any], Any]

OURS = SimpleNamespace(
    config=perdure.config,
    plugin=perdure.plugin,
    retries=perdure.retries,
    waits=perdure.waits,
    durable_execution=perdure.durable_execution,
)
AWSS = SimpleNamespace(
    config=aws_config,
    plugin=aws_plugin,
    retries=aws_retries,
    waits=aws_waits,
    durable_execution=aws.durable_execution,
)


def run(sdk: Any, handler: Handler, **hooks: Callable[..., Any]) -> tuple[Ended, list[Note]]:
    """Run a handler to its end; return how it ended and what a plugin heard."""
    notes: list[Note] = []

    def plugin() -> Any:
        return noting(sdk.plugin.DurableInstrumentationPlugin, notes, **hooks)

    def bound(event: Any, context: Any) -> Any:
        return handler(sdk, event, context)

    function: Any = sdk.durable_execution(plugins=[Factory(plugin)])(bound)
    service = Service(
        function if sdk is OURS else AwsFunction(function),  # type: ignore[arg-type]
        {"n": 1},
        targets={"target": lambda payload: {"got": payload}},
        answer=lambda callback_id: (json.dumps("hello"), None),
    )
    return service.run(), notes


def heard(notes: list[Note]) -> list[Note]:
    """Return the notes without what differs by nature: merged changes, clocks, request ids."""
    kept = [note for note in notes if note.hook != "on_operation_change"]
    return [note._replace(fields=_without_clocks(note.fields)) for note in kept]


def _without_clocks(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_clocks(each)
            for key, each in value.items()
            if key not in {"start_time", "end_time", "execution_start_time", "request_id"}
        }
    return value


def steps(sdk: Any, event: Any, context: Any) -> Any:
    first = context.step(lambda step: step.attempt, name="first")
    context.wait(sdk.config.Duration.from_seconds(5), name="pause")

    def flaky(step: Any) -> Any:
        if step.attempt < 3:
            raise ValueError(f"attempt {step.attempt}")
        return step.attempt

    second = context.step(flaky, name="flaky")
    return [first, second]


def at_most_once(sdk: Any, event: Any, context: Any) -> Any:
    config = sdk.config.StepConfig(step_semantics=sdk.config.StepSemantics.AT_MOST_ONCE_PER_RETRY)
    return context.step(lambda step: "once", config=config)


def children(sdk: Any, event: Any, context: Any) -> Any:
    def inner(child: Any) -> Any:
        child.step(lambda step: "a")
        child.wait(sdk.config.Duration.from_seconds(2))
        return child.step(lambda step: "b")

    def virtual(child: Any) -> Any:
        child.step(lambda step: "c")
        child.wait(sdk.config.Duration.from_seconds(2))
        return "done"

    def failing(child: Any) -> Any:
        raise LookupError("no")

    found = [context.run_in_child_context(inner, name="inner")]
    flat = sdk.config.ChildConfig(is_virtual=True)
    found.append(context.run_in_child_context(virtual, name="virtual", config=flat))
    for config in (None, flat):
        try:
            context.run_in_child_context(failing, name="failing", config=config)
        except Exception as error:  # noqa: BLE001 - both SDKs' own
            found.append(type(error).__name__)
    context.wait(sdk.config.Duration.from_seconds(1))
    return found


def large(sdk: Any, event: Any, context: Any) -> Any:
    def body(child: Any) -> Any:
        return child.step(lambda step: "x" * 10) * 40_000

    found = len(context.run_in_child_context(body, name="large"))
    context.wait(sdk.config.Duration.from_seconds(1))
    return found


def outside(sdk: Any, event: Any, context: Any) -> Any:
    callback = context.create_callback(name="asked")
    unread = context.create_callback(name="unread")
    found = [context.wait_for_callback(lambda callback_id, step: None, name="waited")]
    found.append(context.invoke("target", {"x": 1}, name="invoked"))
    found.append(callback.result())
    return [*found, unread.callback_id is not None]


def condition(sdk: Any, event: Any, context: Any) -> Any:
    def go_on(state: int, attempt: int) -> Any:
        if state >= 2:
            return sdk.waits.WaitForConditionDecision.stop_polling()
        return sdk.waits.WaitForConditionDecision.continue_waiting(
            sdk.config.Duration.from_seconds(3)
        )

    config = sdk.waits.WaitForConditionConfig(wait_strategy=go_on, initial_state=0)
    return context.wait_for_condition(lambda state, check: state + 1, config, name="polled")


def failing_step(sdk: Any, event: Any, context: Any) -> Any:
    def fail(step: Any) -> Any:
        raise ValueError("always")

    config = sdk.config.StepConfig(retry_strategy=sdk.retries.RetryPresets.none())
    return context.step(fail, name="fails", config=config)


def nothing(sdk: Any, event: Any, context: Any) -> Any:
    return event


SEQUENTIAL = [steps, at_most_once, children, large, outside, condition, failing_step, nothing]


@pytest.mark.parametrize("handler", SEQUENTIAL, ids=lambda handler: handler.__name__)
def test_plugins_hear_what_awss_hear(handler: Handler) -> None:
    (our_end, ours), (aws_end, awss) = run(OURS, handler), run(AWSS, handler)

    assert (our_end.status, our_end.result) == (aws_end.status, aws_end.result)
    assert heard(ours) == heard(awss)


def fan_out(sdk: Any, event: Any, context: Any) -> Any:
    def branch(number: int) -> Callable[[Any], Any]:
        def work(child: Any) -> Any:
            child.step(lambda step: number, name=f"step {number}")
            child.wait(sdk.config.Duration.from_seconds(60), name=f"wait {number}")
            return child.step(lambda step: number * 10, name=f"after {number}")

        return work

    found = [
        context.parallel([branch(0), branch(1)], name="p").get_results(),
        context.map([1, 2], lambda child, item, i, all_: child.step(lambda s: item)).get_results(),
    ]
    flat = sdk.config.ParallelConfig(nesting_type=sdk.config.NestingType.FLAT)
    found.append(context.parallel([branch(2), branch(3)], name="flat", config=flat).get_results())
    return found


def early(sdk: Any, event: Any, context: Any) -> Any:
    has_begun = threading.Event()

    def quick(child: Any) -> Any:
        assert has_begun.wait(30)
        return "quick"

    def slow(child: Any) -> Any:
        has_begun.set()
        child.wait(sdk.config.Duration.from_minutes(1))
        return "slow"

    config = sdk.config.ParallelConfig(
        completion_config=sdk.config.CompletionConfig.first_successful()
    )
    batch = context.parallel([quick, slow], config=config)
    context.wait(sdk.config.Duration.from_minutes(2))
    return batch.get_results()


def counted(notes: list[Note]) -> Counter[str]:
    """Return how often each hook was heard of each operation, in whatever order."""
    return Counter(
        json.dumps([note.hook, _without_clocks(note.fields)], sort_keys=True)
        for note in heard(notes)
        if not note.hook.startswith("on_invocation")
    )


def test_plugins_hear_of_branches_what_awss_hear() -> None:
    (our_end, ours), (aws_end, awss) = run(OURS, fan_out), run(AWSS, fan_out)

    assert (our_end.status, our_end.result) == (aws_end.status, aws_end.result)
    assert counted(ours) == counted(awss)


def test_what_is_left_by_an_early_end_is_told_without_an_end() -> None:
    end, notes = run(OURS, early)

    left = [n for n in heard(notes) if n.fields.get("name") == "parallel-branch-1"]
    assert end.result == ["quick"]
    assert "on_operation_end" not in {note.hook for note in left}
    outcomes = {note.fields["outcome"] for note in left if note.hook == "on_user_function_end"}
    assert outcomes == {"INCOMPLETE"}


def logging_handler(sdk: Any, event: Any, context: Any) -> Any:
    context.logger.info("begun")
    context.step(lambda step: step.logger.info("in the first step"), name="first")
    context.logger.info("after the first")

    def inner(child: Any) -> None:
        child.logger.info("child begun")
        child.wait(sdk.config.Duration.from_seconds(1))
        child.logger.warning("child goes on")
        child.step(lambda step: step.logger.error("in the child's step"), name="second")

    context.run_in_child_context(inner, name="child")
    context.logger.info("between", extra={"mine": 1})
    context.wait(sdk.config.Duration.from_seconds(1))

    def flaky(step: Any) -> None:
        step.logger.info("attempt %d", step.attempt)
        if step.attempt == 1:
            raise ValueError("no")

    context.step(flaky, name="flaky")
    context.logger.info("ended")


def lines_of(sdk: Any, handler: Handler, caplog: pytest.LogCaptureFixture) -> list[list[Any]]:
    """Return the lines that a handler logs through its contexts, with what is added to them."""
    extras = ("parentId", "operationName", "attempt", "operationId", "mine")
    caplog.clear()
    run(sdk, handler)
    return [
        [record.getMessage(), record.levelname, *(record.__dict__.get(name) for name in extras)]
        for record in caplog.records
        if "executionArn" in record.__dict__
    ]


def test_logs_say_what_awss_say_and_nothing_twice(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ours, awss = (lines_of(sdk, logging_handler, caplog) for sdk in (OURS, AWSS))

    assert ours == awss
    assert [line[0] for line in ours] == [
        "begun",
        "in the first step",
        "after the first",
        "child begun",
        "child goes on",
        "in the child's step",
        "between",
        "attempt 1",
        "attempt 2",
        "ended",
    ]


def logging_branches(sdk: Any, event: Any, context: Any) -> Any:
    def branch(number: int) -> Callable[[Any], Any]:
        def work(child: Any) -> None:
            child.logger.info("branch %d begun", number)
            child.step(lambda step: step.logger.info("step of %d", number))
            child.wait(sdk.config.Duration.from_minutes(number + 1))
            child.logger.info("branch %d goes on", number)
            child.step(lambda step: None)
            child.logger.info("branch %d ended", number)

        return work

    flat = sdk.config.ParallelConfig(nesting_type=sdk.config.NestingType.FLAT)
    for config in (None, flat):
        context.parallel([branch(0), branch(1)], config=config)
        context.logger.info("joined")
        context.wait(sdk.config.Duration.from_minutes(3))
    context.logger.info("ended")


def test_branches_log_what_awss_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    ours, awss = (lines_of(sdk, logging_branches, caplog) for sdk in (OURS, AWSS))

    assert sorted(map(str, ours)) == sorted(map(str, awss))
    nested = [line[0] for line in ours[: [line[0] for line in ours].index("joined")]]
    assert len(nested) == len(set(nested)) == 8


async def awaited(sdk: Any, event: Any, context: Any) -> Any:
    """As ``steps``, ``children`` and ``outside`` together, awaited."""
    first = await context.step(lambda step: step.attempt, name="first")
    await context.wait(sdk.config.Duration.from_seconds(5), name="pause")

    async def flaky(step: Any) -> Any:
        if step.attempt < 3:
            raise ValueError(f"attempt {step.attempt}")
        return step.attempt

    async def inner(child: Any) -> Any:
        await child.step(lambda step: "a")
        await child.wait(sdk.config.Duration.from_seconds(2))
        return await child.step(flaky, name="flaky")

    return [first, await context.run_in_child_context(inner, name="inner")]


def blocking(sdk: Any, event: Any, context: Any) -> Any:
    first = context.step(lambda step: step.attempt, name="first")
    context.wait(sdk.config.Duration.from_seconds(5), name="pause")

    def flaky(step: Any) -> Any:
        if step.attempt < 3:
            raise ValueError(f"attempt {step.attempt}")
        return step.attempt

    def inner(child: Any) -> Any:
        child.step(lambda step: "a")
        child.wait(sdk.config.Duration.from_seconds(2))
        return child.step(flaky, name="flaky")

    return [first, context.run_in_child_context(inner, name="inner")]


def run_async(handler: Handler, **hooks: Callable[..., Any]) -> tuple[Ended, list[Note]]:
    """Run an async handler on our SDK."""
    notes: list[Note] = []

    def plugin() -> Any:
        return noting(perdure.plugin.DurableInstrumentationPlugin, notes, **hooks)

    async def bound(event: Any, context: Any) -> Any:
        return await handler(OURS, event, context)

    function = perdure.durable_execution(plugins=[Factory(plugin)])(bound)
    return Service(function, {"n": 1}).run(), notes


def test_plugins_hear_of_async_handlers_what_they_hear_of_others() -> None:
    (async_end, async_notes), (end, notes) = run_async(awaited), run(OURS, blocking)

    assert (async_end.status, async_end.result) == (end.status, end.result)
    assert heard(async_notes) == heard(notes)


SPAN: ContextVar[str] = ContextVar("span", default="none")


class Spans(perdure.plugin.DurableInstrumentationPlugin):
    """Has a context variable name the operation whose function runs: as tracing does."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token[str]] = {}

    def on_invocation_start(self, info: Any) -> None:
        SPAN.set("invocation")

    def on_user_function_start(self, info: Any) -> None:
        self._tokens[info.operation_id] = SPAN.set(f"{SPAN.get()}/{info.name}")

    def on_user_function_end(self, info: Any) -> None:
        SPAN.reset(self._tokens.pop(info.operation_id))


def spans(event: Any, context: Any) -> Any:
    def child(inner: Any) -> Any:
        return inner.step(lambda step: SPAN.get(), name="in child")

    branches = [child, lambda inner: SPAN.get()]
    return [
        SPAN.get(),
        context.step(lambda step: SPAN.get(), name="step"),
        context.parallel(branches, name="p").get_results(),
        SPAN.get(),
    ]


async def async_spans(event: Any, context: Any) -> Any:
    async def child(inner: Any) -> Any:
        return await inner.step(lambda step: SPAN.get(), name="in child")

    async def own(inner: Any) -> Any:
        return SPAN.get()

    return [
        SPAN.get(),
        await context.step(lambda step: SPAN.get(), name="step"),
        (await context.parallel([child, own], name="p")).get_results(),
        SPAN.get(),
    ]


@pytest.mark.parametrize("handler", [spans, async_spans])
def test_what_a_hook_binds_is_seen_by_the_function_and_all_below(handler: Any) -> None:
    function = perdure.durable_execution(plugins=[Factory(Spans)])(handler)

    found = Service(function).run().result

    assert found == [
        "invocation",
        "invocation/step",
        [
            "invocation/p/parallel-branch-0/in child",
            "invocation/p/parallel-branch-1",
        ],
        "invocation",
    ]
    assert SPAN.get() == "none"


def test_a_plugin_that_fails_everywhere_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(info: Any) -> None:
        raise RuntimeError("the plugin fails")

    sound, _ = run(OURS, children)
    faulty, notes = run(OURS, children, **dict.fromkeys(HOOKS, fail))

    assert (faulty.status, faulty.result) == (sound.status, sound.result)
    assert len(notes) == sum(record.levelname == "ERROR" for record in caplog.records)


def test_an_invocation_that_cannot_store_is_to_be_tried_again() -> None:
    def die(number: int) -> None:
        if number == 1 and not died:
            died.append(number)
            raise ServiceError("throttled", status=429)

    died: list[int] = []
    notes: list[Note] = []
    function = perdure.durable_execution(
        plugins=[Factory(lambda: noting(perdure.plugin.DurableInstrumentationPlugin, notes))]
    )(lambda event, context: [context.step(lambda step: step.attempt) for _ in range(3)])

    Service(function, before_checkpoint=die).run()

    ends = [note.fields["status"] for note in notes if note.hook == "on_invocation_end"]
    assert ends == ["RETRY", "SUCCEEDED"]
