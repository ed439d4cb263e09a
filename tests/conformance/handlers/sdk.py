"""The names every handler uses, taken from the SDK under test.

``PERDURE_CONFORMANCE_SDK`` chooses it when the function starts: ``aws`` (the default) or
``perdure``. Both have the same names in the same modules; this is the only file that knows either.
"""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING or os.environ.get("PERDURE_CONFORMANCE_SDK", "aws") == "aws":
    from aws_durable_execution_sdk_python import (
        BatchResult,
        CallbackError,
        CallbackTimeoutError,
        ChildContextError,
        DurableContext,
        InvokeError,
        ParallelBranch,
        StepContext,
        StepError,
        WaitForConditionError,
        durable_execution,
        durable_step,
    )
    from aws_durable_execution_sdk_python.concurrency.models import BatchItem, CompletionReason
    from aws_durable_execution_sdk_python.config import (
        BatchItemStatus,
        CallbackConfig,
        ChildConfig,
        CompletionConfig,
        Duration,
        InvokeConfig,
        JitterStrategy,
        MapConfig,
        NestingType,
        ParallelConfig,
        StepConfig,
        StepSemantics,
        WaitForCallbackConfig,
    )
    from aws_durable_execution_sdk_python.plugin import (
        DurableInstrumentationPlugin,
        InvocationEndInfo,
        InvocationStartInfo,
        OperationEndInfo,
        OperationInfo,
        OperationStartInfo,
        OperationType,
        UserFunctionEndInfo,
        UserFunctionStartInfo,
    )
    from aws_durable_execution_sdk_python.retries import (
        RetryPresets,
        RetryStrategyConfig,
        create_retry_strategy,
    )
    from aws_durable_execution_sdk_python.serdes import JsonSerDes, SerDes, SerDesContext
    from aws_durable_execution_sdk_python.types import (
        WaitForCallbackContext,
        WaitForConditionCheckContext,
    )
    from aws_durable_execution_sdk_python.waits import (
        WaitForConditionConfig,
        WaitStrategyConfig,
        create_wait_strategy,
    )
else:
    # isort: off
    from perdure import (
        BatchResult,
        CallbackError,
        CallbackTimeoutError,
        ChildContextError,
        DurableContext,
        InvokeError,
        ParallelBranch,
        StepContext,
        StepError,
        WaitForConditionError,
        durable_execution,
        durable_step,
    )
    from perdure.concurrency.models import BatchItem, CompletionReason
    from perdure.config import (
        BatchItemStatus,
        CallbackConfig,
        ChildConfig,
        CompletionConfig,
        Duration,
        InvokeConfig,
        JitterStrategy,
        MapConfig,
        NestingType,
        ParallelConfig,
        StepConfig,
        StepSemantics,
        WaitForCallbackConfig,
    )
    from perdure.plugin import (
        DurableInstrumentationPlugin,
        InvocationEndInfo,
        InvocationStartInfo,
        OperationEndInfo,
        OperationInfo,
        OperationStartInfo,
        OperationType,
        UserFunctionEndInfo,
        UserFunctionStartInfo,
    )
    from perdure.retries import RetryPresets, RetryStrategyConfig, create_retry_strategy
    from perdure.serdes import JsonSerDes, SerDes, SerDesContext
    from perdure.types import WaitForCallbackContext, WaitForConditionCheckContext
    from perdure.waits import WaitForConditionConfig, WaitStrategyConfig, create_wait_strategy

    # isort: on

__all__ = [
    "BatchItem",
    "BatchItemStatus",
    "BatchResult",
    "CallbackConfig",
    "CallbackError",
    "CallbackTimeoutError",
    "ChildConfig",
    "ChildContextError",
    "CompletionConfig",
    "CompletionReason",
    "DurableContext",
    "DurableInstrumentationPlugin",
    "Duration",
    "InvocationEndInfo",
    "InvocationStartInfo",
    "InvokeConfig",
    "InvokeError",
    "JitterStrategy",
    "JsonSerDes",
    "MapConfig",
    "NestingType",
    "OperationEndInfo",
    "OperationInfo",
    "OperationStartInfo",
    "OperationType",
    "ParallelBranch",
    "ParallelConfig",
    "RetryPresets",
    "RetryStrategyConfig",
    "SerDes",
    "SerDesContext",
    "StepConfig",
    "StepContext",
    "StepError",
    "StepSemantics",
    "UserFunctionEndInfo",
    "UserFunctionStartInfo",
    "WaitForCallbackConfig",
    "WaitForCallbackContext",
    "WaitForConditionCheckContext",
    "WaitForConditionConfig",
    "WaitForConditionError",
    "WaitStrategyConfig",
    "create_retry_strategy",
    "create_wait_strategy",
    "durable_execution",
    "durable_step",
]
