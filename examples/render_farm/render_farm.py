"""Heartbeats: a machine that falls silent is given up after two minutes, not after a day."""

from typing import Any

from perdure import (
    CallbackTimeoutError,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
)
from perdure.config import CallbackConfig, Duration
from perdure.serdes import JsonSerDes


@durable_step
def send_scene(step: StepContext, machine: str, scene: str, callback_id: str) -> None:
    """The machine calls ``perdure callback heartbeat`` as it works, and ``succeed`` at the end."""
    print(f"{machine} renders {scene}")


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    config = CallbackConfig(
        timeout=Duration.from_days(1),
        heartbeat_timeout=Duration.from_minutes(2),
        serdes=JsonSerDes(),
    )
    for machine in event["machines"]:
        callback = context.create_callback(name=f"frames of {machine}", config=config)
        context.step(
            send_scene(machine, event["scene"], callback.callback_id), name=f"send to {machine}"
        )
        # Whatever stands between the two runs while the machine works.
        context.logger.info("waiting for %s", machine)
        try:
            return {"machine": machine, **callback.result()}
        except CallbackTimeoutError as error:
            context.logger.warning("%s is lost: %s", machine, error)
    raise RuntimeError("no machine is left")
