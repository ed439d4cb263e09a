"""The service's calls as HTTP, without colour: what is asked, how often, and what the answer says.

A call yields a request, and is sent its answer; it yields seconds when there is nothing to do but
to wait so long. Who sends, and how one waits, is the affair of whoever makes it.
"""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import quote, urlencode

from perdure.protocol.operations import Operation
from perdure.protocol.wire import TimeUnit, WireError, decode, encode
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.http_messages import HttpAnswer, HttpError, HttpRequest
from perdure.sdk.json_text import read_json

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import TypeAlias

    from perdure.protocol.operations import OperationUpdate

    HttpCall: TypeAlias = Generator[HttpRequest | float, HttpAnswer | None, Progress]

__all__ = ["checkpoint_call", "state_call"]

_PATH: Final = "/2025-12-01/durable-executions/"
_TRIES: Final = 5
_FIRST_PAUSE_SECONDS: Final = 0.05
#: What is written has no cycles: it is made here.
_to_json: Final = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def checkpoint_call(
    arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
) -> HttpCall:
    """Make a checkpoint; see ``ServiceClient``."""
    body = {
        "CheckpointToken": token,
        "Updates": [encode(update) for update in updates],
        "ClientToken": client_token,
    }
    path = f"{_path(arn)}/checkpoint"
    answer = yield from _asked(HttpRequest("POST", path, _to_json(body).encode()))
    state: dict[str, Any] = answer.get("NewExecutionState") or {}
    return _progress(answer.get("CheckpointToken") or None, state)


def state_call(arn: str, token: str, marker: str | None) -> HttpCall:
    """Read a page of the state; see ``ServiceClient``."""
    query = {"CheckpointToken": token, "MaxItems": "1000"}
    if marker:
        query["Marker"] = marker
    path = f"{_path(arn)}/state?{urlencode(query)}"
    return _progress(None, (yield from _asked(HttpRequest("GET", path, b""))))


@functools.lru_cache(maxsize=1_024)
def _path(arn: str) -> str:
    """Return an execution's path; all its checkpoints have the same."""
    return f"{_PATH}{quote(arn, safe='')}"


def _asked(
    request: HttpRequest,
) -> Generator[HttpRequest | float, HttpAnswer | None, dict[str, Any]]:
    pause = _FIRST_PAUSE_SECONDS
    for tries_left in reversed(range(_TRIES)):
        try:
            answer = yield request
            assert answer is not None, "a request is answered, or raises"
            if answer.status < 300:
                return _document(answer.body)
        except OSError as error:
            problem = ServiceError(f"the service cannot be reached: {error}")
        else:
            problem = _refusal(answer)
            if answer.status < 500 and answer.status != 429:
                raise problem
        if tries_left == 0:
            raise problem
        yield pause
        pause *= 2
    raise AssertionError("the last try returns or raises")


def _document(data: bytes) -> dict[str, Any]:
    try:
        document: Any = read_json(data.decode())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise HttpError(f"the answer is no JSON object: {data[:80]!r}")
    return cast("dict[str, Any]", document)


def _progress(token: str | None, state: dict[str, Any]) -> Progress:
    try:
        operations = [
            decode(Operation, operation, unit=TimeUnit.SECONDS)
            for operation in state.get("Operations") or ()
        ]
    except WireError as error:
        raise ServiceError(f"the service's answer cannot be read: {error}") from error
    return Progress(token, operations, state.get("NextMarker") or None)


def _refusal(answer: HttpAnswer) -> ServiceError:
    status, headers, data = answer
    try:
        document: Any = json.loads(data)
    except ValueError:
        document = {}
    fields = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    beginning = data[:200].decode("utf-8", "replace")
    message = fields.get("message") or fields.get("Message") or beginning
    code = headers.get("x-amzn-errortype", "").split(":")[0] or None
    return ServiceError(str(message), code=code, status=status)
