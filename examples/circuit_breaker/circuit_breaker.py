"""A circuit breaker that waits durably: while a partner is down, nothing is tried and nothing runs.

Each item is tried once. After three failures in a row the circuit is open: the function waits, then
lets one call through; if that fails too, it waits twice as long.
"""

from typing import Any

from perdure import DurableContext, StepContext, StepError, durable_execution, durable_step
from perdure.config import Duration, StepConfig
from perdure.retries import RetryPresets

ONE_TRY = StepConfig(retry_strategy=RetryPresets.none())
FAILURES_MAX = 3
PAUSE_MINUTES = 5
PAUSES_MAX = 6


@durable_step
def send(step: StepContext, item: str, call: int, outage: list[int]) -> str:
    """Stands for a request; the partner is down from one call to another."""
    if outage[0] <= call <= outage[1]:
        raise ConnectionError("the partner is down")
    print(f"sent {item}")
    return item


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    left, sent, pauses = list(event["items"]), [], []
    calls = failures = 0
    while left:
        calls += 1
        try:
            sent.append(
                context.step(
                    send(left[0], calls, event["outage"]), name=f"call {calls}", config=ONE_TRY
                )
            )
        except StepError:
            failures += 1
            if failures < FAILURES_MAX:
                continue
            if len(pauses) == PAUSES_MAX:
                break
            pauses.append(PAUSE_MINUTES * 2 ** (failures - FAILURES_MAX))
            context.wait(Duration.from_minutes(pauses[-1]), name=f"open {len(pauses)}")
        else:
            failures = 0
            left.pop(0)
    return {"sent": sent, "unsent": left, "calls": calls, "minutes_open": pauses}
