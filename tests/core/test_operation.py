"""One operation: finished or not, when it wakes, what it keeps."""

import pytest

from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus

from .builders import an_operation


@pytest.mark.parametrize("status", OperationStatus)
def test_five_statuses_are_for_ever(status: OperationStatus) -> None:
    """S1."""
    assert an_operation(status=status).is_finished == (
        status in ("SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED")
    )


@pytest.mark.parametrize(
    ("due", "heartbeat", "wakes"),
    [(None, None, None), (5, None, 5), (None, 3, 3), (5, 3, 3), (3, 5, 3)],
)
def test_an_operation_wakes_at_the_sooner_of_its_times(
    due: int | None, heartbeat: int | None, wakes: int | None
) -> None:
    """E4."""
    assert an_operation(due_at_ms=due, heartbeat_due_at_ms=heartbeat).wakes_at_ms == wakes


@pytest.mark.parametrize(
    ("members", "size"),
    [
        ({}, 0),
        ({"payload": "12", "input": "345"}, 5),
        ({"error": ErrorObject()}, 0),
        ({"error": ErrorObject(error_message="12", error_data="3"), "payload": "4"}, 4),
    ],
    ids=["nothing", "payloads", "an empty error", "an error"],
)
def test_an_operation_keeps_its_payloads_and_its_error(
    members: dict[str, object], size: int
) -> None:
    """Q1."""
    assert an_operation(**members).size_bytes == size
