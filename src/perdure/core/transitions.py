"""The one table of what may happen to an operation; a missing pair is illegal.

A key is (status, or None for an operation that is not there yet; what happens). What happens is an
action of a checkpoint, or a trigger of the service's own.

Source: AWS's checkpoint rules as its testing package shows them; SERVICE.md section 3.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from perdure.protocol.words import OperationAction, OperationStatus, OperationType

__all__ = ["TRANSITIONS", "Happening", "Trigger", "next_status"]


class Trigger(StrEnum):
    """What the service itself does to an operation."""

    WAKE = "WAKE"  #: its time has come
    COMPLETE = "COMPLETE"  #: somebody outside, or the child, succeeded
    REJECT = "REJECT"  #: somebody outside, or the child, failed
    EXPIRE = "EXPIRE"  #: nobody answered in time, or the child timed out
    HALT = "HALT"  #: the child was stopped


Happening = OperationAction | Trigger
_Rules = Mapping[tuple[OperationStatus | None, Happening], OperationStatus]

_START, _SUCCEED, _FAIL = OperationAction.START, OperationAction.SUCCEED, OperationAction.FAIL
_RETRY, _CANCEL = OperationAction.RETRY, OperationAction.CANCEL
_STARTED, _PENDING, _READY = OperationStatus.STARTED, OperationStatus.PENDING, OperationStatus.READY
_SUCCEEDED, _FAILED = OperationStatus.SUCCEEDED, OperationStatus.FAILED

TRANSITIONS: Final[Mapping[OperationType, _Rules]] = {
    OperationType.STEP: {
        (None, _START): _STARTED,
        (None, _SUCCEED): _SUCCEEDED,
        (None, _FAIL): _FAILED,
        (None, _RETRY): _PENDING,
        (_STARTED, _SUCCEED): _SUCCEEDED,
        (_STARTED, _FAIL): _FAILED,
        (_STARTED, _RETRY): _PENDING,
        (_PENDING, Trigger.WAKE): _READY,
        (_READY, _START): _STARTED,
        (_READY, _SUCCEED): _SUCCEEDED,
        (_READY, _FAIL): _FAILED,
        (_READY, _RETRY): _PENDING,
    },
    OperationType.WAIT: {
        (None, _START): _STARTED,
        (_STARTED, Trigger.WAKE): _SUCCEEDED,
        (_STARTED, _CANCEL): OperationStatus.CANCELLED,
    },
    OperationType.CALLBACK: {
        (None, _START): _STARTED,
        (_STARTED, Trigger.COMPLETE): _SUCCEEDED,
        (_STARTED, Trigger.REJECT): _FAILED,
        (_STARTED, Trigger.EXPIRE): OperationStatus.TIMED_OUT,
    },
    OperationType.CHAINED_INVOKE: {
        (None, _START): _STARTED,
        (_STARTED, Trigger.COMPLETE): _SUCCEEDED,
        (_STARTED, Trigger.REJECT): _FAILED,
        (_STARTED, Trigger.EXPIRE): OperationStatus.TIMED_OUT,
        (_STARTED, Trigger.HALT): OperationStatus.STOPPED,
    },
    OperationType.CONTEXT: {
        (None, _START): _STARTED,
        (None, _SUCCEED): _SUCCEEDED,
        (None, _FAIL): _FAILED,
        (_STARTED, _SUCCEED): _SUCCEEDED,
        (_STARTED, _FAIL): _FAILED,
    },
    OperationType.EXECUTION: {
        (_STARTED, _SUCCEED): _SUCCEEDED,
        (_STARTED, _FAIL): _FAILED,
        (_STARTED, Trigger.EXPIRE): OperationStatus.TIMED_OUT,
        (_STARTED, Trigger.HALT): OperationStatus.STOPPED,
    },
}


def next_status(
    kind: OperationType, status: OperationStatus | None, happening: Happening
) -> OperationStatus | None:
    """Return the status that follows, or None if the table has no such pair."""
    return TRANSITIONS[kind].get((status, happening))
