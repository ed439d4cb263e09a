"""The workbench of one command: what it has changed so far, laid over an execution that it leaves
alone.
"""

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
        self.operation_count = base.progress.operation_count  #: how many there are now
        self.stored_bytes = base.progress.stored_bytes  #: how much they keep now
        self._seen_sequence = base.progress.seen_sequence

    @property
    def is_durable(self) -> bool:
        """Whether the execution is a durable function's."""
        return self.identity.kind is ExecutionKind.DURABLE

    def update(self, **changes: Any) -> None:
        """Change members of the progress."""
        self.progress = changed(self.progress, _PROGRESS, changes)

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
            self.operation_count += 1
            self.stored_bytes += put.size_bytes
        else:
            self.stored_bytes += put.size_bytes - before.size_bytes
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

    def pending(self) -> list[tuple[str, int | None]]:
        """Return the operations that something other than the handler will change, with when time
        would.
        """
        touched = self.operations
        found = [waiting for waiting in self.base.pending.items() if waiting[0] not in touched]
        found += [(o.id, o.wakes_at_ms) for o in touched.values() if waits_outside(o)]
        return found

    def wakes_at_ms(self) -> int | None:
        """Return the earliest instant at which time alone changes an operation, or None."""
        touched, least = self.operations, None
        for operation_id, at_ms in self.base.pending.items():
            is_sooner = at_ms is not None and (least is None or at_ms < least)
            if is_sooner and operation_id not in touched:
                least = at_ms
        for operation in touched.values():
            at_ms = operation.wakes_at_ms
            is_sooner = at_ms is not None and (least is None or at_ms < least)
            if is_sooner and waits_outside(operation):
                least = at_ms
        return least

    def has_unseen(self) -> bool:
        """Tell whether an operation has changed that the handler may not have heard of."""
        return self.sequence > self._seen_sequence and bool(self._unseen())

    def news(self, *, after_sequence: int) -> tuple[Operation, ...]:
        """Return what has changed after ``after_sequence``, in the order of change."""
        if self.sequence == after_sequence:
            return ()
        news = [change for change in self._unseen() if change.sequence > after_sequence]
        news.sort(key=_by_sequence)
        return tuple(news)

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
            changes["version"] = before.version + 1
            changes["updated_at_ms"] = self.now_ms
            changes["wake_at_ms"] = self._next_wake_ms()
            changes["sequence"] = self.sequence
            changes["seen_sequence"] = self._seen_sequence
            changes["event_count"] = before.event_count + len(self.events)
            changes["operation_count"] = self.operation_count
            changes["stored_bytes"] = self.stored_bytes
            self.progress = changed(self.progress, _PROGRESS, changes)
        return Outcome(
            identity=self.identity,
            progress=self.progress,
            base_version=before.version,
            reply=reply,
            operations=self.operations,
            events=tuple(self.events),
            messages=tuple(self.messages),
            effects=tuple(self.effects),
            is_delivery=is_delivery,
        )

    def _unseen(self) -> list[Operation]:
        unseen = [*self.operations.values()]
        if self.base.unseen:
            known = self.base.operations
            unseen += [known[i] for i in self.base.unseen if i not in self.operations]
        return unseen

    def _next_wake_ms(self) -> int | None:
        if self.progress.ended_at_ms is not None:
            return None
        wakes_at_ms, timeout_at_ms = self.wakes_at_ms(), self.progress.timeout_at_ms
        if wakes_at_ms is None or timeout_at_ms is None:
            return timeout_at_ms if wakes_at_ms is None else wakes_at_ms
        return min(wakes_at_ms, timeout_at_ms)

    def _keep_for_reply(self, before: Operation) -> None:
        last = self.progress.last_reply
        if last is not None and last.after_sequence < before.sequence <= last.until_sequence:
            kept = last._replace(earlier=(*last.earlier, before))
            self.progress = self.progress._replace(last_reply=kept)


def _by_sequence(operation: Operation) -> int:
    return operation.sequence
