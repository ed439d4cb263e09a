"""The console of a real server: headers on every route, who needs the token, what is said of real
executions, and an end that does not wait for streams.
"""

import http.client
import io
import json
import re
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from tests.cli.commands import Perdure
from tests.service.deployment import closed, deploy
from tests.service.stage import Stage
from tests.serving import ServerProcess, client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

FUNCTION = "console-actor"
INVOKE = f"/2015-03-31/functions/{FUNCTION}:$LATEST/invocations"
XSS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></script><svg/onload=alert(1)>",
    "javascript:alert(1)//'\"`",
    "{{constructor.constructor('alert(1)')()}}",
)


@pytest.fixture(scope="module")
def api(shared_server: ServerProcess) -> Any:
    """A Lambda client of the shared server, with an actor of the console's."""
    api = client("lambda", shared_server.url)
    deploy(api, FUNCTION, "actor")
    return api


@pytest.fixture
def stage(api: Any, tmp_path: Path) -> Stage:
    """The actor, with a folder for this test."""
    return Stage(api, tmp_path, FUNCTION)


@pytest.fixture
def web(shared_server: ServerProcess) -> Iterator[httpx.Client]:
    """A client of the console."""
    with httpx.Client(base_url=shared_server.url, timeout=30) as web:
        yield web


def explain(web: httpx.Client, arn: str) -> Any:
    """Return why an execution does not go on."""
    return web.get("/console/api/explain", params={"arn": arn}).json()


def become(web: httpx.Client, arn: str, kind: str) -> Any:
    """Return why an execution does not go on, once it stands like this."""

    def look() -> Any:
        found = explain(web, arn)
        return found if found["kind"] == kind else None

    return eventually(look, seconds=60, what=f"{kind} of {arn}")


ROUTES = (
    ("GET", "/"),
    ("GET", "/console"),
    ("GET", "/console/executions/x"),
    ("GET", "/console/assets/none.js"),
    ("GET", "/console/approve/x"),
    ("GET", "/console/approve.css"),
    ("GET", "/console/api"),
    ("GET", "/console/api/none"),
    ("GET", "/console/api/session"),
    ("GET", "/console/api/functions"),
    ("GET", "/console/api/functions/none/test-events"),
    ("GET", "/console/api/templates"),
    ("GET", "/console/api/executions"),
    ("GET", "/console/api/executions?limit=0"),
    ("GET", "/console/api/counts"),
    ("GET", "/console/api/execution?arn=x"),
    ("GET", "/console/api/explain?arn=x"),
    ("GET", "/console/api/stream?arn=x"),
    ("GET", "/console/api/callbacks"),
    ("GET", "/console/api/operations"),
    ("POST", "/console/api/callback-links"),
    ("POST", "/console/api/session"),
    ("PUT", "/console/api/functions/none/test-events/e"),
    ("DELETE", "/console/api/functions/none/test-events/e"),
)


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=lambda value: value.strip("/") or "root")
def test_every_answer_lets_a_browser_do_no_more_than_it_must(
    web: httpx.Client, method: str, path: str
) -> None:
    answer = web.request(method, path)
    headers = answer.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert headers["cache-control"] == "no-store"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not [name for name in headers if name.startswith("access-control")]
    if answer.status_code >= 400 and headers["content-type"] == "application/json":
        assert set(answer.json()) == {"type", "message"}


@pytest.mark.parametrize("headers", [{"Host": "evil.test"}, {"Origin": "http://evil.test"}])
def test_the_guards_stand_before_the_console(web: httpx.Client, headers: dict[str, str]) -> None:
    for path in ("/console", "/console/api/session", "/console/approve/x"):
        assert web.get(path, headers=headers).status_code == 403


def test_a_session_says_where_the_page_is(web: httpx.Client, api: Any) -> None:
    session = web.get("/console/api/session").json()
    assert re.fullmatch(r"[0-9a-f]{64}", session["token"])
    assert (session["mode"], session["quotas"], session["login"]) == ("serve", "relaxed", None)
    assert (session["region"], session["account_id"]) == ("us-east-1", "000000000000")
    assert "python3.11" in session["runtimes"]
    assert "provided.al2023" in session["runtimes"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", INVOKE, {"folder": "/tmp", "acts": []}),
        ("PUT", f"/console/api/functions/{FUNCTION}/test-events/e", {"payload": "1"}),
        ("DELETE", "/2015-03-31/functions/nobody", None),
        ("POST", "/", {"logGroupName": "/aws/lambda/none"}),
    ],
    ids=["invoke", "console", "delete", "logs"],
)
def test_who_needs_the_token(
    web: httpx.Client, api: Any, method: str, path: str, body: Any
) -> None:
    token = web.get("/console/api/session").json()["token"]
    own = str(web.base_url).rstrip("/")
    extra = {"X-Amz-Target": "Logs_20140328.DescribeLogStreams"} if path == "/" else {}
    for headers, is_let_in in (
        ({}, True),
        ({"Origin": own}, False),
        ({"Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Origin": own, "X-Perdure-Token": token[:-1] + "x"}, False),
        ({"Origin": own, "X-Perdure-Token": token}, True),
        ({"Sec-Fetch-Site": "same-origin", "X-Perdure-Token": token}, True),
        ({"Sec-Fetch-Site": "cross-site", "X-Perdure-Token": token}, False),
        ({"Origin": "http://evil.test", "X-Perdure-Token": token}, False),
        ({"Origin": "null", "X-Perdure-Token": token}, False),
    ):
        answer = web.request(method, path, json=body, headers={**headers, **extra})
        assert (answer.status_code != 403) is is_let_in, (headers, answer.text)
        if not is_let_in:
            assert "AccessDenied" in answer.headers["x-amzn-errortype"]


def test_what_executions_wait_for_is_said(web: httpx.Client, stage: Stage) -> None:
    child = f"{FUNCTION}:$LATEST"
    event = {"folder": str(stage.folder), "acts": [["wait", 500]]}
    cases: dict[str, tuple[list[Any], str]] = {
        "wait": (["wait", 500], "for 'wait', which ends at "),
        "callback": (["callback", "boss", 400, 300], "an answer to callback 'boss', until "),
        "invoke": (["invoke", child, event], f"an invocation of {child}, which is RUNNING (arn"),
    }
    for kind, (act, said) in cases.items():
        arn = stage.start(act)
        stage.suspended(arn)
        found = explain(web, arn)
        assert (found["kind"], said in found["sentence"]) == ("waiting", True), found
        assert found["worker"] == {"available": True, "text": "a worker is available"}
        (wait,) = found["waits"]
        assert wait["since_ms"] > 0
        if kind == "callback":
            succeed = stage.api.send_durable_execution_callback_success
            succeed(CallbackId=wait["callback_id"], Result=b"yes")
            assert stage.result(arn) == ["yes"]
            assert explain(web, arn)["kind"] == "ended"
        if kind == "invoke":
            become(web, wait["chained_execution_arn"], "waiting")

    paused = stage.start(["wait", 500])
    stage.suspended(paused)
    stage.api.pause_durable_execution(DurableExecutionArn=paused, Reason="lunch")
    assert "(since " in explain(web, paused)["sentence"]
    assert explain(web, paused)["sentence"].endswith("its timeout stands still meanwhile.")

    running = stage.start(["gate", "g"])
    stage.entered("g")
    assert explain(web, running)["kind"] == "running"
    stage.open("g")
    stage.become(running, "SUCCEEDED")
    assert explain(web, running)["sentence"].startswith("It succeeded at ")

    failed = stage.start(["fail", "boom"])
    stage.become(failed, "FAILED")
    assert explain(web, failed)["sentence"].endswith(": RuntimeError: boom.")


def test_what_blocks_a_function_is_said(web: httpx.Client, tmp_path: Path, api: Any) -> None:
    deploy(api, "console-blocked", "actor")
    stage = Stage(api, tmp_path, "console-blocked")
    arn = stage.start(["callback", "c"], ["note", "after"])
    stage.suspended(arn)
    api.put_function_concurrency(FunctionName="console-blocked", ReservedConcurrentExecutions=0)
    found = explain(web, arn)
    assert (found["kind"], found["worker"]["available"]) == ("waiting", False)
    api.send_durable_execution_callback_success(CallbackId=stage.callback_id("c"))
    found = become(web, arn, "blocked")
    said = "but the reserved concurrency of its function is 0; raise or remove it."
    assert said in found["sentence"]
    api.delete_function_concurrency(FunctionName="console-blocked")
    assert closed(api, arn)["Status"] == "SUCCEEDED"


def test_a_crashing_function_is_retrying(web: httpx.Client, api: Any) -> None:
    source = "import os\ndef handler(event, context):\n    os._exit(3)\n"
    deploy(api, "console-crash", source)
    answer = api.invoke(
        FunctionName="console-crash", Qualifier="$LATEST", InvocationType="Event", Payload="{}"
    )
    arn = answer["DurableExecutionArn"]
    found = become(web, arn, "retrying")
    assert "invocations in a row failed (the last one with Runtime.ExitError" in found["sentence"]
    assert "; the next invocation begins at " in found["sentence"]
    api.stop_durable_execution(DurableExecutionArn=arn)


def test_the_command_line_says_the_same(
    shared_server: ServerProcess, web: httpx.Client, stage: Stage
) -> None:
    perdure = Perdure(shared_server.url)
    arn = stage.start(["callback", "boss"], DurableExecutionName="explained")
    stage.suspended(arn)
    expected = explain(web, arn)
    assert perdure.json("executions", "explain", arn) == expected
    text = perdure.text("executions", "explain", f"{FUNCTION}/explained")
    assert text == f"{expected['sentence']}\n"
    missing = perdure.run("executions", "explain", arn.replace("explained", "other"))
    assert (missing.exit_code != 0, "does not exist" in missing.output) == (True, True)


def test_the_command_line_lists_many_waits(web: httpx.Client, api: Any, shared_server: Any) -> None:
    source = (
        "from aws_durable_execution_sdk_python import durable_execution\n"
        "from aws_durable_execution_sdk_python.config import Duration\n"
        "@durable_execution\n"
        "def handler(event, context):\n"
        "    context.create_callback(name='one')\n"
        "    context.create_callback(name='two').result()\n"
    )
    deploy(api, "console-two", source)
    stage = Stage(api, Path(), "console-two")
    arn = stage.start()
    stage.suspended(arn)
    text = Perdure(shared_server.url).text("executions", "explain", arn)
    assert "for 2 callbacks: it goes on with the first that comes about" in text
    assert re.search(r"^CALLBACK +one +20", text, re.M)
    assert re.search(r"^CALLBACK +two +20", text, re.M)


def test_hostile_text_comes_back_as_json_alone(web: httpx.Client, stage: Stage) -> None:
    for text in XSS:
        arn = stage.start(["fail", text])
        assert stage.become(arn, "FAILED")["Error"]["ErrorMessage"] == text
        for path in ("execution", "explain"):
            answer = web.get(f"/console/api/{path}", params={"arn": arn})
            assert answer.headers["content-type"] == "application/json"
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json()["sentence"].endswith(f": RuntimeError: {text}.")
        found = web.get("/console/api/executions", params={"text": text[:60]}).json()
        assert arn in [one["arn"] for one in found["executions"]]
        for path in (f"/console/api/{quote(text)}", f"/console/approve/{quote(text)}"):
            answer = web.get(path)
            assert answer.status_code in (403, 404)
            assert text not in answer.text


def test_a_stream_ends_with_its_execution(web: httpx.Client, stage: Stage) -> None:
    arn = stage.start(["note", "a"], ["wait", 1], ["note", "b"])
    with web.stream("GET", "/console/api/stream", params={"arn": arn}) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        text = answer.read().decode()
    events: list[Any] = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines())
        if lines.get("event") == "history":
            events += json.loads(lines["data"])
            assert events[-1]["EventId"] == int(lines["id"])
    kept = stage.api.get_durable_execution_history(
        DurableExecutionArn=arn, IncludeExecutionData=True
    )["Events"]
    assert [one["EventId"] for one in events] == [one["EventId"] for one in kept]
    assert text.endswith('event: end\ndata: {"is_deleted":false}\n\n')


def test_how_the_service_does_is_told(web: httpx.Client, stage: Stage) -> None:
    stage.suspended(stage.start(["callback", "c"]))
    operations = web.get("/console/api/operations").json()
    assert operations["store"]["kind"] == "sqlite"
    assert operations["store"]["size_bytes"] > 0
    workers = [one for one in operations["workers"] if one["function"] == FUNCTION]
    assert workers
    for worker in workers:
        assert worker["pid"] > 0
        assert worker["memory_bytes"] > 1_000_000
        assert worker["state"] in ("IDLE", "RUNNING", "SETTLING")
    assert operations["node"]["capacity"] == 64


def test_templates_run_as_they_are(web: httpx.Client, api: Any, shared_server: Any) -> None:
    templates = {one["id"]: one for one in web.get("/console/api/templates").json()["templates"]}
    for name in ("hello-python", "plain-python", "approval-python"):
        template = templates[name]
        (file,) = template["files"]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as files:
            files.writestr(file["path"], file["text"])
        durable = {"DurableConfig": {"ExecutionTimeout": 600, "RetentionPeriodInDays": 1}}
        api.create_function(
            FunctionName=name,
            Role="arn:aws:iam::123456789012:role/tests",
            Code={"ZipFile": archive.getvalue()},
            Runtime=template["runtime"],
            Handler=template["handler"],
            Timeout=60,
            **(durable if template["is_durable"] else {}),
        )
    for name in ("hello-python", "plain-python"):
        answer = api.invoke(FunctionName=name, Qualifier="$LATEST", Payload="{}")
        assert "FunctionError" not in answer
        assert json.load(answer["Payload"])["statusCode"] == 200

    stage = Stage(api, Path(), "approval-python")
    arn = stage.start()
    stage.suspended(arn)
    found = web.get("/console/api/callbacks", params={"function": "approval-python"}).json()
    (pending,) = found["callbacks"]
    assert (pending["name"], pending["submitter"]["status"]) == ("approval", "SUCCEEDED")
    document = {"callback_id": pending["callback_id"], "question": "May it?"}
    url = web.post("/console/api/callback-links", json=document).json()["url"]
    form = {"decision": "approve", "comment": "yes"}
    decided = web.post(url, data=form, headers={"Origin": str(web.base_url).rstrip("/")})
    assert decided.status_code == 200
    assert json.loads(closed(api, arn)["Result"]) == {
        "approved": True,
        "answer": {"approved": True, "comment": "yes"},
    }


def test_a_stop_does_not_wait_for_streams(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        place = urlsplit(server.url).netloc
        streams: list[http.client.HTTPResponse] = []
        connections: list[http.client.HTTPConnection] = []
        for _ in range(3):
            connection = http.client.HTTPConnection(place, timeout=20)
            connection.request("GET", "/console/api/stream/overview")
            connections.append(connection)
            streams.append(connection.getresponse())
        assert all(stream.readline() == b"retry: 1000\n" for stream in streams)
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 10
        for stream, connection in zip(streams, connections, strict=True):
            stream.read()
            connection.close()


def test_without_a_console_no_browser_changes_anything(tmp_path: Path) -> None:
    with serving(tmp_path / "data", "--no-console") as server:
        with httpx.Client(base_url=server.url) as web:
            for path in ("/", "/console", "/console/api/session"):
                assert web.get(path).status_code == 404
            refused = web.delete("/2015-03-31/functions/f", headers={"Origin": server.url})
            assert refused.status_code == 403
            assert web.delete("/2015-03-31/functions/f").status_code == 404
        answer = Perdure(server.url).run("executions", "explain", "arn:x")
        assert (answer.exit_code != 0, "--no-console" in answer.output) == (True, True)
