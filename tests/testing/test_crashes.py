"""Crash-everywhere: handlers that survive, and planted ones that do not."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure import (
    AsyncDurableContext,
    DurableContext,
    RetryDecision,
    StepConfig,
    durable_execution,
)
from perdure.config import StepSemantics
from perdure.testing import DurableFunctionTestRunner, crash_everywhere, effects
from perdure.testing.crashes import Exploration, explore
from perdure.testing.trials import Keep, Kill, Moment, Point, Trial, current_trial, during
from tests.testing.handlers import BOTH_APPROVALS, BOTH_ORDERS

INPUT = {"items": ["a", "b"]}
ONCE = StepConfig(
    step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
    retry_strategy=lambda _, attempt: (
        RetryDecision.retry(5) if attempt < 3 else RetryDecision.no_retry()
    ),
)
MODES: tuple[Keep, ...] = ("off", "on")


@pytest.mark.parametrize("handler", BOTH_ORDERS, ids=["sync", "async"])
def test_an_order_survives_being_killed_anywhere(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(INPUT)

    report.assert_safe()
    assert report.is_safe
    assert report.kills >= 20
    assert {run.keep for run in report.runs} == {"off", "on"}
    killed = {run.killed.moment for run in report.runs if run.killed}
    assert killed == {Moment.BEFORE, Moment.AFTER, Moment.ANSWER}
    assert set(report.repeated_steps) <= {"reserve", "charge"}
    assert "charge" in report.repeated_steps
    assert "every run ended, and affected the world, as the undisturbed one" in str(report)


@pytest.mark.parametrize("handler", BOTH_APPROVALS, ids=["sync", "async"])
def test_a_scenario_is_played_again_each_time(handler: Any) -> None:
    def play(runner: DurableFunctionTestRunner) -> None:
        arn = runner.run_async()
        for name in ("first", "second"):
            runner.send_callback_success(runner.wait_for_callback(arn, name), name)
        assert runner.wait_for_result(arn).value == ["first", "second"]

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(scenario=play)

    report.assert_safe(idempotent=["second submitter"])
    with pytest.raises(AssertionError, match="not declared idempotent: second submitter"):
        report.assert_safe(idempotent=[])


def unsteady(numbers: Any) -> tuple[Any, Any]:
    """Return two handlers whose steps are called otherwise at each replay."""

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: 1, name=f"step-{next(numbers)}")
        return context.step(lambda _: 2, name="last")

    @durable_execution
    async def handler_async(event: Any, context: AsyncDurableContext) -> Any:
        await context.step(lambda _: 1, name=f"step-{next(numbers)}")
        return await context.step(lambda _: 2, name="last")

    return handler, handler_async


@pytest.mark.parametrize("index", [0, 1], ids=["sync", "async"])
def test_what_is_not_deterministic_is_found(index: int) -> None:
    def run_once() -> None:
        with DurableFunctionTestRunner(unsteady(itertools.count())[index]) as runner:
            runner.run()

    report = explore(run_once, keep_handlers=("off",))

    assert not report.is_safe
    with pytest.raises(AssertionError) as raised:
        report.assert_safe()
    text = str(raised.value)
    assert "runs ended otherwise than undisturbed:" in text
    assert "killed after checkpoint 1 [START STEP 'step-0', SUCCEED STEP 'step-0']" in text
    assert "Non-deterministic operation identity" in text
    assert "instead of SUCCEEDED 2" in text


def test_a_value_that_is_made_outside_of_a_step_is_found() -> None:
    numbers = itertools.count()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        drawn = next(numbers)
        context.wait(1)
        return drawn - event

    def play(runner: DurableFunctionTestRunner) -> None:
        runner.run(next(numbers) + 1)

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(scenario=play)

    calm = next(run for run, _ in report.divergences if run.kill is None)
    assert (calm.keep, str(calm)) == ("off", "not killed, handlers replayed")


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_an_effect_that_happens_twice_is_found_with_its_step(is_async: bool) -> None:
    def send(_: Any) -> None:
        effects.record("email", "ada@example.org")

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: 1, name="look up")
        context.step(send, name="notify")

    @durable_execution
    async def handler_async(event: Any, context: AsyncDurableContext) -> Any:
        await context.step(lambda _: 1, name="look up")
        await context.step(send, name="notify")

    with DurableFunctionTestRunner(handler_async if is_async else handler) as runner:
        report = runner.check_crash_safety()

    assert report.divergences == []
    (found,) = report.changed_effects.items()
    assert found[0] == ("email", "ada@example.org")
    assert [(run.keep, run.killed and run.killed[:2], n, m) for run, n, m in found[1]] == [
        ("off", (Moment.BEFORE, 2), 2, 1),
        ("on", (Moment.BEFORE, 2), 2, 1),
    ]
    text = str(report)
    assert "email ada@example.org, in step notify: 2 times instead of 1" in text
    assert "killed before checkpoint 2 [START STEP 'notify', SUCCEED STEP 'notify']" in text
    assert "step notify: 2 times" in text


def test_an_idempotent_effect_is_not_found() -> None:
    class Gateway:
        """Charges once for each key."""

        def __init__(self) -> None:
            self.charged: set[str] = set()

        def charge(self, key: str) -> None:
            if key not in self.charged:
                self.charged.add(key)
                effects.record("charge", key)

    def play(runner: DurableFunctionTestRunner) -> None:
        gateways.append(Gateway())
        runner.run()

    gateways: list[Gateway] = []

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: gateways[-1].charge("order-1"), name="charge")

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(scenario=play)

    report.assert_safe()
    assert report.repeated_steps == {"charge": 2}


def test_a_step_that_runs_at_most_once_is_never_found_twice() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        def pay(step: Any) -> str:
            effects.record("pay", "order-1")
            return "paid"

        return context.step(pay, name="pay", config=ONCE)

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety()

    assert report.divergences == []
    assert report.repeated_steps == {}
    # An attempt that was interrupted counts as failed, and another one is made.
    ((effect, runs),) = report.changed_effects.items()
    assert effect == ("pay", "order-1")
    assert {(run.killed.moment, n) for run, n, _ in runs if run.killed} == {(Moment.BEFORE, 2)}


def test_an_effect_outside_of_steps_is_repeated_by_every_replay() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        effects.record("log")
        context.wait(1)
        context.wait(1)

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(points_max=2)

    (runs,) = report.changed_effects.values()
    assert (runs[0][0].kill, runs[0][1:]) == (None, (3, 1))
    assert "log, in no step: " in str(report)


def test_children_are_killed_too() -> None:
    @durable_execution
    def child(event: Any, context: DurableContext) -> Any:
        return context.step(lambda _: event * 2, name="double")

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return context.invoke("child", 4)

    with DurableFunctionTestRunner(handler) as runner:
        runner.register_durable_function("child", child)
        report = runner.check_crash_safety()

    report.assert_safe()
    assert len(report.reference.endings) == 2
    assert "double" in report.repeated_steps


def test_a_history_of_another_shape_is_found() -> None:
    runs = itertools.count()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        if next(runs) % 2:
            context.step(lambda _: 1, name="extra")
        return 1

    def play(runner: DurableFunctionTestRunner) -> None:
        runner.run()

    with DurableFunctionTestRunner(handler) as runner:
        report = runner.check_crash_safety(scenario=play)

    _, differences = report.divergences[0]
    assert differences == [
        "execution-name: its history has another shape",
        "  + /Step extra: SUCCEEDED",
    ]


def test_a_run_that_starts_something_else_is_found() -> None:
    names = itertools.count()

    def run_once() -> None:
        with DurableFunctionTestRunner(BOTH_ORDERS[0]) as runner:
            runner.run(INPUT, execution_name=f"order-{next(names)}")

    report = explore(run_once, keep_handlers=("on",), points_max=1)

    assert report.divergences[0][1] == [
        "order-0: was not started",
        "order-1: was started, and is not undisturbed",
    ]


@crash_everywhere
@pytest.mark.parametrize("handler", BOTH_ORDERS, ids=["sync", "async"])
def test_a_decorated_test_runs_everywhere(handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run(INPUT).status == "SUCCEEDED"
    trial = current_trial()
    assert trial is not None
    assert trial.services


@crash_everywhere(keep_handlers=("random",), points_max=3, idempotent=["reserve", "charge"])
def test_a_decorated_test_may_run_somewhere() -> None:
    with DurableFunctionTestRunner(BOTH_ORDERS[0]) as runner:
        assert runner.run(INPUT).status == "SUCCEEDED"


def test_the_tests_own_failure_is_a_divergence() -> None:
    attempts = itertools.count()

    @crash_everywhere(points_max=2)
    def a_test() -> None:
        with DurableFunctionTestRunner(BOTH_ORDERS[0]) as runner:
            runner.run(INPUT)
        if next(attempts) == 2:
            raise ValueError("something else")

    with pytest.raises(AssertionError, match="the test: ValueError: something else"):
        a_test()


def test_a_test_that_fails_undisturbed_fails_as_it_is() -> None:
    calls: list[int] = []

    @crash_everywhere
    def a_test() -> None:
        calls.append(1)
        raise LookupError("at once")

    with pytest.raises(LookupError, match="at once"):
        a_test()
    assert calls == [1]


def test_who_interrupts_is_heard() -> None:
    exploration = Exploration()
    trials = exploration.trials()
    with exploration.running(next(trials)):
        pass
    with pytest.raises(KeyboardInterrupt), exploration.running(next(trials)):
        raise KeyboardInterrupt


def test_coroutine_tests_can_be_decorated() -> None:
    import asyncio

    runs: list[int] = []

    @crash_everywhere(points_max=2)
    async def a_test() -> None:
        await asyncio.sleep(0)
        with DurableFunctionTestRunner(BOTH_ORDERS[1]) as runner:
            runs.append(len(runner.run(INPUT).invocations))

    asyncio.run(a_test())
    assert len(runs) == 6


def test_effects_are_counted_where_they_happen_only_in_a_trial() -> None:
    effects.record("nothing")
    with during(Trial()) as trial:
        effects.record("something", 1)
        effects.record("something", 1)
    assert [(e.name, e.key, e.step, n) for e, n in trial.effects.items()] == [
        ("something", "1", None, 2)
    ]
    assert current_trial() is None


def test_a_runner_counts_by_itself() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        context.step(lambda _: effects.record("x"))

    with DurableFunctionTestRunner(handler) as runner:
        runner.run()
    ((effect, count),) = runner.trial.effects.items()
    assert (effect.name, effect.step, count) == ("x", "(a step without a name)", 1)


def test_a_place_says_where_it_is() -> None:
    kill = Kill(Moment.ANSWER, "answer of it #2")
    assert str(Point(Moment.ANSWER, 2, "PENDING", kill)) == "before answer 2 [PENDING] was heard"


def test_many_updates_are_summed_up() -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> Any:
        await context.map(list(range(9)), each)

    async def each(child: AsyncDurableContext, item: int, *_: Any) -> int:
        return await child.step(lambda _: item, name=f"s{item}")

    with DurableFunctionTestRunner(handler) as runner:
        runner.run()
    assert any(point.what.endswith(" more") for point in runner.trial.points)


async def step_async(context: AsyncDurableContext) -> Any:
    """Do a step."""
    return await context.step(lambda _: "stepped")


async def rest_async(context: AsyncDurableContext) -> None:
    """Wait."""
    await context.wait(2)


async def ask_async(context: AsyncDurableContext) -> Any:
    """Wait for an answer."""
    return await (await context.create_callback()).result()


async def map_async(context: AsyncDurableContext) -> Any:
    """Do a step for each."""

    async def one(child: AsyncDurableContext, item: int, *_: Any) -> int:
        return await child.step(lambda _: item)

    return (await context.map([1, 2], one)).get_results()


async def child_async(context: AsyncDurableContext) -> Any:
    """Wait in a child context."""
    return await context.run_in_child_context(rest_async)


SYNC: dict[str, Any] = {
    "step": lambda c: c.step(lambda _: "stepped"),
    "rest": lambda c: c.wait(2),
    "ask": lambda c: c.create_callback().result(),
    "map": lambda c: c.map([1, 2], lambda d, x, *_: d.step(lambda _: x)).get_results(),
    "child": lambda c: c.run_in_child_context(lambda d: d.wait(2)),
}
ASYNC: dict[str, Any] = {
    "step": step_async,
    "rest": rest_async,
    "ask": ask_async,
    "map": map_async,
    "child": child_async,
}


@durable_execution
def program(event: list[str], context: DurableContext) -> Any:
    """Do what the event says."""
    return [SYNC[word](context) for word in event]


@durable_execution
async def program_async(event: list[str], context: AsyncDurableContext) -> Any:
    """Do what the event says."""
    return [await ASYNC[word](context) for word in event]


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(sorted(SYNC)), min_size=1, max_size=5),
    st.sampled_from([program, program_async]),
)
def test_any_program_survives(words: list[str], handler: Any) -> None:
    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback(None, lambda _: "x")
        runner.check_crash_safety(words, keep_handlers=(*MODES, "random")).assert_safe()
