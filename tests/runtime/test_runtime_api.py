"""The Runtime API, spoken by runtimes that are not ours."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from perdure.engine.invoker import Crashed, FailureKind, InvocationReport, Raised
from tests.runtime.rig import Rig, a_zip, with_rig

REQUEST_ID = "00000000-0000-4000-8000-000000000001"
#: A runtime in a few lines; what comes after it is one scene each.
CLIENT = f"""#!{sys.executable}
import http.client, json, os
API = "/2018-06-01/runtime/"
link = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None, headers={{}}):
    link.request(method, API + path, body, headers)
    answer = link.getresponse()
    return answer, answer.read()
def next():
    answer, body = call("GET", "invocation/next")
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], answer, body
def say(request_id, value):
    return call("POST", f"invocation/{{request_id}}/response", json.dumps(value))[0].status
def brief(answer):
    return [answer[0].status, json.loads(answer[1]).get("errorType")]
"""


def play(folder: Path, scene: str, runs: int = 1, **changes: object) -> list[InvocationReport]:
    """Return the reports of some runs under a custom runtime."""

    async def story(rig: Rig) -> list[InvocationReport]:
        function = rig.function({"bootstrap": CLIENT + scene}, runtime="provided.al2023", **changes)
        return [await rig.invoke(function, number) for number in range(runs)]

    return with_rig(folder, story)


def returned(report: InvocationReport) -> object:
    return json.loads(report.outcome.payload)  # type: ignore[union-attr]


def test_next_carries_the_run_and_its_ids(tmp_path: Path) -> None:
    scene = """
while True:
    request_id, answer, body = next()
    say(request_id, {name.lower(): text for name, text in answer.headers.items()})
"""

    async def story(rig: Rig) -> Mapping[str, str]:
        function = rig.function({"bootstrap": CLIENT + scene}, runtime="provided.al2023")
        return await rig.result(
            function, trace_id="Root=1-2-3", client_context='{"custom":{}}', tenant_id="blue"
        )

    headers = with_rig(tmp_path, story)
    assert headers["lambda-runtime-aws-request-id"] == REQUEST_ID
    assert headers["lambda-runtime-invoked-function-arn"].endswith(":function:shop:live")
    assert headers["lambda-runtime-trace-id"] == "Root=1-2-3"
    assert headers["lambda-runtime-client-context"] == '{"custom":{}}'
    assert headers["lambda-runtime-aws-tenant-id"] == "blue"
    assert len(headers["lambda-runtime-deadline-ms"]) == 13
    assert headers["content-type"] == "application/json"


SCENES = {
    "a stale id": ('call("POST", "invocation/stale/response", "1")', [400, "InvalidRequestID"]),
    "a stale id's error": ('call("POST", "invocation/x/error", "1")', [400, "InvalidRequestID"]),
    "next without an answer": (
        'call("GET", "invocation/next")',
        [403, "InvalidStateTransition"],
    ),
    "init error after the start": (
        'call("POST", "init/error", "{}")',
        [403, "InvalidStateTransition"],
    ),
    "no such call": ('call("GET", "nothing")', [404, "NotFound"]),
    "no such verb": ('call("DELETE", "invocation/next")', [404, "NotFound"]),
    "no such path": ('call("POST", "invocation/../../x", "1")', [404, "NotFound"]),
}


@pytest.mark.parametrize(("call", "expected"), SCENES.values(), ids=SCENES)
def test_a_wrong_call_is_refused_and_changes_nothing(
    tmp_path: Path, call: str, expected: list[object]
) -> None:
    scene = f"""
while True:
    request_id, _answer, body = next()
    seen = brief({call})
    say(request_id, [json.loads(body), seen])
"""
    reports = play(tmp_path, scene, runs=2)
    assert [returned(report) for report in reports] == [[0, expected], [1, expected]]


def test_a_second_answer_is_refused(tmp_path: Path) -> None:
    scene = """
last = None
while True:
    request_id, _answer, _body = next()
    say(request_id, last)
    last = say(request_id, "again")
"""
    assert [returned(report) for report in play(tmp_path, scene, runs=2)] == [None, 403]


def test_what_is_too_large_is_refused_and_the_runtime_goes_on(tmp_path: Path) -> None:
    scene = """
last = None
while True:
    request_id, _answer, body = next()
    if json.loads(body) == 0:
        last = brief(call("POST", f"invocation/{request_id}/response", b"x" * 20_000_000))
    else:
        say(request_id, last)
"""
    first, second = play(tmp_path, scene, runs=2)
    assert isinstance(first.outcome, Crashed)
    assert first.outcome.kind is FailureKind.RESPONSE_TOO_LARGE
    assert returned(second) == [413, "RequestEntityTooLarge"]


ERRORS = {
    "a document": (
        '\'{"errorType": "Sad", "errorMessage": "m"}\', {}',
        "Sad",
        {"errorType": "Sad", "errorMessage": "m"},
    ),
    "a header": (
        '\'{"errorMessage": "m"}\', {"Lambda-Runtime-Function-Error-Type": "Runtime.Odd"}',
        "Runtime.Odd",
        {"errorMessage": "m"},
    ),
    "neither": ("'oops', {}", "Unhandled", {"errorType": "Unhandled", "errorMessage": "oops"}),
}


@pytest.mark.parametrize(("answer", "error_type", "document"), ERRORS.values(), ids=ERRORS)
def test_an_error_is_a_document_in_the_end(
    tmp_path: Path, answer: str, error_type: str, document: dict[str, str]
) -> None:
    scene = f"""
while True:
    request_id, _answer, _body = next()
    call("POST", f"invocation/{{request_id}}/error", {answer})
"""
    outcome = play(tmp_path, scene)[0].outcome
    assert isinstance(outcome, Raised)
    assert (outcome.error_type, json.loads(outcome.payload)) == (error_type, document)


def test_an_init_error_is_the_crash_of_the_start(tmp_path: Path) -> None:
    scene = """
call("POST", "init/error", json.dumps({"errorType": "Runtime.NoLuck", "errorMessage": "none"}))
os._exit(1)
"""
    outcome = play(tmp_path, scene)[0].outcome
    assert outcome == Crashed(
        kind=FailureKind.INIT_FAILED, error_type="Runtime.NoLuck", message="none"
    )


def test_a_chunked_answer_is_read(tmp_path: Path) -> None:
    scene = """
while True:
    request_id, _answer, _body = next()
    link.request("POST", API + f"invocation/{request_id}/response",
                 iter([b'"in ', b'pieces"']), encode_chunked=True,
                 headers={"Transfer-Encoding": "chunked"})
    link.getresponse().read()
"""
    assert returned(play(tmp_path, scene)[0]) == "in pieces"


def test_what_is_not_http_ends_the_connection_only(tmp_path: Path) -> None:
    scene = """
import socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
with socket.create_connection((host, int(port))) as odd:
    odd.sendall(b"\\0\\1nonsense\\r\\n\\r\\n")
    heard = odd.recv(100)
while True:
    request_id, _answer, _body = next()
    say(request_id, heard.decode())
"""
    assert returned(play(tmp_path, scene)[0]) == ""


OFFICIAL = """
import logging
def handler(event, context):
    logging.getLogger().warning("seen %s", event)
    if event == "bad":
        raise LookupError("bad event")
    return [event, context.aws_request_id, context.get_remaining_time_in_millis() > 0]
"""


def test_awss_own_runtime_client_works(tmp_path: Path) -> None:
    pytest.importorskip("awslambdaric")
    files = {
        "bootstrap": f'#!/bin/sh\nexec {sys.executable} -m awslambdaric "$_HANDLER"\n',
        "app.py": OFFICIAL,
    }
    assert a_zip(files)

    async def story(rig: Rig) -> tuple[object, dict[str, str], list[str], InvocationReport]:
        function = rig.function(files, runtime="provided.al2023")
        missing = rig.function(files, runtime="provided.al2023", handler="nope.handler")
        return (
            await rig.result(function, "太郎"),
            await rig.error(function, "bad"),
            await rig.lines(),
            await rig.invoke(missing),
        )

    result, error, lines, broken = with_rig(tmp_path, story)
    assert result == ["太郎", REQUEST_ID, True]
    assert (error["errorType"], error["errorMessage"]) == ("LookupError", "bad event")
    assert any(line.startswith("[WARNING]") and "seen 太郎" in line for line in lines)
    assert isinstance(broken.outcome, Crashed)
    assert broken.outcome.error_type == "Runtime.ImportModuleError"


def test_a_result_may_ask_for_the_next_event_too(tmp_path: Path) -> None:
    scene = """
import socket
host, port = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
line = socket.create_connection((host, int(port)))
answers = line.makefile("rb")
NEXT = f"GET {API}invocation/next HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n"
def read():
    status = answers.readline().split()[1].decode()
    headers = {}
    while text := answers.readline().strip().decode():
        name, _, value = text.partition(": ")
        headers[name.lower()] = value
    return status, headers, answers.read(int(headers["content-length"]))
line.sendall(NEXT.encode())
heard = []
while True:
    status, headers, body = read()
    heard.append(status)
    if "lambda-runtime-aws-request-id" in headers:
        result = json.dumps([json.loads(body), heard])
        path = f"{API}invocation/{headers['lambda-runtime-aws-request-id']}/response"
        length = f"Content-Length: {len(result)}"
        head = f"POST {path} HTTP/1.1\\r\\nHost: {host}\\r\\n{length}\\r\\n\\r\\n"
        line.sendall((head + result + NEXT).encode())
"""
    reports = play(tmp_path, scene, runs=3)
    assert [returned(report) for report in reports] == [
        [0, ["200"]],
        [1, ["200", "202", "200"]],
        [2, ["200", "202", "200", "202", "200"]],
    ]
