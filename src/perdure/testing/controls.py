"""What a test does to running executions: waits for them, answers their callbacks, pauses them, and
reads what has become of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.core.commands import AnswerCallback, Command, Heartbeat, Pause, Resume, Stop
from perdure.core.errors import Refusal
from perdure.protocol.operations import ErrorObject as WireError
from perdure.protocol.words import ExecutionStatus
from perdure.sdk.error_object import ErrorObject
from perdure.testing.clock import instant_of
from perdure.testing.exceptions import (
    DurableFunctionsTestError,
    ResourceNotFoundException,
    api_exception,
)
from perdure.testing.history import Event, GetDurableExecutionHistoryResponse
from perdure.testing.results import DurableFunctionTestResult, Standing
from perdure.testing.texts import as_text

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable

    from perdure.testing.held import Held
    from perdure.testing.service import LocalService

__all__ = ["Controls", "result_of"]


class Controls:
    """The executions of one service, in the hands of a test."""

    def __init__(self, service: LocalService) -> None:
        """Control ``service``."""
        self._service = service

    def close(self) -> None:
        """Invoke nothing more; handlers that run end at their next call. What became of the
        executions can still be read.
        """
        self._service.close()

    @property
    def now(self) -> datetime.datetime:
        """The time that executions see."""
        return instant_of(self._service.clock.now_ms())

    def trees(self) -> list[str]:
        """Return a drawing of every execution so far, children included."""
        with self._service.lock:
            held = [one for one in self._service.executions.held.values() if one.is_durable]
            return [result_of(one).tree() for one in held]

    def wait_for_result(self, execution_arn: str, timeout: int = 60) -> DurableFunctionTestResult:
        """Let time pass until an execution has ended; return what became of it."""
        held = self._find(execution_arn)
        self._wait(held, lambda: held.execution.is_closed or None, timeout, "end")
        return self.get_result(execution_arn)

    def get_result(self, execution_arn: str) -> DurableFunctionTestResult:
        """Return what has become of an execution so far."""
        held = self._find(execution_arn)
        with self._service.lock:
            return result_of(held)

    def wait_for_callback(
        self, execution_arn: str, name: str | None = None, timeout: int = 60
    ) -> str:
        """Let time pass until there is a callback to answer; return its id.

        ``name`` is the callback's, or that of the ``wait_for_callback`` it belongs to; without one,
        the callback that began last is meant.

        Raises:
            DurableFunctionsTestError: the execution has ended.
            TimeoutError: there is none in that time, or never will be.
        """
        held = self._find(execution_arn)

        def look() -> str | None:
            found = [
                callback.id
                for callback in held.open_callbacks()
                if held.is_ready_for_answer(callback)
                and (name is None or held.answers_to(callback, name))
            ]
            if found:
                return held.callback_id(found[-1 if name is None else 0])
            if held.execution.is_closed:
                which = f"callback {name!r}" if name else "callback"
                tree = result_of(held).tree()
                raise DurableFunctionsTestError(
                    f"the execution has ended, with no open {which}\n{tree}"
                )
            return None

        return self._wait(held, look, timeout, f"have a callback {name or ''}".rstrip())

    def send_callback_success(self, callback_id: str, result: Any = None) -> None:
        """Answer a callback: with bytes or text as they are, with anything else as JSON."""
        self._tell_callback(
            callback_id,
            lambda operation_id: AnswerCallback(operation_id=operation_id, payload=as_text(result)),
        )

    def send_callback_failure(self, callback_id: str, error: ErrorObject | None = None) -> None:
        """Let a callback fail."""
        record = WireError() if error is None else error.to_wire()
        self._tell_callback(
            callback_id,
            lambda operation_id: AnswerCallback(operation_id=operation_id, error=record),
        )

    def send_callback_heartbeat(self, callback_id: str) -> None:
        """Say that a callback is still being worked on."""
        self._tell_callback(callback_id, lambda operation_id: Heartbeat(operation_id=operation_id))

    def pause_execution(self, execution_arn: str, timeout: float = 60) -> None:
        """Invoke an execution no more; return when no invocation of it runs."""
        held = self._find(execution_arn)
        if held.execution.progress.status is ExecutionStatus.RUNNING:
            self._tell(held, Pause())
        self._wait(held, lambda: held.client is None or None, timeout, "pause")

    def resume_execution(self, execution_arn: str) -> None:
        """Invoke an execution again."""
        held = self._find(execution_arn)
        if held.execution.progress.pause is not None:
            self._tell(held, Resume())

    def stop_execution(self, execution_arn: str, error: ErrorObject | None = None) -> None:
        """End an execution from outside."""
        self._tell(self._find(execution_arn), Stop(error=error.to_wire() if error else None))

    def get_execution_history(
        self, execution_arn: str, include_execution_data: bool = False
    ) -> GetDurableExecutionHistoryResponse:
        """Return the history of an execution: one that a test started, or a child of one."""
        held = self._find(execution_arn)
        with self._service.lock:
            shapes = held.history(with_data=include_execution_data)
        return GetDurableExecutionHistoryResponse([Event.of(shape) for shape in shapes])

    def _find(self, arn: str) -> Held:
        held = self._service.executions.held.get(arn)
        if held is None:
            raise ResourceNotFoundException(f"there is no execution {arn!r}")
        return held

    def _tell(self, held: Held, command: Command) -> None:
        try:
            self._service.tell(held, command)
        except Refusal as refusal:
            raise api_exception(refusal.code, refusal.message) from None

    def _tell_callback(self, callback_id: str, command: Callable[[str], Command]) -> None:
        found = self._service.executions.find_callback(callback_id)
        if found is None:
            raise ResourceNotFoundException(f"there is no callback {callback_id!r}")
        held, operation_id = found
        self._tell(held, command(operation_id))

    def _wait(self, held: Held, find: Callable[[], Any], timeout: float, what: str) -> Any:
        try:
            return self._service.wait(find, timeout)
        except TimeoutError as error:
            tree = self.get_result(held.arn).tree()
            raise TimeoutError(f"the execution did not {what}: {error}\n{tree}") from None


def result_of(held: Held) -> DurableFunctionTestResult:
    """Return what has become of an execution; the service's lock is held."""
    identity, root = held.execution.identity, held.root
    return DurableFunctionTestResult.of(
        held.shapes(),
        held.history(with_data=True),
        Standing(
            identity.arn,
            identity.name,
            held.execution.progress.status,
            root.payload,
            ErrorObject.of(root.error),
        ),
    )
