"""The words of AWS's SDK that AWS's service does not have."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["CallbackTimeoutType", "InvocationStatus", "OperationSubType"]


class OperationSubType(StrEnum):
    """The subtypes of the SDK's own operations; those of authors are other strings."""

    STEP = "Step"
    WAIT = "Wait"
    CALLBACK = "Callback"
    RUN_IN_CHILD_CONTEXT = "RunInChildContext"
    MAP = "Map"
    MAP_ITERATION = "MapIteration"
    PARALLEL = "Parallel"
    PARALLEL_BRANCH = "ParallelBranch"
    WAIT_FOR_CALLBACK = "WaitForCallback"
    WAIT_FOR_CONDITION = "WaitForCondition"
    CHAINED_INVOKE = "ChainedInvoke"


class CallbackTimeoutType(StrEnum):
    """Which of its two times ran out on a callback: the ErrorType the service records."""

    TIMEOUT = "Callback.Timeout"
    HEARTBEAT = "Callback.Heartbeat"


class InvocationStatus(StrEnum):
    """How an invocation ended, as the SDK sees it."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    PENDING = "PENDING"  #: suspended; something is still to come
    RETRY = "RETRY"  #: an exception left the handler: the service invokes it again; never answered
