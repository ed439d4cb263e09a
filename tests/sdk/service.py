"""The service for the SDK's tests: the real state machine, in memory, by a clock that jumps.

Handlers run as on a server, one invocation after another; between two of them time passes to
whatever is due next. Nothing sleeps.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from perdure.core.commands import AnswerCallback, FinishChainedInvoke, Verdict, Wake
from perdure.core.errors import Refusal
from perdure.core.outcome import CheckpointReply, InvocationInput, Outcome
from perdure.core.render import operation_shape
from perdure.core.replay import replayed
from perdure.protocol.operations import ErrorObject, Operation, OperationUpdate
from perdure.protocol.words import ExecutionStatus, InvocationStatus, OperationStatus, OperationType
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.envelopes import Opening
from perdure.sdk.execution import DurableFunction
from perdure.sdk.loop import DurableLoop, new_event_loop
from perdure.sdk.loop_threads import ClientInThread
from perdure.sdk.parking import Parking
from tests.core.builders import Story, a_checkpoint, a_start

__all__ = ["Crash", "Ended", "Service"]

Target = Callable[[Any], Any]


class Crash(BaseException):
    """The process dies here: whatever it still does is recorded no more."""


@dataclass
class Ended:
    """How an execution ended."""

    status: ExecutionStatus
    result: Any
    error: ErrorObject | None
    invocations: int
    service: "Service"

    @property
    def operations(self) -> list[Operation]:
        """Everything recorded but the execution itself, in the order it began."""
        return self.service.operations()


@dataclass
class Service:
    """One execution of one function."""

    function: DurableFunction
    event: Any = None
    targets: dict[str, Target] = field(default_factory=dict[str, Target])
    keep: Parking | None = None
    #: answers a callback when its handler is suspended: (callback id) -> (payload, error) or None
    answer: Callable[[str], tuple[str | None, ErrorObject | None] | None] | None = None
    page: int = 1_000
    name: str = "order-1"
    batches: list[Sequence[OperationUpdate]] = field(
        default_factory=list[Sequence[OperationUpdate]]
    )
    before_checkpoint: Callable[[int], None] | None = None  #: may raise ``Crash``
    after_checkpoint: Callable[[int], None] | None = None

    def __post_init__(self) -> None:
        start = a_start(payload=json.dumps(self.event), name=self.name)
        self.story = Story(start, is_begun=False)
        self.invocations = 0
        self.envelopes: list[Opening] = []
        self._lock = threading.RLock()
        self._token: Any = None
        self._pages: list[Sequence[Operation]] = []
        self._is_dead = False

    # What handlers call.

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """Apply updates to the real state machine."""
        with self._lock:
            number = len(self.batches)
            if self._is_dead:
                raise _gone()
            if token != self._seal():
                raise ServiceError(
                    "Invalid checkpoint token", code="InvalidParameterValueException", status=400
                )
            self._die_at(self.before_checkpoint, number)
            self.batches.append(updates)
            command = a_checkpoint(self.story.execution, *updates, client_token=client_token)
            try:
                outcome = self.story.tell(command)
            except Refusal as refusal:
                raise ServiceError(
                    refusal.message, code="InvalidParameterValueException", status=400
                ) from None
            reply = outcome.reply
            assert isinstance(reply, CheckpointReply)
            self._die_at(self.after_checkpoint, number)
            shapes = [self._shape(operation) for operation in reply.operations]
            if not reply.token:
                return Progress(None, shapes, None)
            return Progress(self._seal(), *self._paged(shapes))

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Return a page of the state."""
        with self._lock:
            number = int(marker or 0)
            following = str(number + 1) if number + 1 < len(self._pages) else None
            return Progress(None, self._pages[number], following)

    def now_ms(self) -> int:
        """Return the service's time."""
        return self.story.now_ms

    # What the test does.

    def run(self, *, invocations_max: int = 1_000) -> Ended:
        """Run to the end, through every wait."""
        while self.go_on():
            assert self.invocations < invocations_max, "it does not end"
        return self.ended()

    def go_on(self) -> bool:
        """Do what is next, an invocation or the passing of time; return False at the end."""
        if self.story.progress.status is not ExecutionStatus.RUNNING:
            return False
        self._finish_children()
        self._answer_callbacks()
        if self.story.progress.ready_at_ms is None:
            self._pass_time()
        else:
            self.invoke()
        return True

    def invoke(self) -> dict[str, Any] | None:
        """Run one invocation; return its answer, None if it died."""
        self.story.now_ms = max(self.story.now_ms, self.story.progress.ready_at_ms or 0)
        begun = self.story.begin()
        self.invocations += 1
        self._is_dead = False
        opening = self._opening(begun)
        self.envelopes.append(opening)
        try:
            answer = self._invoke(opening)
            if self._is_dead:
                raise _gone()
        except Exception as error:  # noqa: BLE001 - whatever leaves a handler
            self._is_dead, self._kept = True, False
            verdict = Verdict(status=None, error=ErrorObject(error_message=str(error)))
            self._finish(verdict)
            return None
        if self.keep is not None:
            self._kept = bool(answer.get("Kept"))
        self._finish(_verdict(answer))
        return answer

    def operations(self) -> list[Operation]:
        """Return everything recorded but the execution itself, in the order it began."""
        return [
            self._shape(operation)
            for operation in self.story.execution.operations.values()
            if operation.type is not OperationType.EXECUTION
        ]

    _kept = False

    def _invoke(self, opening: Opening) -> dict[str, Any]:
        if not self.function.is_async:
            return self.function.invoke(opening, None, self, keep=self.keep)
        return LOOP.run(
            self.function.invoke_async(opening, None, ClientInThread(self), keep=self.keep)
        )

    def _opening(self, begun: Outcome) -> Opening:
        reply = begun.reply
        assert isinstance(reply, InvocationInput)
        changes = [self._shape(operation) for operation in reply.changes]
        ids = [operation.id for operation in changes]
        whole = [self._shape(o) for o in replayed(self.story.execution.operations)]
        first, marker = self._paged(whole)
        arn = self.story.execution.identity.arn
        if self._kept:
            return Opening(arn, self._seal(), changes, None, ids, changes_only=True)
        return Opening(arn, self._seal(), first, marker, ids)

    def _paged(self, shapes: list[Operation]) -> tuple[Sequence[Operation], str | None]:
        """Return the first page, and where the next one is."""
        self._pages = [shapes[i : i + self.page] for i in range(0, len(shapes), self.page)] or [()]
        return self._pages[0], "1" if len(self._pages) > 1 else None

    def _finish(self, verdict: Verdict) -> None:
        with self._lock:
            if self.story.progress.status is ExecutionStatus.RUNNING:
                self.story.tell(
                    self.story.a_finish(verdict.status, result=verdict.result, error=verdict.error)
                )
            elif self.story.progress.lease_until_ms is not None:
                self.story.tell(self.story.a_finish(verdict.status, result=verdict.result))

    def _finish_children(self) -> None:
        for operation in list(self.story.execution.operations.values()):
            is_open = operation.status is OperationStatus.STARTED
            if operation.type is OperationType.CHAINED_INVOKE and is_open:
                target = self.targets[operation.target or ""]
                try:
                    payload = json.dumps(target(json.loads(operation.input or "null")))
                    end = FinishChainedInvoke(
                        operation_id=operation.id, status=OperationStatus.SUCCEEDED, payload=payload
                    )
                except Exception as error:  # noqa: BLE001 - the target's own
                    end = FinishChainedInvoke(
                        operation_id=operation.id,
                        status=OperationStatus.FAILED,
                        error=ErrorObject(error_type="Failed", error_message=str(error)),
                    )
                self.story.tell(end)

    def _answer_callbacks(self) -> None:
        for operation in list(self.story.execution.operations.values()):
            is_open = operation.status is OperationStatus.STARTED
            if operation.type is OperationType.CALLBACK and is_open and self.answer:
                answer = self.answer(_callback_id(operation.id))
                if answer is not None:
                    self.story.tell(
                        AnswerCallback(
                            operation_id=operation.id, payload=answer[0], error=answer[1]
                        )
                    )

    def _pass_time(self) -> None:
        progress = self.story.progress
        if progress.ready_at_ms is not None:
            return
        assert progress.wake_at_ms is not None, "nothing is due, and nothing runs"
        self.story.now_ms = max(self.story.now_ms, progress.wake_at_ms)
        self.story.tell(Wake())

    def _die_at(self, point: Callable[[int], None] | None, number: int) -> None:
        if point is not None:
            try:
                point(number)
            except Crash:
                self._is_dead = True
                raise _gone() from None

    def _seal(self) -> str:
        progress = self.story.progress
        return f"{progress.epoch}.{progress.token_sequence}"

    def _shape(self, operation: Any) -> Operation:
        return operation_shape(operation, _callback_id)

    def ended(self) -> Ended:
        """Return how it ended."""
        root = next(iter(self.story.execution.operations.values()))
        result = root.payload
        return Ended(
            self.story.progress.status,
            json.loads(result) if result else None,
            root.error,
            self.invocations,
            self,
        )


def _gone() -> ServiceError:
    return ServiceError("the process is gone", code="Gone", status=503)


def _callback_id(operation_id: str) -> str:
    return f"callback-{operation_id}"


def _verdict(answer: dict[str, Any]) -> Verdict:
    error = answer.get("Error")
    return Verdict(
        status=InvocationStatus(answer["Status"]),
        result=answer.get("Result"),
        error=ErrorObject(
            error_message=error.get("ErrorMessage"),
            error_type=error.get("ErrorType"),
            error_data=error.get("ErrorData"),
        )
        if error
        else None,
    )


class _Loop:
    """One loop for all async handlers of a test process."""

    def __init__(self) -> None:
        self._loop: DurableLoop | None = None

    def run(self, coroutine: Any) -> Any:
        """Run a coroutine to its end."""
        if self._loop is None:
            self._loop = new_event_loop()
        return self._loop.run_until_complete(coroutine)


LOOP = _Loop()
