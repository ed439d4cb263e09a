"""What a Python handler sees, and what is made of what it does."""

import json
import sys
from pathlib import Path

import pytest

from perdure.clock import wall_ms
from perdure.engine.invoker import Crashed, FailureKind, LogFormat
from tests.runtime.rig import ARN, Rig, with_rig

ECHO = "def handler(event, context):\n    return event\n"
SEE = """
import os, resource, sys
def handler(event, context):
    return {
        "environment": dict(os.environ), "path": sys.path, "folder": os.getcwd(),
        "umask": os.umask(0o077), "group": os.getpgrp() == os.getpid() == os.getsid(0),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
        "descriptors": sorted(int(n) for n in os.listdir("/proc/self/fd")),
        "no_new_privs": [l for l in open("/proc/self/status") if l.startswith("NoNewPrivs")],
        "is_pushy": os.sched_getscheduler(0) != os.SCHED_BATCH,
    }
"""
CONTEXT = """
def handler(event, context):
    return {
        "remaining": context.get_remaining_time_in_millis(),
        "custom": context.client_context and context.client_context.custom,
        "identity": context.identity.cognito_identity_id,
        **{name: getattr(context, name) for name in (
            "function_name", "function_version", "invoked_function_arn", "memory_limit_in_mb",
            "aws_request_id", "log_group_name", "log_stream_name", "tenant_id")},
    }
"""


@pytest.mark.parametrize(
    "event", [None, "", 0, {}, [], {"naïve": "太郎 🎉", "n": 1.5}, "x" * 1_000_000]
)
def test_a_result_comes_back_as_it_was_sent(tmp_path: Path, event: object) -> None:
    async def story(rig: Rig) -> object:
        return await rig.result(rig.function(ECHO), event)

    assert with_rig(tmp_path, story) == event


def test_a_context_says_what_awss_says(tmp_path: Path) -> None:
    async def story(rig: Rig) -> dict[str, object]:
        return await rig.result(
            rig.function(CONTEXT, timeout_seconds=7),
            client_context='{"custom": {"naïve": "é"}}',
            tenant_id="blue",
        )

    seen = with_rig(tmp_path, story)
    remaining, stream = seen.pop("remaining"), seen.pop("log_stream_name")
    assert isinstance(remaining, int)
    assert 5_000 < remaining <= 7_000
    assert str(stream)[10:19] == "/[$LATEST"
    assert len(str(stream).partition("]")[2]) == 32
    assert seen == {
        "function_name": "shop",
        "function_version": "$LATEST",
        "invoked_function_arn": f"{ARN}:live",
        "memory_limit_in_mb": "256",
        "aws_request_id": "00000000-0000-4000-8000-000000000001",
        "log_group_name": "/aws/lambda/shop",
        "tenant_id": "blue",
        "custom": {"naïve": "é"},
        "identity": None,
    }


def test_a_service_ahead_of_the_machine_gives_a_run_no_time_it_has_not(tmp_path: Path) -> None:
    async def story(rig: Rig) -> dict[str, object]:
        rig.clock.raise_floor(wall_ms() + 3_600_000)
        return await rig.result(rig.function(CONTEXT, timeout_seconds=7))

    remaining = with_rig(tmp_path, story)["remaining"]
    assert isinstance(remaining, int)
    assert 5_000 < remaining <= 7_000


def test_a_worker_has_lambdas_environment_and_nothing_of_the_servers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVERS_SECRET", "1")
    mine = {"MINE": "1", "AWS_REGION": "mars", "TZ": "Asia/Tokyo", "AWS_ENDPOINT_URL_S3": "u"}

    async def story(rig: Rig) -> dict[str, dict[str, str]]:
        return await rig.result(rig.function(SEE, environment=mine))

    seen = with_rig(tmp_path, story)
    environment = seen["environment"]
    assert "SERVERS_SECRET" not in environment
    assert (environment["MINE"], environment["TZ"]) == ("1", "Asia/Tokyo")
    assert environment["AWS_REGION"] == environment["AWS_DEFAULT_REGION"] == "us-east-1"
    assert environment["AWS_ENDPOINT_URL_LAMBDA"] == "http://127.0.0.1:9"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.11"
    assert environment["LAMBDA_TASK_ROOT"] == seen["path"][0] == seen["folder"]
    assert environment["TMPDIR"].startswith(str(tmp_path))
    assert (seen["umask"], seen["group"], seen["core"]) == (0o077, True, 0)
    assert seen["no_new_privs"] == ["NoNewPrivs:\t1\n"]
    assert not seen["is_pushy"]
    # The three standard ones, the Runtime API's, and the one that lists the folder.
    assert len(seen["descriptors"]) <= 5


def test_packages_of_awss_runtime_are_there_behind_the_functions_own(tmp_path: Path) -> None:
    code = {
        "app.py": "import boto3, aws_durable_execution_sdk_python, jmespath\n"
        "def handler(event, context):\n    return [jmespath.__file__, boto3.__file__]\n",
        "jmespath/__init__.py": "from sys import path\nsearch = compile = None\n",
        "jmespath/exceptions.py": "class JMESPathError(Exception): pass\n",
    }

    async def story(rig: Rig) -> list[str]:
        return await rig.result(rig.function(code, memory_mb=512))

    own, ours = with_rig(tmp_path, story)
    assert own.startswith(str(tmp_path))
    assert not ours.startswith(str(tmp_path))


def test_an_exception_is_the_handlers_verdict_and_the_worker_goes_on(tmp_path: Path) -> None:
    code = (
        "runs = 0\ndef handler(event, context):\n    global runs\n    runs += 1\n"
        "    if event:\n        raise LookupError(event)\n    return runs\n"
    )

    async def story(rig: Rig) -> tuple[dict[str, object], object, list[str]]:
        function = rig.function(code)
        error = await rig.error(function, "no such shop")
        return error, await rig.result(function), await rig.lines()

    error, runs, lines = with_rig(tmp_path, story)
    trace = error.pop("stackTrace")
    assert error == {
        "errorMessage": "no such shop",
        "errorType": "LookupError",
        "requestId": "00000000-0000-4000-8000-000000000001",
    }
    assert isinstance(trace, list)
    assert len(trace) == 1
    assert "app.py" in str(trace[0])
    assert runs == 2
    assert any(line.startswith("[ERROR] LookupError: no such shop\nTraceback") for line in lines)


BROKEN = {
    "module missing": ("nope.handler", "Runtime.ImportModuleError", "Unable to import module"),
    "package missing": ("lacks.handler", "Runtime.ImportModuleError", "No module named 'zzz'"),
    "function missing": ("app.nope", "Runtime.HandlerNotFound", "Handler 'nope' missing"),
    "no function named": ("app", "Runtime.MalformedHandlerName", "Bad handler 'app'"),
    "syntax": ("syntax.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module"),
    "built in": ("sys.exit", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys"),
    "raises": ("raises.handler", "ZeroDivisionError", "division by zero"),
    "exits": ("exits.handler", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
}


@pytest.mark.parametrize(("handler", "error_type", "message"), BROKEN.values(), ids=BROKEN)
def test_code_that_does_not_start_is_a_failed_init(
    tmp_path: Path, handler: str, error_type: str, message: str
) -> None:
    code = {
        "app.py": ECHO,
        "lacks.py": "import zzz\n",
        "syntax.py": "def handler(:\n",
        "raises.py": "1 / 0\n",
        "exits.py": "import os\nos._exit(7)\n",
    }

    async def story(rig: Rig) -> Crashed:
        report = await rig.invoke(rig.function(code, handler=handler))
        assert isinstance(report.outcome, Crashed)
        return report.outcome

    crash = with_rig(tmp_path, story)
    assert (crash.kind, crash.error_type) == (FailureKind.INIT_FAILED, error_type)
    assert message in crash.message


@pytest.mark.parametrize("handler", ["pkg/shop.handler", "pkg.shop.handler"])
def test_a_handler_may_be_in_a_package(tmp_path: Path, handler: str) -> None:
    async def story(rig: Rig) -> object:
        return await rig.result(rig.function({"pkg/shop.py": ECHO}, handler=handler), "hi")

    assert with_rig(tmp_path, story) == "hi"


RESULTS = {
    "decimal": ("__import__('decimal').Decimal('1.5')", 1.5),
    "bytes": ("b'[1, 2]'", [1, 2]),
    "none": ("None", None),
    "surrogate": ("chr(0xd800)", "\ud800"),
}


@pytest.mark.parametrize(("expression", "expected"), RESULTS.values(), ids=RESULTS)
def test_results_beyond_plain_json(tmp_path: Path, expression: str, expected: object) -> None:
    async def story(rig: Rig) -> object:
        code = f"def handler(event, context):\n    return {expression}\n"
        return await rig.result(rig.function(code))

    assert with_rig(tmp_path, story) == expected


def test_what_is_not_json_is_the_runtimes_error(tmp_path: Path) -> None:
    async def story(rig: Rig) -> tuple[dict[str, str], dict[str, str]]:
        function = rig.function("def handler(event, context):\n    return {1, 2}\n")
        deep = rig.request(function, event=b"[" * 100_000)
        report = await rig.pool.invoke(deep)
        return await rig.error(function), json.loads(report.outcome.payload)  # type: ignore[union-attr]

    marshal, unmarshal = with_rig(tmp_path, story)
    assert marshal["errorType"] == "Runtime.MarshalError"
    assert "set is not JSON serializable" in marshal["errorMessage"]
    assert unmarshal["errorType"] == "Runtime.UnmarshalError"


LOGGING = """
import logging, sys
log = logging.getLogger("shop")
def handler(event, context):
    print("printed")
    print("to stderr", file=sys.stderr)
    log.debug("never")
    log.warning("of %s", "two\\nlines")
    try:
        1 / 0
    except ZeroDivisionError:
        log.exception("failed", extra={"order": 7})
    print("unfinished", end="")
"""


def test_a_text_log_has_awss_lines(tmp_path: Path) -> None:
    async def story(rig: Rig) -> tuple[list[str], bytes]:
        report = await rig.invoke(rig.function(LOGGING))
        return await rig.lines(), report.log_tail

    lines, tail = with_rig(tmp_path, story)
    request_id = "00000000-0000-4000-8000-000000000001"
    assert lines[0] == "INIT_START Runtime Version: python3.11\n"
    assert lines[1] == f"START RequestId: {request_id} Version: $LATEST\n"
    assert lines[2:4] == ["printed\n", "to stderr\n"]
    warning = lines[4].split("\t")
    assert (warning[0], warning[2], warning[3]) == ("[WARNING]", request_id, "of two\nlines\n")
    assert lines[5].startswith("[ERROR]\t")
    assert lines[5].endswith("ZeroDivisionError: division by zero\n")
    assert lines[6] == "unfinished\n"
    assert lines[7] == f"END RequestId: {request_id}\n"
    fields = lines[8].split("\t")
    assert fields[0] == f"REPORT RequestId: {request_id}"
    assert [field.partition(":")[0] for field in fields[1:-1]] == [
        "Duration",
        "Billed Duration",
        "Memory Size",
        "Max Memory Used",
        "Init Duration",
    ]
    assert tail.decode() == "".join(lines[1:])


def test_a_json_log_has_awss_records(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[str]:
        await rig.invoke(rig.function(LOGGING, log_format=LogFormat.JSON))
        return await rig.lines()

    lines = with_rig(tmp_path, story)
    assert "printed\n" in lines
    records = [json.loads(line) for line in lines if line.startswith("{")]
    request_id = "00000000-0000-4000-8000-000000000001"
    assert [record.get("type") or record["level"] for record in records] == [
        "platform.initStart",
        "platform.start",
        "WARNING",
        "ERROR",
        "platform.report",
    ]
    assert records[2]["message"] == "of two\nlines"
    assert records[2]["requestId"] == request_id
    assert (records[3]["errorType"], records[3]["order"]) == ("ZeroDivisionError", 7)
    assert records[4]["record"]["status"] == "success"
    assert records[4]["record"]["metrics"]["memorySizeMB"] == 256


def test_a_log_level_leaves_out_what_is_below(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[str]:
        function = rig.function(
            LOGGING,
            log_format=LogFormat.JSON,
            application_log_level="ERROR",
            system_log_level="WARN",
        )
        await rig.invoke(function)
        return await rig.lines()

    records = [json.loads(line) for line in with_rig(tmp_path, story) if line.startswith("{")]
    assert [record["level"] for record in records] == ["ERROR"]


def test_a_runtime_the_machine_lacks_is_named(tmp_path: Path) -> None:
    async def story(rig: Rig) -> Crashed:
        report = await rig.invoke(rig.function(ECHO, runtime="python3.99"))
        assert isinstance(report.outcome, Crashed)
        return report.outcome

    crash = with_rig(tmp_path, story)
    assert crash.kind is FailureKind.INIT_FAILED
    assert "nothing here runs python3.99" in crash.message
    assert f"python3.{sys.version_info.minor}" in crash.message


def test_code_in_a_folder_runs_where_it_lies(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "app.py").write_text("def handler(e, c):\n    return __file__\n")

    async def story(rig: Rig) -> object:
        return await rig.result(rig.function({}, code_sha256="", code_folder=str(folder)))

    assert with_rig(tmp_path / "data", story) == str(folder / "app.py")
