"""How words and texts that are stored often are written with few bytes.

A word's number is its place in a table here. Numbers are for ever: a new word comes at the end of
its table, and none is taken out.
"""

from functools import lru_cache
from typing import Final

from perdure.protocol.words import EventType, OperationStatus, OperationType

__all__ = [
    "DETAILS",
    "DETAIL_CODES",
    "EVENTS",
    "EVENT_CODES",
    "STATES",
    "STATE_CODES",
    "SUB_TYPES",
    "SUB_TYPE_CODES",
    "pack",
    "unpack",
]

_OPERATION_TYPES: Final = (
    OperationType.EXECUTION,
    OperationType.CONTEXT,
    OperationType.STEP,
    OperationType.WAIT,
    OperationType.CALLBACK,
    OperationType.CHAINED_INVOKE,
)
_OPERATION_STATUSES: Final = (
    OperationStatus.STARTED,
    OperationStatus.PENDING,
    OperationStatus.READY,
    OperationStatus.SUCCEEDED,
    OperationStatus.FAILED,
    OperationStatus.CANCELLED,
    OperationStatus.TIMED_OUT,
    OperationStatus.STOPPED,
)
#: An operation's type and status by their one number: sixteen times the type's, and the status's.
STATES: Final = {
    (number << 4) + place: (kind, status)
    for number, kind in enumerate(_OPERATION_TYPES)
    for place, status in enumerate(_OPERATION_STATUSES)
}
STATE_CODES: Final = {state: number for number, state in STATES.items()}

EVENTS: Final = (
    EventType.EXECUTION_STARTED,
    EventType.EXECUTION_SUCCEEDED,
    EventType.EXECUTION_FAILED,
    EventType.EXECUTION_TIMED_OUT,
    EventType.EXECUTION_STOPPED,
    EventType.CONTEXT_STARTED,
    EventType.CONTEXT_SUCCEEDED,
    EventType.CONTEXT_FAILED,
    EventType.WAIT_STARTED,
    EventType.WAIT_SUCCEEDED,
    EventType.WAIT_CANCELLED,
    EventType.STEP_STARTED,
    EventType.STEP_SUCCEEDED,
    EventType.STEP_FAILED,
    EventType.CHAINED_INVOKE_STARTED,
    EventType.CHAINED_INVOKE_SUCCEEDED,
    EventType.CHAINED_INVOKE_FAILED,
    EventType.CHAINED_INVOKE_TIMED_OUT,
    EventType.CHAINED_INVOKE_STOPPED,
    EventType.CALLBACK_STARTED,
    EventType.CALLBACK_SUCCEEDED,
    EventType.CALLBACK_FAILED,
    EventType.CALLBACK_TIMED_OUT,
    EventType.INVOCATION_COMPLETED,
    EventType.EXECUTION_PAUSED,
    EventType.EXECUTION_RESUMED,
)
EVENT_CODES: Final = {kind: number for number, kind in enumerate(EVENTS)}

#: The sub-types that the SDKs record; a handler may use others.
SUB_TYPES: Final = (
    *("Step", "Wait", "Callback", "RunInChildContext", "Map", "MapIteration", "Parallel"),
    *("ParallelBranch", "WaitForCallback", "WaitForCondition", "ChainedInvoke"),
)
SUB_TYPE_CODES: Final = {word: number for number, word in enumerate(SUB_TYPES)}

#: The names that events give their details; others are kept as they are.
DETAILS: Final = (
    *("attempt", "delay_seconds", "payload", "error", "request_id", "started_at_ms"),
    *("ended_at_ms", "reason", "timeout_paused"),
)
DETAIL_CODES: Final = {name: number for number, name in enumerate(DETAILS)}

_UUID: Final = 36
_PACKED: Final = frozenset({32, 64, _UUID})  #: ids of executions, and of the SDKs' operations
_UUID_BYTES: Final = 17  #: one more than it has, so that no run of digits has as many


def pack(text: str | None) -> str | bytes | None:
    """Return an id of hexadecimal digits or a UUID in half its length, any other text as it is."""
    return text if text is None or len(text) not in _PACKED else _pack(text)


def unpack(packed: str | bytes | None) -> str | None:
    """Return the text that was packed."""
    if packed is None or isinstance(packed, str):
        return packed
    if len(packed) != _UUID_BYTES:
        return packed.hex()
    text = packed[:-1].hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@lru_cache(maxsize=1024)
def _pack(text: str) -> str | bytes:
    raw, tail = (text.replace("-", ""), b"\0") if len(text) == _UUID else (text, b"")
    try:
        packed = bytes.fromhex(raw) + tail
    except ValueError:
        return text
    return packed if unpack(packed) == text else text
