"""Chained invokes: of durable functions and of ordinary ones."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.deployment import closed, deploy, event_types, history, start
from tests.service.stage import Stage
from tests.serving import client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

PLAIN: Final = """
def handler(event, context):
    if event == "fail":
        raise ValueError("asked to")
    return {"given": event, "tenant": context.tenant_id}
"""

#: Invokes itself, without end.
RECURSIVE: Final = """
from aws_durable_execution_sdk_python import InvokeError, durable_execution

@durable_execution
def handler(event, context):
    try:
        return context.invoke("recursive:$LATEST", {"depth": event["depth"] + 1})
    except InvokeError as error:
        return {"depth": event["depth"], "error": error.error_type}
"""


@pytest.fixture(scope="module")
def plain(api: Any) -> str:
    """An ordinary function."""
    deploy(api, "chained-plain", PLAIN, is_durable=False)
    return "chained-plain"


def executions(api: Any, function: str) -> list[dict[str, Any]]:
    """Return all executions of a function."""
    found = api.list_durable_executions_by_function(FunctionName=function, MaxItems=1000)
    return found["DurableExecutions"]


def children(stage: Stage, arn: str) -> list[str]:
    """Return the executions that an execution's chained invokes began."""
    started = [e for e in history(stage.api, arn) if e["EventType"] == "ChainedInvokeStarted"]
    return [one["ChainedInvokeStartedDetails"]["DurableExecutionArn"] for one in started]


def test_a_durable_target_gives_its_result(stage: Stage) -> None:
    child = stage.event(["note", "below"], ["wait", 1])
    arn = stage.start(["invoke", "actor:$LATEST", child], ["note", "above"])

    assert stage.result(arn) == [["below", None], "above"]
    assert stage.notes == ["below", "above"]
    (child_arn,) = children(stage, arn)
    assert stage.result(child_arn) == ["below", None]
    assert event_types(stage.api, arn).count("ChainedInvokeSucceeded") == 1


def test_an_ordinary_target_gives_its_result(stage: Stage, plain: str) -> None:
    arn = stage.start(["invoke", plain, {"a": [1, None]}])

    assert stage.result(arn) == [{"given": {"a": [1, None]}, "tenant": None}]


def test_failures_of_targets_are_raised(stage: Stage, plain: str) -> None:
    failing = stage.event(["fail", "below"])
    arn = stage.start(["invoke", "actor:$LATEST", failing], ["invoke", plain, "fail"])

    durable, ordinary = stage.result(arn)
    assert durable == "RuntimeError: below"
    assert ordinary == "ValueError: asked to"
    assert event_types(stage.api, arn).count("ChainedInvokeFailed") == 2


@pytest.mark.parametrize(
    "target", ["missing", "missing:$LATEST", "actor:9", "actor:unknown"], ids=lambda name: name
)
def test_a_target_that_is_not_there_fails_at_once(stage: Stage, target: str) -> None:
    arn = stage.start(["invoke", target, None])

    (answer,) = stage.result(arn)
    assert answer.startswith("ResourceNotFoundException: ")


def test_a_durable_target_needs_a_qualifier(stage: Stage) -> None:
    (answer,) = stage.result(stage.start(["invoke", "actor", None]))

    assert answer.startswith("InvalidParameterValueException: ")


def test_recursion_ends(api: Any) -> None:
    deploy(api, "recursive", RECURSIVE)
    arn = start(api, "recursive", {"depth": 0})

    result = json.loads(closed(api, arn)["Result"])

    assert result["error"] == "RecursiveInvocationException"
    found = executions(api, "recursive")
    assert len(found) == result["depth"] + 1 <= 17
    assert {one["Status"] for one in found} == {"SUCCEEDED"}


def test_tenants_are_told_apart(stage: Stage) -> None:
    api = stage.api
    isolating = {"TenantIsolationMode": "PER_TENANT"}
    deploy(api, "tenants", PLAIN, is_durable=False, TenancyConfig=isolating)
    arn = stage.start(
        ["invoke", "tenants", 1, "red"],
        ["invoke", "tenants", 2, "blue"],
        ["invoke", "tenants", 3],
        ["invoke", "actor:$LATEST", stage.event(), "red"],
    )

    red, blue, nobody, wrong = stage.result(arn)

    assert (red, blue) == ({"given": 1, "tenant": "red"}, {"given": 2, "tenant": "blue"})
    assert nobody.startswith("InvalidParameterValueException: ")
    assert wrong.startswith("InvalidParameterValueException: ")


def test_a_child_goes_on_when_its_parent_is_stopped(stage: Stage) -> None:
    child = stage.event(["callback", "c"], ["note", "went-on"])
    arn = stage.start(["invoke", "actor:$LATEST", child], ["note", "never"])
    asked = stage.callback_id("c")

    stage.api.stop_durable_execution(DurableExecutionArn=arn)
    stage.api.send_durable_execution_callback_success(CallbackId=asked, Result=b"answer")

    (child_arn,) = children(stage, arn)
    assert stage.result(child_arn) == ["answer", "went-on"]
    assert (stage.status(arn), stage.notes) == ("STOPPED", ["went-on"])


@pytest.mark.parametrize(
    ("end", "event"), [("stop", "ChainedInvokeStopped"), ("time", "ChainedInvokeTimedOut")]
)
def test_the_end_of_a_child_reaches_its_parent(stage: Stage, end: str, event: str) -> None:
    target = f"ended-by-{end}"
    deploy(
        stage.api,
        target,
        "actor",
        DurableConfig={"ExecutionTimeout": 1 if end == "time" else 600},
    )
    child = stage.event(["callback", "c"])
    arn = stage.start(["invoke", f"{target}:$LATEST", child], ["note", "after"])
    if end == "stop":
        stage.callback_id("c")
        (child_arn,) = children(stage, arn)
        stage.api.stop_durable_execution(DurableExecutionArn=child_arn)

    assert stage.result(arn)[1] == "after"
    assert event_types(stage.api, arn).count(event) == 1


def test_a_child_is_started_once_whatever_is_killed(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "actor", "actor")
        deploy(api, "child", "actor")
        stage = Stage(api, tmp_path, "actor")
        child = stage.event(["note", "one"], ["gate", "g"], ["callback", "c"], ["note", "two"])
        arn = stage.start(["invoke", "child:$LATEST", child], ["note", "after"])
        stage.entered("g")

        server.kill()
        stage.open("g")
        server.start()
        asked = stage.callback_id("c")
        eventually(lambda: len(executions(api, "child")) == 1, what="the child")
        server.kill()
        server.start()
        api.send_durable_execution_callback_success(CallbackId=asked, Result=b"answer")

        assert stage.result(arn) == [["one", None, "answer", "two"], "after"]
        (only,) = executions(api, "child")
        assert only["DurableExecutionArn"] == children(stage, arn)[0]
        assert stage.notes == ["one", "two", "after"]
        assert event_types(api, arn).count("ChainedInvokeSucceeded") == 1
