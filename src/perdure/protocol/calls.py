"""Every call that is answered: its name, its place, its shapes, and the errors it may answer with.

Source: botocore, ``lambda/2015-03-31`` and ``logs/2014-03-28``. ``errors`` holds those of the
model's errors that can come up here: there are no keys, networks, images or file systems.
"""

from typing import Final, NamedTuple

from perdure.protocol import (
    aliases,
    callbacks,
    concurrency,
    configurations,
    event_invokes,
    executions,
    functions,
    invocations,
    logs,
    tags,
)

__all__ = ["CALLS", "LOGS_CALLS", "LOGS_TARGET_PREFIX", "Call", "LogsCall"]

Errors = frozenset[str]

_ANY: Final = frozenset({"ServiceException", "TooManyRequestsException"})
_BAD: Final = _ANY | {"InvalidParameterValueException"}
_MISSING: Final = _BAD | {"ResourceNotFoundException"}
_CONFLICT: Final = _MISSING | {"ResourceConflictException"}
_STALE: Final = _CONFLICT | {"PreconditionFailedException"}
_CALLBACK: Final = _MISSING | {"CallbackTimeoutException"}
_INVOKE: Final = _CONFLICT | {
    "DurableExecutionAlreadyStartedException",
    "InvalidRequestContentException",
    "RecursiveInvocationException",
    "RequestTooLargeException",
    "UnsupportedMediaTypeException",
}

_FUNCTIONS: Final = "/2015-03-31/functions"
_FUNCTION: Final = "/2015-03-31/functions/{FunctionName}"
_ALIAS: Final = "/2015-03-31/functions/{FunctionName}/aliases/{Name}"
_CONCURRENCY: Final = "/2017-10-31/functions/{FunctionName}/concurrency"
_EVENT_INVOKE: Final = "/2019-09-25/functions/{FunctionName}/event-invoke-config"
_TAGS: Final = "/2017-03-31/tags/{Resource}"
_EXECUTION: Final = "/2025-12-01/durable-executions/{DurableExecutionArn}"
_ANSWER: Final = "/2025-12-01/durable-execution-callbacks/{CallbackId}"


class Call(NamedTuple):
    """One call of the Lambda API."""

    name: str
    method: str
    uri: str
    request: type[object]
    response: type[object] | None
    errors: Errors
    status: int = 200


class LogsCall(NamedTuple):
    """One call of the CloudWatch Logs API: a POST whose X-Amz-Target names it."""

    name: str
    request: type[object]
    response: type[object]


_EXECUTION_CALLS: Final = (
    Call(
        "CheckpointDurableExecution",
        "POST",
        f"{_EXECUTION}/checkpoint",
        executions.CheckpointDurableExecutionRequest,
        executions.CheckpointDurableExecutionResponse,
        _BAD,
    ),
    Call(
        "GetDurableExecutionState",
        "GET",
        f"{_EXECUTION}/state",
        executions.GetDurableExecutionStateRequest,
        executions.GetDurableExecutionStateResponse,
        _BAD,
    ),
    Call(
        "GetDurableExecution",
        "GET",
        _EXECUTION,
        executions.GetDurableExecutionRequest,
        executions.GetDurableExecutionResponse,
        _MISSING,
    ),
    Call(
        "GetDurableExecutionHistory",
        "GET",
        f"{_EXECUTION}/history",
        executions.GetDurableExecutionHistoryRequest,
        executions.GetDurableExecutionHistoryResponse,
        _MISSING,
    ),
    Call(
        "ListDurableExecutionsByFunction",
        "GET",
        "/2025-12-01/functions/{FunctionName}/durable-executions",
        executions.ListDurableExecutionsByFunctionRequest,
        executions.ListDurableExecutionsByFunctionResponse,
        _MISSING,
    ),
    Call(
        "StopDurableExecution",
        "POST",
        f"{_EXECUTION}/stop",
        executions.StopDurableExecutionRequest,
        executions.StopDurableExecutionResponse,
        _MISSING,
    ),
    Call(
        "PauseDurableExecution",
        "POST",
        f"{_EXECUTION}/pause",
        executions.PauseDurableExecutionRequest,
        executions.PauseDurableExecutionResponse,
        _CONFLICT,
        status=202,
    ),
    Call(
        "ResumeDurableExecution",
        "POST",
        f"{_EXECUTION}/resume",
        executions.ResumeDurableExecutionRequest,
        executions.ResumeDurableExecutionResponse,
        _CONFLICT,
        status=202,
    ),
    Call(
        "DeleteDurableExecution",
        "DELETE",
        _EXECUTION,
        executions.DeleteDurableExecutionRequest,
        executions.DeleteDurableExecutionResponse,
        _CONFLICT,
        status=202,
    ),
    Call(
        "SendDurableExecutionCallbackSuccess",
        "POST",
        f"{_ANSWER}/succeed",
        callbacks.SendDurableExecutionCallbackSuccessRequest,
        callbacks.SendDurableExecutionCallbackSuccessResponse,
        _CALLBACK,
    ),
    Call(
        "SendDurableExecutionCallbackFailure",
        "POST",
        f"{_ANSWER}/fail",
        callbacks.SendDurableExecutionCallbackFailureRequest,
        callbacks.SendDurableExecutionCallbackFailureResponse,
        _CALLBACK,
    ),
    Call(
        "SendDurableExecutionCallbackHeartbeat",
        "POST",
        f"{_ANSWER}/heartbeat",
        callbacks.SendDurableExecutionCallbackHeartbeatRequest,
        callbacks.SendDurableExecutionCallbackHeartbeatResponse,
        _CALLBACK,
    ),
    Call(
        "Invoke",
        "POST",
        f"{_FUNCTION}/invocations",
        invocations.InvokeRequest,
        invocations.InvokeResponse,
        _INVOKE,
    ),
)

_FUNCTION_CALLS: Final = (
    Call(
        "CreateFunction",
        "POST",
        _FUNCTIONS,
        functions.CreateFunctionRequest,
        configurations.FunctionConfiguration,
        _CONFLICT | {"CodeStorageExceededException"},
        status=201,
    ),
    Call(
        "GetFunction",
        "GET",
        _FUNCTION,
        functions.GetFunctionRequest,
        functions.GetFunctionResponse,
        _MISSING,
    ),
    Call(
        "GetFunctionConfiguration",
        "GET",
        f"{_FUNCTION}/configuration",
        functions.GetFunctionConfigurationRequest,
        configurations.FunctionConfiguration,
        _MISSING,
    ),
    Call(
        "UpdateFunctionCode",
        "PUT",
        f"{_FUNCTION}/code",
        functions.UpdateFunctionCodeRequest,
        configurations.FunctionConfiguration,
        _STALE | {"CodeStorageExceededException"},
    ),
    Call(
        "UpdateFunctionConfiguration",
        "PUT",
        f"{_FUNCTION}/configuration",
        functions.UpdateFunctionConfigurationRequest,
        configurations.FunctionConfiguration,
        _STALE,
    ),
    Call(
        "DeleteFunction",
        "DELETE",
        _FUNCTION,
        functions.DeleteFunctionRequest,
        functions.DeleteFunctionResponse,
        _CONFLICT,
    ),
    Call(
        "ListFunctions",
        "GET",
        _FUNCTIONS,
        functions.ListFunctionsRequest,
        functions.ListFunctionsResponse,
        _BAD,
    ),
    Call(
        "PublishVersion",
        "POST",
        f"{_FUNCTION}/versions",
        functions.PublishVersionRequest,
        configurations.FunctionConfiguration,
        _STALE,
        status=201,
    ),
    Call(
        "ListVersionsByFunction",
        "GET",
        f"{_FUNCTION}/versions",
        functions.ListVersionsByFunctionRequest,
        functions.ListVersionsByFunctionResponse,
        _MISSING,
    ),
)

_ALIAS_CALLS: Final = (
    Call(
        "CreateAlias",
        "POST",
        f"{_FUNCTION}/aliases",
        aliases.CreateAliasRequest,
        aliases.AliasConfiguration,
        _CONFLICT,
        status=201,
    ),
    Call("GetAlias", "GET", _ALIAS, aliases.GetAliasRequest, aliases.AliasConfiguration, _MISSING),
    Call(
        "UpdateAlias",
        "PUT",
        _ALIAS,
        aliases.UpdateAliasRequest,
        aliases.AliasConfiguration,
        _STALE,
    ),
    Call("DeleteAlias", "DELETE", _ALIAS, aliases.DeleteAliasRequest, None, _CONFLICT, status=204),
    Call(
        "ListAliases",
        "GET",
        f"{_FUNCTION}/aliases",
        aliases.ListAliasesRequest,
        aliases.ListAliasesResponse,
        _MISSING,
    ),
)

_SETTING_CALLS: Final = (
    Call(
        "PutFunctionConcurrency",
        "PUT",
        _CONCURRENCY,
        concurrency.PutFunctionConcurrencyRequest,
        functions.Concurrency,
        _CONFLICT,
    ),
    Call(
        "GetFunctionConcurrency",
        "GET",
        "/2019-09-30/functions/{FunctionName}/concurrency",
        concurrency.GetFunctionConcurrencyRequest,
        concurrency.GetFunctionConcurrencyResponse,
        _MISSING,
    ),
    Call(
        "DeleteFunctionConcurrency",
        "DELETE",
        _CONCURRENCY,
        concurrency.DeleteFunctionConcurrencyRequest,
        None,
        _CONFLICT,
        status=204,
    ),
    Call(
        "PutFunctionEventInvokeConfig",
        "PUT",
        _EVENT_INVOKE,
        event_invokes.PutFunctionEventInvokeConfigRequest,
        event_invokes.FunctionEventInvokeConfig,
        _CONFLICT,
    ),
    Call(
        "GetFunctionEventInvokeConfig",
        "GET",
        _EVENT_INVOKE,
        event_invokes.GetFunctionEventInvokeConfigRequest,
        event_invokes.FunctionEventInvokeConfig,
        _MISSING,
    ),
    Call(
        "UpdateFunctionEventInvokeConfig",
        "POST",
        _EVENT_INVOKE,
        event_invokes.UpdateFunctionEventInvokeConfigRequest,
        event_invokes.FunctionEventInvokeConfig,
        _CONFLICT,
    ),
    Call(
        "DeleteFunctionEventInvokeConfig",
        "DELETE",
        _EVENT_INVOKE,
        event_invokes.DeleteFunctionEventInvokeConfigRequest,
        None,
        _CONFLICT,
        status=204,
    ),
    Call(
        "ListFunctionEventInvokeConfigs",
        "GET",
        f"{_EVENT_INVOKE}/list",
        event_invokes.ListFunctionEventInvokeConfigsRequest,
        event_invokes.ListFunctionEventInvokeConfigsResponse,
        _MISSING,
    ),
    Call("TagResource", "POST", _TAGS, tags.TagResourceRequest, None, _CONFLICT, status=204),
    Call("UntagResource", "DELETE", _TAGS, tags.UntagResourceRequest, None, _CONFLICT, status=204),
    Call("ListTags", "GET", _TAGS, tags.ListTagsRequest, tags.ListTagsResponse, _MISSING),
    Call(
        "GetAccountSettings",
        "GET",
        "/2016-08-19/account-settings",
        concurrency.GetAccountSettingsRequest,
        concurrency.GetAccountSettingsResponse,
        _ANY,
    ),
)

CALLS: Final = _EXECUTION_CALLS + _FUNCTION_CALLS + _ALIAS_CALLS + _SETTING_CALLS

LOGS_TARGET_PREFIX: Final = "Logs_20140328."
LOGS_CALLS: Final = (
    LogsCall("DescribeLogGroups", logs.DescribeLogGroupsRequest, logs.DescribeLogGroupsResponse),
    LogsCall("DescribeLogStreams", logs.DescribeLogStreamsRequest, logs.DescribeLogStreamsResponse),
    LogsCall("GetLogEvents", logs.GetLogEventsRequest, logs.GetLogEventsResponse),
    LogsCall("FilterLogEvents", logs.FilterLogEventsRequest, logs.FilterLogEventsResponse),
)
