"""What handlers and their functions are given: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.types import (
    BatchResult,
    Callback,
    DurableContext,
    DurableExecutionArn,
    LambdaContext,
    LoggerInterface,
    OperationContext,
    StepContext,
    SummaryGenerator,
    WaitForCallbackContext,
    WaitForConditionCheckContext,
)

__all__ = [
    "BatchResult",
    "Callback",
    "DurableContext",
    "DurableExecutionArn",
    "LambdaContext",
    "LoggerInterface",
    "OperationContext",
    "StepContext",
    "SummaryGenerator",
    "WaitForCallbackContext",
    "WaitForConditionCheckContext",
]
