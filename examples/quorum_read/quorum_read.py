"""A batch that decides for itself when it is over: a read from replicas, done at a majority."""

from functools import partial
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import (
    BatchItemStatus,
    CompletionConfig,
    CompletionDecision,
    CompletionOutcome,
    CompletionStatus,
    Duration,
    ParallelBranch,
    ParallelConfig,
    StepConfig,
    complete_batch,
    continue_batch,
)
from perdure.retries import RetryPresets

Replica = dict[str, Any]


def majority(batch: CompletionStatus) -> CompletionDecision:
    """Asked whenever a branch ends. It may look at nothing but its argument."""
    needed = batch.total_count // 2 + 1
    if batch.success_count >= needed:
        return complete_batch()
    if batch.failure_count > batch.total_count - needed:
        return complete_batch(CompletionOutcome.FAILED)  # it cannot be reached any more
    return continue_batch()


@durable_step
def fetch(step: StepContext, replica: Replica) -> int:
    if replica.get("is_down"):
        raise ConnectionError(f"{replica['name']} is down")
    return replica["version"]


def read(context: DurableContext, replica: Replica) -> int:
    context.wait(Duration.from_seconds(replica["seconds"]))  # it takes its time
    return context.step(fetch(replica), config=StepConfig(retry_strategy=RetryPresets.none()))


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    branches = [
        ParallelBranch(partial(read, replica=replica), name=replica["name"])
        for replica in event["replicas"]
    ]
    config = ParallelConfig(completion_config=CompletionConfig(should_complete=majority))
    answers = context.parallel(branches, name="read", config=config)
    if answers.status is BatchItemStatus.FAILED:
        raise ConnectionError(f"only {answers.success_count} of {len(branches)} replicas answered")
    return {"version": max(answers.get_results()), "answered": answers.success_count}
