"""Python values on their way into executions and out of them: JSON, as on AWS."""

import json
from typing import Any

from perdure.core.operation import Operation
from perdure.embedded.errors import ended_error
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus

__all__ = ["error_of", "text_of", "value_of"]


def value_of(arn: str, ended: Operation) -> Any:
    """Return the result of an execution that ended so.

    Raises:
        ExecutionEnded: it has none.
    """
    if ended.status is not OperationStatus.SUCCEEDED:
        raise ended_error(arn, ended.status, ended.error)
    if not ended.payload:
        return None
    try:
        return json.loads(ended.payload)
    except ValueError:
        return ended.payload  # of a handler elsewhere, which answers with what it likes


def error_of(error: Exception | str) -> ErrorObject:
    """Return an error as it is recorded."""
    if isinstance(error, str):
        return ErrorObject(error_message=error)
    return ErrorObject(error_message=str(error), error_type=type(error).__name__)


def text_of(result: Any) -> str | None:
    """Return a callback's result as it is sent: text as it is, bytes as UTF-8, else JSON."""
    if result is None or isinstance(result, str):
        return result
    return result.decode() if isinstance(result, bytes) else json.dumps(result)
