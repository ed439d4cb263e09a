"""What a kept handler tells of its invocations: one answer each, and none that is another's."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

import pytest

from perdure import DurableContext, durable_execution
from perdure.protocol.operations import Operation
from perdure.protocol.words import ExecutionStatus
from perdure.sdk import thread_handler
from perdure.sdk.envelopes import Opening
from perdure.sdk.parking import Parking
from perdure.sdk.thread_handler import ThreadHandler
from perdure.sdk.workers import Workers
from tests.sdk.service import Service


class Aside(Workers):
    """Threads that do not begin what they are to run before they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.held: list[Callable[[], None]] = []
        self.is_holding = False

    def run(self, work: Callable[[], None]) -> None:
        """Hold it, if asked to."""
        if self.is_holding:
            self.held.append(work)
        else:
            super().run(work)


@durable_execution
def waits(event: Any, context: DurableContext) -> str:
    """Come to rest three times."""
    for _ in range(3):
        context.wait(1)
    return "done"


def parked_in(parking: Parking, service: Service) -> ThreadHandler:
    """Return the handler that is kept, and leave it where it is."""
    arn = service.envelopes[0].arn
    handler = parking.take(arn)
    assert isinstance(handler, ThreadHandler)
    parking.put(arn, handler)
    return handler


def test_who_reports_late_that_a_handler_rests_says_nothing_of_the_next_invocation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers, parking = Aside(), Parking(1)
    monkeypatch.setattr(thread_handler, "WORKERS", workers)
    service = Service(waits, keep=parking)
    service.invoke()
    handler = parked_in(parking, service)
    merge, resumer = handler.run.board.merge, threading.current_thread()
    latecomers: list[threading.Thread] = []

    def merge_and_rest(operations: Iterable[Operation]) -> None:
        # The handler goes on, and comes to rest again, before its resumer looks whether it has.
        merge(operations)
        resting = threading.Event()
        while threading.current_thread() is resumer and not handler.run.board.is_at_rest:
            resting.wait(0.001)

    def merge_among_latecomers(operations: Iterable[Operation]) -> None:
        for work in workers.held if threading.current_thread() is resumer else ():
            latecomers.append(threading.Thread(target=work))
            latecomers[-1].start()
            latecomers[-1].join(0.2)  # it ends at once if it does not wait for the merge
        merge(operations)

    workers.is_holding = True
    monkeypatch.setattr(handler.run.board, "merge", merge_and_rest)
    service.go_on()
    assert service.invoke() == {"Status": "PENDING", "Kept": True}
    assert len(workers.held) == 1
    workers.is_holding = False
    monkeypatch.setattr(handler.run.board, "merge", merge_among_latecomers)
    service.go_on()
    assert service.invoke() == {"Status": "PENDING", "Kept": True}
    for latecomer in latecomers:
        latecomer.join()
    monkeypatch.setattr(handler.run.board, "merge", merge)

    ended = service.run()
    assert (ended.status, ended.result, ended.invocations) == (
        ExecutionStatus.SUCCEEDED,
        "done",
        4,
    )


class Blind(Parking):
    """Never finds a handler: as when its invocation was given up, and it comes to rest later."""

    def take(self, arn: str) -> None:
        """Find none."""


@dataclass
class Begun(Service):
    """Begins invocations as the engine does in process, and is told what came of them."""

    def _invoke(self, opening: Opening) -> dict[str, Any]:
        assert self.keep is not None
        answers: SimpleQueue[dict[str, Any] | BaseException] = SimpleQueue()
        self.function.begin(opening, None, self, self.keep, answers.put)
        answer = answers.get(timeout=30)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def test_of_two_handlers_of_one_execution_both_are_unwound() -> None:
    left: SimpleQueue[str] = SimpleQueue()

    @durable_execution
    def leaves(event: Any, context: DurableContext) -> str:
        try:
            context.wait(1)
            context.wait(1)
        finally:
            left.put("left")
        return "done"

    parking = Blind(3)
    service = Begun(leaves, keep=parking)
    assert service.invoke() == {"Status": "PENDING", "Kept": True}
    assert left.empty()
    service.go_on()
    arn = service.envelopes[0].arn
    assert service.invoke() == {"Status": "PENDING", "Dropped": [arn]}
    assert [left.get(timeout=30) for _ in range(2)] == ["left", "left"]
    assert len(parking) == 0

    ended = service.run()
    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, "done")
