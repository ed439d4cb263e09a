"""The Invoke call: of durable functions, where it begins an execution, and of ordinary ones."""

import base64
from typing import Final

import msgspec

from perdure.core.errors import (
    InvalidParameterValue,
    InvalidRequestContent,
    RequestTooLarge,
    TooManyRequests,
)
from perdure.core.execution import Execution, Identity
from perdure.core.outcome import Attached
from perdure.engine.directory import AsyncSettings, Functions
from perdure.engine.engine import Engine
from perdure.engine.entropy import Entropy
from perdure.engine.invoker import (
    Crashed,
    FunctionVersion,
    InvocationRequest,
    Invoker,
    Raised,
    Returned,
)
from perdure.engine.starting import (
    Origin,
    Starter,
    check_tenant,
    qualifier_of,
    random_uuid,
)
from perdure.engine.waiting import Waiting
from perdure.protocol.invocations import InvocationType, InvokeRequest, InvokeResponse, LogType
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus

__all__ = ["Invocations"]

_SYNC_BYTES_MAX: Final = 6_291_456  #: Source: AWS Lambda quotas, synchronous payloads
_EVENT_BYTES_MAX: Final = 1_048_576  #: Source: AWS Lambda quotas, asynchronous payloads
_SYNC_SECONDS_MAX: Final = 15 * 60  #: Source: developer guide, invoking durable functions
_UNHANDLED: Final = "Unhandled"


class Invocations:
    """Answers Invoke."""

    def __init__(
        self,
        engine: Engine,
        functions: Functions,
        starter: Starter,
        invoker: Invoker,
        waiting: Waiting,
        entropy: Entropy,
    ) -> None:
        """Begin executions through ``engine``; run ordinary functions through ``invoker``."""
        self._engine = engine
        self._functions = functions
        self._starter = starter
        self._invoker = invoker
        self._waiting = waiting
        self._entropy = entropy

    async def invoke(self, request: InvokeRequest) -> InvokeResponse:
        """Invoke a function.

        Raises:
            ResourceNotFound: there is no such function, version or alias.
            InvalidParameterValue: a durable function was named without a version or alias.
            InvalidRequestContent: the payload is no JSON.
            RequestTooLarge: the payload is larger than its kind of invocation allows.
            ExecutionAlreadyStarted: the execution name is taken, with another payload.
        """
        function = await self._functions.resolve(
            request.function_name, request.qualifier, draw=self._entropy.fraction
        )
        kind = request.invocation_type or InvocationType.REQUEST_RESPONSE
        payload = _payload(request.payload, is_event=kind is InvocationType.EVENT)
        qualifier = request.qualifier or qualifier_of(request.function_name)
        if function.durable is not None and qualifier is None:
            raise InvalidParameterValue(
                "You cannot invoke a durable function using an unqualified ARN."
                f" Name a version or an alias, or {function.function_name}:$LATEST"
            )
        if request.durable_execution_name is not None and function.durable is None:
            raise InvalidParameterValue(
                f"{function.function_name} is no durable function: it takes no execution name"
            )
        check_tenant(function, request.tenant_id)
        if function.concurrency_max == 0:
            raise TooManyRequests(f"the reserved concurrency of {function.function_name} is 0")
        if kind is InvocationType.DRY_RUN:
            return InvokeResponse(status_code=204)
        invoked_arn = f"{function.function_arn}:{qualifier}" if qualifier else function.function_arn
        if function.durable is None and kind is InvocationType.REQUEST_RESPONSE:
            return await self._run(function, request, payload, invoked_arn)
        return await self._start(function, request, payload, invoked_arn)

    async def _start(
        self, function: FunctionVersion, request: InvokeRequest, payload: str, invoked_arn: str
    ) -> InvokeResponse:
        is_event = request.invocation_type is InvocationType.EVENT
        settings = AsyncSettings()
        if is_event:
            qualifier = invoked_arn.removeprefix(function.function_arn).strip(":") or "$LATEST"
            settings = await self._functions.async_settings(function.function_arn, qualifier)
        origin = Origin(
            name=request.durable_execution_name,
            invoked_arn=invoked_arn,
            tenant_id=request.tenant_id,
            retries_max=settings.retries_max,
            is_announced=bool(settings.on_success or settings.on_failure),
        )
        start = self._starter.start(function, payload, origin, now_ms=self._engine.clock.now_ms())
        outcome = await self._engine.start(start, is_named=origin.name is not None)
        reply = outcome.reply
        identity = reply.execution.identity if isinstance(reply, Attached) else outcome.identity
        arn = identity.arn if function.durable is not None else None
        if is_event:
            return InvokeResponse(
                status_code=202, executed_version=identity.version, durable_execution_arn=arn
            )
        since_version = None if isinstance(reply, Attached) else outcome.progress.version
        execution = await self._wait(identity, since_version)
        return _closed_response(execution)

    async def _wait(self, identity: Identity, since_version: int | None) -> Execution:
        seconds = min(_SYNC_SECONDS_MAX, identity.execution_timeout_seconds + 5)
        is_closed = await self._waiting.closed(
            identity.id, timeout_seconds=seconds, since_version=since_version
        )
        if not is_closed:
            raise TooManyRequests(
                f"the execution goes on after {seconds} seconds, which is all that a synchronous"
                " caller waits; look at it with GetDurableExecution"
            )
        # As it was seen to have ended, or later.
        known = self._engine.known(identity.id)
        if known is not None:
            return known
        async with self._engine.reading(identity.id, since_version=0) as execution:
            return execution

    async def _run(
        self, function: FunctionVersion, request: InvokeRequest, payload: str, invoked_arn: str
    ) -> InvokeResponse:
        report = await self._invoker.invoke(
            InvocationRequest(
                function=function.for_tenant(request.tenant_id),
                invoked_arn=invoked_arn,
                request_id=random_uuid(self._entropy),
                event=payload.encode(),
                client_context=request.client_context,
                tenant_id=request.tenant_id,
            )
        )
        log = None
        if request.log_type is LogType.TAIL:
            log = base64.b64encode(report.log_tail).decode()
        match report.outcome:
            case Returned(payload=result):
                error, body = None, result
            case Raised(payload=document):
                error, body = _UNHANDLED, document
            case Crashed() as crash:
                error = _UNHANDLED
                body = msgspec.json.encode(
                    {"errorType": crash.error_type, "errorMessage": crash.message}
                )
        return InvokeResponse(
            status_code=200,
            function_error=error,
            log_result=log,
            payload=body,
            executed_version=function.version,
        )


def _closed_response(execution: Execution) -> InvokeResponse:
    identity, root = execution.identity, execution.operations[execution.identity.id]
    # The operation's status, not the execution's: that may already be DELETING.
    is_success = root.status is OperationStatus.SUCCEEDED
    payload = root.payload or "null" if is_success else _error_document(execution)
    return InvokeResponse(
        status_code=200,
        function_error=None if is_success else _UNHANDLED,
        payload=payload.encode(),
        executed_version=identity.version,
        durable_execution_arn=identity.arn,
    )


def _error_document(execution: Execution) -> str:
    root = execution.operations[execution.identity.id]
    error = root.error or ErrorObject()
    document = {
        "errorType": error.error_type or f"Execution.{root.status}",
        "errorMessage": error.error_message,
        "stackTrace": error.stack_trace,
    }
    present = {key: value for key, value in document.items() if value is not None}
    return msgspec.json.encode(present).decode()


def _payload(given: bytes | None, *, is_event: bool) -> str:
    payload = given or b""
    limit = _EVENT_BYTES_MAX if is_event else _SYNC_BYTES_MAX
    if len(payload) > limit:
        raise RequestTooLarge(f"payload is {len(payload):,} bytes; the limit is {limit:,}")
    if not payload.strip():
        return "{}"
    try:
        text = payload.decode()
        msgspec.json.decode(payload, type=msgspec.Raw)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as problem:
        raise InvalidRequestContent(f"Could not parse request body into json: {problem}") from None
    return text
