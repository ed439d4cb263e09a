"""The workbench of one command: what it has changed so far, laid over an execution that it leaves
alone.
"""

from collections.abc import Iterator
from typing import Any, Final

from perdure.core.event import Detail, Event
from perdure.core.execution import Execution, ExecutionKind, Progress, waits_outside
from perdure.core.operation import Operation, changed, places_of
from perdure.core.outcome import Effect, Message, Outcome, Reply
from perdure.core.transitions import Happening, next_status
from perdure.protocol.words import EventType

__all__ = ["Draft"]

_OPERATION: Final = places_of(Operation)
_PROGRESS: Final = places_of(Progress)


class Draft:
    """Collects changes; ``finish`` makes them an outcome. ``now_ms`` never lies before the
    execution's last change.
    """

    def __init__(self, base: Execution, now_ms: int) -> None:
        """Begin with nothing changed."""
        self.base = base
        self.identity = base.identity
        self.progress = base.progress
        self.now_ms = max(now_ms, base.progress.updated_at_ms)
        self.operations: dict[str, Operation] = {}
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.effects: list[Effect] = []
        self.sequence = base.progress.sequence
        self._seen_sequence = base.progress.seen_sequence
        self._operation_count = base.progress.operation_count
        self._stored_bytes = base.progress.stored_bytes

    @property
    def is_durable(self) -> bool:
        """Whether the execution is a durable function's."""
        return self.identity.kind is ExecutionKind.DURABLE

    def update(self, **changes: Any) -> None:
        """Change members of the progress."""
        self.progress = changed(self.progress, _PROGRESS, changes)

    @property
    def operation_count(self) -> int:
        """How many operations there are now."""
        return self._operation_count

    @property
    def stored_bytes(self) -> int:
        """How much they keep now."""
        return self._stored_bytes

    def operation(self, operation_id: str) -> Operation | None:
        """Return the operation as it now is."""
        return self.operations.get(operation_id) or self.base.operations.get(operation_id)

    def put(self, operation: Operation, **changes: Any) -> Operation:
        """Record ``operation`` with ``changes``, under the next sequence number."""
        before = self.operation(operation.id)
        self.sequence += 1
        changes["sequence"] = self.sequence
        changes["position"] = self.sequence if before is None else before.position
        put = changed(operation, _OPERATION, changes)
        self.operations[put.id] = put
        if before is None:
            self._operation_count += 1
            self._stored_bytes += put.size_bytes
        else:
            self._stored_bytes += put.size_bytes - before.size_bytes
            self._keep_for_reply(before)
        return put

    def move(self, operation: Operation, happening: Happening, **changes: Any) -> Operation:
        """Record what ``happening`` makes of ``operation``; the pair must be in the table."""
        status = next_status(operation.type, operation.status, happening)
        assert status is not None, f"E2 violated: {operation.type} {operation.status} {happening}"
        return self.put(operation, status=status, **changes)

    def record(self, kind: EventType, operation_id: str | None = None, **details: Detail) -> None:
        """Append an event."""
        number = self.base.progress.event_count + len(self.events) + 1
        self.events.append(Event(number, kind, self.now_ms, operation_id, details or None))

    def send(self, message: Message) -> None:
        """Commit a message to somebody else with the change."""
        self.messages.append(message)

    def hint(self, effect: Effect) -> None:
        """Tell the engine at hand what to do once the change is committed."""
        self.effects.append(effect)

    def pending(self) -> Iterator[tuple[str, int | None]]:
        """Yield the operations that something other than the handler will change, with when time
        would.
        """
        touched = self.operations
        for operation_id, wakes_at_ms in self.base.pending.items():
            if operation_id not in touched:
                yield operation_id, wakes_at_ms
        for operation in touched.values():
            if waits_outside(operation):
                yield operation.id, operation.wakes_at_ms

    def has_unseen(self) -> bool:
        """Tell whether an operation has changed that the handler may not have heard of."""
        return self.sequence > self._seen_sequence and any(self._unseen())

    def news(self, *, after_sequence: int) -> tuple[Operation, ...]:
        """Return what has changed after ``after_sequence``, in the order of change."""
        if self.sequence == after_sequence:
            return ()
        changes = [change for change in self._unseen() if change.sequence > after_sequence]
        return tuple(sorted(changes, key=_by_sequence))

    def see(self, sequence: int) -> None:
        """Count every change up to ``sequence`` as heard by the handler: it is never told again."""
        self._seen_sequence = max(self._seen_sequence, sequence)

    def deliver(self) -> tuple[Operation, ...]:
        """Return what the handler has not heard yet, in the order of change, and count it heard."""
        told = self.news(after_sequence=self._seen_sequence)
        self.see(self.sequence)
        return told

    def finish(self, reply: Reply, **changes: Any) -> Outcome:
        """Return the outcome; ``changes`` are last changes of the progress."""
        before = self.base.progress
        is_delivery = self._seen_sequence != before.seen_sequence
        if self.progress is not before or self.operations or self.events or is_delivery or changes:
            self.update(
                version=before.version + 1,
                updated_at_ms=self.now_ms,
                wake_at_ms=self._next_wake_ms(),
                sequence=self.sequence,
                seen_sequence=self._seen_sequence,
                event_count=before.event_count + len(self.events),
                operation_count=self._operation_count,
                stored_bytes=self._stored_bytes,
                **changes,
            )
        return Outcome(
            identity=self.identity,
            progress=self.progress,
            base_version=self.base.progress.version,
            reply=reply,
            operations=self.operations,
            events=tuple(self.events),
            messages=tuple(self.messages),
            effects=tuple(self.effects),
            is_delivery=is_delivery,
        )

    def _unseen(self) -> Iterator[Operation]:
        for operation_id in self.base.unseen:
            if operation_id not in self.operations:
                yield self.base.operations[operation_id]
        yield from self.operations.values()

    def _next_wake_ms(self) -> int | None:
        if self.progress.ended_at_ms is not None:
            return None
        least = self.progress.timeout_at_ms
        for _, wakes_at_ms in self.pending():
            if wakes_at_ms is not None and (least is None or wakes_at_ms < least):
                least = wakes_at_ms
        return least

    def _keep_for_reply(self, before: Operation) -> None:
        last = self.progress.last_reply
        if last is not None and last.after_sequence < before.sequence <= last.until_sequence:
            kept = last._replace(earlier=(*last.earlier, before))
            self.progress = self.progress._replace(last_reply=kept)


def _by_sequence(operation: Operation) -> int:
    return operation.sequence
