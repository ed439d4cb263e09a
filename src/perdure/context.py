"""The contexts of handlers, and decorators: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.base_context import ExecutionContext
from perdure.sdk.context import AsyncCallback, AsyncDurableContext, Callback, DurableContext
from perdure.sdk.decorators import (
    durable_parallel_branch,
    durable_step,
    durable_wait_for_callback,
    durable_with_child_context,
)

__all__ = [
    "AsyncCallback",
    "AsyncDurableContext",
    "Callback",
    "DurableContext",
    "ExecutionContext",
    "durable_parallel_branch",
    "durable_step",
    "durable_wait_for_callback",
    "durable_with_child_context",
]
