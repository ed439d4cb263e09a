"""The way in: every command, on an execution that is there and on one that is not."""

import pytest

from perdure.core.commands import (
    AnswerCallback,
    Command,
    Delete,
    FinishChainedInvoke,
    Heartbeat,
    Pause,
    ReleaseLease,
    RenewLease,
    Resume,
    Stop,
    Wake,
)
from perdure.core.errors import ResourceNotFound
from perdure.core.machine import apply
from perdure.core.outcome import Accepted
from perdure.protocol.words import OperationStatus

from .builders import NOW_MS, Story, a_begin, a_checkpoint, a_start, a_step, an_execution

COMMANDS: list[Command] = [
    a_begin(),
    a_checkpoint(an_execution(), a_step()),
    Story().a_finish(),
    RenewLease(epoch=1, lease_ms=1),
    ReleaseLease(),
    Wake(),
    AnswerCallback(operation_id="callback"),
    Heartbeat(operation_id="callback"),
    FinishChainedInvoke(operation_id="invoke", status=OperationStatus.SUCCEEDED),
    Stop(),
    Pause(),
    Resume(),
    Delete(),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
def test_only_a_start_does_anything_without_an_execution(command: Command) -> None:
    with pytest.raises(ResourceNotFound) as caught:
        apply(None, command, NOW_MS)
    assert caught.value.message == "Durable Execution does not exist"


def test_a_start_makes_the_execution() -> None:
    assert apply(None, a_start(), NOW_MS).progress.version == 1


def test_a_command_that_changes_nothing_is_no_change() -> None:
    """E7."""
    story = Story()
    outcome = story.tell(Wake())
    assert (outcome.is_change, outcome.reply) == (False, Accepted(at_ms=NOW_MS))
    assert outcome.progress is story.progress


def test_an_instant_before_the_last_change_counts_as_the_last_change() -> None:
    """T5, E6."""
    story = Story()
    story.pass_ms(5_000).checkpoint(a_step())
    story.now_ms = NOW_MS
    assert story.tell(Stop()).reply == Accepted(at_ms=NOW_MS + 5_000)
