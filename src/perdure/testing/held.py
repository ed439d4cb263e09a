"""One execution in the service for tests, with what is known of it beside its state."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from perdure.core.commands import Start, Token
from perdure.core.execution import Execution, ExecutionKind, Identity, ParentLink
from perdure.core.history import HistoryReader
from perdure.core.render import operation_shape
from perdure.core.replay import replayed
from perdure.protocol.arns import execution_arn
from perdure.protocol.words import OperationType
from perdure.sdk.client import ServiceError
from perdure.testing.functions import FOREVER_SECONDS, LATEST, Registered

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from perdure.core.event import Event
    from perdure.core.operation import Operation
    from perdure.core.outcome import StartChild
    from perdure.protocol.events import Event as EventShape
    from perdure.protocol.operations import Operation as OperationShape
    from perdure.testing.invocation import HandlerRun, InvocationClient

__all__ = ["NONCE", "Held", "Origin", "child_start", "parent_start"]

#: What makes tokens unforgeable on a server is no secret here.
NONCE: Final = hashlib.sha256(b"perdure.testing").digest()
_OPERATION_BYTES: Final = 400


@dataclass(slots=True, eq=False)
class Held:
    """An execution, its function, its history, and the handler that runs it."""

    execution: Execution
    function: Registered
    account_id: str
    events: list[Event] = field(default_factory=list["Event"])
    run: HandlerRun | None = None  #: the handler that runs now, or is kept
    client: InvocationClient | None = None  #: of the invocation that runs now
    is_kept: bool = False
    settled_sequence: int = 0  #: what began up to here began before an invocation that has ended
    responded: set[str] = field(default_factory=set[str])  #: callbacks that a responder answers
    invocations: int = 0  #: how many have begun
    _pages: list[list[OperationShape]] = field(default_factory=list["list[OperationShape]"])

    @property
    def arn(self) -> str:
        """Its ARN."""
        return self.execution.identity.arn

    @property
    def is_durable(self) -> bool:
        """Whether its function is durable."""
        return self.execution.identity.kind is ExecutionKind.DURABLE

    @property
    def root(self) -> Operation:
        """The operation that is the execution itself."""
        return self.execution.operations[self.execution.identity.id]

    @property
    def token(self) -> str:
        """The checkpoint token that is valid now."""
        progress = self.execution.progress
        return f"{progress.epoch}.{progress.token_sequence}"

    @property
    def next_due_ms(self) -> int | None:
        """The earliest instant at which time alone moves it, or None.

        That it ends when the longest life of all is over is not counted: time would skip there
        while somebody is still to answer.
        """
        progress = self.execution.progress
        due: list[int | None] = [progress.ready_at_ms]
        if self.function.timeout_seconds < FOREVER_SECONDS:
            due.append(progress.wake_at_ms)
        else:
            due += self.execution.pending.values()
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def forget_run(self) -> None:
        """Count the handler that was kept, if any, as gone: what it still does did not happen."""
        self.is_kept = False
        if self.run is not None:
            self.run.is_dead = True

    def token_of(self, text: str) -> Token:
        """Return what a token says; raise ``ServiceError`` if it is none."""
        epoch, _, sequence = text.partition(".")
        if not (epoch.isdigit() and sequence.isdigit()):
            message = "Invalid checkpoint token"
            raise ServiceError(message, code="InvalidParameterValueException", status=400)
        return Token(int(epoch), int(sequence), NONCE)

    def callback_id(self, operation_id: str) -> str:
        """Return the id a callback is answered with."""
        return f"{self.execution.identity.id}/{operation_id}"

    def shape(self, operation: Operation) -> OperationShape:
        """Return an operation as it travels."""
        return operation_shape(operation, self.callback_id)

    def shapes(self) -> list[OperationShape]:
        """Return every operation, in the order they began."""
        return [self.shape(operation) for operation in self.execution.operations.values()]

    def history(self, *, with_data: bool) -> list[EventShape]:
        """Return every event."""
        execution = self.execution
        reader = HistoryReader(
            execution.identity, execution.operations, self.callback_id, with_data=with_data
        )
        return [reader.shape(event) for event in self.events]

    def open_callbacks(self) -> Iterator[Operation]:
        """Yield the callbacks that wait for an answer."""
        for operation_id in list(self.execution.pending):
            operation = self.execution.operations[operation_id]
            if operation.type is OperationType.CALLBACK:
                yield operation

    def is_ready_for_answer(self, callback: Operation) -> bool:
        """Tell whether the invocation that made the callback has ended."""
        return callback.position <= self.settled_sequence

    def answers_to(self, callback: Operation, name: str) -> bool:
        """Tell whether ``name`` is the callback's, or its ``wait_for_callback``'s."""
        around = self.execution.operations.get(callback.parent_id or "")
        return name == callback.name or (around is not None and name == around.name)

    def open_pages(self, bytes_max: int) -> tuple[Sequence[OperationShape], str | None]:
        """Lay out what a replay sees in pages; return the first, and the marker of the second."""
        pages: list[list[OperationShape]] = [[]]
        size = 0
        for operation in replayed(self.execution.operations):
            size += _OPERATION_BYTES + operation.size_bytes
            if pages[-1] and size > bytes_max:
                pages.append([])
                size = _OPERATION_BYTES + operation.size_bytes
            pages[-1].append(self.shape(operation))
        self._pages = pages
        return self.page(None)

    def page(self, marker: str | None) -> tuple[Sequence[OperationShape], str | None]:
        """Return the page at a marker, and the marker of the next one."""
        number = int(marker or 0)
        following = str(number + 1) if number + 1 < len(self._pages) else None
        return self._pages[number], following


class Origin(NamedTuple):
    """Where an execution comes from that a test asks for."""

    function_arn: str
    name: str
    tenant_id: str | None = None


def parent_start(
    function: Registered, origin: Origin, payload: str | None, *, number: int, now_ms: int
) -> Start:
    """Return the start of the ``number``-th execution of a runner."""
    place = f"{origin.function_arn}/{origin.name}/{number}"
    execution_id = hashlib.sha256(place.encode()).hexdigest()[:32]
    identity = Identity(
        id=execution_id,
        name=origin.name,
        arn=execution_arn(origin.function_arn, LATEST, origin.name, execution_id),
        function_arn=origin.function_arn,
        invoked_arn=f"{origin.function_arn}:{LATEST}",
        version=LATEST,
        code_sha256="",
        started_at_ms=now_ms,
        execution_timeout_seconds=function.timeout_seconds,
        retention_days=function.retention_days,
        input_sha256=hashlib.sha256((payload or "").encode()).digest(),
        tenant_id=origin.tenant_id,
    )
    return Start(identity=identity, input=payload)


def child_start(letter: StartChild, sender_id: str, function: Registered, now_ms: int) -> Start:
    """Return the start that a chained invoke asks for."""
    qualified = f"{letter.function_arn}:{letter.version}"
    is_durable = letter.child_arn is not None
    identity = Identity(
        id=letter.child_id,
        name=letter.child_id,
        arn=letter.child_arn or f"{qualified}/{letter.child_id}",
        kind=ExecutionKind.DURABLE if is_durable else ExecutionKind.PLAIN,
        function_arn=letter.function_arn,
        invoked_arn=qualified,
        version=letter.version,
        code_sha256="",
        started_at_ms=now_ms,
        execution_timeout_seconds=function.timeout_seconds,
        retention_days=function.retention_days,
        input_sha256=hashlib.sha256((letter.payload or "").encode()).digest(),
        parent=ParentLink(sender_id, letter.operation_id),
        depth=letter.depth,
        tenant_id=letter.tenant_id,
        trace_id=letter.trace_id,
    )
    return Start(identity=identity, input=letter.payload)
