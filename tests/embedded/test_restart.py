"""Processes end, by themselves or by force; the file goes on."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from perdure import DurableContext, durable_execution
from perdure.clock import ManualClock
from perdure.embedded import DurableService, StoreOpenError
from tests.embedded.handlers import (
    append,
    approve,
    approve_async,
    double,
    note,
    note_async,
    order,
    order_async,
    quote,
    ship,
)
from tests.embedded.stages import EPOCH_MS, event_types, opened, suspended
from tests.serving import eventually


@contextmanager
def program(file: Path, mode: str, lines: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a program; kill it at the end, if it has not been before."""
    command = [sys.executable, "-m", "tests.embedded.programs", str(file), mode, str(lines)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def said(process: "subprocess.Popen[str]") -> str:
    """Return the next line it says."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("function", ["order", "order_async"])
def test_an_execution_goes_on_in_the_next_process(tmp_path: Path, function: str) -> None:
    clock = ManualClock(EPOCH_MS)
    functions = {"order": order, "order_async": order_async}
    with opened(tmp_path / "state.db", clock, **functions) as service:
        arn = suspended(service.start(function, {"id": 7})).arn
    clock.advance(60)
    with opened(tmp_path / "state.db", clock, **functions) as service:
        handle = service.get(arn)
        assert handle.result() == {"id": 7, "state": "shipped"}
        assert event_types(handle).count("StepSucceeded") == 2


def test_a_killed_process_loses_no_finished_step(tmp_path: Path) -> None:
    file, lines = tmp_path / "state.db", tmp_path / "lines"
    with program(file, "hold", lines) as process:
        arn, _ = said(process), said(process)
        process.kill()
    assert lines.read_text().split() == ["0", "1", "2", "held"]

    @durable_execution
    def hold(event: Any, context: DurableContext) -> str:
        for number in range(3):
            context.step(lambda _, n=number: append(lines, f"{n}"), name=f"{number}")
        context.step(lambda _: append(lines, "released"), name="hold")
        return "done"

    with opened(file, hold=hold) as service:
        assert service.get(arn).result() == "done"
        assert service.get("held").arn == arn
    assert lines.read_text().split() == ["0", "1", "2", "held", "released"]


def test_callback_ids_outlive_the_process_that_gave_them_out(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with program(file, "suspend", tmp_path / "lines") as process:
        ids = [said(process), said(process)]
        process.kill()
    with opened(file, approve=approve, approve_async=approve_async) as service:
        for callback_id in ids:
            service.send_callback_success(callback_id, "yes")
        assert service.get("approve").result() == ["x", "yes"]
        assert service.get("approve_async").result() == ["x", "yes"]


@pytest.mark.parametrize("acknowledged_max", [1, 40, 150])
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path, acknowledged_max: int) -> None:
    file, lines = tmp_path / "state.db", tmp_path / "lines"
    with program(file, "flood", lines) as process:
        acknowledged = [said(process) for _ in range(acknowledged_max)]
        process.kill()
    with opened(file, note=note, note_async=note_async) as service:
        assert [service.get(name).result() for name in acknowledged] == [5] * acknowledged_max
        handles = [service.get(info.arn) for info in service.executions()]
        assert [handle.result() for handle in handles] == [5] * len(handles)
        histories = [event_types(handle) for handle in handles]
    assert {history.count("StepSucceeded") for history in histories} == {5}
    done = Counter(lines.read_text().split())
    assert len(done) == 5 * len(handles)
    # A step whose end was not recorded runs again, and no other does: one an execution at most.
    again = Counter(line.partition("/")[0] for line, count in done.items() if count > 1)
    assert max(again.values(), default=0) <= 1
    assert max(done.values()) <= 2


def test_chained_invokes_outlive_the_process(tmp_path: Path) -> None:
    @durable_execution
    def patient(event: Any, context: DurableContext) -> Any:
        return context.create_callback(name="price").result()

    file = tmp_path / "state.db"
    with opened(file, ship=ship, quote=patient, double=double) as service:
        suspended(service.start("ship", {"weight": 5}, execution_name="parcel"))
        eventually(lambda: list(service.list_callbacks("quote")), what="the child's callback")
    with opened(file, double=double, quote=quote, ship=ship) as service:
        (pending,) = service.list_callbacks("quote")
        service.send_callback_success(pending.callback_id, "ask no more")
        # The child goes on with the code that is registered now, which asks nobody.
        assert service.get("parcel", function="ship").result() == 30


def test_what_nobody_has_registered_waits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(tmp_path / "state.db", clock, order=order) as service:
        arn = suspended(service.start("order", {"id": 7})).arn
    clock.advance(60)
    monkeypatch.setattr("perdure.embedded.parts._NOTICE_SECONDS", 0.0)
    with opened(tmp_path / "state.db", clock) as service:
        handle = service.get(arn)
        assert handle.info().is_waiting_for_function
        with pytest.raises(TimeoutError):
            handle.result(timeout=0.05)
        assert event_types(handle)[-1] == "WaitSucceeded"  # it was woken, and nothing was tried
        assert "1 executions wait until 'order' is registered" in caplog.text
        service.register("order", order)
        assert handle.result() == {"id": 7, "state": "shipped"}
        assert not handle.info().is_waiting_for_function
    assert "error" not in {record.levelname.lower() for record in caplog.records}


def test_a_parent_may_be_registered_before_its_children(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with opened(file, quote=quote, double=double):
        pass
    with opened(file, ship=ship) as service:
        handle = suspended(service.start("ship", {"weight": 5}))
        assert handle.status == "RUNNING"
        service.register("double", double)
        service.register("quote", quote)
        assert handle.result() == 30


def test_a_second_opener_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with program(file, "suspend", tmp_path / "lines") as process:
        said(process)
        with pytest.raises(StoreOpenError, match="in use by another server"):
            DurableService(file).open()
    with DurableService(file), pytest.raises(StoreOpenError, match="in use"):
        DurableService(file).open()


def test_a_file_of_another_program_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("not a database at all, " * 100)
    before = file.read_bytes()
    with pytest.raises(StoreOpenError):
        DurableService(file).open()
    assert file.read_bytes() == before
