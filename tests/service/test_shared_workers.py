"""Functions whose invocations share worker processes, as boto3 asks for them."""

import fcntl
import json
from typing import Any

import pytest

from tests.service.deployment import closed, deploy, refusal, shared, start
from tests.service.processes import workers
from tests.serving import ServerProcess, client, eventually

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

#: Says where its steps ran; the second waits until the gate is not locked.
STEPS = """
import fcntl, os, pathlib
from perdure import durable_execution

def step_through(event):
    folder = pathlib.Path(event["folder"])
    (folder / event["name"]).touch()
    with open(folder / "gate") as gate:
        fcntl.flock(gate, fcntl.LOCK_SH)
    return os.getpid()

@durable_execution
def handler(event, context):
    first = context.step(lambda _: os.getpid(), name="first")
    second = context.step(lambda _: step_through(event), name="second")
    context.wait(1)
    return [event["name"], first, second]

@durable_execution
async def awaiting(event, context):
    first = await context.step(lambda _: os.getpid(), name="first")
    second = await context.step(lambda _: step_through(event), name="second")
    await context.wait(1)
    return [event["name"], first, second]
"""


@pytest.fixture(scope="module")
def server_api(shared_server: ServerProcess) -> Any:
    """A client of the shared server."""
    return client("lambda", shared_server.url)


@pytest.mark.parametrize("name", ["handler", "awaiting"])
def test_executions_share_workers_and_outlive_them(
    shared_server: ServerProcess, server_api: Any, tmp_path: Any, name: str
) -> None:
    """A killed worker takes many runs with it; each goes on from its last checkpoint (D2)."""
    function = f"shared-{name}"
    deploy(
        server_api,
        function,
        STEPS,
        Handler=f"index.{name}",
        CapacityProviderConfig=shared(6),
    )
    names = [f"e{number}" for number in range(12)]
    with (tmp_path / "gate").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        event = {"folder": str(tmp_path)}
        arns = [start(server_api, function, event | {"name": name}) for name in names]
        eventually(
            lambda: all((tmp_path / name).exists() for name in names),
            what="the second step of each",
        )
        processes = workers(shared_server.data, function=function)
        assert 2 <= len(processes) <= 4
        victim = processes[0].pid
        processes[0].kill()
    results = [json.loads(closed(server_api, arn)["Result"]) for arn in arns]
    assert [result[0] for result in results] == names
    began_there = [second for _, first, second in results if first == victim]
    assert 2 <= len(began_there) <= 6
    assert victim not in began_there


def test_what_is_asked_for_is_told_and_changed(server_api: Any) -> None:
    deploy(server_api, "told", STEPS, CapacityProviderConfig=shared(4))
    told = server_api.get_function_configuration(FunctionName="told")
    assert told["CapacityProviderConfig"] == shared(4)
    server_api.update_function_configuration(FunctionName="told", CapacityProviderConfig=shared(9))
    told = server_api.get_function_configuration(FunctionName="told")
    assert told["CapacityProviderConfig"] == shared(9)
    server_api.update_function_configuration(FunctionName="told", Timeout=5)
    told = server_api.get_function_configuration(FunctionName="told")
    assert told["CapacityProviderConfig"] == shared(9)


def test_what_cannot_be_had_is_refused(server_api: Any) -> None:
    code, status, message = refusal(
        server_api.create_function,
        FunctionName="refused",
        Role="arn:aws:iam::123456789012:role/tests",
        Runtime="python3.11",
        Handler="index.handler",
        Code={"ZipFile": b"PK"},
        CapacityProviderConfig=shared(4, ExecutionEnvironmentMemoryGiBPerVCpu=2.0),
    )
    assert (code, status) == ("InvalidParameterValueException", 400)
    assert "ExecutionEnvironmentMemoryGiBPerVCpu is not supported" in message
