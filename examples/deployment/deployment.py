"""A deployment: tests, a watched canary, an approval, the rest; and back again if need be."""

from typing import Any

from perdure import (
    CallbackExternalError,
    CallbackTimeoutError,
    ChildContextError,
    DurableContext,
    StepContext,
    StepError,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
    durable_with_child_context,
)
from perdure.config import Duration, StepConfig, WaitForCallbackConfig
from perdure.retries import RetryPresets
from perdure.types import WaitForCallbackContext

Release = dict[str, Any]
ONCE = StepConfig(retry_strategy=RetryPresets.none())


@durable_step
def run_tests(step: StepContext, release: Release) -> int:
    if release["broken_tests"]:
        raise AssertionError(f"{release['broken_tests'][0]} fails")
    return 1200


@durable_step
def deploy(step: StepContext, version: str, share: int) -> None:
    print(f"{share} % run {version}")


@durable_step
def error_rate(step: StepContext, release: Release, minute: int) -> float:
    return release["error_rates"][minute - 1]


@durable_wait_for_callback
def ask_owner(callback_id: str, context: WaitForCallbackContext, release: Release) -> None:
    print(f"may {release['version']} go out to everybody?")


@durable_with_child_context
def canary(context: DurableContext, release: Release) -> None:
    """Let 5 % run the new version for three minutes; raise if that does harm."""
    context.step(deploy(release["version"], 5), name="deploy to 5 %")
    for minute in (1, 2, 3):
        context.wait(Duration.from_minutes(1), name=f"minute {minute}")
        rate = context.step(error_rate(release, minute), name=f"error rate in minute {minute}")
        if rate > 0.01:
            raise RuntimeError(f"{rate:.0%} errors in minute {minute}")


@durable_execution
def handler(release: Release, context: DurableContext) -> dict[str, Any]:
    try:
        context.step(run_tests(release), config=ONCE)
    except StepError as error:
        return {"released": False, "because": error.message}
    try:
        context.run_in_child_context(canary(release), name="canary")
        context.wait_for_callback(
            ask_owner(release),
            name="approval",
            config=WaitForCallbackConfig(timeout=Duration.from_days(1)),
        )
        context.step(deploy(release["version"], 100), name="deploy to 100 %")
    except CallbackTimeoutError:
        reason = "nobody approved it in a day"
    except CallbackExternalError as error:
        reason = f"the owner said: {error.message}"
    except ChildContextError as error:
        reason = f"the canary died: {error.message}"
    else:
        return {"released": True, "version": release["version"]}
    context.step(deploy(release["previous"], 100), name="roll back")
    return {"released": False, "because": reason}
