"""A crawler that keeps to a rate: rounds of two pages at once, ten seconds apart."""

from collections.abc import Sequence
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import CompletionConfig, Duration, MapConfig, StepConfig
from perdure.retries import RetryPresets

SITE = {
    "/": ["/docs", "/blog"],
    "/docs": ["/docs/steps", "/docs/waits", "/"],
    "/docs/steps": ["/docs/waits", "/gone"],
    "/docs/waits": [],
    "/blog": ["/docs"],
}
PAGES_A_ROUND = 4


@durable_step
def fetch(step: StepContext, page: str) -> list[str]:
    print(f"GET {page}")
    if page not in SITE:
        raise ValueError(f"{page} is not there")
    return SITE[page]


def visit(context: DurableContext, page: str, index: int, pages: Sequence[str]) -> list[str]:
    return context.step(fetch(page), config=StepConfig(retry_strategy=RetryPresets.none()))


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> dict[str, Any]:
    # Lists, not sets: the order of a set of strings differs from one process to the next.
    frontier, seen, broken = [event["start"]], [event["start"]], []
    rounds = 0
    while frontier:
        rounds += 1
        if rounds > 1:
            context.wait(Duration.from_seconds(10), name=f"before round {rounds}")
        pages, frontier = frontier[:PAGES_A_ROUND], frontier[PAGES_A_ROUND:]
        config = MapConfig(max_concurrency=2, completion_config=CompletionConfig.all_completed())
        found = context.map(pages, visit, name=f"round {rounds}", config=config)
        broken += [pages[item.index] for item in found.failed()]
        for links in found.get_results():
            new = [link for link in links if link not in seen]
            frontier += new
            seen += new
    return {"pages": len(seen) - len(broken), "broken": broken, "rounds": rounds}
