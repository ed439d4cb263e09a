"""Waits: as long as a year and a day."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.deployment import closed, deploy, history, start
from tests.service.in_process import PENDING, Call, Clock, serving_in_process
from tests.serving import ServerProcess, client, eventually, serving

DAYS: Final = 366
YEAR_MS: Final = DAYS * 86_400_000

WAITING: Final = """
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration

@durable_execution
def handler(event, context):
    context.wait(Duration.from_days(event["days"]), name="long")
    return "over"
"""


async def waiting_a_year(call: Call) -> dict[str, Any]:
    """Wait, then succeed."""
    if "w" not in call.operations:
        wait = {"Id": "w", "Type": "WAIT", "Action": "START"}
        await call.checkpoint({**wait, "WaitOptions": {"WaitSeconds": DAYS * 86_400}})
        return PENDING
    if call.operations["w"]["Status"] != "SUCCEEDED":
        return PENDING
    return {"Status": "SUCCEEDED", "Result": json.dumps("over")}


@pytest.mark.service
@pytest.mark.timeout(180)
def test_a_wait_of_366_days_outlives_restarts(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "waiting", WAITING, DurableConfig={"ExecutionTimeout": DAYS * 86_400})
        arn = start(api, "waiting", {"days": DAYS})
        before = eventually(lambda: suspended_history(api, arn), what="the wait")
        (waits,) = [e["WaitStartedDetails"] for e in before if e["EventType"] == "WaitStarted"]
        (began,) = [e["EventTimestamp"] for e in before if e["EventType"] == "WaitStarted"]
        assert waits["Duration"] == DAYS * 86_400
        assert (waits["ScheduledEndTimestamp"] - began).total_seconds() == DAYS * 86_400

        for ended in (ServerProcess.kill, ServerProcess.stop):
            ended(server)
            server.start()
            assert history(api, arn) == before
            assert api.get_durable_execution(DurableExecutionArn=arn)["Status"] == "RUNNING"

        short = start(api, "waiting", {"days": DAYS}, DurableExecutionName="stopped")
        api.stop_durable_execution(DurableExecutionArn=short)
        assert closed(api, short)["Status"] == "STOPPED"


def suspended_history(api: Any, arn: str) -> list[dict[str, Any]] | None:
    """Return the history once the first invocation has ended."""
    events = history(api, arn)
    return events if events[-1]["EventType"] == "InvocationCompleted" else None


def test_a_wait_of_366_days_ends_to_the_millisecond(tmp_path: Path) -> None:
    async def story() -> None:
        clock = Clock()
        due_ms = clock.at_ms + YEAR_MS
        folder = tmp_path / "data"
        async with serving_in_process(folder, clock, waiting_a_year) as service:
            arn = await service.start()
            await service.settle()
            await service.advance(due_ms - YEAR_MS // 2)
        async with serving_in_process(folder, clock, waiting_a_year) as service:
            await service.advance(due_ms - 1)
            assert (await service.get(arn))["Status"] == "RUNNING"
            await service.advance(due_ms)
            execution, events = await service.get(arn), await service.history(arn)

        assert (execution["Status"], execution["Result"]) == ("SUCCEEDED", '"over"')
        assert [
            (event["EventType"], event["EventTimestamp"])
            for event in events
            if event["EventType"].startswith("Wait")
        ] == [("WaitStarted", (due_ms - YEAR_MS) / 1000), ("WaitSucceeded", due_ms / 1000)]

    asyncio.run(story())
