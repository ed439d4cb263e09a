"""One file, opened in process and by ``perdure serve``, one after the other."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from perdure.embedded import DurableService, StoreOpenError
from tests.embedded.handlers import approve, double, quote
from tests.embedded.stages import opened, suspended
from tests.serving import client, eventually, serving

pytestmark = pytest.mark.service

_SOURCE = """
from perdure import durable_execution
@durable_execution
def handler(event, context):
    return ["served", event, context.create_callback(name="approval").result()]
"""


def _zipped(source: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", source)
    return buffer.getvalue()


def test_a_server_shows_executions_that_began_in_process(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with opened(data / "state.db", approve=approve, quote=quote) as service:
        ended = service.start("quote", {"weight": 2}, execution_name="parcel")
        assert ended.result() == 6
        waiting = suspended(service.start("approve", "letter", execution_name="letter"))
    with serving(data) as server:
        lambda_ = client("lambda", server.url)
        listed = lambda_.list_durable_executions_by_function(FunctionName="quote")
        assert [e["DurableExecutionName"] for e in listed["DurableExecutions"]] == ["parcel"]
        shown = lambda_.get_durable_execution(DurableExecutionArn=ended.arn)
        assert (shown["Status"], json.loads(shown["Result"])) == ("SUCCEEDED", 6)
        shown = lambda_.get_durable_execution(DurableExecutionArn=waiting.arn)
        assert shown["Status"] == "RUNNING"
        assert {"approve", "quote"} == {
            function["FunctionName"] for function in lambda_.list_functions()["Functions"]
        }


def test_an_execution_waits_on_a_server_until_code_comes(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with opened(data / "state.db", approve=approve) as service:
        handle = suspended(service.start("approve", "letter"))
        (pending,) = handle.pending_callbacks()
    with serving(data) as server:
        lambda_ = client("lambda", server.url)
        lambda_.send_durable_execution_callback_success(
            CallbackId=pending.callback_id, Result=b"yes"
        )

        def tried() -> bool:
            history = lambda_.get_durable_execution_history(DurableExecutionArn=handle.arn)
            return any(
                "Error" in event.get("InvocationCompletedDetails", {})
                for event in history["Events"]
            )

        eventually(tried, what="an invocation without code")
        shown = lambda_.get_durable_execution(DurableExecutionArn=handle.arn)
        assert shown["Status"] == "RUNNING"
        lambda_.update_function_code(FunctionName="approve", ZipFile=_zipped(_SOURCE))
        lambda_.update_function_configuration(FunctionName="approve", Handler="index.handler")

        def ended() -> Any:
            shown = lambda_.get_durable_execution(DurableExecutionArn=handle.arn)
            return shown if shown["Status"] != "RUNNING" else None

        shown = eventually(ended, what="the end")
        assert shown["Status"] == "SUCCEEDED", shown
        assert json.loads(shown["Result"]) == ["served", "letter", "yes"]


def test_a_service_in_process_goes_on_with_a_servers_executions(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as server:
        lambda_ = client("lambda", server.url)
        lambda_.create_function(
            FunctionName="approve",
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/test",
            Handler="index.handler",
            Code={"ZipFile": _zipped(_SOURCE)},
            DurableConfig={"ExecutionTimeout": 3600, "RetentionPeriodInDays": 1},
        )
        started = lambda_.invoke(
            FunctionName="approve",
            Qualifier="$LATEST",
            InvocationType="Event",
            Payload=b'"letter"',
            DurableExecutionName="letter",
        )
        arn = started["DurableExecutionArn"]

        def is_waiting() -> bool:
            history = lambda_.get_durable_execution_history(DurableExecutionArn=arn)
            return any(e["EventType"] == "CallbackStarted" for e in history["Events"])

        eventually(is_waiting, what="the callback")
        with pytest.raises(StoreOpenError, match="in use"):
            DurableService(data).open()
        assert server.stop() == 0
    with DurableService(data) as service:
        handle = service.get("letter")
        assert handle.info().is_waiting_for_function
        service.register("approve", approve)
        (pending,) = handle.pending_callbacks()
        service.send_callback_success(pending.callback_id, "yes")
        assert handle.result() == ["letter", "yes"]
        assert service.get("letter").arn == arn
        service.register("double", double)
        assert service.call("double", 4) == 8
