"""The functions that the benchmarks deploy: each is one Python file, zipped here."""

import contextlib
import io
import sys
import zipfile
from typing import Any

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"

#: Hands its envelope to whoever measures, and stays until told to leave.
HOLD = """
import json, os, time
def handler(event, context):
    folder = os.environ["HOLD_FOLDER"]
    name = context.aws_request_id
    with open(os.path.join(folder, name + ".new"), "w") as file:
        json.dump(event, file)
    os.rename(os.path.join(folder, name + ".new"), os.path.join(folder, name + ".json"))
    while not os.path.exists(os.path.join(folder, "leave")):
        time.sleep(0.5)
    return {"Status": "SUCCEEDED", "Result": "null"}
"""

#: W8: sequential steps with AWS's SDK, unmodified.
STEPS = """
import time
from aws_durable_execution_sdk_python import durable_execution
@durable_execution
def handler(event, context):
    began = time.perf_counter()
    for number in range(event["steps"]):
        context.step(lambda _: {"number": number}, name=f"step-{number}")
    return {"seconds": time.perf_counter() - began}
"""

#: Says when each invocation reaches the handler's first line.
RESUME = """
import time
FIRST = []
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration
@durable_execution
def durable(event, context):
    context.wait(Duration.from_seconds(1), name="wait")
    return {"entered_at_ms": FIRST[-1]}
def handler(event, context):
    FIRST.append(time.time() * 1000)
    return durable(event, context)
"""

ECHO = """
def handler(event, context):
    return event
"""

CALLBACK = """
from aws_durable_execution_sdk_python import durable_execution
@durable_execution
def handler(event, context):
    return context.create_callback(name="answer").result()
"""


def zipped(source: str) -> bytes:
    """Return a zip that holds ``source`` as ``index.py``."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", source)
    return buffer.getvalue()


def create(
    client: Any, name: str, source: str, *, is_durable: bool = True, **settings: Any
) -> None:
    """Create a function and wait until it can be invoked."""
    if is_durable:
        settings["DurableConfig"] = {"ExecutionTimeout": 3600, "RetentionPeriodInDays": 1}
    defaults: dict[str, Any] = {
        "FunctionName": name,
        "Runtime": RUNTIME,
        "Role": "arn:aws:iam::000000000000:role/benchmark",
        "Handler": "index.handler",
        "Code": {"ZipFile": zipped(source)},
        "Timeout": 900,
        "MemorySize": 512,
    }
    # Through another node it may have been created at the same moment.
    with contextlib.suppress(client.exceptions.ResourceConflictException):
        client.create_function(**(defaults | settings))
    client.get_waiter("function_active_v2").wait(FunctionName=name)
