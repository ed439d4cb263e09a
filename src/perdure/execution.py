"""The handler's decorator: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.execution import DurableFunction, durable_execution

__all__ = ["DurableFunction", "durable_execution"]
