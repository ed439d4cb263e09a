"""The side that blocks: start, results, errors, steering, looking."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from perdure import DurableContext, durable_execution
from perdure.clock import ManualClock
from perdure.embedded import (
    DurableService,
    ExecutionAlreadyStarted,
    ExecutionFailed,
    ExecutionNotFound,
    ExecutionNotOpen,
    ExecutionStopped,
    ExecutionTimedOut,
    FunctionNotFound,
    RequestRefused,
    ServiceClosed,
)
from tests.embedded.handlers import approve, double, nap, order, quote
from tests.embedded.stages import EPOCH_MS, event_types, opened, suspended
from tests.serving import eventually


def test_an_execution_runs_to_its_result(tmp_path: Path) -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(tmp_path / "state.db", clock, order=order) as service:
        handle = suspended(service.start("order", {"id": 7}))
        assert handle.status == "RUNNING"
        clock.advance(60)
        assert handle.result() == {"id": 7, "state": "shipped"}
        assert event_types(handle) == [
            *("ExecutionStarted", "StepStarted", "StepSucceeded", "WaitStarted"),
            *("InvocationCompleted", "WaitSucceeded", "StepStarted", "StepSucceeded"),
            *("InvocationCompleted", "ExecutionSucceeded"),
        ]


def test_a_wait_is_not_over_before_its_time() -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, order=order) as service:
        handle = suspended(service.start("order", {"id": 7}))
        clock.advance(timedelta(seconds=59, milliseconds=999))
        with pytest.raises(TimeoutError):
            handle.result(timeout=0.05)
        assert "WaitSucceeded" not in event_types(handle)
        clock.advance(0.001)
        assert handle.result()["state"] == "shipped"


def test_ordinary_functions_have_executions_too() -> None:
    with opened(":memory:", quote=quote, double=double) as service:
        assert service.call("quote", {"weight": 2}) == 6
        assert service.call("double", 21) == 42
        with pytest.raises(ExecutionFailed, match="ValueError: nothing weighs less") as failure:
            service.call("quote", {"weight": -1})
        assert failure.value.error.error_type == "ValueError"
        assert service.get(failure.value.arn).status == "FAILED"


@durable_execution
def _refuse(event: Any, context: DurableContext) -> None:
    raise KeyError(event)


def test_a_result_that_failed_is_raised() -> None:
    with opened(":memory:", refuse=_refuse) as service:
        handle = service.start("refuse", "x")
        with pytest.raises(ExecutionFailed, match="KeyError: 'x'") as failure:
            handle.result()
        assert failure.value.arn == handle.arn


def test_an_execution_times_out() -> None:
    clock = ManualClock(EPOCH_MS)
    with DurableService(":memory:", clock=clock) as service:
        service.register("approve", approve, execution_timeout=timedelta(hours=1))
        handle = suspended(service.start("approve"))
        clock.advance(3_599)
        assert handle.status == "RUNNING"
        clock.advance(1)
        with pytest.raises(ExecutionTimedOut, match="timed out after 3600 seconds"):
            handle.result()


def test_an_execution_is_stopped() -> None:
    with opened(":memory:", approve=approve) as service:
        handle = suspended(service.start("approve"))
        handle.stop(RuntimeError("nobody needs it"))
        with pytest.raises(ExecutionStopped, match="RuntimeError: nobody needs it"):
            handle.result()
        handle.stop()
        assert handle.status == "STOPPED"


def test_an_execution_is_paused_and_resumed() -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, nap=nap) as service:
        handle = suspended(service.start("nap", 60))
        handle.pause("on second thoughts")
        with pytest.raises(ExecutionNotOpen, match="only a RUNNING execution can be paused"):
            handle.pause("again")
        clock.advance(60)
        assert handle.status == "PAUSED"
        handle.resume()
        assert handle.result() == "rested"


def test_a_name_is_one_execution() -> None:
    with opened(":memory:", quote=quote) as service:
        first = service.start("quote", {"weight": 1}, execution_name="parcel-1")
        again = service.start("quote", {"weight": 1}, execution_name="parcel-1")
        assert (again.arn, again.result()) == (first.arn, 3)
        with pytest.raises(ExecutionAlreadyStarted, match="parcel-1") as refusal:
            service.start("quote", {"weight": 2}, execution_name="parcel-1")
        assert refusal.value.arn == first.arn
        assert [info.arn for info in service.executions()] == [first.arn]


def test_racing_starts_of_one_name_are_one_execution(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db", quote=quote) as service:
        arns: set[str] = set()
        barrier = threading.Barrier(8)

        def start() -> None:
            barrier.wait()
            arns.add(service.start("quote", {"weight": 1}, execution_name="parcel").arn)

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(arns) == 1


def test_executions_are_found() -> None:
    with opened(":memory:", quote=quote, double=double) as service:
        handle = service.start("quote", {"weight": 1}, execution_name="parcel")
        assert service.get(handle.arn).result() == 3
        assert service.get("parcel").arn == handle.arn
        assert service.get("parcel", function="quote").name == "parcel"
        service.start("double", 1, execution_name="parcel")
        with pytest.raises(RequestRefused, match="2 functions have an execution named 'parcel'"):
            service.get("parcel")
        for unknown in ("letter", handle.arn[:-1] + ("0" if handle.arn[-1] != "0" else "1")):
            with pytest.raises(ExecutionNotFound):
                service.get(unknown)


def test_executions_are_listed() -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, quote=quote, approve=approve) as service:
        service.call("quote", {"weight": 1}, execution_name="first")
        clock.advance(60)
        handle = service.start("approve", execution_name="second")
        at = datetime.fromtimestamp(EPOCH_MS / 1000, UTC)
        assert [i.name for i in service.executions(newest_first=True)] == ["second", "first"]
        assert [i.name for i in service.executions("quote")] == ["first"]
        assert [i.name for i in service.executions(status="RUNNING")] == ["second"]
        assert [i.name for i in service.executions(started_after=at)] == ["second"]
        assert [i.name for i in service.executions(started_before=at)] == []
        assert [i.name for i in service.executions(name="first")] == ["first"]
        info = handle.info()
        assert (info.function, info.started_at) == ("approve", at + timedelta(seconds=60))
        assert (info.ended_at, info.is_waiting_for_function) == (None, False)


def test_a_long_list_comes_whole() -> None:
    with opened(":memory:", double=double) as service:
        names = {service.start("double", n).name for n in range(450)}
        listed = [info.name for info in service.executions()]
        assert (len(listed), set(listed)) == (450, names)


def test_retention_removes_what_has_ended() -> None:
    clock = ManualClock(EPOCH_MS)
    with DurableService(":memory:", clock=clock, retention=timedelta(days=30)) as service:
        service.register("short", quote, retention=timedelta(days=1))
        service.register("long", quote)
        short, long = (service.start(name, {"weight": 1}) for name in ("short", "long"))
        assert (short.result(), long.result()) == (3, 3)
        clock.advance(timedelta(days=1))
        eventually(lambda: [i.arn for i in service.executions()] == [long.arn], what="removal")
        with pytest.raises(ExecutionNotFound):
            short.result()


def test_an_execution_is_deleted() -> None:
    with opened(":memory:", quote=quote, approve=approve) as service:
        handle = service.start("quote", {"weight": 1}, execution_name="parcel")
        handle.result()
        handle.delete()
        with pytest.raises(ExecutionNotFound):
            handle.info()
        assert service.start("quote", {"weight": 2}, execution_name="parcel").result() == 6
        with pytest.raises(ExecutionNotOpen, match="only an ended execution"):
            service.start("approve").delete()


@pytest.mark.parametrize(
    ("function", "name", "problem"),
    [
        pytest.param("quote", "not a name", "does not match", id="execution name"),
        pytest.param("quote", "x" * 65, "65 characters long; the limit is 64", id="long name"),
    ],
)
def test_a_start_that_cannot_be_is_refused(function: str, name: str, problem: str) -> None:
    with (
        opened(":memory:", quote=quote) as service,
        pytest.raises(RequestRefused, match=problem),
    ):
        service.start(function, {"weight": 1}, execution_name=name)


def test_what_is_not_registered_is_not_started() -> None:
    with opened(":memory:") as service:
        with pytest.raises(FunctionNotFound, match="'quote'"):
            service.start("quote")
        with pytest.raises(RequestRefused, match="no plain name"):
            service.register("quote:live", quote)
        with pytest.raises(TypeError, match="a handler is a function"):
            service.register("quote", "quote")  # pyright: ignore[reportArgumentType]


def test_an_event_must_be_json() -> None:
    with opened(":memory:", quote=quote) as service:
        with pytest.raises(TypeError, match="not JSON serializable"):
            service.start("quote", {1, 2})
        with pytest.raises(RequestRefused, match="the event is 6,291,459 bytes"):
            service.start("quote", "x" * 6_291_457)


def test_a_closed_service_says_so() -> None:
    service = DurableService(":memory:")
    with pytest.raises(ServiceClosed, match="not open"):
        service.start("quote")
    with service:
        service.register("approve", approve)
        handle = service.start("approve")
        with pytest.raises(RuntimeError, match="open already"):
            service.open()
    for call in (handle.result, handle.info, lambda: service.call("approve")):
        with pytest.raises(ServiceClosed):
            call()
    service.close()


@pytest.mark.parametrize(
    "arguments",
    [{"concurrency": 0}, {"execution_timeout": 0}, {"execution_timeout": timedelta(days=400)}],
    ids=str,
)
def test_settings_out_of_bounds_are_refused(arguments: Any) -> None:
    with pytest.raises(ValueError, match="value: "):
        DurableService(":memory:", **arguments)
