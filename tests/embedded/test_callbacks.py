"""Callbacks: answered from other threads, listed, timed out."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from perdure import CallbackConfig, DurableContext, durable_execution
from perdure.clock import ManualClock
from perdure.embedded import (
    CallbackNotFound,
    CallbackTooLate,
    ExecutionFailed,
    PendingCallback,
    RequestRefused,
)
from tests.embedded.handlers import approve
from tests.embedded.stages import EPOCH_MS, opened, suspended


@durable_execution
def _ask(event: Any, context: DurableContext) -> Any:
    config = CallbackConfig(timeout=3600, heartbeat_timeout=60)
    return context.create_callback(name="ask", config=config).result()


def test_a_callback_is_answered_from_another_thread(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db", approve=approve) as service:
        handle = service.start("approve", 1)
        suspended(handle)
        (pending,) = handle.pending_callbacks()
        answerer = threading.Thread(
            target=service.send_callback_success, args=(pending.callback_id, {"by": "Ada"})
        )
        answerer.start()
        assert handle.result() == [1, '{"by": "Ada"}']
        answerer.join()
        assert handle.pending_callbacks() == []


@pytest.mark.parametrize(
    ("answer", "heard"),
    [("yes", "yes"), (b"yes", "yes"), ({"a": 1}, '{"a": 1}'), (None, None)],
    ids=["text", "bytes", "json", "nothing"],
)
def test_an_answer_arrives_as_it_was_sent(answer: Any, heard: Any) -> None:
    with opened(":memory:", approve=approve) as service:
        handle = suspended(service.start("approve"))
        service.send_callback_success(handle.pending_callbacks()[0].callback_id, answer)
        assert handle.result() == [None, heard]


def test_a_failure_fails_who_waits() -> None:
    with opened(":memory:", approve=approve) as service:
        handle = suspended(service.start("approve"))
        callback_id = handle.pending_callbacks()[0].callback_id
        service.send_callback_failure(callback_id, PermissionError("not you"))
        with pytest.raises(ExecutionFailed, match="not you"):
            handle.result()
        with pytest.raises(RequestRefused):
            service.send_callback_success(callback_id, "yes after all")


def test_callbacks_are_listed_with_their_times() -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, ask=_ask, approve=approve) as service:
        handles = [suspended(service.start("ask")), suspended(service.start("approve"))]
        listed = {callback.execution_arn: callback for callback in service.list_callbacks()}
        assert set(listed) == {handle.arn for handle in handles}
        asked = listed[handles[0].arn]
        assert asked == PendingCallback(
            callback_id=handles[0].pending_callbacks()[0].callback_id,
            name="ask",
            execution_arn=handles[0].arn,
            created_at=asked.created_at,
            times_out_at=asked.created_at + timedelta(hours=1),
            heartbeat_due_at=asked.created_at + timedelta(minutes=1),
        )
        assert listed[handles[1].arn].times_out_at is None
        assert [c.name for c in service.list_callbacks("approve")] == ["approval"]


def test_heartbeats_keep_a_callback_open_until_its_time_is_over() -> None:
    clock = ManualClock(EPOCH_MS)
    with opened(":memory:", clock, ask=_ask) as service:
        handle = suspended(service.start("ask"))
        callback_id = handle.pending_callbacks()[0].callback_id
        for _ in range(59):
            clock.advance(59)
            service.send_callback_heartbeat(callback_id)
        assert handle.status == "RUNNING"
        clock.advance(60)
        with pytest.raises(ExecutionFailed, match="timed out on heartbeat"):
            handle.result()
        with pytest.raises(CallbackTooLate):
            service.send_callback_heartbeat(callback_id)


def test_an_answer_may_come_too_late() -> None:
    clock = ManualClock(EPOCH_MS)

    @durable_execution
    def patient(event: Any, context: DurableContext) -> Any:
        late = context.create_callback(name="late", config=CallbackConfig(timeout=60))
        return context.create_callback(name="other").result(), late.result()

    with opened(":memory:", clock, patient=patient) as service:
        handle = suspended(service.start("patient"))
        ids = {c.name: c.callback_id for c in handle.pending_callbacks()}
        clock.advance(60)
        with pytest.raises(CallbackTooLate):
            service.send_callback_success(ids["late"], "here I am")


def test_an_id_that_was_not_handed_out_opens_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "state.db", approve=approve) as service:
        handle = suspended(service.start("approve"))
        callback_id = handle.pending_callbacks()[0].callback_id
        forged = callback_id[:40] + ("0" if callback_id[40] != "0" else "1") + callback_id[41:]
        with pytest.raises(CallbackNotFound):
            service.send_callback_success(forged, "yes")
        with pytest.raises(RequestRefused, match="1,048,577 bytes"):
            service.send_callback_success(callback_id, "x" * 1_048_577)
        assert handle.status == "RUNNING"
