"""What a replaying handler is given (S7, ReplayChildren)."""

import pytest

from perdure.core.operation import Operation
from perdure.core.replay import replayed
from perdure.protocol.operations import ContextOptions
from perdure.protocol.words import OperationAction, OperationStatus, OperationType

from .builders import ROOT_ID, Story, a_context, a_step, an_operation

CONTEXT = OperationType.CONTEXT
SUCCEEDED, STARTED = OperationStatus.SUCCEEDED, OperationStatus.STARTED


def seen(*operations: Operation) -> list[str]:
    """Return the ids that a replay of ``operations`` is given."""
    return [o.id for o in replayed({o.id: o for o in operations})]


def a_child(
    operation_id: str = "child", parent_id: str = "context", **members: object
) -> Operation:
    return an_operation(operation_id=operation_id, parent_id=parent_id, **members)


@pytest.mark.parametrize(
    ("status", "replay_children", "is_shown"),
    [
        (STARTED, False, True),
        (SUCCEEDED, False, False),
        (SUCCEEDED, True, True),
        (OperationStatus.FAILED, False, False),
    ],
    ids=["open", "succeeded", "succeeded with ReplayChildren", "failed"],
)
def test_the_children_of_a_finished_context_are_left_out_unless_it_keeps_them(
    status: OperationStatus, replay_children: bool, is_shown: bool
) -> None:
    context = an_operation(CONTEXT, status, "context", replay_children=replay_children)
    assert seen(context, a_child()) == ["context", "child"][: 1 + is_shown]


def test_what_lies_under_a_hidden_context_is_hidden_however_deep() -> None:
    outer = an_operation(CONTEXT, SUCCEEDED, "context")
    inner = an_operation(CONTEXT, SUCCEEDED, "inner", parent_id="context", replay_children=True)
    assert seen(outer, inner, a_child("leaf", "inner"), an_operation(operation_id="beside")) == [
        "context",
        "beside",
    ]


def test_a_kept_context_shows_an_inner_one_without_its_children() -> None:
    outer = an_operation(CONTEXT, SUCCEEDED, "context", replay_children=True)
    inner = an_operation(CONTEXT, SUCCEEDED, "inner", parent_id="context")
    assert seen(outer, inner, a_child("leaf", "inner"), a_child()) == ["context", "inner", "child"]


def test_a_finished_step_hides_nothing() -> None:
    step = an_operation(OperationType.STEP, SUCCEEDED, "step")
    assert seen(step, a_child(parent_id="step")) == ["step", "child"]


def test_the_next_invocation_is_given_what_replays_need_in_the_order_it_began() -> None:
    """S7."""
    story = Story()
    story.checkpoint(a_context(), a_context(operation_id="kept"))
    story.checkpoint(a_step(parent_id="context"), a_step(operation_id="s2", parent_id="kept"))
    keep = ContextOptions(replay_children=True)
    story.checkpoint(
        a_context(OperationAction.SUCCEED, payload="1"),
        a_context(OperationAction.SUCCEED, "kept", context_options=keep),
    )
    story.finish(None)
    story.pass_ms(1_000).begin()
    shown = replayed(story.execution.operations)
    assert [o.id for o in shown] == [ROOT_ID, "context", "kept", "s2"]
