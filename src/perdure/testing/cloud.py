"""The runner for functions that are deployed: on Perdure, on AWS, or wherever Lambda's API answers.

Constructor and methods follow AWS's testing package; results are those of the local runner.
"""

from __future__ import annotations

import importlib
import json
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from perdure.protocol import operations as shapes
from perdure.protocol.wire import decode
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, EventType, ExecutionStatus
from perdure.sdk.error_object import ErrorObject
from perdure.testing.exceptions import DurableFunctionsTestError, ResourceNotFoundException
from perdure.testing.history import (
    Event,
    GetDurableExecutionHistoryResponse,
    decode_events,
    operations_of,
)
from perdure.testing.lambda_api import BotoApi, HttpApi, LambdaApi, is_awss
from perdure.testing.results import DurableFunctionTestResult, Standing
from perdure.testing.texts import as_text, json_text
from perdure.testing.trials import watch

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from perdure.protocol import events as event_shapes

__all__ = ["DurableFunctionCloudTestRunner"]

_ANSWERS: Final = (
    EventType.CALLBACK_SUCCEEDED,
    EventType.CALLBACK_FAILED,
    EventType.CALLBACK_TIMED_OUT,
)


class DurableFunctionCloudTestRunner:
    """Runs executions of a deployed function, and looks at them from outside."""

    def __init__(
        self,
        function_name: str,
        region: str = "us-west-2",
        lambda_endpoint: str | None = None,
        poll_interval: float = 1.0,
        *,
        lambda_client: Any = None,
    ) -> None:
        """Prepare to invoke a function.

        Args:
            function_name: its name or ARN, with a version or an alias.
            region: where it is.
            lambda_endpoint: the service's URL; None: AWS's. AWS is called through boto3, any other
                endpoint by HTTP, without a signature.
            poll_interval: how often to look, in seconds.
            lambda_client: a boto3 client for Lambda, to be used instead.
        """
        self.function_name = function_name
        self.region = region
        self.lambda_endpoint = lambda_endpoint
        self.poll_interval = poll_interval
        self._api: LambdaApi
        if lambda_client is not None:
            self._api = BotoApi(lambda_client)
        elif lambda_endpoint is not None and not is_awss(lambda_endpoint):
            self._api = HttpApi(lambda_endpoint)
        else:
            boto3: Any = importlib.import_module("boto3")
            self._api = BotoApi(
                boto3.client("lambda", endpoint_url=lambda_endpoint, region_name=region)
            )
        self._arns: list[str] = []
        watch(self._trees)

    def __enter__(self) -> Self:
        """Return the runner."""
        return self

    def __exit__(self, *_: object) -> None:
        """Do nothing: there is nothing to close."""

    def run(self, input: Any = None, timeout: int = 60) -> DurableFunctionTestResult:
        """Invoke the function, and wait until its execution has ended.

        ``input`` is JSON text, or any other value, of which JSON is made.
        """
        answer = self._invoke(input, "RequestResponse")
        return self.wait_for_result(self._arn_of(answer), timeout)

    def run_async(self, input: Any = None, timeout: int = 60) -> str:
        """Start an execution of the function; return its ARN, while it runs."""
        return self._arn_of(self._invoke(input, "Event"))

    def wait_for_result(self, execution_arn: str, timeout: int = 60) -> DurableFunctionTestResult:
        """Wait until an execution has ended; return what became of it."""

        def look() -> DurableFunctionTestResult | None:
            result = self.get_result(execution_arn, with_history=False)
            if result.execution_status not in CLOSED_EXECUTION_STATUSES:
                return None
            return self.get_result(execution_arn)

        return self._eventually(look, timeout, "end", execution_arn)

    def get_result(
        self, execution_arn: str, *, with_history: bool = True
    ) -> DurableFunctionTestResult:
        """Return what has become of an execution so far."""
        told = self._api.call("GetDurableExecution", DurableExecutionArn=execution_arn)
        events = self._events(execution_arn, with_data=True) if with_history else []
        error = told.get("Error")
        standing = Standing(
            execution_arn,
            told.get("DurableExecutionName", ""),
            ExecutionStatus(told["Status"]),
            told.get("Result"),
            ErrorObject.of(decode(shapes.ErrorObject, error)) if error else None,
        )
        return DurableFunctionTestResult.of(operations_of(events), events, standing)

    def get_execution_history(
        self, execution_arn: str, include_execution_data: bool = False
    ) -> GetDurableExecutionHistoryResponse:
        """Return the history of an execution."""
        events = self._events(execution_arn, with_data=include_execution_data)
        return GetDurableExecutionHistoryResponse([Event.of(event) for event in events])

    def wait_for_callback(
        self, execution_arn: str, name: str | None = None, timeout: int = 60
    ) -> str:
        """Wait until there is a callback to answer; return its id.

        ``name`` is the callback's, or that of the ``wait_for_callback`` it belongs to; without one,
        the callback that began last is meant.
        """

        def look() -> str | None:
            events = self._events(execution_arn, with_data=False)
            found = _open_callbacks(events, name)
            if found:
                return found[-1 if name is None else 0]
            if any(str(event.event_type) in _EXECUTION_ENDS for event in events):
                tree = self.get_result(execution_arn).tree()
                raise DurableFunctionsTestError(
                    f"the execution has ended, with no callback\n{tree}"
                )
            return None

        return self._eventually(look, timeout, "have a callback", execution_arn)

    def send_callback_success(self, callback_id: str, result: Any = None) -> None:
        """Answer a callback: with bytes or text as they are, with anything else as JSON."""
        text = as_text(result)
        self._api.call(
            "SendDurableExecutionCallbackSuccess",
            CallbackId=callback_id,
            Result=b"" if text is None else text.encode(),
        )

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        """Let a callback fail."""
        self._api.call(
            "SendDurableExecutionCallbackFailure",
            CallbackId=callback_id,
            Error=error.to_dict() if error else {},
        )

    def send_callback_heartbeat(self, callback_id: str) -> None:
        """Say that a callback is still being worked on."""
        self._api.call("SendDurableExecutionCallbackHeartbeat", CallbackId=callback_id)

    def pause_execution(self, execution_arn: str, timeout: float = 60) -> None:
        """Have an execution invoked no more; return when no invocation of it runs."""
        self._api.call("PauseDurableExecution", DurableExecutionArn=execution_arn)

        def look() -> bool | None:
            status = self.get_result(execution_arn, with_history=False).execution_status
            return status is not ExecutionStatus.PAUSING or None

        self._eventually(look, timeout, "pause", execution_arn)

    def resume_execution(self, execution_arn: str) -> None:
        """Have an execution invoked again."""
        self._api.call("ResumeDurableExecution", DurableExecutionArn=execution_arn)

    def stop_execution(self, execution_arn: str, error: ErrorObject | None = None) -> None:
        """End an execution."""
        self._api.call(
            "StopDurableExecution",
            DurableExecutionArn=execution_arn,
            Error=error.to_dict() if error else None,
        )

    def _invoke(self, input: Any, invocation_type: str) -> dict[str, Any]:
        payload = json_text(input)
        return self._api.call(
            "Invoke",
            FunctionName=self.function_name,
            InvocationType=invocation_type,
            Payload=(json.dumps(None) if payload is None else payload).encode(),
        )

    def _arn_of(self, answer: dict[str, Any]) -> str:
        arn = answer.get("DurableExecutionArn")
        if not arn:
            raise DurableFunctionsTestError(
                f"{self.function_name} is not durable: its invocation is no durable execution"
            )
        self._arns.append(arn)
        return arn

    def _events(self, arn: str, *, with_data: bool) -> list[event_shapes.Event]:
        events: list[event_shapes.Event] = []
        given: dict[str, Any] = {"DurableExecutionArn": arn, "IncludeExecutionData": with_data}
        while True:
            page = self._api.call("GetDurableExecutionHistory", **given)
            events += decode_events(page)
            if not page.get("NextMarker"):
                return events
            given["Marker"] = page["NextMarker"]

    def _eventually(self, look: Callable[[], Any], timeout: float, what: str, arn: str) -> Any:
        deadline = time.monotonic() + timeout
        rest = threading.Event()
        while True:
            try:
                found = look()
            except ResourceNotFoundException:
                found = None  # it was started a moment ago, and is not to be seen yet
            if found is not None:
                return found
            if time.monotonic() >= deadline:
                tree = self.get_result(arn).tree()
                raise TimeoutError(f"the execution did not {what} within {timeout} s\n{tree}")
            rest.wait(self.poll_interval)

    def _trees(self) -> list[str]:
        return [self.get_result(arn).tree() for arn in self._arns]


_EXECUTION_ENDS: Final = (
    EventType.EXECUTION_SUCCEEDED,
    EventType.EXECUTION_FAILED,
    EventType.EXECUTION_TIMED_OUT,
    EventType.EXECUTION_STOPPED,
)


def _open_callbacks(events: list[event_shapes.Event], name: str | None) -> list[str]:
    """Return the ids of the callbacks that wait, and whose invocation has ended."""
    names = {event.id: event.name for event in events}
    ended = [e.event_id or 0 for e in events if e.event_type is EventType.INVOCATION_COMPLETED]
    answered = {event.id for event in events if event.event_type in _ANSWERS}
    found: list[str] = []
    for event in events:
        details = event.callback_started_details
        if details is None or event.id in answered:
            continue
        is_ready = max(ended, default=0) > (event.event_id or 0)
        if is_ready and name in (None, event.name, names.get(event.parent_id)):
            found.append(details.callback_id)
    return found
