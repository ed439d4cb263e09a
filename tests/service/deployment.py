"""Functions of the tests, created with boto3; and what their executions came to."""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

from botocore.exceptions import ClientError

from tests.serving import eventually

__all__ = [
    "PYTHON",
    "closed",
    "code_of",
    "deploy",
    "event_types",
    "history",
    "refusal",
    "shared",
    "start",
]

T = TypeVar("T")

FUNCTIONS: Final = Path(__file__).parent / "functions"
PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
PROVIDER: Final = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:machines"
OPEN: Final = ("RUNNING", "PAUSING", "PAUSED")


def code_of(source: Path | str) -> bytes:
    """Return a zip that holds ``source``, a file of ``functions`` or a text, as ``index.py``."""
    text = source if isinstance(source, str) and "\n" in source else _read(source)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("index.py", text)
    return archive.getvalue()


def _read(source: Path | str) -> str:
    return (source if isinstance(source, Path) else FUNCTIONS / f"{source}.py").read_text()


def deploy(
    api: Any,
    name: str,
    source: Path | str,
    *,
    is_durable: bool = True,
    environment: dict[str, str] | None = None,
    **settings: Any,
) -> str:
    """Create a function from ``source``, wait until it can be invoked, and return its ARN."""
    if is_durable:
        settings.setdefault("DurableConfig", {"ExecutionTimeout": 600, "RetentionPeriodInDays": 1})
    if environment:
        settings["Environment"] = {"Variables": environment}
    created = api.create_function(
        FunctionName=name,
        Role="arn:aws:iam::123456789012:role/tests",
        Code={"ZipFile": code_of(source)},
        **{
            "Runtime": PYTHON,
            "Handler": "index.handler",
            "Timeout": 60,
            "MemorySize": 512,
            **settings,
        },
    )
    api.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    return created["FunctionArn"]


def shared(runs: int, **others: object) -> dict[str, Any]:
    """Return the setting by which so many runs share a worker."""
    managed = {"CapacityProviderArn": PROVIDER, "PerExecutionEnvironmentMaxConcurrency": runs}
    return {"LambdaManagedInstancesCapacityProviderConfig": managed | others}


def start(api: Any, name: str, event: Any = None, **settings: Any) -> str:
    """Start an execution of ``name:$LATEST`` asynchronously; return its ARN."""
    answer = api.invoke(
        **{
            "FunctionName": name,
            "Qualifier": "$LATEST",
            "InvocationType": "Event",
            "Payload": json.dumps(event),
            **settings,
        }
    )
    assert answer["StatusCode"] == 202
    return answer["DurableExecutionArn"]


def closed(api: Any, arn: str, *, seconds: float = 120) -> dict[str, Any]:
    """Return the execution once it has ended."""

    def look() -> dict[str, Any] | None:
        execution = api.get_durable_execution(DurableExecutionArn=arn)
        return None if execution["Status"] in OPEN else execution

    return eventually(look, seconds=seconds, what=f"the end of {arn}")


def history(api: Any, arn: str, *, page: int = 100) -> list[dict[str, Any]]:
    """Return all events of an execution, with their data."""
    pages = api.get_paginator("get_durable_execution_history").paginate(
        DurableExecutionArn=arn, IncludeExecutionData=True, PaginationConfig={"PageSize": page}
    )
    return [event for found in pages for event in found["Events"]]


def event_types(api: Any, arn: str) -> list[str]:
    """Return the types of an execution's events, in order."""
    return [event["EventType"] for event in history(api, arn)]


def refusal(call: Callable[..., Any], **arguments: Any) -> tuple[str, int, str]:
    """Return the error that a call is answered with: its code, its status, its message."""
    try:
        call(**arguments)
    except ClientError as error:
        answer = error.response
        return (
            answer["Error"]["Code"],
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"]["Message"],
        )
    raise AssertionError("it was not refused")
