"""Finds out what is known around an execution, and has it explained."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from perdure.core.errors import Refusal, ResourceNotFound
from perdure.core.event import error_of
from perdure.core.execution import Execution, ExecutionKind
from perdure.core.explanation import Circumstances, Explanation, explain
from perdure.engine.directory import Functions
from perdure.engine.dispatcher import Dispatcher
from perdure.engine.engine import Engine
from perdure.engine.invoker import FunctionVersion
from perdure.engine.seals import Seals
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import EventType, OperationType
from perdure.store.protocol import CorruptRowError, EventQuery

__all__ = ["Explainer", "RuntimeProblem", "id_of"]

#: Says why nothing here runs a function version; None: something does.
RuntimeProblem = Callable[[FunctionVersion], Awaitable[str | None]]

_CHILDREN_MAX: Final = 5  #: of one execution, whose statuses are looked up
_EVENTS_MAX: Final = 20  #: in which the last failed invocation is looked for
_ID_CHARACTERS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Explainer:
    """Explains executions of ``engine``."""

    engine: Engine
    functions: Functions
    dispatcher: Dispatcher
    seals: Seals
    node_max: int
    runtime_problem: RuntimeProblem
    is_waiting: Callable[[str], bool]  #: whether the run of a request id waits for a worker here

    async def read(self, arn: str) -> Execution:
        """Return an execution as it stands.

        Raises:
            ResourceNotFound: no durable execution has this ARN.
        """
        execution = await self.read_id(id_of(arn))
        if execution.identity.arn != arn:
            raise ResourceNotFound("Durable Execution does not exist")
        return execution

    async def read_id(self, execution_id: str) -> Execution:
        """Return an execution as it stands.

        Raises:
            ResourceNotFound: no durable execution has this id.
        """
        async with self.engine.reading(execution_id) as execution:
            if execution.identity.kind is not ExecutionKind.DURABLE:
                raise ResourceNotFound("Durable Execution does not exist")
            # A snapshot: it may change once it is given back.
            return Execution(
                execution.identity,
                execution.progress,
                dict(execution.operations),
                dict(execution.pending),
            )

    async def explain(self, execution: Execution) -> Explanation:
        """Return why an execution does not go on."""
        identity, dispatcher = execution.identity, self.dispatcher
        function, gone, missing = None, None, None
        if not execution.is_closed:
            try:
                function = await self.functions.resolve_pinned(
                    identity.function_arn, identity.version, identity.code_sha256
                )
                missing = await self.runtime_problem(function)
            except Refusal as refusal:
                gone = refusal.message
        around = Circumstances(
            now_ms=self.engine.clock.now_ms(),
            callback_id=lambda operation_id: self.seals.seal_callback(identity.id, operation_id),
            function_gone=gone,
            runtime_missing=missing,
            concurrency_max=None if function is None else function.concurrency_max,
            function_running=dispatcher.running_of(identity.function_arn),
            node_running=dispatcher.running,
            node_max=self.node_max,
            is_draining=dispatcher.is_draining,
            is_without_worker=self.is_waiting(execution.progress.request_id or ""),
            queued_before=dispatcher.queued_before(identity.id),
            children=await self._children(execution),
            last_failure=await self._last_failure(execution),
        )
        return explain(execution, around)

    async def _children(self, execution: Execution) -> dict[str, str]:
        statuses: dict[str, str] = {}
        for operation_id in execution.pending if not execution.is_closed else ():
            operation = execution.operations[operation_id]
            arn = operation.child_arn
            if operation.type is not OperationType.CHAINED_INVOKE or arn is None:
                continue
            if len(statuses) == _CHILDREN_MAX:
                break
            try:
                child = await self.engine.store.load(id_of(arn))
            except (CorruptRowError, ResourceNotFound):
                continue
            if child is not None:
                statuses[arn] = child.progress.status
        return statuses

    async def _last_failure(self, execution: Execution) -> ErrorObject | None:
        if not execution.progress.failures:
            return None
        events = await self.engine.store.events(
            EventQuery(execution_id=execution.identity.id, limit=_EVENTS_MAX, newest_first=True)
        )
        for event in events:
            kept: Any = (event.details or {}).get("error")
            if event.type is EventType.INVOCATION_COMPLETED and kept is not None:
                return error_of(kept)
        return None


def id_of(arn: str) -> str:
    """Return the id at the end of an execution's ARN.

    Raises:
        ResourceNotFound: it does not end with one.
    """
    execution_id = arn.rpartition("/")[2]
    if len(execution_id) != _ID_CHARACTERS or not set(execution_id) <= set("0123456789abcdef"):
        raise ResourceNotFound("Durable Execution does not exist")
    return execution_id
