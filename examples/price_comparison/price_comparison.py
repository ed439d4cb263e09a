"""Branches that are not recorded themselves: a third of the operations, for many small branches.

With ``NestingType.FLAT`` a branch is no operation: what it does is recorded directly under the
parallel. History is shorter and each branch is a checkpoint or two cheaper.
"""

from functools import partial
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import CompletionConfig, NestingType, ParallelConfig, StepConfig
from perdure.retries import RetryPresets


@durable_step
def offer(step: StepContext, shop: dict[str, Any], article: str) -> dict[str, Any]:
    if article not in shop["prices"]:
        raise LookupError(f"{shop['name']} does not have {article}")
    return {"shop": shop["name"], "price": shop["prices"][article]}


def ask(context: DurableContext, shop: dict[str, Any], article: str) -> dict[str, Any]:
    once = StepConfig(retry_strategy=RetryPresets.none())
    return context.step(offer(shop, article), name=f"ask {shop['name']}", config=once)


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    offers = context.parallel(
        [partial(ask, shop=shop, article=event["article"]) for shop in event["shops"]],
        name="offers",
        config=ParallelConfig(
            nesting_type=NestingType.FLAT,
            completion_config=CompletionConfig.all_completed(),
        ),
    )
    best = min(offers.get_results(), key=lambda each: each["price"])
    return {"best": best, "asked": offers.total_count, "without": offers.failure_count}
