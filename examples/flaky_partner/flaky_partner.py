"""Retries by a rule of one's own: some errors pass, some never do, some say when to come back."""

from typing import Any

from perdure import DurableContext, StepContext, StepError, durable_execution, durable_step
from perdure.config import Duration, JitterStrategy, StepConfig
from perdure.retries import RetryDecision, RetryStrategyConfig, create_retry_strategy


class Refused(Exception):
    """What the partner answered."""

    def __init__(self, status: int, retry_after: int | None = None) -> None:
        super().__init__(f"the partner answered {status}")
        self.status = status
        self.retry_after = retry_after


#: 2, 4, 8, 16 seconds, each spread over its upper half, so that not all come back at once.
backoff = create_retry_strategy(
    RetryStrategyConfig(
        max_attempts=5,
        initial_delay=Duration.from_seconds(2),
        max_delay=Duration.from_minutes(1),
        backoff_rate=2,
        jitter_strategy=JitterStrategy.HALF,
    )
)


def patience(error: Exception, attempts_made: int) -> RetryDecision:
    """A retry strategy is any function of the error and the number of attempts made."""
    if isinstance(error, Refused):
        if 400 <= error.status < 500 and error.status != 429:
            return RetryDecision.no_retry()
        if error.retry_after is not None and attempts_made < 10:
            return RetryDecision.retry(Duration.from_seconds(error.retry_after))
    return backoff(error, attempts_made)


@durable_step
def call_partner(step: StepContext, answers: list[Any]) -> str:
    """Stands for a request; ``answers`` says what comes back at each attempt."""
    match answers[step.attempt - 1]:
        case [int(status), int(retry_after)]:
            raise Refused(status, retry_after)
        case int(status):
            raise Refused(status)
        case text:
            return text


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    try:
        said = context.step(call_partner(event["answers"]), config=StepConfig(patience))
    except StepError as error:
        return {"ok": False, "said": error.message}
    return {"ok": True, "said": said}
