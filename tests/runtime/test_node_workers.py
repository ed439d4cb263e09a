"""What a JavaScript handler sees, and what is made of what it does."""

import json
from pathlib import Path

import pytest

from perdure.engine.invoker import Crashed, FailureKind, InvocationReport, LogFormat, Raised
from perdure.runtime.node_libraries import NODE_PACKAGES
from tests.runtime.rig import ARN, NODE, Rig, with_rig

REQUEST_ID = "00000000-0000-4000-8000-000000000001"
FORMS = {
    "mjs": {"index.mjs": "export const handler = async (event) => [event];"},
    "cjs": {"index.cjs": "exports.handler = async (event) => [event];"},
    "js": {"index.js": "exports.handler = async (event) => [event];"},
    "js of type module": {
        "index.js": "export const handler = async (event) => [event];",
        "package.json": '{"type": "module"}',
    },
    "js in module syntax": {"index.js": "export const handler = async (event) => [event];"},
    "whole module": {"index.js": "module.exports = { handler: (e, c, cb) => cb(null, [e]) };"},
    "callback": {"index.js": "exports.handler = (e, c, cb) => setTimeout(() => cb(null, [e]), 5);"},
    "callback, not waiting": {
        "index.js": "exports.handler = (e, c, cb) => { c.callbackWaitsForEmptyEventLoop = false;"
        " setInterval(() => {}, 1000); cb(null, [e]); };"
    },
    "context.succeed": {"index.js": "exports.handler = (e, c) => c.succeed([e]);"},
    "thenable": {"index.js": "exports.handler = (e) => ({ then: (ok) => ok([e]) });"},
}


@pytest.mark.parametrize("files", FORMS.values(), ids=FORMS)
def test_a_handler_in_each_form(tmp_path: Path, files: dict[str, str]) -> None:
    async def story(rig: Rig) -> list[object]:
        function = rig.function(files, runtime=NODE, handler="index.handler")
        return [await rig.result(function, event) for event in ("太郎", {"n": 1}, None)]

    assert with_rig(tmp_path, story) == [["太郎"], [{"n": 1}], [None]]


@pytest.mark.parametrize(
    ("handler", "file"),
    [("src/deep/shop.handler", "src/deep/shop.mjs"), ("shop.api.v1.handler", "shop.mjs")],
)
def test_a_handler_in_a_folder_and_one_in_an_object(
    tmp_path: Path, handler: str, file: str
) -> None:
    code = "export const handler = async () => 'found';\nexport const api = { v1: { handler } };\n"

    async def story(rig: Rig) -> object:
        return await rig.result(rig.function({file: code}, runtime=NODE, handler=handler))

    assert with_rig(tmp_path, story) == "found"


def node(rig: Rig, code: str, **changes: object) -> object:
    return rig.function({"index.mjs": code}, runtime=NODE, handler="index.handler", **changes)


def test_a_context_says_what_awss_says(tmp_path: Path) -> None:
    code = """
    export const handler = async (event, context) => ({ ...context, getRemainingTimeInMillis: 0,
      remaining: context.getRemainingTimeInMillis(), region: process.env.AWS_REGION });"""

    async def story(rig: Rig) -> dict[str, object]:
        function = node(rig, code, timeout_seconds=7)
        return await rig.result(function, tenant_id="blue", client_context='{"custom": {"a": 1}}')  # type: ignore[arg-type]

    seen = with_rig(tmp_path, story)
    remaining = seen.pop("remaining")
    assert isinstance(remaining, int)
    assert 5_000 < remaining <= 7_000
    assert str(seen.pop("logStreamName"))[10:19] == "/[$LATEST"
    assert seen == {
        "callbackWaitsForEmptyEventLoop": True,
        "functionVersion": "$LATEST",
        "functionName": "shop",
        "memoryLimitInMB": "256",
        "logGroupName": "/aws/lambda/shop",
        "clientContext": {"custom": {"a": 1}},
        "invokedFunctionArn": f"{ARN}:live",
        "awsRequestId": REQUEST_ID,
        "tenantId": "blue",
        "getRemainingTimeInMillis": 0,
        "region": "us-east-1",
    }


ENDS = {
    "throws": ("async () => { throw new TypeError('no'); }", "TypeError", "no"),
    "throws at once": ("() => { throw new RangeError('no'); }", "RangeError", "no"),
    "calls back an error": ("(e, c, cb) => cb(new TypeError('no'))", "TypeError", "no"),
    "rejects with text": ("async () => Promise.reject('no')", "string", "no"),
    "leaves a rejection": (
        "() => { Promise.reject(new TypeError('no')); return new Promise(() => {}); }",
        "Runtime.UnhandledPromiseRejection",
        "TypeError: no",
    ),
    "throws later": (
        "() => new Promise(() => setTimeout(() => { throw new TypeError('no'); }, 1))",
        "TypeError",
        "no",
    ),
    "returns what is circular": (
        "async () => { const a = {}; a.a = a; return a; }",
        "Runtime.MarshalError",
        "Unable to stringify response body",
    ),
}


@pytest.mark.parametrize(("handler", "error_type", "message"), ENDS.values(), ids=ENDS)
def test_an_error_is_the_handlers_verdict(
    tmp_path: Path, handler: str, error_type: str, message: str
) -> None:
    async def story(rig: Rig) -> InvocationReport:
        return await rig.invoke(node(rig, f"export const handler = {handler};"))  # type: ignore[arg-type]

    report = with_rig(tmp_path, story)
    assert isinstance(report.outcome, Raised), report
    document = json.loads(report.outcome.payload)
    assert (report.outcome.error_type, document["errorType"]) == (error_type, error_type)
    assert message in document["errorMessage"]
    assert isinstance(document["trace"], list)
    assert b"\tERROR\t" in report.log_tail


BROKEN = {
    "file missing": ("nope.handler", "Runtime.ImportModuleError"),
    "package missing": ("lacks.handler", "Runtime.ImportModuleError"),
    "function missing": ("index.nope", "Runtime.HandlerNotFound"),
    "no function": ("index.value", "Runtime.HandlerNotFound"),
    "no function named": ("index", "Runtime.MalformedHandlerName"),
    "out of the folder": ("../index.handler", "Runtime.MalformedHandlerName"),
    "syntax": ("syntax.handler", "Runtime.UserCodeSyntaxError"),
    "throws": ("throws.handler", "TypeError"),
    "exits": ("exits.handler", "Runtime.ExitError"),
}


@pytest.mark.parametrize(("handler", "error_type"), BROKEN.values(), ids=BROKEN)
def test_code_that_does_not_start_is_a_failed_init(
    tmp_path: Path, handler: str, error_type: str
) -> None:
    files = {
        "index.mjs": "export const handler = async () => 1;\nexport const value = 1;\n",
        "lacks.mjs": "import 'zzz';\nexport const handler = 1;\n",
        "syntax.mjs": "export const handler = (;\n",
        "throws.mjs": "throw new TypeError('no');\n",
        "exits.mjs": "process.exit(7);\n",
    }

    async def story(rig: Rig) -> Crashed:
        report = await rig.invoke(rig.function(files, runtime=NODE, handler=handler))
        assert isinstance(report.outcome, Crashed)
        return report.outcome

    crash = with_rig(tmp_path, story)
    assert (crash.kind, crash.error_type) == (FailureKind.INIT_FAILED, error_type)


@pytest.mark.parametrize("handler", ["() => {}", "() => new Promise(() => {})"])
def test_a_handler_that_waits_for_nothing(tmp_path: Path, handler: str) -> None:
    async def story(rig: Rig) -> InvocationReport:
        return await rig.invoke(node(rig, f"export const handler = {handler};"))  # type: ignore[arg-type]

    outcome = with_rig(tmp_path, story).outcome
    if "Promise" in handler:
        assert isinstance(outcome, Crashed)
        assert outcome.message.endswith("Runtime exited without providing a reason")
    else:
        assert outcome.payload == b"null"  # type: ignore[union-attr]


LOGGING = """
export const handler = async () => {
  console.log("of %s", "two\\nlines", { a: 1 });
  console.debug("detail");
  console.error(new TypeError("no"));
  process.stdout.write("raw\\n");
};"""


def test_an_error_whose_name_is_half_a_character_is_reported(tmp_path: Path) -> None:
    source = """exports.handler = async () => {
        const error = new Error("no"); error.name = "\\ud800"; throw error; };"""

    async def story(rig: Rig) -> object:
        function = rig.function({"index.js": source}, runtime=NODE, handler="index.handler")
        return (await rig.invoke(function)).outcome

    outcome = with_rig(tmp_path, story)
    assert isinstance(outcome, Raised)
    assert outcome.error_type == "?"
    assert json.loads(outcome.payload)["errorMessage"] == "no"


def test_a_text_log_has_awss_lines(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[str]:
        await rig.invoke(node(rig, LOGGING))  # type: ignore[arg-type]
        return await rig.lines()

    lines = with_rig(tmp_path, story)
    own = [line.split("\t") for line in lines if line.count("\t") == 3]
    assert [fields[1:] for fields in own if fields[2] != "ERROR"] == [
        [REQUEST_ID, "INFO", "of two\nlines { a: 1 }\n"],
        [REQUEST_ID, "DEBUG", "detail\n"],
    ]
    error = next(line for line in lines if "\tERROR\t" in line)
    assert "\tTypeError: no\n    at handler" in error
    assert "raw\n" in lines


def test_a_json_log_has_awss_records(tmp_path: Path) -> None:
    async def story(rig: Rig) -> list[str]:
        await rig.invoke(
            node(rig, LOGGING, log_format=LogFormat.JSON, application_log_level="INFO")  # type: ignore[arg-type]
        )
        return await rig.lines()

    records = [json.loads(line) for line in with_rig(tmp_path, story) if line.startswith("{")]
    logged = [record for record in records if "level" in record]
    assert [(record["level"], record["message"]) for record in logged] == [
        ("INFO", "of two\nlines { a: 1 }"),
        ("ERROR", logged[1]["message"]),
    ]
    assert logged[1]["errorType"] == "TypeError"
    assert {record["requestId"] for record in logged} == {REQUEST_ID}
    assert [record["type"] for record in records if "type" in record] == [
        "platform.initStart",
        "platform.start",
        "platform.report",
    ]


@pytest.mark.parametrize(
    "files",
    [
        {
            "index.mjs": "import { who } from '@aws/durable-execution-sdk-js';"
            "export const handler = async () => who;"
        },
        {
            "index.cjs": "exports.handler = async () =>"
            " require('@aws/durable-execution-sdk-js').who;"
        },
    ],
    ids=["ESM", "CommonJS"],
)
@pytest.mark.parametrize("brings_own", [False, True], ids=["ours", "its own"])
def test_libraries_of_the_runtime_are_there_behind_the_functions_own(
    tmp_path: Path, files: dict[str, str], brings_own: bool
) -> None:
    libraries = tmp_path / "libraries"
    for package in NODE_PACKAGES:
        folder = libraries / "node_modules" / package[: package.rindex("@")]
        folder.mkdir(parents=True)
        (folder / "index.js").write_text("exports.who = 'ours';")
    own = {"node_modules/@aws/durable-execution-sdk-js/index.js": "exports.who = 'its own';"}

    async def story(rig: Rig) -> object:
        code = files | own if brings_own else files
        return await rig.result(rig.function(code, runtime=NODE, handler="index.handler"))

    expected = "its own" if brings_own else "ours"
    assert with_rig(tmp_path, story, node_libraries_folder=libraries) == expected


def test_a_large_event_and_result_pass(tmp_path: Path) -> None:
    async def story(rig: Rig) -> int:
        code = "export const handler = async (event) => event + event;"
        return len(await rig.result(node(rig, code), "x" * 3_000_000))  # type: ignore[arg-type]

    assert with_rig(tmp_path, story) == 6_000_000
