"""Waits for a callback, in the raw protocol: an import or two, one checkpoint."""

import http.client
import json
import os
import urllib.parse

PENDING = {"Status": "PENDING"}
CALLBACK = {"Id": "c", "Type": "CALLBACK", "Action": "START", "Name": "answer"}

place = urllib.parse.urlsplit(os.environ["AWS_ENDPOINT_URL_LAMBDA"])
connection = http.client.HTTPConnection(place.hostname or "", place.port)


def handler(event: dict[str, object], context: object) -> dict[str, object]:
    state = event["InitialExecutionState"]
    operations = {one["Id"]: one for one in state["Operations"]}  # type: ignore[index]
    callback = operations.get("c")
    if callback is None:
        checkpoint(event)
        return PENDING
    details = callback["CallbackDetails"]
    return {"Status": "SUCCEEDED", "Result": details["Result"]} if "Result" in details else PENDING


def checkpoint(event: dict[str, object]) -> None:
    """Begin the callback."""
    arn = urllib.parse.quote(str(event["DurableExecutionArn"]), safe="")
    body = json.dumps({"CheckpointToken": event["CheckpointToken"], "Updates": [CALLBACK]})
    path = f"/2025-12-01/durable-executions/{arn}/checkpoint"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    assert answer.status == 200, text
