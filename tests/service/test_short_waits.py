"""Waits of less than a second, which our service offers and AWS's does not."""

import json
from pathlib import Path

from tests.service.deployment import deploy
from tests.serving import client

HANDLER = """
from perdure import durable_execution
@durable_execution
def handler(event, context):
    context.wait(0.25, name="a quarter")
    return "over"
"""


def test_a_wait_of_a_quarter_of_a_second(perdure_endpoint: str, tmp_path: Path) -> None:
    source = tmp_path / "short_wait.py"
    source.write_text(HANDLER)
    api = client("lambda", perdure_endpoint, timeout=30)
    deploy(api, "short-wait", source)
    answer = api.invoke(FunctionName="short-wait", Qualifier="$LATEST", Payload="{}")
    assert json.loads(answer["Payload"].read()) == "over"
    history = api.get_durable_execution_history(DurableExecutionArn=answer["DurableExecutionArn"])
    started = next(e for e in history["Events"] if e["EventType"] == "WaitStarted")
    ended = next(e for e in history["Events"] if e["EventType"] == "WaitSucceeded")
    due = started["WaitStartedDetails"]["ScheduledEndTimestamp"]
    assert (due - started["EventTimestamp"]).total_seconds() == 0.25
    assert ended["EventTimestamp"] >= due
