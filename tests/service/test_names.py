"""Execution names: the six rows of a start's table, and starts that race."""

import http.client
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.service.deployment import closed, refusal
from tests.service.stage import Stage
from tests.serving import ServerProcess, client, eventually

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

RACERS = 20
TAKEN = ("DurableExecutionAlreadyStartedException", 409)


def called(stage: Stage, name: str, *acts: list[Any]) -> dict[str, Any]:
    """Start synchronously; return the answer, its payload decoded."""
    answer = stage.api.invoke(
        FunctionName=stage.function,
        Qualifier="$LATEST",
        DurableExecutionName=name,
        Payload=json.dumps(stage.event(*acts)),
    )
    return {**answer, "Payload": json.loads(answer["Payload"].read())}


def refused(stage: Stage, name: str, *acts: list[Any], kind: str = "Event") -> tuple[str, int]:
    """Return the error a start is answered with."""
    return refusal(
        stage.api.invoke,
        FunctionName=stage.function,
        Qualifier="$LATEST",
        DurableExecutionName=name,
        InvocationType=kind,
        Payload=json.dumps(stage.event(*acts)),
    )[:2]


def named(stage: Stage, name: str) -> list[str]:
    """Return the ARNs of the executions that have a name."""
    found = stage.api.list_durable_executions_by_function(
        FunctionName=stage.function, DurableExecutionName=name
    )
    return [one["DurableExecutionArn"] for one in found["DurableExecutions"]]


def test_without_a_name_every_start_is_a_new_execution(stage: Stage) -> None:
    first, second = stage.start(["note", "a"]), stage.start(["note", "a"])

    assert first != second
    names = [arn.split("/")[-2] for arn in (first, second)]
    assert all(len(name) == 36 for name in names)
    assert (stage.result(first), stage.result(second)) == (["a"], ["a"])


def test_a_free_name_begins_an_execution(stage: Stage) -> None:
    arn = stage.start(["note", "a"], DurableExecutionName="free")

    assert arn.split("/")[-2] == "free"
    assert stage.result(arn) == ["a"]


def test_a_running_execution_is_attached_to(stage: Stage) -> None:
    acts = (["callback", "c"], ["note", "once"])
    arn = stage.start(*acts, DurableExecutionName="attached")
    assert stage.start(*acts, DurableExecutionName="attached") == arn

    with ThreadPoolExecutor() as pool:
        call = pool.submit(called, stage, "attached", *acts)
        stage.api.send_durable_execution_callback_success(
            CallbackId=stage.callback_id("c"), Result=b"answer"
        )
        answer = call.result()

    assert answer["DurableExecutionArn"] == arn
    assert answer["Payload"] == ["answer", "once"]
    assert stage.notes == ["once"]


def test_a_running_execution_with_another_payload_is_a_conflict(stage: Stage) -> None:
    arn = stage.start(["wait", 3600], DurableExecutionName="taken")

    assert refused(stage, "taken", ["wait", 3601]) == TAKEN
    assert refused(stage, "taken", ["wait", 3601], kind="RequestResponse") == TAKEN
    assert named(stage, "taken") == [arn]


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "STOPPED"])
def test_a_closed_execution_answers_again(stage: Stage, end: str) -> None:
    name = f"closed-{end}"
    acts = {
        "SUCCEEDED": [["note", "once"]],
        "FAILED": [["note", "once"], ["fail", "broken"]],
        "STOPPED": [["note", "once"], ["wait", 3600]],
    }[end]
    arn = stage.start(*acts, DurableExecutionName=name)
    if end == "STOPPED":
        stage.suspended(arn)
        stage.api.stop_durable_execution(DurableExecutionArn=arn)
    assert closed(stage.api, arn)["Status"] == end

    answer = called(stage, name, *acts)

    assert answer["DurableExecutionArn"] == arn
    assert answer.get("FunctionError") == (None if end == "SUCCEEDED" else "Unhandled")
    if end == "SUCCEEDED":
        assert answer["Payload"] == ["once"]
    else:
        message = {"FAILED": "broken", "STOPPED": "Execution stopped by user request"}[end]
        assert answer["Payload"]["errorMessage"] == message
    assert stage.start(*acts, DurableExecutionName=name) == arn
    assert refused(stage, name, ["note", "other"]) == TAKEN
    assert (stage.notes, named(stage, name)) == (["once"], [arn])


def test_of_racing_starts_one_begins_an_execution(
    stage: Stage, shared_server: ServerProcess
) -> None:
    line = threading.Barrier(RACERS)
    api = client("lambda", shared_server.url)
    event = json.dumps(stage.event(["note", "once"]))

    def race(number: int) -> str:
        line.wait()
        return api.invoke(
            FunctionName=stage.function,
            Qualifier="$LATEST",
            DurableExecutionName="raced",
            InvocationType="Event" if number % 2 else "RequestResponse",
            Payload=event,
        )["DurableExecutionArn"]

    with ThreadPoolExecutor(RACERS) as pool:
        arns = set(pool.map(race, range(RACERS)))

    (arn,) = arns
    assert stage.result(arn) == ["once"]
    assert (stage.notes, named(stage, "raced")) == (["once"], [arn])


def test_racing_starts_with_other_payloads_leave_one(
    stage: Stage, shared_server: ServerProcess
) -> None:
    line = threading.Barrier(RACERS)
    api = client("lambda", shared_server.url)

    def race(number: int) -> str | None:
        line.wait()
        try:
            return api.invoke(
                FunctionName=stage.function,
                Qualifier="$LATEST",
                DurableExecutionName="contested",
                InvocationType="Event",
                Payload=json.dumps(stage.event(["note", f"by-{number}"])),
            )["DurableExecutionArn"]
        except api.exceptions.DurableExecutionAlreadyStartedException:
            return None

    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(race, range(RACERS)))

    (winner,) = [number for number, arn in enumerate(answers) if arn]
    assert stage.result(answers[winner] or "") == [f"by-{winner}"]
    assert stage.notes == [f"by-{winner}"]


def test_a_caller_that_goes_away_changes_nothing(
    stage: Stage, shared_server: ServerProcess
) -> None:
    acts = (["gate", "g"], ["note", "on"])
    place = urlsplit(shared_server.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    connection.request(
        "POST",
        f"/2015-03-31/functions/{stage.function}/invocations?Qualifier=%24LATEST",
        json.dumps(stage.event(*acts)),
        {"X-Amz-Durable-Execution-Name": "abandoned"},
    )
    stage.entered("g")
    connection.close()

    (arn,) = eventually(lambda: named(stage, "abandoned"), what="the execution")
    assert stage.status(arn) == "RUNNING"
    stage.open("g")
    answer = called(stage, "abandoned", *acts)

    assert (answer["DurableExecutionArn"], answer["Payload"]) == (arn, [None, "on"])
    assert stage.notes == ["on"]
