"""A durable function in the raw protocol that keeps itself: what it was told stays in its process.

Its input names a folder, callbacks that it waits for one after another, each begun with a step, and
perhaps a gate. It writes down what each invocation was given.
"""

import http.client
import json
import os
import threading
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

Operations = dict[str, dict[str, Any]]
#: What the handlers that are kept know, by their executions' ARNs.
kept: dict[str, Operations] = {}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    arn, told = event["DurableExecutionArn"], by_id(event["InitialExecutionState"])
    is_short = event.get("ChangesOnly", False)
    known = (kept.pop(arn) if is_short else {}) | told
    (root,) = (one for one in known.values() if one["Type"] == "EXECUTION")
    script = json.loads(root["ExecutionDetails"]["InputPayload"])
    folder = Path(script["folder"])
    note(
        folder / f"{script['name']}.notes",
        {
            "pid": os.getpid(),
            "is_short": is_short,
            "told": {name: one["Status"] for name, one in told.items() if one is not root},
        },
    )
    if "gate" in script:
        (folder / f"{script['gate']}.entered").touch()
        while not (folder / script["gate"]).exists():
            threading.Event().wait(0.02)
    token = event["CheckpointToken"]
    for name in script["callbacks"]:
        if name not in known:
            step = {"Id": f"{name}-step", "Type": "STEP", "Action": "SUCCEED", "Payload": "1"}
            begin = {"Id": name, "Type": "CALLBACK", "Action": "START"}
            answer = checkpoint(arn, token, step, begin)
            token, known = answer["CheckpointToken"], known | by_id(answer["NewExecutionState"])
            file = folder / f"{name}.new"
            file.write_text(known[name]["CallbackDetails"]["CallbackId"])
            file.rename(folder / f"{name}.id")
        if known[name]["Status"] == "STARTED":
            kept[arn] = known
            return {"Status": "PENDING", "Kept": True, "AndMore": {"Kept": 1}}
    results = [known[name]["CallbackDetails"].get("Result") for name in script["callbacks"]]
    return {"Status": "SUCCEEDED", "Result": json.dumps(results)}


def by_id(state: dict[str, Any]) -> Operations:
    return {one["Id"]: one for one in state["Operations"]}


def note(file: Path, line: dict[str, Any]) -> None:
    with file.open("a") as notes:
        notes.write(json.dumps(line) + "\n")


def checkpoint(arn: str, token: str, *updates: dict[str, Any]) -> dict[str, Any]:
    """Store updates with nothing but the standard library."""
    place = urlsplit(os.environ["AWS_ENDPOINT_URL_LAMBDA"])
    connection = http.client.HTTPConnection(place.hostname or "", place.port)
    body = json.dumps({"CheckpointToken": token, "Updates": updates})
    path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}/checkpoint"
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    document = json.load(answer)
    connection.close()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {document}")
    return document
