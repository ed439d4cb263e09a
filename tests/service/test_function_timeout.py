"""The 15-minute rule in small: an execution of steps alone outlives its function's timeout."""

from itertools import groupby
from typing import Any

import pytest

from tests.service.deployment import deploy, history
from tests.service.stage import Stage

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

STEPS = [f"step-{number}" for number in range(10)]


def test_steps_outlast_the_functions_timeout(api: Any, stage: Stage) -> None:
    deploy(api, "hasty", "actor", Timeout=2)
    stage.function = "hasty"

    arn = stage.start(*(["note", step, 0.9] for step in STEPS))

    assert stage.result(arn) == STEPS
    # A step that the timeout met began again; none did after it had ended, or the next had begun.
    assert [step for step, _ in groupby(stage.notes)] == STEPS
    events = history(api, arn)
    for step in STEPS:
        mine = [event["EventType"] for event in events if event.get("Name") == step]
        assert mine == ["StepStarted", "StepSucceeded"]
    ends = [e["InvocationCompletedDetails"] for e in events if "InvocationCompletedDetails" in e]
    errors = [end["Error"]["Payload"]["ErrorType"] for end in ends if "Error" in end]
    assert len(ends) >= 5
    assert errors
    assert set(errors) == {"Sandbox.Timedout"}
    assert "Error" not in ends[-1]
