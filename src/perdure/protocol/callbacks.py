"""The calls that answer a callback from outside.

Source: botocore, ``lambda/2015-03-31``: SendDurableExecutionCallbackSuccess, -Failure, -Heartbeat.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Text
from perdure.protocol.identifiers import CallbackId
from perdure.protocol.operations import ErrorObject
from perdure.protocol.wire import IN_PAYLOAD, IN_URI

__all__ = [
    "SendDurableExecutionCallbackFailureRequest",
    "SendDurableExecutionCallbackFailureResponse",
    "SendDurableExecutionCallbackHeartbeatRequest",
    "SendDurableExecutionCallbackHeartbeatResponse",
    "SendDurableExecutionCallbackSuccessRequest",
    "SendDurableExecutionCallbackSuccessResponse",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackSuccessRequest:
    """Answers a callback."""

    callback_id: CallbackId = field(metadata=IN_URI)
    result: Annotated[bytes, Text(0, 1_048_576)] | None = field(default=None, metadata=IN_PAYLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackSuccessResponse:
    """The answer was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackFailureRequest:
    """Answers a callback with an error."""

    callback_id: CallbackId = field(metadata=IN_URI)
    error: ErrorObject | None = field(default=None, metadata=IN_PAYLOAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackFailureResponse:
    """The error was stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackHeartbeatRequest:
    """Says that a callback is still being worked on."""

    callback_id: CallbackId = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDurableExecutionCallbackHeartbeatResponse:
    """The heartbeat was stored."""
