"""One script of an invocation, played to our plugin executor and to AWS's: the oracle.

Operations are written once, as they travel. A world turns them into its own shapes, has its own
plugin note every hook it hears, and gives the notes in a form that both share.
"""

import dataclasses
import enum
from collections.abc import Callable, Collection, Iterable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Any, NamedTuple, Protocol

import aws_durable_execution_sdk_python.lambda_service as aws_service
import aws_durable_execution_sdk_python.plugin as aws_plugin
from aws_durable_execution_sdk_python.identifier import OperationIdentifier

import perdure.plugin
from perdure.protocol.invocations import InvocationAnswer
from perdure.protocol.operations import ErrorObject, Operation, OperationUpdate
from perdure.protocol.wire import TimeUnit, decode
from perdure.protocol.words import InvocationStatus, OperationStatus, OperationType
from perdure.sdk.journal import Identity
from perdure.sdk.plugin_executor import PluginExecutor

__all__ = [
    "ARN",
    "EXECUTION",
    "AwsWorld",
    "Factory",
    "Note",
    "OurWorld",
    "World",
    "an_operation",
    "identity_of",
    "noting",
]

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/n/e-1"
HOOKS = (
    "on_invocation_start",
    "on_invocation_end",
    "on_operation_start",
    "on_operation_end",
    "on_operation_change",
    "on_user_function_start",
    "on_user_function_end",
)
_CLOCKED = ("UserFunctionStartInfo", "UserFunctionEndInfo")

Wire = dict[str, Any]


class Note(NamedTuple):
    """One hook that a plugin heard."""

    plugin: str
    hook: str
    fields: Any


def an_operation(operation_id: str, status: str = "STARTED", **members: Any) -> Wire:
    """Return an operation as it travels; a step unless ``Type`` says otherwise."""
    operation = {
        "Id": operation_id,
        "Type": "STEP",
        "SubType": "Step",
        "Name": f"name-{operation_id}",
        "Status": status,
        "StartTimestamp": 1_700_000_000_123,
    }
    if status in {"SUCCEEDED", "FAILED", "CANCELLED", "TIMED_OUT", "STOPPED"}:
        operation["EndTimestamp"] = 1_700_000_001_456
    return operation | members


EXECUTION = an_operation("e-1", Type="EXECUTION", SubType=None, Name="n")


def ours(operation: Wire) -> Operation:
    """Return the protocol's shape of an operation."""
    return decode(Operation, operation, unit=TimeUnit.MILLISECONDS)


def identity_of(operation: Wire) -> Identity:
    """Return an operation's identity."""
    return Identity(
        operation["Id"],
        OperationType(operation["Type"]),
        operation.get("SubType") or "",
        operation.get("ParentId"),
        operation.get("Name"),
    )


def noting(base: type, notes: list[Note], name: str = "p", **hooks: Callable[..., Any]) -> Any:
    """Return a plugin that notes every hook, then does what ``hooks`` says for it."""

    def note(hook: str) -> Callable[[Any, Any], None]:
        def noted(self: Any, info: Any) -> None:
            notes.append(Note(name, hook, shared(info)))
            if hook in hooks:
                hooks[hook](info)

        return noted

    return type("Noting", (base,), {hook: note(hook) for hook in HOOKS})()


class Factory:
    """Gives the same plugin to every invocation."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def create_plugin(self, info: object, /) -> Any:
        return self._make()


def shared(value: Any) -> Any:
    """Return a plain form of what a hook is told, without what only a clock knows."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dict):
        return {key: shared(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shared(each) for each in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: shared(getattr(value, f.name)) for f in dataclasses.fields(value)}
        is_clocked = type(value).__name__ in _CLOCKED or fields.get("start_time", 0) is None
        for name in ("start_time", "end_time") if is_clocked else ():
            if isinstance(fields[name], datetime):
                fields[name] = "now"
        return {"": type(value).__name__} | fields
    return value


class World(Protocol):
    """What a script can do."""

    notes: list[Note]

    def run(self) -> AbstractContextManager[Any]: ...
    def start(self, operations: Iterable[Wire], *, updated: Iterable[str], event: Any) -> None: ...
    def begin(self, operation: Wire, previous: Wire | None) -> None: ...
    def replay(self, operation: Wire) -> None: ...
    def merged(self, operations: Collection[Wire], waited_for: Collection[str]) -> None: ...
    def observed(self, operation_id: str, *, waiter: bool) -> None: ...
    def call(self, operation: Wire, attempt: int | None, error: BaseException | None) -> None: ...
    def child_end(self, operation: Wire, error: str | None, *, is_replayed: bool) -> None: ...
    def propagation(self, operation_id: str) -> str | None: ...
    def end(self, status: str, *, result: str | None, error: str | None) -> None: ...
    def fail(self, error: BaseException) -> None: ...


class OurWorld:
    """Perdure's executor."""

    base = perdure.plugin.DurableInstrumentationPlugin
    metadata = perdure.plugin.PropagationMetadata

    def __init__(self, *plugins: Any, notes: list[Note] | None = None) -> None:
        self.notes: list[Note] = [] if notes is None else notes
        made = plugins or (noting(self.base, self.notes),)
        self.executor = PluginExecutor([Factory(lambda p=p: p) for p in made])

    def run(self) -> AbstractContextManager[Any]:
        return self.executor.run()

    def start(
        self, operations: Iterable[Wire], *, updated: Iterable[str] = (), event: Any = None
    ) -> None:
        known = [ours(each) for each in operations]
        self.executor.on_invocation_start(
            execution_arn=ARN,
            request_id="request-1",
            is_first_invocation=len(known) < 2,
            execution_input=event,
            operations=known,
            updated_operation_ids=updated,
        )

    def begin(self, operation: Wire, previous: Wire | None = None) -> None:
        members = ("Id", "Type", "ParentId", "Name", "SubType")
        update = {name: operation[name] for name in members if operation.get(name)}
        self.executor.on_operation_start(
            decode(OperationUpdate, update | {"Action": "START"}),
            None if previous is None else ours(previous),
        )

    def replay(self, operation: Wire) -> None:
        self.executor.on_replayed(ours(operation))

    def merged(self, operations: Collection[Wire], waited_for: Collection[str] = ()) -> None:
        self.executor.merged([ours(each) for each in operations], waited_for)

    def observed(self, operation_id: str, *, waiter: bool = False) -> None:
        self.executor.observed(operation_id, waiter=waiter)

    def call(
        self, operation: Wire, attempt: int | None = 1, error: BaseException | None = None
    ) -> None:
        with (
            _expecting(error),
            self.executor.user_function(identity_of(operation), attempt=attempt),
        ):
            if error is not None:
                raise error

    def child_end(
        self, operation: Wire, error: str | None = None, *, is_replayed: bool = False
    ) -> None:
        self.executor.on_child_context_end(
            identity_of(operation),
            OperationStatus.SUCCEEDED if error is None else OperationStatus.FAILED,
            error=None if error is None else ErrorObject(error_message=error),
            is_replayed=is_replayed,
        )

    def propagation(self, operation_id: str) -> str | None:
        info = perdure.plugin.PropagationInput(ARN, operation_id, "other")
        return self.executor.provide_propagation_metadata(info).x_amzn_trace_id

    def end(
        self, status: str = "SUCCEEDED", *, result: str | None = None, error: str | None = None
    ) -> None:
        self.executor.on_invocation_end(
            InvocationAnswer(
                status=InvocationStatus(status),
                result=result,
                error=None if error is None else ErrorObject(error_message=error),
            )
        )

    def fail(self, error: BaseException) -> None:
        self.executor.on_invocation_failed(error)


class AwsWorld:
    """AWS's executor, called where AWS's SDK calls it."""

    base = aws_plugin.DurableInstrumentationPlugin
    metadata = aws_plugin.PropagationMetadata

    def __init__(self, *plugins: Any, notes: list[Note] | None = None) -> None:
        self.notes: list[Note] = [] if notes is None else notes
        made = plugins or (noting(self.base, self.notes),)
        self.executor = aws_plugin.PluginExecutor([Factory(lambda p=p: p) for p in made])
        self._operations: dict[str, Any] = {}
        self._updated: set[str] = set()
        self._replayed: set[str] = set()

    def run(self) -> AbstractContextManager[Any]:
        return self.executor.run()

    def start(
        self, operations: Iterable[Wire], *, updated: Iterable[str] = (), event: Any = None
    ) -> None:
        self._updated = set(updated)
        self._operations = {each["Id"]: _aws(each) for each in operations}
        execution = self._operations.get("e-1")
        self.executor.on_invocation_start(
            execution_arn=ARN,
            is_first_invocation=len(self._operations) < 2,
            execution_start_time=execution and execution.start_timestamp,
            lambda_context=_LambdaContext("request-1"),  # type: ignore[arg-type]
            execution_input=event,
            operations_provider=lambda: dict(self._operations),
            updated_operation_ids=list(updated),
        )

    def begin(self, operation: Wire, previous: Wire | None = None) -> None:
        self.executor.on_operation_action(
            aws_service.OperationUpdate.from_dict(operation | {"Action": "START"}),
            previous_operation=None if previous is None else _aws(previous),
        )

    def replay(self, operation: Wire) -> None:
        # As state.emit_operation_update_hook and state.emit_operation_replay_hook.
        if operation["Type"] == "EXECUTION":
            return
        if operation["Id"] in self._updated:
            self.executor.on_operation_update(_aws(operation))
        elif operation["Status"] != "READY" and operation["Id"] not in self._replayed:
            self._replayed.add(operation["Id"])
            self.executor.on_operation_replay(_aws(operation))

    def merged(self, operations: Collection[Wire], waited_for: Collection[str] = ()) -> None:
        # As state.checkpoint_batches_forever.
        previous, found = dict(self._operations), [_aws(each) for each in operations]
        self.executor.record_end_hooks(found, waited_for)
        self._operations.update({each.operation_id: each for each in found})
        self.executor.record_change(found, dict(self._operations), previous)

    def observed(self, operation_id: str, *, waiter: bool = False) -> None:
        self.executor.claim_end_hook(operation_id, waiter=waiter)

    def call(
        self, operation: Wire, attempt: int | None = 1, error: BaseException | None = None
    ) -> None:
        # As state.wrap_user_function.
        outcome, recorded = aws_plugin.UserFunctionOutcome.INCOMPLETE, None
        start = self.executor.on_user_function_start(_aws_identity(operation), False, attempt)
        if isinstance(error, Exception):
            outcome = aws_plugin.UserFunctionOutcome.FAILED
            recorded = aws_service.ErrorObject.from_exception(error)
        elif error is None:
            outcome = aws_plugin.UserFunctionOutcome.SUCCEEDED
        self.executor.on_user_function_end(start, recorded, outcome=outcome)

    def child_end(
        self, operation: Wire, error: str | None = None, *, is_replayed: bool = False
    ) -> None:
        self.executor.on_child_context_end(
            _aws_identity(operation),
            aws_service.OperationStatus.SUCCEEDED
            if error is None
            else aws_service.OperationStatus.FAILED,
            error=None if error is None else aws_service.ErrorObject.from_message(error),
            is_replayed=is_replayed,
        )

    def propagation(self, operation_id: str) -> str | None:
        info = aws_plugin.PropagationInput(ARN, operation_id, "other")
        return self.executor.provide_propagation_metadata(info).x_amzn_trace_id

    def end(
        self, status: str = "SUCCEEDED", *, result: str | None = None, error: str | None = None
    ) -> None:
        self.executor.on_invocation_end(
            aws_service.DurableExecutionInvocationOutput(
                status=aws_service.InvocationStatus(status),
                result=result,
                error=None if error is None else aws_service.ErrorObject.from_message(error),
            )
        )

    def fail(self, error: BaseException) -> None:
        self.executor.on_invocation_end(
            aws_service.DurableExecutionInvocationOutput.create_retry(
                aws_service.ErrorObject.from_exception(error)
            )
        )


class _LambdaContext(NamedTuple):
    aws_request_id: str


def _aws(operation: Wire) -> Any:
    return aws_service.Operation.from_json_dict(operation)


def _aws_identity(operation: Wire) -> Any:
    return OperationIdentifier(
        operation["Id"],
        operation.get("SubType") or "",
        operation.get("ParentId"),
        operation.get("Name"),
        operation_type=aws_service.OperationType(operation["Type"]),
    )


def _expecting(error: BaseException | None) -> AbstractContextManager[Any]:
    if error is None:
        return nullcontext()
    import pytest

    return pytest.raises(type(error))
