"""Functions at endpoints: real services, real endpoints, each in a process of its own."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perdure.protocol.endpoint_signatures import function_key
from tests.endpoint.processes import EndpointProcess
from tests.service.deployment import (
    FUNCTIONS,
    closed,
    deploy,
    event_types,
    history,
    refusal,
    start,
)
from tests.service.fronts import MISBEHAVIOURS, Front
from tests.service.stage import Stage
from tests.serving import ServerProcess, client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

ROOT = Path(__file__).resolve().parents[2]
ROLE = "arn:aws:iam::123456789012:role/tests"
DURABLE = {"ExecutionTimeout": 600, "RetentionPeriodInDays": 1}


class Place:
    """A service on which endpoints are allowed, and the endpoints of its functions."""

    def __init__(self, server: ServerProcess, folder: Path) -> None:
        self.server = server
        self.folder = folder
        self.api: Any = client("lambda", server.url)
        self._endpoints: list[EndpointProcess] = []

    def endpoint(self, name: str, handler: str, *arguments: str, **variables: str) -> Any:
        """Start an endpoint that takes what is signed for the function ``name`` alone."""
        key = function_key((self.server.data / "secret.key").read_bytes(), name)
        (self.folder / name).mkdir(exist_ok=True)
        process = EndpointProcess(
            FUNCTIONS,
            handler,
            *arguments,
            AWS_ENDPOINT_URL_LAMBDA=self.server.url,
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY="test",
            PERDURE_ENDPOINT_KEY=key,
            **variables,
        )
        process._stderr = self.folder / f"{name}.{len(self._endpoints)}.stderr"
        process.start()
        self._endpoints.append(process)
        return process

    def function(self, name: str, url: str, **settings: Any) -> dict[str, Any]:
        """Create a function at ``url``, durable unless it is said not to be."""
        durable = settings.pop("is_durable", True)
        return self.api.create_function(
            FunctionName=name,
            Role=ROLE,
            PackageType="Image",
            Code={"ImageUri": url},
            Timeout=settings.pop("timeout", 30),
            **({"DurableConfig": DURABLE} if durable else {}),
            **settings,
        )

    def close(self) -> None:
        """Stop the endpoints."""
        for process in self._endpoints:
            process.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One service for all stories that do not hurt it."""
    folder = tmp_path_factory.mktemp("endpoints")
    with serving(folder / "data", "--allow-endpoint", "127.0.0.1") as server:
        place = Place(server, folder)
        yield place
        place.close()


@pytest.fixture(scope="module")
def actor(place: Place) -> Any:
    """The actor, of AWS's SDK, at an endpoint."""
    process = place.endpoint("actor", "actor.handler")
    place.function("actor", process.url)
    return process


@pytest.fixture(scope="module")
def behind(place: Place) -> Any:
    """The actor, for fronts to stand before; its function takes three seconds at most."""
    process = place.endpoint("behind", "actor.handler")
    place.function("behind", process.url, timeout=3)
    return process


@pytest.fixture(scope="module")
def plain(place: Place) -> str:
    """An ordinary function at an endpoint."""
    process = place.endpoint("plain", "plain_at_endpoint.handler", SAID="by the endpoint")
    place.function("plain", process.url, is_durable=False)
    return "plain"


def test_a_handler_of_awss_sdk_runs_at_an_endpoint(
    place: Place, actor: Any, plain: str, tmp_path: Path
) -> None:
    stage = Stage(place.api, tmp_path, "actor")
    child = stage.event(["note", "below"], ["wait", 1])
    arn = stage.start(
        ["note", "one"],
        ["wait", 1],
        ["callback", "c"],
        ["invoke", "actor:$LATEST", child],
        ["invoke", "plain", {"k": 1}],
        ["note", "two"],
    )
    place.api.send_durable_execution_callback_success(
        CallbackId=stage.callback_id("c"), Result=b"answer"
    )

    told = stage.result(arn)
    assert told[:4] == ["one", None, "answer", ["below", None]]
    assert told[4]["given"] == {"k": 1}
    assert told[5] == "two"
    assert stage.notes == ["one", "below", "two"]
    types = event_types(place.api, arn)
    assert types.count("InvocationCompleted") >= 4
    assert types[-1] == "ExecutionSucceeded"


@pytest.mark.parametrize("handler", ["handler", "awaiting"])
def test_handlers_of_our_sdk_run_at_an_endpoint(place: Place, plain: str, handler: str) -> None:
    name = f"own-{handler}"
    # A kept handler would never be found again: it is not kept, whatever the variable says.
    process = place.endpoint(name, f"own_sdk.{handler}", PERDURE_KEEP_HANDLERS="10")
    place.function(name, process.url)
    answer = place.api.invoke(
        FunctionName=f"{name}:$LATEST", Payload=json.dumps({"n": 1, "asks": plain})
    )
    assert json.load(answer["Payload"]) == [2, 2, 4]


def test_workers_and_endpoints_invoke_each_other(place: Place, actor: Any, tmp_path: Path) -> None:
    deploy(place.api, "worker", "actor")
    stage = Stage(place.api, tmp_path, "worker")
    innermost = stage.event(["note", "at a worker"])
    middle = stage.event(["note", "at an endpoint"], ["invoke", "worker:$LATEST", innermost])
    arn = stage.start(["invoke", "actor:$LATEST", middle])
    assert stage.result(arn) == [["at an endpoint", ["at a worker"]]]


def test_many_executions_at_once(place: Place, actor: Any, tmp_path: Path) -> None:
    stage = Stage(place.api, tmp_path, "actor")
    arns = [stage.start(["note", f"n{number}"], ["wait", 1], ["note", "x"]) for number in range(40)]
    for number, arn in enumerate(arns):
        assert stage.result(arn) == [f"n{number}", None, "x"]
    assert sorted(stage.notes) == sorted([*(f"n{number}" for number in range(40)), *("x" * 40)])


def test_an_ordinary_function_answers_its_caller(place: Place, plain: str) -> None:
    answer = place.api.invoke(
        FunctionName=plain, Payload=b'{"k": 1}', LogType="Tail", Qualifier="$LATEST"
    )
    told = json.load(answer["Payload"])
    assert "FunctionError" not in answer
    assert told == {
        "given": {"k": 1},
        "name": "plain",
        "version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:000000000000:function:plain:$LATEST",
        "tenant": None,
        "said": "by the endpoint",
    }
    assert base64.b64decode(answer["LogResult"]) == b"was given {'k': 1}\n"


def test_an_ordinary_functions_error_is_its_callers_to_hear(place: Place, plain: str) -> None:
    answer = place.api.invoke(FunctionName=plain, Payload=b'"fail"')
    document = json.load(answer["Payload"])
    assert answer["FunctionError"] == "Unhandled"
    assert (document["errorType"], document["errorMessage"]) == ("ValueError", "asked to")
    assert "plain_at_endpoint.py" in document["stackTrace"][0]


def test_its_log_is_in_the_service(place: Place, plain: str) -> None:
    place.api.invoke(FunctionName=plain, Payload=b'"to be found"')
    logs = client("logs", place.server.url)
    group = "/aws/lambda/plain"

    def look() -> list[str]:
        found = logs.filter_log_events(logGroupName=group, filterPattern='"to be found"')
        return [event["message"] for event in found["events"]]

    assert eventually(look, what="the line") == ["was given to be found\n"]
    types = logs.filter_log_events(logGroupName=group)["events"]
    assert any(event["message"].startswith("REPORT RequestId: ") for event in types)


@pytest.mark.parametrize("how", list(MISBEHAVIOURS))
def test_an_endpoint_that_misbehaves_for_a_while_fails_no_execution(
    place: Place, behind: Any, tmp_path: Path, how: str
) -> None:
    """X4."""
    with Front(behind.url) as front:
        place.api.update_function_code(FunctionName="behind", ImageUri=front.url)
        front.misbehave(how, times=2)
        stage = Stage(place.api, tmp_path, "behind")
        arn = stage.start(["note", "one"], ["wait", 1], ["note", "two"])
        assert stage.result(arn) == ["one", None, "two"]
        assert front.taken == 4
    assert stage.notes == ["one", "two"]
    ends = [e for e in history(place.api, arn) if e["EventType"] == "InvocationCompleted"]
    failed = [end for end in ends if "Error" in end["InvocationCompletedDetails"]]
    assert len(failed) == 2


def test_an_event_for_an_endpoint_that_is_away_runs_when_it_is_back(
    place: Place, tmp_path: Path
) -> None:
    """An ordinary function's two retries are for its own failures."""
    process = place.endpoint("away", "plain_at_endpoint.handler")
    with Front(process.url) as front:
        place.function("away", front.url, is_durable=False)
        target = place.endpoint("target", "actor.handler")
        place.function("target", target.url)
        front.misbehave("502 from a load balancer", times=2)
        stage = Stage(place.api, tmp_path, "target")
        arn = stage.start(["invoke", "away", "x"])
        assert stage.result(arn)[0]["given"] == "x"
        assert front.taken == 3


def test_an_endpoint_that_is_down_and_comes_back(place: Place, tmp_path: Path) -> None:
    process = place.endpoint("down", "actor.handler")
    place.function("down", process.url)
    process.kill()
    stage = Stage(place.api, tmp_path, "down")
    arn = stage.start(["note", "one"])
    stage.suspended(arn, times=2)  # two attempts came to nothing
    assert stage.status(arn) == "RUNNING"
    process.start()
    assert stage.result(arn) == ["one"]
    assert stage.notes == ["one"]


def test_an_endpoint_that_is_killed_under_an_invocation(place: Place, tmp_path: Path) -> None:
    process = place.endpoint("killed", "actor.handler")
    place.function("killed", process.url)
    stage = Stage(place.api, tmp_path, "killed")
    arn = stage.start(["note", "one"], ["gate", "g"], ["note", "two"])
    stage.entered("g")
    process.kill()
    stage.open("g")
    process.start()
    assert stage.result(arn) == ["one", None, "two"]
    assert stage.notes == ["one", "two"]


def test_a_service_that_is_killed_under_an_invocation(tmp_path: Path) -> None:
    """F7: what went on at the endpoint meanwhile has lost its lease, and changes nothing."""
    with serving(tmp_path / "data", "--allow-endpoint", "127.0.0.1") as server:
        place = Place(server, tmp_path)
        process = place.endpoint("survivor", "actor.handler")
        place.function("survivor", process.url)
        stage = Stage(place.api, tmp_path, "survivor")
        arn = stage.start(["note", "one"], ["gate", "g"], ["note", "two"])
        stage.entered("g")
        server.kill()
        server.start()
        stage.open("g")
        assert stage.result(arn) == ["one", None, "two"]
        assert stage.notes.count("one") == 1
        assert stage.notes.count("two") >= 1
        place.close()


def test_stopping_an_execution_leaves_its_endpoint_alone(
    place: Place, actor: Any, tmp_path: Path
) -> None:
    stage = Stage(place.api, tmp_path, "actor")
    arn = stage.start(["gate", "g"], ["note", "never"])
    stage.entered("g")
    place.api.stop_durable_execution(DurableExecutionArn=arn)
    assert closed(place.api, arn)["Status"] == "STOPPED"
    stage.open("g")
    other = stage.start(["note", "after"])
    assert stage.result(other) == ["after"]
    assert not {"StepSucceeded", "StepFailed"} & set(event_types(place.api, arn))


def test_a_version_stays_at_its_url_and_an_execution_where_it_began(
    place: Place, tmp_path: Path
) -> None:
    """V1."""
    old = place.endpoint("moving", "actor.handler", WHO="old")
    new = place.endpoint("moving", "actor.handler", WHO="new")
    place.function("moving", old.url, Publish=True)
    place.api.create_alias(FunctionName="moving", Name="live", FunctionVersion="1")
    stage = Stage(place.api, tmp_path, "moving")
    before = stage.start(["callback", "c"], ["say", "WHO"])
    pinned = stage.start(["callback", "d"], ["say", "WHO"], Qualifier="live")
    for name in "cd":
        stage.callback_id(name)

    place.api.update_function_code(FunctionName="moving", ImageUri=new.url, Publish=True)
    place.api.update_alias(FunctionName="moving", Name="live", FunctionVersion="2")

    for name in "cd":
        place.api.send_durable_execution_callback_success(CallbackId=stage.callback_id(name))
    assert stage.result(before)[1] == "old"
    assert stage.result(pinned)[1] == "old"
    assert stage.result(stage.start(["say", "WHO"])) == ["new"]
    assert stage.result(stage.start(["say", "WHO"], Qualifier="live")) == ["new"]
    assert stage.result(stage.start(["say", "WHO"], Qualifier="1")) == ["old"]
    versions = place.api.list_versions_by_function(FunctionName="moving")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2"]
    urls = [
        place.api.get_function(FunctionName="moving", Qualifier=number)["Code"]["ImageUri"]
        for number in ("$LATEST", "1", "2")
    ]
    assert urls == [new.url, old.url, new.url]


def test_reserved_concurrency_holds_for_an_endpoint(place: Place, tmp_path: Path) -> None:
    process = place.endpoint("narrow", "actor.handler")
    place.function("narrow", process.url)
    place.api.put_function_concurrency(FunctionName="narrow", ReservedConcurrentExecutions=1)
    stage = Stage(place.api, tmp_path, "narrow")
    first = stage.start(["gate", "g1"])
    stage.entered("g1")
    second = stage.start(["gate", "g2"])
    stage.open("g1")
    stage.entered("g2")
    assert closed(place.api, first)["Status"] == "SUCCEEDED"
    stage.open("g2")
    assert stage.result(second) == [None]


def test_an_endpoint_with_another_key_is_not_served(place: Place, tmp_path: Path) -> None:
    """It refuses what is not signed for its function; with the right key it goes on."""
    wrong = place.endpoint("another", "actor.handler")
    place.function("guarded", wrong.url)
    arn = start(place.api, "guarded", {"folder": str(tmp_path), "acts": [["note", "one"]]})
    Stage(place.api, tmp_path, "guarded").suspended(arn)
    (failed,) = [
        event["InvocationCompletedDetails"]["Error"]["Payload"]
        for event in history(place.api, arn)
        if event["EventType"] == "InvocationCompleted"
    ][:1]
    assert failed["ErrorType"] == "Runtime.Unavailable"
    assert "answered 403" in failed["ErrorMessage"]
    assert not (tmp_path / "notes").exists()
    right = EndpointProcess(wrong.folder, "actor.handler", **wrong.variables)
    key = function_key((place.server.data / "secret.key").read_bytes(), "guarded")
    right.variables["PERDURE_ENDPOINT_KEY"] = f"{'0' * 64},{key}"
    right.port = wrong.port
    right._stderr = tmp_path / "stderr"
    wrong.kill()
    right.start()
    assert closed(place.api, arn)["Status"] == "SUCCEEDED"
    right.close()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("http://127.0.0.2:1", "127.0.0.2:1 is not allowed on this service"),
        ("http://localhost:1", "localhost:1 is not allowed"),
        ("http://169.254.169.254/", "not allowed"),
        ("http://127.0.0.1:1/?x", "has a query"),
        ("1.dkr.ecr.us-east-1.amazonaws.com/a:b", "Perdure runs no images"),
    ],
)
def test_an_endpoint_that_is_not_listed_is_refused(place: Place, url: str, message: str) -> None:
    code, status, said = refusal(
        place.api.create_function,
        FunctionName="refused",
        Role=ROLE,
        PackageType="Image",
        Code={"ImageUri": url},
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert message in said


def test_a_service_that_allows_no_endpoints_any_more(tmp_path: Path) -> None:
    """SR-20: the list is asked again at each invocation."""
    data = tmp_path / "data"
    with serving(data, "--allow-endpoint", "127.0.0.1") as server:
        place = Place(server, tmp_path)
        process = place.endpoint("once", "plain_at_endpoint.handler")
        place.function("once", process.url, is_durable=False)
        assert json.load(place.api.invoke(FunctionName="once")["Payload"])["name"] == "once"
        server.stop()
    with serving(data) as server:
        api = client("lambda", server.url)
        answer = api.invoke(FunctionName="once")
        document = json.load(answer["Payload"])
        assert document["errorType"] == "Runtime.Unavailable"
        assert "no endpoints are allowed on this service" in document["errorMessage"]
        place.close()


@pytest.fixture
def emulator(place: Place) -> Iterator[str]:
    """The URL of the actor behind a server of the emulator's kind: it knows nothing of us."""
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "AWS_ENDPOINT_URL_LAMBDA": place.server.url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    command = [sys.executable, "-m", "tests.service.emulator", "actor.handler", "0"]
    with subprocess.Popen(
        command, cwd=FUNCTIONS, env=variables, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().split()[-1]
        yield f"http://127.0.0.1:{port}"
        process.kill()


def test_a_server_of_the_emulators_kind_is_an_endpoint(
    place: Place, emulator: str, tmp_path: Path
) -> None:
    """One invocation at a time: those that come meanwhile are turned away, and come again."""
    place.function("emulated", emulator)
    stage = Stage(place.api, tmp_path, "emulated")
    busy = stage.start(["note", "one"], ["gate", "g"], ["wait", 1], ["note", "two"])
    stage.entered("g")
    others = [stage.start(["note", f"other {number}"]) for number in range(2)]
    failing = stage.start(["fail", "on purpose"])
    stage.suspended(others[0])
    stage.open("g")
    assert stage.result(busy) == ["one", None, None, "two"]
    assert [stage.result(arn) for arn in others] == [["other 0"], ["other 1"]]
    assert closed(place.api, failing)["Status"] == "FAILED"
