"""Answers that never arrive: whoever asks again gets the same, and nothing is done twice."""

from pathlib import Path
from typing import Any

import pytest

from tests.service.deployment import deploy, history
from tests.service.proxy import losing_every
from tests.service.stage import Stage
from tests.serving import ServerProcess

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]


@pytest.mark.parametrize("every", [2, 3])
def test_checkpoints_whose_answers_are_lost_count_once(
    api: Any, shared_server: ServerProcess, tmp_path: Path, every: int
) -> None:
    with losing_every(every, shared_server.url) as proxy:
        name = f"cut-off-{every}"
        deploy(api, name, "actor", environment={"AWS_ENDPOINT_URL_LAMBDA": proxy.url})
        stage = Stage(api, tmp_path, name)
        steps = [f"step-{number}" for number in range(8)]

        child = stage.event(["note", "below"])
        arn = stage.start(
            *(["note", step] for step in steps),
            ["wait", 1],
            ["invoke", "actor:$LATEST", child],
            ["callback", "c"],
        )
        api.send_durable_execution_callback_success(
            CallbackId=stage.callback_id("c"), Result=b"answer"
        )

        assert stage.result(arn) == [*steps, None, ["below"], "answer"]
        assert stage.notes == [*steps, "below"]
        assert proxy.lost >= 4
    events = history(api, arn)
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    succeeded = [one["Name"] for one in events if one["EventType"] == "StepSucceeded"]
    assert succeeded == steps
    types = [event["EventType"] for event in events]
    for kind in ("WaitSucceeded", "ChainedInvokeStarted", "CallbackStarted"):
        assert types.count(kind) == 1
