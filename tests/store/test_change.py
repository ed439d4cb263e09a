"""What is committed of an outcome."""

import pytest

from perdure.core.commands import Stop
from perdure.core.execution import ParentLink
from perdure.core.machine import apply
from perdure.core.outcome import AnnounceEnd, NotifyParent
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationStatus
from perdure.store.change import Change, Letter
from tests.core.builders import NOW_MS, ROOT_ID, Story, a_checkpoint, a_start, a_step

PARENT = ParentLink("f" * 32, "invoke")


def test_a_first_change_carries_the_identity() -> None:
    start = a_start()
    outcome = apply(None, start, NOW_MS)
    assert Change.of(outcome) == Change(
        execution_id=ROOT_ID,
        expected_version=0,
        progress=outcome.progress,
        identity=start.identity,
        operations=(outcome.operations[ROOT_ID],),
        events=outcome.events,
    )


def test_a_later_change_says_what_it_was_made_of() -> None:
    """F1: compare and set."""
    story = Story()
    outcome = apply(story.execution, a_checkpoint(story.execution, a_step()), NOW_MS)
    assert Change.of(outcome, delivered=["a letter"]) == Change(
        execution_id=ROOT_ID,
        expected_version=2,
        progress=outcome.progress,
        operations=(outcome.operations["step"],),
        events=outcome.events,
        delivered=["a letter"],
    )


@pytest.mark.parametrize("is_announced", [False, True], ids=["one message", "two"])
def test_messages_become_letters_named_after_the_change(is_announced: bool) -> None:
    """D3, I4: no other change can send a letter of that id."""
    story = Story(a_start(parent=PARENT, is_announced=is_announced))
    error = ErrorObject(error_message="enough")
    change = Change.of(apply(story.execution, Stop(error=error), NOW_MS + 5))
    told = NotifyParent(parent=PARENT, status=OperationStatus.STOPPED, payload=None, error=error)
    messages = [told, AnnounceEnd(status=ExecutionStatus.STOPPED)][: 1 + is_announced]
    assert change.letters == tuple(
        Letter(f"{ROOT_ID}-3-{number}", ROOT_ID, NOW_MS + 5, message)
        for number, message in enumerate(messages)
    )
