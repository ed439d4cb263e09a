"""Handlers that are suspended, kept, evicted, replayed, and cut off by their service."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from perdure import AsyncDurableContext, DurableContext, durable_execution
from perdure.core.commands import Wake
from perdure.protocol.operations import OperationUpdate
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.execution import DurableFunction
from perdure.sdk.parking import Parking
from perdure.sdk.scopes import ACTIVE
from tests.sdk.service import Service

SUCCEEDED, FAILED = ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED
COLOURS = pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])


def waiting(is_async: bool, seen: list[str]) -> DurableFunction:
    """Return a handler that notes its first line, whatever it catches, and how it leaves."""

    def sync_handler(event: Any, context: DurableContext) -> str:
        seen.append("begun")
        try:
            for number in range(2):
                try:
                    context.wait(5, name=f"wait {number}")
                except Exception:  # noqa: BLE001 - what is tested: nothing is caught here
                    seen.append("caught")
            return context.step(lambda _: "done", name="last")
        finally:
            seen.append("left")

    async def async_handler(event: Any, context: AsyncDurableContext) -> str:
        seen.append("begun")
        try:
            for number in range(2):
                try:
                    await context.wait(5, name=f"wait {number}")
                except Exception:  # noqa: BLE001 - what is tested: nothing is caught here
                    seen.append("caught")
            return await context.step(lambda _: "done", name="last")
        finally:
            seen.append("left")

    return durable_execution(async_handler if is_async else sync_handler)


def check_done(service: Service, *, invocations: int) -> None:
    end = service.run()
    assert (end.status, end.result, end.invocations) == (SUCCEEDED, "done", invocations)


@COLOURS
def test_a_suspension_is_not_caught_and_runs_what_is_finally(is_async: bool) -> None:
    seen: list[str] = []
    service = Service(waiting(is_async, seen))

    assert service.invoke() == {"Status": "PENDING"}
    assert seen == ["begun", "left"]

    check_done(service, invocations=3)
    assert seen == ["begun", "left"] * 3


@COLOURS
def test_no_place_is_left_behind_by_a_suspension(is_async: bool) -> None:
    service = Service(waiting(is_async, []))

    service.invoke()

    assert ACTIVE.get() is None


@COLOURS
def test_a_kept_handler_goes_on_from_where_it_stands(is_async: bool) -> None:
    seen: list[str] = []
    parking = Parking(1)
    service = Service(waiting(is_async, seen), keep=parking)

    assert service.invoke() == {"Status": "PENDING", "Kept": True}
    assert (seen, len(parking)) == (["begun"], 1)

    check_done(service, invocations=3)
    assert (seen, len(parking)) == (["begun", "left"], 0)
    assert [envelope.changes_only for envelope in service.envelopes] == [False, True, True]


@COLOURS
def test_a_full_envelope_discards_the_parked_handler_and_replays(is_async: bool) -> None:
    seen: list[str] = []
    parking = Parking(1)
    service = Service(waiting(is_async, seen), keep=parking)
    service.invoke()

    service._kept = False  # the service has forgotten it
    check_done(service, invocations=3)

    assert sorted(seen) == ["begun", "begun", "left", "left"]
    assert len(parking) == 0
    assert [envelope.changes_only for envelope in service.envelopes] == [False, False, True]


@COLOURS
def test_the_handler_that_was_parked_first_leaves_for_another(is_async: bool) -> None:
    seen: dict[str, list[str]] = {"first": [], "second": []}
    parking = Parking(1)
    first, second = (
        Service(waiting(is_async, seen[name]), keep=parking, name=name) for name in seen
    )

    first.invoke()
    answer = second.invoke()

    assert answer == {"Status": "PENDING", "Kept": True, "Dropped": [first.envelopes[0].arn]}
    check_done(second, invocations=3)
    assert seen == {"first": ["begun", "left"], "second": ["begun", "left"]}


@COLOURS
def test_changes_for_a_handler_that_is_unknown_make_it_read_the_state(is_async: bool) -> None:
    seen: list[str] = []
    parking = Parking(1)
    service = Service(waiting(is_async, seen), keep=parking, page=1)
    service.invoke()

    parking.clear()
    check_done(service, invocations=3)

    assert [envelope.changes_only for envelope in service.envelopes] == [False, True, True]
    assert sorted(seen) == ["begun", "begun", "left", "left"]


@dataclass
class Revoking(Service):
    """Stores one batch, and then takes no more of that invocation."""

    at: int = 0

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        number = len(self.batches)
        progress = super().checkpoint(arn, token, updates, client_token)
        return progress._replace(token=None) if number == self.at else progress


@COLOURS
@pytest.mark.parametrize("places", [0, 1])
def test_a_revoked_invocation_is_pending_and_unwound(is_async: bool, places: int) -> None:
    seen: list[str] = []
    keep = Parking(places) if places else None
    service = Revoking(waiting(is_async, seen), keep=keep)

    assert service.invoke() == {"Status": "PENDING"}
    assert seen == ["begun", "left"]

    check_done(service, invocations=3)


def refusing(service: Service, error: ServiceError, *, times: int = 1) -> Service:
    """Have the service refuse its first checkpoints."""
    refused: list[int] = []

    def refuse(number: int) -> None:
        if len(refused) < times:
            refused.append(number)
            raise error

    service.before_checkpoint = refuse
    return service


@COLOURS
@pytest.mark.parametrize("places", [0, 1])
def test_a_refused_checkpoint_fails_the_execution_with_the_services_words(
    is_async: bool, places: int
) -> None:
    seen: list[str] = []
    keep = Parking(places) if places else None
    error = ServiceError("the wait is too long", code="ValidationException", status=400)
    service = refusing(Service(waiting(is_async, seen), keep=keep), error)

    end = service.run()

    assert end.status is FAILED
    assert end.error is not None
    assert end.error.error_message == "the wait is too long"
    assert (end.invocations, seen) == (1, ["begun", "left"])


@COLOURS
@pytest.mark.parametrize(
    "error",
    [
        ServiceError("unreachable"),
        ServiceError("broken", code="ServiceException", status=500),
        ServiceError("slowly", code="TooManyRequestsException", status=429),
        ServiceError(
            "Invalid checkpoint token: old", code="InvalidParameterValueException", status=400
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("places", [0, 1])
def test_what_another_invocation_may_mend_leaves_the_invocation(
    is_async: bool, error: ServiceError, places: int
) -> None:
    keep = Parking(places) if places else None
    service = refusing(Service(waiting(is_async, []), keep=keep), error)

    assert service.invoke() is None  # it was raised

    check_done(service, invocations=4)


@dataclass
class Unreadable(Service):
    """Cannot tell the rest of the state, once."""

    error: ServiceError | None = None

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return super().read_state(arn, token, marker)


@COLOURS
def test_a_state_that_may_not_be_read_fails_the_execution(is_async: bool) -> None:
    error = ServiceError("not yours", code="AccessDeniedException", status=403)
    service = Unreadable(waiting(is_async, []), page=1, error=error)

    end = service.run()

    assert end.status is FAILED
    assert end.error is not None
    assert end.error.error_message == "not yours"
    assert end.invocations == 2


@COLOURS
def test_a_state_that_cannot_be_read_now_is_read_by_the_next_invocation(is_async: bool) -> None:
    service = Unreadable(waiting(is_async, []), page=1, error=ServiceError("unreachable"))

    check_done(service, invocations=4)


@dataclass
class InTime(Service):
    """Lets time pass when it is asked what is new."""

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        with self._lock:
            due_ms = self.story.progress.wake_at_ms
            if not updates and due_ms is not None:
                self.story.now_ms = max(self.story.now_ms, due_ms)
                self.story.tell(Wake())
            return super().checkpoint(arn, token, updates, client_token)


def test_a_branch_goes_on_while_another_is_busy() -> None:
    is_over = threading.Event()

    def wait(context: DurableContext) -> None:
        context.wait(1)
        is_over.set()

    @durable_execution
    def handler(event: Any, context: DurableContext) -> list[Any]:
        branches = [wait, lambda inner: inner.step(lambda _: is_over.wait(10))]
        return context.parallel(branches).get_results()

    end = InTime(handler).run()

    assert (end.status, end.result, end.invocations) == (SUCCEEDED, [None, True], 1)


def test_an_async_branch_goes_on_while_another_is_busy() -> None:
    @durable_execution
    async def handler(event: Any, context: AsyncDurableContext) -> list[Any]:
        is_over = threading.Event()

        async def wait(inner: AsyncDurableContext) -> None:
            await inner.wait(1)
            is_over.set()

        batch = await context.parallel([wait, lambda inner: inner.step(lambda _: is_over.wait(10))])
        return batch.get_results()

    end = InTime(handler).run()

    assert (end.status, end.result, end.invocations) == (SUCCEEDED, [None, True], 1)
