"""The API's calls on executions and callbacks, one method each: wire shapes in, wire shapes out."""

import hashlib
import logging
import re
from collections.abc import Callable

import msgspec

from perdure.core.commands import (
    AnswerCallback,
    Checkpoint,
    Command,
    Delete,
    Heartbeat,
    Pause,
    Resume,
    Stop,
)
from perdure.core.errors import (
    InvalidCheckpointToken,
    InvalidParameterValue,
    ResourceNotFound,
)
from perdure.core.execution import Execution, ExecutionKind, Identity
from perdure.core.history import HistoryReader
from perdure.core.outcome import Accepted, CheckpointReply, Outcome
from perdure.core.quotas import Quotas
from perdure.core.render import operation_shape
from perdure.core.replay import replayed
from perdure.engine.descriptions import description, summary
from perdure.engine.directory import Functions
from perdure.engine.engine import Engine, Meanwhile
from perdure.engine.prepared import Prepared
from perdure.engine.seals import Seals
from perdure.engine.starting import Starter
from perdure.engine.states import page
from perdure.protocol import callbacks as callback_shapes
from perdure.protocol import executions as shapes
from perdure.protocol.operations import ErrorObject, OperationUpdate
from perdure.protocol.operations import Operation as OperationShape
from perdure.protocol.wire import Instant
from perdure.store.protocol import EventQuery, ExecutionQuery

__all__ = ["Executions"]

_log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{32}\Z")
_PAGE_DEFAULT = 100
_PAGE_MAX = 1_000
_HISTORY_BYTES_MAX = 5 * 1024 * 1024


class Executions:
    """Answers calls on executions."""

    def __init__(
        self,
        engine: Engine,
        functions: Functions,
        starter: Starter,
        seals: Seals,
        quotas: Quotas,
    ) -> None:
        """Answer from ``engine``."""
        self._engine = engine
        self._functions = functions
        self._starter = starter
        self._seals = seals
        self._quotas = quotas

    async def checkpoint_durable_execution(
        self,
        request: shapes.CheckpointDurableExecutionRequest,
        prepare: Callable[[shapes.CheckpointDurableExecutionResponse], None] | None = None,
    ) -> shapes.CheckpointDurableExecutionResponse:
        """Store a handler's updates; answer with the next token and what has changed.

        ``prepare`` is shown an answer before it is true, and perhaps never will be: nothing of it
        may be sent before it is returned.
        """
        updates = request.updates or ()
        execution_id = _id_of(request.durable_execution_arn)
        token, nonce = self._seals.open_token(execution_id, request.checkpoint_token)
        command = Checkpoint(
            token=token,
            updates=updates,
            client_token=request.client_token or "",
            updates_sha256=_digest(updates),
            quotas=self._quotas,
            targets=await self._starter.targets(execution_id, updates),
        )

        def response(outcome: Outcome) -> shapes.CheckpointDurableExecutionResponse:
            next_token, operations = self._told(execution_id, outcome, nonce)
            state = shapes.CheckpointUpdatedExecutionState(operations=operations)
            made = shapes.CheckpointDurableExecutionResponse(
                checkpoint_token=next_token, new_execution_state=state
            )
            if prepare is not None:
                prepare(made)
            return made

        answer = Prepared(response)
        return answer.of(await self._carry_out(execution_id, command, answer.foresee))

    async def checkpoint(
        self, execution_id: str, token_text: str, updates: tuple[OperationUpdate, ...]
    ) -> tuple[str | None, tuple[OperationShape, ...]]:
        """Store a handler's updates; return the next token and what has changed.

        The same updates cannot be sent again: it is for callers whose calls are never lost.
        """
        token, nonce = self._seals.open_token(execution_id, token_text)
        targets = await self._starter.targets(execution_id, updates)
        command = Checkpoint(token=token, updates=updates, quotas=self._quotas, targets=targets)
        return self._told(execution_id, await self._carry_out(execution_id, command), nonce)

    async def _carry_out(
        self, execution_id: str, command: Checkpoint, meanwhile: Meanwhile | None = None
    ) -> Outcome:
        try:
            return await self._engine.carry_out(execution_id, command, meanwhile=meanwhile)
        except ResourceNotFound:
            raise InvalidCheckpointToken("the execution is gone") from None
        except InvalidCheckpointToken:
            raise
        except InvalidParameterValue as refusal:
            # AWS's SDKs end the execution for good at this: say it where operators look.
            _log.warning("a checkpoint of execution %s is refused: %s", execution_id, refusal)
            raise

    def _told(
        self, execution_id: str, outcome: Outcome, nonce: bytes
    ) -> tuple[str | None, tuple[OperationShape, ...]]:
        """Return what a checkpoint tells: the next token and what has changed."""
        reply = outcome.reply
        assert isinstance(reply, CheckpointReply), "a checkpoint is answered by a checkpoint reply"
        next_text = None
        if reply.token is not None:
            next_text = self._seals.seal_token(execution_id, reply.token, nonce)

        def callback_id(operation_id: str) -> str:
            return self._seals.seal_callback(execution_id, operation_id)

        return next_text, tuple(operation_shape(o, callback_id) for o in reply.operations)

    async def get_durable_execution_state(
        self, request: shapes.GetDurableExecutionStateRequest
    ) -> shapes.GetDurableExecutionStateResponse:
        """Return a page of the state a replay starts from."""
        execution_id = _id_of(request.durable_execution_arn)
        token, _ = self._seals.open_token(execution_id, request.checkpoint_token)
        now_ms = self._engine.clock.now_ms()
        after = 0
        if request.marker:
            marker = self._seals.open_marker(f"state:{execution_id}", request.marker, now_ms)
            after = int(marker)
        async with self._engine.reading(execution_id) as execution:
            progress = execution.progress
            if (
                progress.nonce_sha256 != token.nonce_sha256
                or progress.epoch != token.epoch
                or not progress.nonce_sha256
            ):
                raise InvalidCheckpointToken("it belongs to another invocation")
            operations = [o for o in replayed(execution.operations) if o.position > after]
        found, marker = page(
            execution.identity,
            operations,
            self._seals,
            limit=request.max_items or _PAGE_MAX,
            now_ms=now_ms,
        )
        return shapes.GetDurableExecutionStateResponse(operations=found, next_marker=marker)

    async def get_durable_execution(
        self, request: shapes.GetDurableExecutionRequest
    ) -> shapes.GetDurableExecutionResponse:
        """Return one execution as it stands."""
        execution = await self._read(request.durable_execution_arn)
        with_data = request.include_execution_data is not False
        return description(execution, with_data=with_data)

    async def get_durable_execution_history(
        self, request: shapes.GetDurableExecutionHistoryRequest
    ) -> shapes.GetDurableExecutionHistoryResponse:
        """Return a page of an execution's events, the oldest first unless asked otherwise (H1)."""
        execution = await self._read(request.durable_execution_arn)
        execution_id = execution.identity.id
        is_reverse = bool(request.reverse_order)
        scope = f"history:{execution_id}:{is_reverse:d}"
        now_ms = self._engine.clock.now_ms()
        after = 0
        if request.marker:
            after = int(self._seals.open_marker(scope, request.marker, now_ms))
        limit = request.max_items or _PAGE_DEFAULT
        events = await self._engine.store.events(
            EventQuery(
                execution_id=execution_id, after_id=after, limit=limit, newest_first=is_reverse
            )
        )
        # Read again: an event's operation may have come after the first look.
        execution = await self._read(request.durable_execution_arn)
        reader = HistoryReader(
            execution.identity,
            execution.operations,
            lambda operation_id: self._seals.seal_callback(execution_id, operation_id),
            with_data=bool(request.include_execution_data),
        )
        size, shown = 0, 0
        for event in events:
            size += reader.size_bytes(event)
            if shown and size > _HISTORY_BYTES_MAX:
                break
            shown += 1
        events = events[:shown]
        last = events[-1].id if events else 0
        is_end = not events or last == (1 if is_reverse else execution.progress.event_count)
        return shapes.GetDurableExecutionHistoryResponse(
            events=tuple(reader.shape(event) for event in events),
            next_marker=None if is_end else self._seals.seal_marker(scope, str(last), now_ms),
        )

    async def list_durable_executions_by_function(
        self, request: shapes.ListDurableExecutionsByFunctionRequest
    ) -> shapes.ListDurableExecutionsByFunctionResponse:
        """Return a page of a function's executions, the oldest first unless asked otherwise."""
        function = await self._functions.resolve(
            request.function_name, request.qualifier, draw=lambda: 1.0
        )
        is_reverse = bool(request.reverse_order)
        scope = f"list:{function.function_arn}:{is_reverse:d}"
        now_ms = self._engine.clock.now_ms()
        after = None
        if request.marker:
            at_ms, _, last_id = self._seals.open_marker(scope, request.marker, now_ms).partition(
                ","
            )
            after = (int(at_ms), last_id)
        limit = request.max_items or _PAGE_DEFAULT
        found = await self._engine.store.list(
            ExecutionQuery(
                function_arn=function.function_arn,
                version=function.version if request.qualifier else None,
                name=request.durable_execution_name,
                statuses=frozenset(request.statuses) if request.statuses else None,
                started_after_ms=request.started_after,
                started_before_ms=request.started_before,
                after=after,
                limit=limit + 1,
                newest_first=is_reverse,
            )
        )
        marker = None
        if len(found) > limit:
            found = found[:limit]
            last = found[-1][0]
            marker = self._seals.seal_marker(scope, f"{last.started_at_ms},{last.id}", now_ms)
        return shapes.ListDurableExecutionsByFunctionResponse(
            durable_executions=tuple(summary(*row) for row in found), next_marker=marker
        )

    async def stop_durable_execution(
        self, request: shapes.StopDurableExecutionRequest
    ) -> shapes.StopDurableExecutionResponse:
        """End an execution."""
        # A caller who gives no error sends an empty one, if it is boto3.
        error = None if request.error == ErrorObject() else request.error
        at_ms = await self._accept(request.durable_execution_arn, Stop(error=error))
        return shapes.StopDurableExecutionResponse(stop_timestamp=Instant(at_ms))

    async def pause_durable_execution(
        self, request: shapes.PauseDurableExecutionRequest
    ) -> shapes.PauseDurableExecutionResponse:
        """Begin no more invocations of an execution."""
        command = Pause(
            client_token=request.client_token,
            reason=request.reason,
            is_timeout_paused=request.execution_timeout_paused is not False,
        )
        await self._accept(request.durable_execution_arn, command)
        return shapes.PauseDurableExecutionResponse()

    async def resume_durable_execution(
        self, request: shapes.ResumeDurableExecutionRequest
    ) -> shapes.ResumeDurableExecutionResponse:
        """End a pause."""
        command = Resume(client_token=request.client_token, reason=request.reason)
        await self._accept(request.durable_execution_arn, command)
        return shapes.ResumeDurableExecutionResponse()

    async def delete_durable_execution(
        self, request: shapes.DeleteDurableExecutionRequest
    ) -> shapes.DeleteDurableExecutionResponse:
        """Remove an execution that has ended."""
        at_ms = await self._accept(request.durable_execution_arn, Delete())
        return shapes.DeleteDurableExecutionResponse(deletion_request_timestamp=Instant(at_ms))

    async def send_durable_execution_callback_success(
        self, request: callback_shapes.SendDurableExecutionCallbackSuccessRequest
    ) -> callback_shapes.SendDurableExecutionCallbackSuccessResponse:
        """Answer a callback."""
        execution_id, operation_id = self._seals.open_callback(request.callback_id)
        payload = None
        if request.result:
            try:
                payload = request.result.decode()
            except UnicodeDecodeError:
                raise InvalidParameterValue("Result is not UTF-8") from None
        command = AnswerCallback(operation_id=operation_id, payload=payload)
        await self._engine.carry_out(execution_id, command)
        return callback_shapes.SendDurableExecutionCallbackSuccessResponse()

    async def send_durable_execution_callback_failure(
        self, request: callback_shapes.SendDurableExecutionCallbackFailureRequest
    ) -> callback_shapes.SendDurableExecutionCallbackFailureResponse:
        """Answer a callback with an error."""
        execution_id, operation_id = self._seals.open_callback(request.callback_id)
        command = AnswerCallback(operation_id=operation_id, error=request.error or ErrorObject())
        await self._engine.carry_out(execution_id, command)
        return callback_shapes.SendDurableExecutionCallbackFailureResponse()

    async def send_durable_execution_callback_heartbeat(
        self, request: callback_shapes.SendDurableExecutionCallbackHeartbeatRequest
    ) -> callback_shapes.SendDurableExecutionCallbackHeartbeatResponse:
        """Say that a callback is still being worked on."""
        execution_id, operation_id = self._seals.open_callback(request.callback_id)
        await self._engine.carry_out(execution_id, Heartbeat(operation_id=operation_id))
        return callback_shapes.SendDurableExecutionCallbackHeartbeatResponse()

    async def _read(self, arn: str) -> Execution:
        async with self._engine.reading(_id_of(arn)) as execution:
            _check_arn(execution.identity, arn)
            # A snapshot: the operations may change once the execution is given back.
            return Execution(execution.identity, execution.progress, dict(execution.operations))

    async def _accept(self, arn: str, command: Command) -> int:
        await self._read(arn)
        outcome = await self._engine.carry_out(_id_of(arn), command)
        assert isinstance(outcome.reply, Accepted), "a command on an execution is accepted"
        return outcome.reply.at_ms


def _id_of(arn: str) -> str:
    execution_id = arn.rpartition("/")[2]
    if not _ID.match(execution_id):
        raise ResourceNotFound("Durable Execution does not exist")
    return execution_id


def _check_arn(identity: Identity, arn: str) -> None:
    """An execution is found by its whole ARN, or not at all; an ordinary function's run is none."""
    if identity.arn != arn or identity.kind is not ExecutionKind.DURABLE:
        raise ResourceNotFound("Durable Execution does not exist")


def _digest(updates: tuple[OperationUpdate, ...]) -> bytes:
    return hashlib.blake2b(msgspec.json.encode(updates), digest_size=16).digest()
