"""The plugins of one invocation, as the rest of the SDK sees them: a method for each occasion.

Every method may call hooks on the calling thread, except ``merged``, which only takes notes. What
a hook raises is ignored unless it tells the thread to stop. Call none under a lock. Infos are made
here, when they are needed; without plugins there is no executor, and nothing is made at all.
"""

from __future__ import annotations

import copy
import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from perdure.protocol.words import (
    FINISHED_OPERATION_STATUSES,
    OperationAction,
    OperationStatus,
    OperationType,
)
from perdure.sdk.error_object import ErrorObject
from perdure.sdk.failures import record_of
from perdure.sdk.plugin_changes import ChangeNotifier, OperationView
from perdure.sdk.plugin_dispatch import PluginDispatch
from perdure.sdk.plugin_ends import EndHooks
from perdure.sdk.plugin_infos import (
    InvocationEndInfo,
    InvocationStartInfo,
    InvocationStatus,
    OperationEndInfo,
    OperationStartInfo,
    UserFunctionEndInfo,
    UserFunctionOutcome,
    UserFunctionStartInfo,
    end_of,
    instant,
    start_of,
)
from perdure.sdk.plugin_propagation import propagation_of
from perdure.sdk.wall_time import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Sequence

    from perdure.protocol.operations import ErrorObject as WireError
    from perdure.protocol.operations import Operation, OperationUpdate
    from perdure.sdk.plugin import DurableInstrumentationPluginFactory
    from perdure.sdk.plugin_infos import (
        InvocationOutput,
        OperationChangeInfo,
        PropagationInput,
        PropagationMetadata,
    )

__all__ = ["HookIdentity", "PluginExecutor"]

_logger = logging.getLogger(__name__)


class HookIdentity(Protocol):
    """What an operation is by its place in the code."""

    @property
    def operation_id(self) -> str: ...
    @property
    def operation_type(self) -> OperationType: ...
    @property
    def sub_type(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...
    @property
    def parent_id(self) -> str | None: ...


class PluginExecutor:
    """Tells the plugins of one invocation what happens in it."""

    def __init__(self, plugins: Sequence[DurableInstrumentationPluginFactory] | None) -> None:
        """Begin with the factories; the plugins are made when the invocation starts."""
        factories = list(plugins or ())
        self._has_plugins = bool(factories)
        self._dispatch = PluginDispatch(factories)
        self._ends = EndHooks(self._call_end, self._dispatch.is_in_hook)
        self._view = OperationView()
        self._changes: ChangeNotifier | None = None
        self._start: InvocationStartInfo | None = None
        self._updated: frozenset[str] = frozenset()
        self._replayed: set[str] = set()
        self._lock = threading.Lock()
        self._has_run = False

    @property
    def has_plugins(self) -> bool:
        """Whether there is a factory at all."""
        return self._has_plugins

    @contextmanager
    def run(self) -> Generator[None]:
        """Open the one invocation that this serves; at its end the plugins are let go.

        Raises ``RuntimeError`` when it is entered again: an executor serves one invocation.
        """
        if self._has_run:
            raise RuntimeError("a PluginExecutor serves one invocation, and has served one")
        self._has_run = True
        try:
            yield
        finally:
            self._finish()
            self._start = None
            self._dispatch.clear()

    def on_invocation_start(
        self,
        *,
        execution_arn: str,
        request_id: str | None,
        is_first_invocation: bool,
        execution_input: Any = None,
        operations: Iterable[Operation] = (),
        updated_operation_ids: Iterable[str] = (),
    ) -> None:
        """Make the plugins and call ``on_invocation_start``.

        ``operations`` are those that the invocation brought, all pages of them. The plugins get a
        copy of the input: neither they nor the handler see what the other does to it.
        """
        if not self._has_plugins:
            return
        updated, known = list(updated_operation_ids), list(operations)
        self._updated = frozenset(updated)
        self._view.merge(known)
        infos = self._view.infos()
        begun_ms = next(
            (each.start_timestamp for each in known if each.type is OperationType.EXECUTION), None
        )
        self._start = InvocationStartInfo(
            request_id=request_id,
            execution_arn=execution_arn,
            is_first_invocation=is_first_invocation,
            execution_start_time=instant(begun_ms),
            execution_input=_copy_of(execution_input),
            operations=infos,
            updated_operations={each: infos[each] for each in updated if each in infos},
        )
        self._dispatch.create(self._start)
        self._dispatch.start(self._start)
        if self._dispatch.has_listener("on_operation_change"):
            self._changes = ChangeNotifier(execution_arn, self._view, self._call_change)

    def on_invocation_end(self, answer: InvocationOutput) -> None:
        """Call what is left, then ``on_invocation_end``; the last call of an invocation."""
        self._end(InvocationStatus(answer.status.value), error=answer.error, result=answer.result)

    def on_invocation_failed(self, error: BaseException) -> None:
        """As ``on_invocation_end``, for an invocation that ``error`` leaves; raises nothing."""
        try:
            self._end(InvocationStatus.RETRY, error=record_of(error))
        except BaseException:
            _logger.exception("a plugin tried to stop the thread of an invocation that has failed")

    @contextmanager
    def failing(self) -> Generator[None]:
        """Tell the plugins of whatever leaves the block, which then goes on."""
        try:
            yield
        except BaseException as error:
            self.on_invocation_failed(error)
            raise

    def on_operation_start(self, update: OperationUpdate, previous: Operation | None) -> None:
        """Call ``on_operation_start`` for an update that starts an operation; others are nothing.

        To be called before the update is queued; ``previous`` is what is recorded so far.
        """
        if update.action is not OperationAction.START:
            return
        self._dispatch.call(
            "on_operation_start",
            OperationStartInfo(
                operation_id=update.id,
                operation_type=update.type,
                sub_type=update.sub_type,
                name=update.name,
                parent_id=update.parent_id,
                start_time=None,
                is_replayed=previous is not None,
                status=OperationStatus.STARTED,
            ),
        )

    def on_replayed(self, operation: Operation) -> None:
        """Tell of a recorded operation that a replaying context meets.

        One that ended while the execution was suspended has its end hook now; one that has not
        ended its start hook, once an invocation.
        """
        if operation.id not in self._updated:
            self.on_operation_replay(operation)
        elif operation.type is not OperationType.EXECUTION:
            self.on_operation_update(operation)

    def on_operation_replay(self, operation: Operation) -> None:
        """Call ``on_operation_start`` for a recorded operation, unless it has ended or is READY."""
        if operation.type is OperationType.EXECUTION or operation.status is OperationStatus.READY:
            return
        with self._lock:
            if operation.id in self._replayed:
                return
            self._replayed.add(operation.id)
        if operation.status not in FINISHED_OPERATION_STATUSES:
            self._dispatch.call("on_operation_start", start_of(operation))

    def on_operation_update(self, operation: Operation) -> None:
        """Have the end hook called of an operation that ended before this invocation."""
        if operation.status in FINISHED_OPERATION_STATUSES:
            self._ends.tell_once(operation)

    def on_child_context_end(
        self,
        identity: HookIdentity,
        status: OperationStatus,
        *,
        error: WireError | None = None,
        is_replayed: bool = False,
    ) -> None:
        """Call ``on_operation_end`` for a context whose end is not stored, at every run of it."""
        self._dispatch.call(
            "on_operation_end",
            OperationEndInfo(
                operation_id=identity.operation_id,
                operation_type=identity.operation_type,
                sub_type=identity.sub_type,
                name=identity.name,
                parent_id=identity.parent_id,
                start_time=None,
                end_time=instant(now_ms()),
                status=status,
                error=ErrorObject.of(error),
                is_replayed=is_replayed,
            ),
        )

    @contextmanager
    def user_function(
        self,
        identity: HookIdentity,
        *,
        attempt: int | None = None,
        is_replay_children: bool = False,
    ) -> Generator[None]:
        """Call the hooks around a user's function, however it is left."""
        start = self.on_user_function_start(
            identity, attempt=attempt, is_replay_children=is_replay_children
        )
        outcome, error = UserFunctionOutcome.INCOMPLETE, None
        try:
            yield
            outcome = UserFunctionOutcome.SUCCEEDED
        except Exception as raised:
            outcome, error = UserFunctionOutcome.FAILED, record_of(raised)
            raise
        finally:
            self.on_user_function_end(start, error, outcome=outcome)

    def on_user_function_start(
        self,
        identity: HookIdentity,
        *,
        attempt: int | None = None,
        is_replay_children: bool = False,
    ) -> UserFunctionStartInfo:
        """Call ``on_user_function_start``; return what ``on_user_function_end`` is given."""
        info = UserFunctionStartInfo(
            operation_id=identity.operation_id,
            operation_type=identity.operation_type,
            sub_type=identity.sub_type,
            name=identity.name,
            parent_id=identity.parent_id,
            start_time=instant(now_ms()),
            is_replayed=False,
            status=OperationStatus.STARTED,
            is_replay_children=is_replay_children,
            attempt=attempt,
        )
        self._dispatch.call("on_user_function_start", info)
        return info

    def on_user_function_end(
        self,
        start: UserFunctionStartInfo,
        error: WireError | None,
        *,
        outcome: UserFunctionOutcome | None = None,
    ) -> None:
        """Call ``on_user_function_end``; without an outcome the error decides it."""
        info = UserFunctionEndInfo.from_start_info(
            start,
            ErrorObject.of(error),
            outcome=outcome,
            end_time=instant(now_ms()),
        )
        self._dispatch.call("on_user_function_end", info)

    def provide_propagation_metadata(self, info: PropagationInput) -> PropagationMetadata:
        """Return what the plugins add to a chained invoke that is about to be started."""
        return propagation_of(self._dispatch, info)

    def merged(self, operations: Sequence[Operation], waited_for: Collection[str] = ()) -> None:
        """Take note of a checkpoint's answer, before anybody can read it. Calls no hook.

        ``waited_for`` are the operations whose own threads wait for this very answer; they will
        come with ``observed(..., waiter=True)``.
        """
        if not self._has_plugins:
            return
        self._ends.record(operations, waited_for)
        changed = self._view.merge(operations)
        if changed and self._changes is not None:
            self._changes.submit(changed)

    def observed(self, operation_id: str, *, waiter: bool = False) -> None:
        """Have the end hook of an operation called before its result is acted on.

        Returns when the hook has returned, on whichever thread it was called.
        """
        self._ends.observed(operation_id, waiter=waiter)

    def _end(
        self,
        status: InvocationStatus,
        *,
        error: WireError | None = None,
        result: str | None = None,
    ) -> None:
        start = self._start
        if start is None:
            return
        held: BaseException | None = None
        try:
            self._finish()
        except BaseException as control:  # noqa: BLE001 - raised below
            held = control
        info = InvocationEndInfo.of(
            start, status=status, error=error, result=result, operations=self._view.infos()
        )
        try:
            self._dispatch.call_all("on_invocation_end", info)
        finally:
            if held is not None:
                raise held

    def _finish(self) -> None:
        """Call the end hooks that nobody came for, then deliver the last changes."""
        try:
            self._ends.drain()
        finally:
            changes, self._changes = self._changes, None
            if changes is not None:
                changes.close()

    def _call_end(self, operation: Operation) -> None:
        self._dispatch.call("on_operation_end", end_of(operation))

    def _call_change(self, info: OperationChangeInfo) -> None:
        self._dispatch.call_all("on_operation_change", info)


def _copy_of(execution_input: Any) -> Any:
    try:
        return copy.deepcopy(execution_input)
    except Exception:
        _logger.exception("the input cannot be copied for the plugins; they are given None")
        return None
