"""What can be asked of a service in process: a coroutine each, run on the engine's loop.

Both sides of the package ask here, the one that blocks and the one that is awaited: what a call
means is written once. What the engine refuses is raised as it is, and translated where it leaves.
"""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, get_args

from perdure.core.commands import AnswerCallback, Delete, Heartbeat, Pause, Resume, Start, Stop
from perdure.core.errors import InvalidParameterValue, ResourceNotFound
from perdure.core.execution import Execution, Identity
from perdure.core.operation import Operation
from perdure.core.outcome import Attached
from perdure.embedded.errors import CallbackNotFound, FunctionNotFound, RequestRefused
from perdure.embedded.functions import Registered, arn_of
from perdure.embedded.parts import Parts
from perdure.embedded.results import Ending
from perdure.embedded.shapes import ExecutionInfo, PendingCallback, callback_of, info_of
from perdure.engine.starting import Origin
from perdure.protocol.arns import ArnError, parse_execution
from perdure.protocol.events import Event
from perdure.protocol.executions import GetDurableExecutionHistoryRequest
from perdure.protocol.identifiers import DurableExecutionName
from perdure.protocol.limits import CALLBACK_RESULT_BYTES_MAX, PAYLOAD_BYTES_MAX
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationType
from perdure.store.protocol import ExecutionQuery

__all__ = ["CallbackPage", "Calls", "ExecutionFilter", "Page", "Reference", "Started"]

_PAGE: Final = 200
_HISTORY_PAGE: Final = 1_000
_NAME: Final = get_args(DurableExecutionName)[1]


class Reference(NamedTuple):
    """Who an execution is."""

    id: str
    arn: str
    name: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionFilter:
    """Which executions are asked for; None: whichever."""

    function: str | None = None
    name: str | None = None
    statuses: frozenset[ExecutionStatus] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    newest_first: bool = False


class Started(NamedTuple):
    """An execution that was begun, and its ending; None: it had been begun before."""

    reference: Reference
    ending: Ending | None


class Page(NamedTuple):
    """A page of executions, and what the next one comes after; None: there is none."""

    executions: list[ExecutionInfo]
    references: list[Reference]
    after: tuple[int, str] | None


class CallbackPage(NamedTuple):
    """The open callbacks of a page of executions."""

    callbacks: list[PendingCallback]
    after: tuple[int, str] | None


class Calls:
    """Answers for the parts."""

    def __init__(self, parts: Parts) -> None:
        """Ask ``parts``."""
        self._parts = parts

    async def register(self, registered: Registered) -> None:
        """Have executions of the function run by its handler, those that wait for it first."""
        self._parts.check()
        await self._parts.functions.register(registered)
        self._parts.dispatcher.bound(arn_of(registered.name), None)

    async def start(self, function: str, event: str, name: str | None) -> Started:
        """Begin an execution, or find the one that has the name and the event."""
        start = self._start(function, event, name)
        ending = self._parts.results.watch(start.identity.id)
        begun = await self._carried_out(start, is_named=name is not None)
        is_new = begun.identity.id == start.identity.id
        return Started(_reference(begun.identity), ending if is_new else None)

    async def call(
        self, function: str, event: str, name: str | None
    ) -> tuple[Reference, Operation]:
        """Begin an execution; return how it ended, once it has."""
        start = self._start(function, event, name)
        begun = await self._carried_out(start, is_named=name is not None)
        reference = _reference(begun.identity)
        return reference, await self._parts.results.ended(reference.id)

    async def ended(self, reference: Reference) -> Operation:
        """Return how an execution ended, once it has."""
        self._parts.check()
        return await self._parts.results.ended(reference.id)

    async def find(self, execution: str, function: str | None) -> Reference:
        """Return the execution with this ARN, or with this name."""
        self._parts.check()
        if execution.startswith("arn:"):
            try:
                execution_id = parse_execution(execution).execution_id
            except ArnError as error:
                raise InvalidParameterValue(str(error)) from None
            found = await self._read(execution_id)
            if found.identity.arn != execution:
                raise ResourceNotFound(f"there is no execution {execution}")
            return _reference(found.identity)
        return await self._find_by_name(execution, function)

    async def info(self, reference: Reference) -> ExecutionInfo:
        """Return how an execution stands."""
        execution = await self._read(reference.id)
        return self._info(execution)

    async def history(self, reference: Reference) -> list[Event]:
        """Return an execution's events, with their data."""
        self._parts.check()
        events: list[Event] = []
        marker = None
        while True:
            answer = await self._parts.executions.get_durable_execution_history(
                GetDurableExecutionHistoryRequest(
                    durable_execution_arn=reference.arn,
                    include_execution_data=True,
                    max_items=_HISTORY_PAGE,
                    marker=marker,
                )
            )
            events += answer.events
            marker = answer.next_marker
            if marker is None:
                return events

    async def stop(self, reference: Reference, error: ErrorObject | None) -> None:
        """End an execution."""
        await self._carry_out(reference, Stop(error=error))

    async def pause(self, reference: Reference, reason: str | None) -> None:
        """Begin no more invocations of an execution."""
        await self._carry_out(reference, Pause(reason=reason))

    async def resume(self, reference: Reference) -> None:
        """End a pause."""
        await self._carry_out(reference, Resume())

    async def delete(self, reference: Reference) -> None:
        """Remove an execution that has ended."""
        await self._carry_out(reference, Delete())
        await self._parts.pruner.run_once()

    async def page(self, asked: ExecutionFilter, after: tuple[int, str] | None) -> Page:
        """Return a page of executions."""
        self._parts.check()
        found = await self._parts.store.list(
            ExecutionQuery(
                function_arn=None if asked.function is None else arn_of(asked.function),
                name=asked.name,
                statuses=asked.statuses,
                started_after_ms=_ms(asked.started_after),
                started_before_ms=_ms(asked.started_before),
                after=after,
                limit=_PAGE,
                newest_first=asked.newest_first,
            )
        )
        is_registered = self._parts.functions.is_registered
        last = found[-1][0] if len(found) == _PAGE else None
        return Page(
            [
                info_of(identity, progress, is_registered=is_registered(identity.function_arn))
                for identity, progress in found
            ],
            [_reference(identity) for identity, _ in found],
            None if last is None else (last.started_at_ms, last.id),
        )

    async def callbacks(self, reference: Reference) -> list[PendingCallback]:
        """Return an execution's callbacks that have no answer yet, the oldest first."""
        self._parts.check()
        async with self._parts.engine.reading(reference.id) as execution:
            if execution.is_closed:
                return []
            seal = self._parts.seals.seal_callback
            pending = [execution.operations[operation_id] for operation_id in execution.pending]
            return [
                callback_of(operation, reference.arn, seal(reference.id, operation.id))
                for operation in pending
                if operation.type is OperationType.CALLBACK
            ]

    async def callback_page(
        self, asked: ExecutionFilter, after: tuple[int, str] | None
    ) -> CallbackPage:
        """Return the open callbacks of a page of executions."""
        page = await self.page(asked, after)
        callbacks: list[PendingCallback] = []
        for reference in page.references:
            with contextlib.suppress(ResourceNotFound):  # it was removed just now
                callbacks += await self.callbacks(reference)
        return CallbackPage(callbacks, page.after)

    async def answer_callback(
        self, callback_id: str, payload: str | None, error: ErrorObject | None
    ) -> None:
        """Answer a callback: with an error if there is one."""
        self._parts.check()
        if payload is not None and len(payload.encode()) > CALLBACK_RESULT_BYTES_MAX:
            raise InvalidParameterValue(
                f"the result is {len(payload.encode()):,} bytes;"
                f" the limit is {CALLBACK_RESULT_BYTES_MAX:,}"
            )
        try:
            execution_id, operation_id = self._parts.seals.open_callback(callback_id)
            command = AnswerCallback(operation_id=operation_id, payload=payload, error=error)
            await self._parts.engine.carry_out(execution_id, command)
        except ResourceNotFound as refusal:
            raise CallbackNotFound(refusal.message) from None

    async def heartbeat(self, callback_id: str) -> None:
        """Say that a callback is still being worked on."""
        self._parts.check()
        try:
            execution_id, operation_id = self._parts.seals.open_callback(callback_id)
            await self._parts.engine.carry_out(execution_id, Heartbeat(operation_id=operation_id))
        except ResourceNotFound as refusal:
            raise CallbackNotFound(refusal.message) from None

    def _start(self, function: str, event: str, name: str | None) -> Start:
        parts = self._parts
        parts.check()
        _check_start(event, name)
        version = parts.functions.registered(function)
        if version is None:
            raise FunctionNotFound(f"no function is registered as {function!r}")
        invoked_arn = f"{version.function_arn}:{version.version}"
        origin = Origin(name=name, invoked_arn=invoked_arn)
        return parts.starter.start(version, event, origin, now_ms=parts.clock.now_ms())

    async def _carried_out(self, start: Start, *, is_named: bool) -> Execution:
        outcome = await self._parts.engine.start(start, is_named=is_named)
        if isinstance(outcome.reply, Attached):
            return outcome.reply.execution
        return Execution(outcome.identity, outcome.progress, {})

    async def _find_by_name(self, name: str, function: str | None) -> Reference:
        arns = [arn_of(function)] if function is not None else []
        if function is None:
            arns = [arn async for arn in self._parts.functions.known()]
        found = [i for arn in arns if (i := await self._parts.store.find(arn, name)) is not None]
        if not found:
            raise ResourceNotFound(f"there is no execution named {name!r}")
        if len(found) > 1:
            raise RequestRefused(
                f"{len(found)} functions have an execution named {name!r}: say which function",
                InvalidParameterValue.code,
            )
        return _reference((await self._read(found[0])).identity)

    async def _read(self, execution_id: str) -> Execution:
        self._parts.check()
        async with self._parts.engine.reading(execution_id) as execution:
            return Execution(execution.identity, execution.progress, {})

    async def _carry_out(
        self, reference: Reference, command: Stop | Pause | Resume | Delete
    ) -> None:
        self._parts.check()
        await self._parts.engine.carry_out(reference.id, command)

    def _info(self, execution: Execution) -> ExecutionInfo:
        identity = execution.identity
        is_registered = self._parts.functions.is_registered(identity.function_arn)
        return info_of(identity, execution.progress, is_registered=is_registered)


def _reference(identity: Identity) -> Reference:
    function = identity.function_arn.rpartition(":")[2]
    return Reference(identity.id, identity.arn, identity.name, function)


def _check_start(event: str, name: str | None) -> None:
    problem = None if name is None else _NAME.problem(name)
    if problem is not None:
        raise InvalidParameterValue(f"the execution name {name!r} {problem}")
    size = len(event.encode())
    if size > PAYLOAD_BYTES_MAX:
        raise InvalidParameterValue(
            f"the event is {size:,} bytes; the limit is {PAYLOAD_BYTES_MAX:,}"
        )


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)
