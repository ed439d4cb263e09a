"""Client commands against a real server."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import FUNCTIONS, Perdure
from tests.serving import eventually

pytestmark = pytest.mark.service

HOSTILE = "\x1b[31mred\u202e"


@pytest.fixture(scope="module")
def perdure(perdure_endpoint: str) -> Perdure:
    """The command, told where the shared server is."""
    return Perdure(perdure_endpoint)


@pytest.fixture(scope="module")
def probe(perdure: Perdure) -> str:
    """A durable function."""
    perdure.text("deploy", str(FUNCTIONS / "probe.py"), "--name", "cli-probe")
    return "cli-probe"


@pytest.fixture(scope="module")
def plain(perdure: Perdure) -> str:
    """A plain function."""
    arguments = ["--name", "cli-plain", "--env", "STAGE=test"]
    perdure.text("deploy", str(FUNCTIONS / "plain.mjs"), *arguments)
    return "cli-plain"


def start(perdure: Perdure, function: str, event: object, name: str) -> str:
    """Start an execution and return its ARN."""
    return perdure.text("invoke", function, json.dumps(event), "--async", "--name", name).strip()


# deploy, functions


def test_deploy_creates_and_then_updates(perdure: Perdure, tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text("def handler(event, context): return 1")
    created = perdure.json("deploy", str(file), "--name", "cli-deploy", "--timeout", "7")
    file.write_text("def handler(event, context): return 2")
    updated = perdure.json("deploy", str(file), "--name", "cli-deploy", "--memory", "300")

    (one,), (two,) = created["Functions"], updated["Functions"]
    assert (one["State"], one["Timeout"], one["Handler"]) == ("Active", 7, "app.handler")
    assert "DurableConfig" not in one
    assert one["CodeSha256"] != two["CodeSha256"]
    assert two["MemorySize"] == 300
    assert perdure.text("invoke", "cli-deploy", "--no-wait") == "2\n"


def test_deploy_makes_versions_and_points_an_alias_at_them(perdure: Perdure) -> None:
    source = str(FUNCTIONS / "probe.py")
    arguments = ["deploy", source, "--name", "cli-alias", "--alias", "live"]
    first = perdure.json(*arguments)["Functions"][0]
    second = perdure.json(*arguments, "--timeout", "30")["Functions"][0]

    assert (first["Version"], second["Version"]) == ("1", "2")
    versions = perdure.json("functions", "versions", "cli-alias")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    got = perdure.json("functions", "get", "cli-alias", "--qualifier", "live")
    assert got["Configuration"]["Version"] == "2"
    assert got["Configuration"]["DurableConfig"] == {
        "ExecutionTimeout": 86_400,
        "RetentionPeriodInDays": 14,
    }


def test_deploy_takes_a_template(perdure: Perdure, tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def handler(event, context): return event")
    (tmp_path / "template.yaml").write_text(
        """
Parameters: {Stage: {Type: String}}
Globals: {Function: {Runtime: python3.11, Handler: app.handler}}
Resources:
  One: {Type: "AWS::Serverless::Function", Properties: {FunctionName: !Sub "cli-one-${Stage}"}}
  Two: {Type: "AWS::Serverless::Function", Properties: {FunctionName: !Sub "cli-two-${Stage}"}}
"""
    )
    deployed = perdure.json("deploy", str(tmp_path), "--parameter", "Stage=x")

    names = [function["FunctionName"] for function in deployed["Functions"]]
    assert names == ["cli-one-x", "cli-two-x"]
    only = perdure.json("deploy", str(tmp_path), "--parameter", "Stage=x", "--name", "cli-two-x")
    assert len(only["Functions"]) == 1
    result = perdure.run("deploy", str(tmp_path), "--parameter", "Stage=x", "--name", "gone")
    assert result.exit_code == 4
    assert "none is called gone: cli-one-x, cli-two-x" in result.stderr


def test_deploy_says_what_the_server_refuses(perdure: Perdure) -> None:
    result = perdure.run("deploy", str(FUNCTIONS / "probe.py"), "--name", "cli-no", "--memory", "1")

    assert result.exit_code == 1
    assert "MemorySize" in result.stderr
    assert "(value: 1)" in result.stderr


def test_functions_are_listed_and_deleted(perdure: Perdure, probe: str) -> None:
    perdure.text("deploy", str(FUNCTIONS / "plain.mjs"), "--name", "cli-gone")

    listed = {item["FunctionName"] for item in perdure.json("functions")["Functions"]}
    assert {probe, "cli-gone"} <= listed
    table = perdure.text("functions", "list")
    assert "FUNCTION" in table.splitlines()[0]
    row = next(line.split() for line in table.splitlines() if line.startswith("cli-gone"))
    assert row[:6] == ["cli-gone", "$LATEST", "nodejs24.x", "plain.handler", "no", "Active"]
    assert perdure.json("functions", "delete", "cli-gone") == {"FunctionName": "cli-gone"}
    assert perdure.run("functions", "get", "cli-gone").exit_code == 4


# invoke


def test_invoke_prints_the_result_alone(perdure: Perdure, probe: str) -> None:
    assert json.loads(perdure.text("invoke", probe, '{"name": "太郎"}', "--no-wait")) == {
        "event": {"name": "太郎"}
    }


def test_invoke_waits_for_an_execution_and_prints_its_result(perdure: Perdure, probe: str) -> None:
    result = perdure.run("invoke", probe, '{"wait": 1}', "--wait")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {"event": {"wait": 1}}
    assert result.stderr == ""


def test_invoke_takes_its_payload_from_a_file_or_standard_input(
    perdure: Perdure, plain: str, tmp_path: Path
) -> None:
    (tmp_path / "event.json").write_text('{"from": "file"}')
    answer = {"event": {"from": "file"}, "stage": "test"}

    assert (
        json.loads(perdure.text("invoke", plain, "--event", str(tmp_path / "event.json"))) == answer
    )
    assert (
        json.loads(perdure.text("invoke", plain, "--event", "-", stdin='{"from": "file"}'))
        == answer
    )


def test_invoke_of_a_function_that_fails_prints_its_error_and_ends_with_1(
    perdure: Perdure, probe: str, plain: str
) -> None:
    for function, kind in ((plain, "TypeError"), (probe, "ValueError")):
        result = perdure.run("invoke", function, '{"fail": "told to"}', "--no-wait")

        assert result.exit_code == 1
        document = json.loads(result.stdout)
        assert (document["errorType"], document["errorMessage"]) == (kind, "told to")
        assert "the function failed" in result.stderr


def test_waiting_for_an_execution_that_fails_ends_with_1(perdure: Perdure, probe: str) -> None:
    result = perdure.run("invoke", probe, json.dumps({"fail": HOSTILE}), "--wait")

    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == (
        "perdure: the execution ended FAILED: ValueError: \\x1b[31mred\\u202e\n"
    )


def test_invoke_shows_the_end_of_a_plain_functions_log(perdure: Perdure, plain: str) -> None:
    arguments = ["invoke", plain, json.dumps({"say": HOSTILE}), "--no-wait", "--log"]
    result = perdure.run(*arguments)

    assert result.exit_code == 0, result.output
    assert "\\x1b[31mred\\u202e" in result.stderr
    assert "REPORT RequestId" in result.stderr
    assert "REPORT RequestId" in perdure.json(*arguments)["LogResult"]


def test_invoke_says_where_the_log_of_an_execution_is(perdure: Perdure, probe: str) -> None:
    result = perdure.run("invoke", probe, "{}", "--no-wait", "--log")

    assert result.exit_code == 0, result.output
    assert result.stderr.endswith(f": perdure logs {probe}\n")


def test_invoke_in_json_is_aws_answer(perdure: Perdure, probe: str) -> None:
    answer = perdure.json("invoke", probe, "{}", "--name", "cli-json", "--no-wait")

    assert answer.pop("DurableExecutionArn").split("/")[2] == "cli-json"
    assert answer == {
        "StatusCode": 200,
        "ExecutedVersion": "$LATEST",
        "Payload": '{"event": {}}',
    }
    execution = perdure.json("invoke", probe, "{}", "--name", "cli-json", "--wait")
    assert (execution["Status"], execution["Result"]) == ("SUCCEEDED", '{"event": {}}')


def test_invoke_of_nothing_ends_with_4(perdure: Perdure) -> None:
    for option in ("--wait", "--no-wait", "--async"):
        result = perdure.run("invoke", "cli-nobody", "{}", option)

        assert result.exit_code == 4
        assert "ResourceNotFoundException" in result.stderr


def test_invoke_of_a_stopped_execution_ends_with_5(perdure: Perdure, probe: str) -> None:
    arn = start(perdure, probe, {"wait": 3600}, "cli-stopped")
    perdure.text("executions", "stop", arn, "--error-type", "T", "--error-message", "enough")

    arguments = ["invoke", probe, '{"wait": 3600}', "--name", "cli-stopped"]
    result = perdure.run(*arguments, "--wait")

    assert result.exit_code == 5
    assert result.stderr == "perdure: the execution ended STOPPED: T: enough\n"
    assert perdure.run(*arguments, "--no-wait").exit_code == 5


def test_invoke_of_a_name_with_another_payload_is_a_conflict(perdure: Perdure, probe: str) -> None:
    start(perdure, probe, {"n": 1}, "cli-name")

    result = perdure.run("invoke", probe, '{"n": 2}', "--name", "cli-name", "--no-wait")

    assert result.exit_code == 1
    assert "DurableExecutionAlreadyStartedException" in result.stderr


# executions


def test_executions_are_listed_newest_first(perdure: Perdure, probe: str) -> None:
    for name in ("cli-list-1", "cli-list-2"):
        perdure.text("invoke", probe, "{}", "--name", name, "--no-wait")

    listed = perdure.json("executions", "list", probe, "--limit", "2")["DurableExecutions"]
    assert [item["DurableExecutionName"] for item in listed] == ["cli-list-2", "cli-list-1"]
    assert listed[0]["StartTimestamp"].endswith("Z")
    named = perdure.json("executions", "list", probe, "--name", "cli-list-1", "--status", "failed")
    assert named == {"DurableExecutions": []}
    assert "cli-list-1" in perdure.text("executions", "list", probe)


def test_an_execution_is_shown_by_name_or_arn(perdure: Perdure, probe: str) -> None:
    perdure.text("invoke", probe, '{"name": "太郎"}', "--name", "cli-get", "--no-wait")

    shown = perdure.json("executions", "get", f"{probe}/cli-get")
    assert shown["Status"] == "SUCCEEDED"
    assert json.loads(shown["Result"]) == {"event": {"name": "太郎"}}
    assert shown == perdure.json("executions", "get", shown["DurableExecutionArn"])
    assert "太郎" in perdure.text("executions", "get", f"{probe}/cli-get")


def test_an_executions_history_is_a_timeline_or_all_events(perdure: Perdure, probe: str) -> None:
    perdure.text("invoke", probe, '{"wait": 1}', "--name", "cli-history", "--no-wait")

    text = perdure.text("executions", "history", f"{probe}/cli-history")
    assert "SUCCEEDED" in text.splitlines()[0]
    assert [line.split()[:3] for line in text.splitlines()[1:]] == [
        ["long", "WAIT", "SUCCEEDED"],
        ["answer", "STEP", "SUCCEEDED"],
    ]
    events = perdure.json("executions", "history", f"{probe}/cli-history")["Events"]
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["ExecutionStartedDetails"]["Input"]["Payload"] == '{"wait": 1}'
    bare = perdure.json("executions", "history", f"{probe}/cli-history", "--no-data")["Events"]
    assert "Payload" not in bare[0]["ExecutionStartedDetails"]["Input"]


def test_an_execution_is_paused_resumed_stopped_and_deleted(perdure: Perdure, probe: str) -> None:
    arn = start(perdure, probe, {"wait": 3600}, "cli-steer")

    def becomes(status: str) -> None:
        eventually(lambda: perdure.json("executions", "get", arn)["Status"] == status, what=status)

    perdure.text("executions", "pause", arn, "--reason", "closed")
    becomes("PAUSED")
    assert perdure.run("executions", "delete", arn).exit_code == 1
    perdure.text("executions", "resume", arn, "--reason", "open")
    becomes("RUNNING")
    assert "StopTimestamp" in perdure.json("executions", "stop", arn)
    becomes("STOPPED")
    assert "DeletionRequestTimestamp" in perdure.json("executions", "delete", arn)
    eventually(lambda: perdure.run("executions", "get", arn).exit_code == 4, what="the deletion")


def test_an_execution_that_is_not_there_ends_with_4(perdure: Perdure, probe: str) -> None:
    arn = f"arn:aws:lambda:us-east-1:000000000000:function:{probe}:$LATEST/durable-execution/n/i"
    for name in (f"{probe}/gone", arn):
        for command in ("get", "history", "stop", "pause", "resume", "delete"):
            assert perdure.run("executions", command, name).exit_code == 4, (name, command)


# callback


@pytest.mark.parametrize("answer", ["succeed", "fail"])
def test_a_callback_is_answered(perdure: Perdure, probe: str, answer: str, tmp_path: Path) -> None:
    name = f"cli-callback-{answer}"
    arn = start(perdure, probe, {"callback": "approval"}, name)

    def look() -> str | None:
        events = perdure.json("executions", "history", arn)["Events"]
        details = [event.get("CallbackStartedDetails") for event in events]
        return next((detail["CallbackId"] for detail in details if detail), None)

    callback_id = eventually(look, what="the callback")
    assert callback_id in perdure.text("executions", "history", arn)
    assert perdure.json("callback", "heartbeat", callback_id) == {"CallbackId": callback_id}
    (tmp_path / "answer.json").write_text('{"approved": true}')
    arguments = {
        "succeed": ["--file", str(tmp_path / "answer.json")],
        "fail": ["--type", "Rejected", "--message", "too expensive"],
    }[answer]
    perdure.text("callback", answer, callback_id, *arguments)

    result = perdure.run("invoke", probe, '{"callback": "approval"}', "--name", name, "--wait")
    if answer == "succeed":
        assert json.loads(json.loads(result.stdout)) == {"approved": True}
    else:
        assert result.exit_code == 1
        assert "too expensive" in result.stderr
    assert perdure.run("callback", "succeed", callback_id, '"again"').exit_code != 0


def test_a_callback_that_is_not_there_is_refused(perdure: Perdure) -> None:
    result = perdure.run("callback", "succeed", "AAAA", "1")

    assert result.exit_code in (1, 4)
    assert result.stderr.startswith("perdure: ")


# logs


def test_a_log_is_printed(perdure: Perdure, probe: str) -> None:
    marker = "cli-log-marker"
    event = json.dumps({"say": f"{marker} {HOSTILE}"})
    perdure.text("invoke", probe, event, "--no-wait")

    text = eventually(lambda: perdure.text("logs", probe, "--filter", marker), what="the line")
    assert f"{marker} \\x1b[31mred\\u202e" in text
    events = perdure.json("logs", probe, "--since", "1h", "--filter", marker)["events"]
    assert [event["message"] for event in events] == [f"{marker} {HOSTILE}\n"]
    assert perdure.json("logs", probe, "--filter", "nobody-says-this") == {"events": []}


def test_the_log_of_nothing_ends_with_4(perdure: Perdure) -> None:
    assert perdure.run("logs", "cli-nobody").exit_code == 4
