"""A vote: the members are asked all at once, and it is decided when a majority is, either way."""

from functools import partial
from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    durable_execution,
    durable_wait_for_callback,
)
from perdure.config import (
    CompletionConfig,
    Duration,
    ParallelBranch,
    ParallelConfig,
    WaitForCallbackConfig,
)
from perdure.types import WaitForCallbackContext


@durable_wait_for_callback
def ask(callback_id: str, context: WaitForCallbackContext, member: str, motion: str) -> None:
    print(f"{member}: {motion}?")


def vote(context: DurableContext, member: str, motion: str) -> str:
    """Return for a yes, raise for a no: a batch counts who succeeds and who fails."""
    config = WaitForCallbackConfig(timeout=Duration.from_days(7))
    try:
        answer = context.wait_for_callback(
            ask(member, motion), name=f"vote of {member}", config=config
        )
    except CallbackTimeoutError:
        answer = "no"
    if answer != "yes":
        raise PermissionError(f"{member} is against it")
    return member


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    members, motion = event["members"], event["motion"]
    majority = len(members) // 2 + 1
    votes = context.parallel(
        [ParallelBranch(partial(vote, member=m, motion=motion), name=m) for m in members],
        name="votes",
        config=ParallelConfig(
            completion_config=CompletionConfig(
                min_successful=majority,
                tolerated_failure_count=len(members) - majority,
            )
        ),
    )
    return {
        "adopted": votes.success_count >= majority,
        "for": sorted(votes.get_results()),
    }
