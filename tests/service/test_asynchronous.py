"""Ordinary functions invoked asynchronously: tried again, told on, and never forgotten."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.deployment import closed, deploy, start
from tests.service.stage import Stage
from tests.serving import client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

#: Writes every event it is given as a line of the file that its environment names.
RECORDER: Final = """
import json, os

def handler(event, context):
    file = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, json.dumps(event).encode() + b"\\n")
    os.close(file)
    if isinstance(event, dict) and event.get("fails"):
        raise ValueError("asked to")
    return "recorded"
"""


class Recorder:
    """A function, and what it was given."""

    def __init__(self, api: Any, name: str, folder: Path) -> None:
        self._file = folder / name
        self.name = name
        self.arn = deploy(
            api, name, RECORDER, is_durable=False, environment={"RECORD": str(self._file)}
        )

    @property
    def events(self) -> list[Any]:
        """All events, in order."""
        lines = self._file.read_text().splitlines() if self._file.exists() else []
        return [json.loads(line) for line in lines]

    def given(self, count: int) -> list[Any]:
        """Return the events once there are so many."""
        eventually(lambda: len(self.events) >= count, seconds=60, what=f"{count} events")
        return self.events


def send(api: Any, function: str, event: Any) -> None:
    """Invoke a function asynchronously."""
    answer = api.invoke(FunctionName=function, InvocationType="Event", Payload=json.dumps(event))
    assert answer["StatusCode"] == 202


def set_destinations(api: Any, function: str, recorder: Recorder, **settings: Any) -> None:
    """Have every outcome of a function sent to a recorder."""
    api.put_function_event_invoke_config(
        FunctionName=function,
        DestinationConfig={
            "OnSuccess": {"Destination": recorder.arn},
            "OnFailure": {"Destination": recorder.arn},
        },
        **settings,
    )


def test_a_failing_function_is_tried_three_times_and_told_on(api: Any, tmp_path: Path) -> None:
    failing = Recorder(api, "failing", tmp_path)
    told = Recorder(api, "told", tmp_path)
    set_destinations(api, "failing", told)
    event = {"fails": True, "n": 1}

    send(api, "failing", event)

    (document,) = told.given(1)
    assert failing.events == [event] * 3
    assert document["requestPayload"] == event
    assert document["requestContext"]["condition"] == "RetriesExhausted"
    assert document["requestContext"]["approximateInvokeCount"] == 3
    assert document["responseContext"]["functionError"] == "Unhandled"
    assert document["responsePayload"]["ErrorType"] == "ValueError"


def test_a_function_that_succeeds_runs_once(api: Any, tmp_path: Path) -> None:
    fine, pleased = Recorder(api, "fine", tmp_path), Recorder(api, "pleased", tmp_path)
    set_destinations(api, "fine", pleased)

    send(api, "fine", {"n": 1})

    (document,) = pleased.given(1)
    assert fine.events == [{"n": 1}]
    assert document["requestContext"]["condition"] == "Success"
    assert document["responsePayload"] == "recorded"


def test_retries_can_be_turned_off(api: Any, tmp_path: Path) -> None:
    once, told = Recorder(api, "once", tmp_path), Recorder(api, "told-once", tmp_path)
    set_destinations(api, "once", told, MaximumRetryAttempts=0)

    send(api, "once", {"fails": True})

    told.given(1)
    assert once.events == [{"fails": True}]


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_the_end_of_an_execution_is_told(api: Any, stage: Stage, tmp_path: Path, end: str) -> None:
    told = Recorder(api, f"told-{end}", tmp_path)
    name = f"telling-{end}"
    deploy(api, name, "actor")
    api.put_function_event_invoke_config(
        FunctionName=name,
        Qualifier="$LATEST",
        DestinationConfig={
            "OnSuccess": {"Destination": told.arn},
            "OnFailure": {"Destination": told.arn},
        },
    )
    stage.function = name
    act = {"SUCCEEDED": ["note", "n"], "FAILED": ["fail", "broken"], "STOPPED": ["callback", "c"]}
    arn = stage.start(act[end])
    if end == "STOPPED":
        stage.callback_id("c")
        api.stop_durable_execution(DurableExecutionArn=arn)

    (document,) = told.given(1)

    assert document["requestPayload"] == stage.event(act[end])
    assert document["responseContext"]["durableExecutionArn"] == arn
    assert document["responseContext"]["durableExecutionStatus"] == end
    assert closed(api, arn)["Status"] == end


def test_what_was_accepted_runs_though_the_server_dies_at_once(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        recorder = Recorder(api, "recorder", tmp_path)
        deploy(api, "actor", "actor")
        stage = Stage(api, tmp_path, "actor")
        for number in range(10):
            send(api, recorder.name, {"n": number})
        arn = start(api, "actor", stage.event(["note", "ran"]))
        send(api, recorder.name, {"n": 10})
        server.kill()
        server.start()

        # One that ran when the server died may run again: it was not over.
        all_ran = set(range(11))
        eventually(lambda: {one["n"] for one in recorder.events} == all_ran, what="all events")
        assert stage.result(arn) == ["ran"]
