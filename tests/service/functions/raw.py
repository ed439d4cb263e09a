"""A durable function in the raw protocol: a checkpoint, a gate, another checkpoint, whose answer it
writes down under its request's id.
"""

import json
import threading
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

client: Any = boto3.client("lambda", config=Config(retries={"total_max_attempts": 1}))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    operations = {one["Id"]: one for one in event["InitialExecutionState"]["Operations"]}
    (root,) = (one for one in operations.values() if one["Type"] == "EXECUTION")
    folder = Path(json.loads(root["ExecutionDetails"]["InputPayload"])["folder"])
    arn, token = event["DurableExecutionArn"], event["CheckpointToken"]
    if "first" not in operations:
        token = step(arn, token, "first")["CheckpointToken"]
    (folder / f"{context.aws_request_id}.entered").touch()
    while not (folder / "gate").exists():
        threading.Event().wait(0.02)
    try:
        step(arn, token, "second")
        answer: list[Any] = ["accepted", 200]
    except ClientError as error:
        found = error.response
        status = found["ResponseMetadata"]["HTTPStatusCode"]
        answer = [found["Error"]["Code"], status, found["Error"]["Message"]]
    (folder / f"{context.aws_request_id}.new").write_text(json.dumps(answer))
    (folder / f"{context.aws_request_id}.new").rename(folder / f"{context.aws_request_id}.answer")
    return {"Status": "SUCCEEDED", "Result": json.dumps(context.aws_request_id)}


def step(arn: str, token: str, name: str) -> dict[str, Any]:
    """Store a whole step."""
    update = {"Id": name, "Type": "STEP", "Action": "SUCCEED", "Payload": "1"}
    return client.checkpoint_durable_execution(
        DurableExecutionArn=arn, CheckpointToken=token, Updates=[update]
    )
