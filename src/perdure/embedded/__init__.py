"""Durable executions inside one's own process: no server, one SQLite file.

    with DurableService("state.db") as service:
        service.register("signup", signup)
        service.start("signup", {"user": "ada"}, execution_name="ada").result()

``service`` is the side that blocks, ``asynchronous`` the one that is awaited; what a call means is
in ``calls``, once. ``parts`` puts the engine together, ``engine_thread`` runs it.
"""

from perdure.clock import ManualClock
from perdure.embedded.asynchronous import AsyncDurableService
from perdure.embedded.errors import (
    CallbackNotFound,
    CallbackTooLate,
    EmbeddedError,
    ExecutionAlreadyStarted,
    ExecutionEnded,
    ExecutionFailed,
    ExecutionNotFound,
    ExecutionNotOpen,
    ExecutionStopped,
    ExecutionTimedOut,
    FunctionNotFound,
    RequestRefused,
    ServiceBusy,
    ServiceClosed,
    StoreFailed,
)
from perdure.embedded.handles import AsyncExecutionHandle, ExecutionHandle
from perdure.embedded.service import DurableService
from perdure.embedded.shapes import ExecutionInfo, PendingCallback
from perdure.store.sqlite_schema import StoreOpenError

__all__ = [
    "AsyncDurableService",
    "AsyncExecutionHandle",
    "CallbackNotFound",
    "CallbackTooLate",
    "DurableService",
    "EmbeddedError",
    "ExecutionAlreadyStarted",
    "ExecutionEnded",
    "ExecutionFailed",
    "ExecutionHandle",
    "ExecutionInfo",
    "ExecutionNotFound",
    "ExecutionNotOpen",
    "ExecutionStopped",
    "ExecutionTimedOut",
    "FunctionNotFound",
    "ManualClock",
    "PendingCallback",
    "RequestRefused",
    "ServiceBusy",
    "ServiceClosed",
    "StoreFailed",
    "StoreOpenError",
]
