"""Closing while something runs, or waits."""

import threading
from pathlib import Path
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.embedded import DurableService, ExecutionFailed, ServiceClosed
from tests.embedded.handlers import approve, double
from tests.embedded.stages import event_types, opened


class Gate:
    """A step that says it has begun, and ends when it may."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.open = threading.Event()
        self.runs = 0

    def pass_through(self, _: Any) -> str:
        self.runs += 1
        self.entered.set()
        assert self.open.wait(30), "the test opens it"
        return "passed"


def _gated(gate: Gate) -> Any:
    @durable_execution
    def gated(event: Any, context: DurableContext) -> str:
        return context.step(gate.pass_through, name="gate")

    return gated


def _gated_async(gate: Gate) -> Any:
    @durable_execution
    async def gated(event: Any, context: AsyncDurableContext) -> str:
        return await context.step(gate.pass_through, name="gate")

    return gated


@pytest.mark.parametrize("make", [_gated, _gated_async], ids=["sync", "async"])
def test_what_runs_may_end_before_the_service_does(tmp_path: Path, make: Any) -> None:
    gate = Gate()
    with opened(tmp_path / "state.db", gated=make(gate)) as service:
        arn = service.start("gated").arn
        gate.entered.wait()
        threading.Timer(0.05, gate.open.set).start()
    with DurableService(tmp_path / "state.db") as service:
        assert service.get(arn).result() == "passed"
    assert gate.runs == 1


@pytest.mark.parametrize("make", [_gated, _gated_async], ids=["sync", "async"])
def test_what_takes_too_long_is_cut_off_and_goes_on_later(tmp_path: Path, make: Any) -> None:
    gate, later = Gate(), Gate()
    with DurableService(tmp_path / "state.db", close_timeout=0.05) as service:
        service.register("gated", make(gate))
        arn = service.start("gated").arn
        gate.entered.wait()
    gate.open.set()
    later.open.set()
    with opened(tmp_path / "state.db", gated=make(later)) as service:
        handle = service.get(arn)
        assert handle.result() == "passed"
        assert event_types(handle).count("StepSucceeded") == 1
    assert (gate.runs, later.runs) == (1, 1)


def test_who_waits_is_let_go() -> None:
    service = DurableService(":memory:")
    heard: list[BaseException] = []
    with service:
        service.register("approve", approve)
        handle = service.start("approve")
        waiting = threading.Event()

        def wait() -> None:
            waiting.set()
            try:
                handle.result()
            except ServiceClosed as error:
                heard.append(error)

        waiter = threading.Thread(target=wait)
        waiter.start()
        waiting.wait()
    waiter.join(10)
    assert [type(error) for error in heard] == [ServiceClosed]


def test_a_service_can_be_opened_again(tmp_path: Path) -> None:
    service = DurableService(tmp_path / "state.db")
    for number in range(3):
        with service:
            service.register("double", double)
            assert service.call("double", number, execution_name=f"n-{number}") == number * 2
    with service:
        assert [info.name for info in service.executions()] == ["n-0", "n-1", "n-2"]


def test_no_thread_of_the_engine_stays() -> None:
    before = {thread.name for thread in threading.enumerate()}
    with opened(":memory:", double=double, approve=approve) as service:
        assert service.call("double", 1) == 2
        service.start("approve")
    left = {thread.name for thread in threading.enumerate()} - before
    assert not {name for name in left if name.startswith("perdure-") and name != "perdure-pulse"}


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_no_exception_ends_the_engine(kind: type[BaseException]) -> None:
    def plain(event: Any, context: Any) -> None:
        raise kind("go away")

    async def plain_async(event: Any, context: Any) -> None:
        raise kind("go away")

    @durable_execution
    def durable(event: Any, context: DurableContext) -> None:
        raise kind("go away")

    @durable_execution
    async def durable_async(event: Any, context: AsyncDurableContext) -> None:
        raise kind("go away")

    functions = {"plain": plain, "plain_async": plain_async}
    stubborn = {"durable": durable, "durable_async": durable_async}
    with opened(":memory:", double=double, **functions, **stubborn) as service:
        for name in functions:
            with pytest.raises(ExecutionFailed, match="go away"):
                service.call(name)
        # What ends a process on AWS is tried again, as there; the engine lives on.
        handles = [service.start(name) for name in stubborn]
        for handle in handles:
            with pytest.raises(TimeoutError):
                handle.result(timeout=0.05)
            assert handle.status == "RUNNING"
        assert service.call("double", 2) == 4
