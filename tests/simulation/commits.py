"""The oracle at the store: it sees every change that is committed, and keeps an account of its own.

History only grows, ends are final, attempts do not reach past their own end, and time does nothing
before its time. It reads no bookkeeping of the engine's beside what is committed.
"""

from collections.abc import Callable
from typing import Final

from perdure.core.event import Event
from perdure.core.execution import ExecutionKind
from perdure.core.operation import Operation
from perdure.protocol.words import EventType, ExecutionStatus, OperationStatus, OperationType
from perdure.store.change import Change

from .records import Attempt, Call, Life

__all__ = ["Commits"]

_ENDS_OF_EXECUTIONS: Final = frozenset(
    {
        EventType.EXECUTION_SUCCEEDED,
        EventType.EXECUTION_FAILED,
        EventType.EXECUTION_TIMED_OUT,
        EventType.EXECUTION_STOPPED,
    }
)
_ENDS_OF_OPERATIONS: Final = frozenset(
    {
        EventType.WAIT_SUCCEEDED,
        EventType.WAIT_CANCELLED,
        EventType.CONTEXT_SUCCEEDED,
        EventType.CONTEXT_FAILED,
        EventType.CHAINED_INVOKE_SUCCEEDED,
        EventType.CHAINED_INVOKE_FAILED,
        EventType.CHAINED_INVOKE_TIMED_OUT,
        EventType.CHAINED_INVOKE_STOPPED,
        EventType.CALLBACK_SUCCEEDED,
        EventType.CALLBACK_FAILED,
        EventType.CALLBACK_TIMED_OUT,
    }
)
_ANSWERED: Final = (OperationStatus.SUCCEEDED, OperationStatus.FAILED)
_ATTEMPT_ENDS: Final = (*_ANSWERED, OperationStatus.PENDING)
_NEVER_CHANGING: Final = ("type", "name", "parent_id", "sub_type", "started_at_ms", "position")

Complain = Callable[..., None]


class Commits:
    """Judges each commit against those before it."""

    def __init__(self, complain: Complain, tick: Callable[[], int]) -> None:
        """Report to ``complain``; number what happens with ``tick``."""
        self._complain = complain
        self._tick = tick
        self.lives: dict[str, Life] = {}
        self.attempts: dict[str, Attempt] = {}  #: by request id
        self.children: dict[tuple[str, str], list[str]] = {}
        self._names: dict[tuple[str, str], str] = {}

    def committed(self, change: Change, call: Call | None, clock_ms: int) -> None:
        """Take note of a change that the store has just taken; ``clock_ms``: the server's clock."""
        life = self._life(change)
        if life is None:
            return
        before = life.progress
        if (change.expected_version, change.progress.version) != (
            before.version,
            before.version + 1,
        ):
            self._complain(
                "F1", life.id, f"version {change.progress.version} follows {before.version}"
            )
        self._check_attempt(life, change, call)
        if before.ended_at_ms is not None:
            self._check_ended(life, change)
        self._check_events(life, change)
        clock_ms = max(clock_ms, before.updated_at_ms)
        for operation in change.operations:
            self._check_operation(life, operation, call, clock_ms)
        self._note_news(life, change, call)
        life.touched[change.progress.version] = {o.id: o.status for o in change.operations}
        life.operations.update((o.id, o) for o in change.operations)
        self._note_attempt(life, change)
        life.progress = change.progress
        self._check_wake(life)
        if change.progress.quarantine is not None and before.quarantine is None:
            self._complain("E", life.id, f"quarantined: {change.progress.quarantine}")
        if change.progress.status is ExecutionStatus.DELETING:
            self._free_name(life)

    def erased(self, execution_id: str) -> None:
        """Take note that the store has removed an execution."""
        life = self.lives.get(execution_id)
        if life is None:
            return
        if life.progress.status is not ExecutionStatus.DELETING:
            self._complain("R1", execution_id, f"erased while it was {life.progress.status}")
        life.is_erased = True

    def _life(self, change: Change) -> Life | None:
        life = self.lives.get(change.execution_id)
        if change.expected_version:
            if life is None or life.is_erased:
                self._complain("R2", change.execution_id, "changed, but it is not there")
                return None
            return life
        identity = change.identity
        assert identity is not None
        if identity.parent is not None:
            started = self.children.setdefault(tuple(identity.parent), [])
            started.append(identity.id)
            if len(started) > 1:
                self._complain("I4", identity.id, f"child of {identity.parent} started again")
        if life is not None:
            self._complain("I1", identity.id, "begun twice")
        if identity.kind is ExecutionKind.DURABLE:
            key = (identity.function_arn, identity.name)
            if key in self._names:
                self._complain("I1", identity.id, f"name {identity.name} was taken")
            self._names[key] = identity.id
        life = self.lives[identity.id] = Life(identity)
        return life

    def _free_name(self, life: Life) -> None:
        key = (life.identity.function_arn, life.identity.name)
        if self._names.get(key) == life.id:
            del self._names[key]

    def _check_attempt(self, life: Life, change: Change, call: Call | None) -> None:
        attempt = call.attempt if call is not None else None
        if call is None or attempt is None or call.method != "checkpoint_durable_execution":
            return
        call.commits.append(change.progress.version)
        if attempt.execution_id != life.id:
            self._complain("F1", life.id, f"changed by a token of {attempt.execution_id}")
        token = call.request.checkpoint_token
        if token in attempt.consumed:
            self._complain("F2", life.id, f"token of attempt {attempt.number} was used twice")
        attempt.consumed[token] = change.progress.version
        latest = life.attempts[-1]
        if latest is not attempt:
            self._complain(
                "F1",
                life.id,
                f"checkpoint of attempt {attempt.number} accepted during {latest.number}",
            )
        elif attempt.is_over:
            self._complain("F7", life.id, f"attempt {attempt.number} was over, and wrote")

    def _note_attempt(self, life: Life, change: Change) -> None:
        request_id = change.progress.request_id
        latest = life.attempts[-1] if life.attempts else None
        if latest is not None and latest.request_id != request_id:
            latest.is_over = True
        if request_id is None or request_id in self.attempts:
            return
        if latest is not None and life.progress.request_id == latest.request_id:
            self._complain("F5", life.id, f"attempt {latest.number} was still running")
        if life.is_pause_acknowledged:
            self._complain("X7", life.id, "an attempt began during a pause")
        attempt = Attempt(
            number=len(life.attempts) + 1,
            execution_id=life.id,
            request_id=request_id,
            begun_tick=self._tick(),
            synced_version=change.progress.version,
            state=dict(life.operations),
        )
        life.attempts.append(attempt)
        life.has_news = False
        self.attempts[request_id] = attempt

    def _note_news(self, life: Life, change: Change, call: Call | None) -> None:
        if call is not None and call.attempt is not None and not _is_late_copy(call):
            # It is told with the answer, unless it is given no token to go on with.
            life.has_news = life.has_news and not change.progress.nonce_sha256
            return
        for operation in change.operations:
            before = life.operations.get(operation.id)
            if before is not None and before.status is not operation.status:
                life.has_news = True

    def _check_wake(self, life: Life) -> None:
        """A wake-up is in the very commit that makes it necessary (D3, X8)."""
        progress = life.progress
        is_asleep = progress.request_id is None and progress.pause is None and not life.is_ended
        is_forgotten = progress.ready_at_ms is None and progress.quarantine is None
        if is_asleep and life.has_news and is_forgotten:
            self._complain("X8", life.id, "it sleeps, and was not told what has come about")

    def _check_ended(self, life: Life, change: Change) -> None:
        before, after = life.progress, change.progress
        if after.status not in (before.status, ExecutionStatus.DELETING):
            self._complain("X1", life.id, f"{before.status} became {after.status}")
        if change.operations or change.events or change.letters:
            self._complain("X1", life.id, "something was added after the end")
        if after.ended_at_ms != before.ended_at_ms:
            self._complain("X1", life.id, "the end moved")

    def _check_events(self, life: Life, change: Change) -> None:
        for event in change.events:
            if event.id != life.event_count + 1:
                self._complain("H1", life.id, f"event {event.id} follows {life.event_count}")
            if event.at_ms < life.event_at_ms:
                self._complain("H1", life.id, f"event {event.id} lies before the one before it")
            life.event_count, life.event_at_ms = event.id, event.at_ms
            self._check_end_event(life, event)
        if change.progress.event_count != life.event_count:
            self._complain("H1", life.id, "the number of events is wrong")

    def _check_end_event(self, life: Life, event: Event) -> None:
        mark = ""
        if event.type in _ENDS_OF_EXECUTIONS:
            mark = "execution"
        elif event.type in _ENDS_OF_OPERATIONS:
            mark = f"operation {event.operation_id}"
        elif event.type is EventType.INVOCATION_COMPLETED:
            request_id = str((event.details or {}).get("request_id"))
            mark = f"invocation {request_id}"
            if not life.attempts or life.attempts[-1].request_id != request_id:
                self._complain("F7", life.id, f"{mark} completed, but another one runs")
        if mark and mark in life.ends_recorded:
            self._complain("X1", life.id, f"the end of {mark} is recorded twice")
        life.ends_recorded.add(mark)

    def _check_operation(
        self, life: Life, after: Operation, call: Call | None, clock_ms: int
    ) -> None:
        before = life.operations.get(after.id)
        if before is not None:
            if before.is_finished:
                self._complain("S1", life.id, f"{after.id} was {before.status}, and changed")
            for name in _NEVER_CHANGING:
                if getattr(before, name) != getattr(after, name):
                    self._complain("S2", life.id, f"{name} of {after.id} changed")
            has_ended = after.status is not before.status and after.status in _ATTEMPT_ENDS
            is_step = after.type is OperationType.STEP
            if is_step and after.attempt != before.attempt + has_ended:
                self._complain(
                    "S5", life.id, f"{after.id}: attempt {after.attempt} follows {before.attempt}"
                )
        self._check_time(life, before, after, call, clock_ms)
        self._note_time(life, after, call, clock_ms)

    def _note_time(self, life: Life, after: Operation, call: Call | None, clock_ms: int) -> None:
        if after.type is OperationType.EXECUTION and after.id not in life.due_low_ms:
            start_ms = life.identity.started_at_ms
            if start_ms > clock_ms:
                self._complain("T1", life.id, "it began in the future")
            life.due_low_ms[after.id] = start_ms + life.identity.execution_timeout_seconds * 1000
        if call is None:
            return
        arrived_ms = max(call.arrived_ms, life.progress.updated_at_ms)
        if call.method == "send_durable_execution_callback_heartbeat":
            life.beat_low_ms[after.id] = arrived_ms + (after.heartbeat_seconds or 0) * 1000
            return
        for update in getattr(call.request, "updates", None) or ():
            if update.id != after.id:
                continue
            if update.wait_options is not None:
                life.due_low_ms[after.id] = arrived_ms + update.wait_options.wait_seconds * 1000
            elif update.step_options is not None:
                delay_ms = update.step_options.next_attempt_delay_seconds * 1000
                life.due_low_ms[after.id] = arrived_ms + delay_ms
            elif update.callback_options is not None:
                self._note_callback(life, update.id, update.callback_options, arrived_ms, clock_ms)

    def _note_callback(
        self, life: Life, operation_id: str, options: object, arrived_ms: int, clock_ms: int
    ) -> None:
        seconds = getattr(options, "timeout_seconds", 0)
        beat_seconds = getattr(options, "heartbeat_timeout_seconds", 0)
        if seconds:
            life.due_low_ms[operation_id] = arrived_ms + seconds * 1000
            life.due_high_ms[operation_id] = clock_ms + seconds * 1000
        if beat_seconds:
            life.beat_low_ms[operation_id] = arrived_ms + beat_seconds * 1000

    def _check_time(
        self,
        life: Life,
        before: Operation | None,
        after: Operation,
        call: Call | None,
        clock_ms: int,
    ) -> None:
        if before is None or before.status is after.status:
            return
        lows: list[int] = []
        match after.type, after.status:
            case (
                (OperationType.WAIT, OperationStatus.SUCCEEDED)
                | (OperationType.STEP, OperationStatus.READY)
                | (OperationType.EXECUTION, OperationStatus.TIMED_OUT)
            ):
                lows = [life.due_low_ms[after.id]]
            case OperationType.CALLBACK, OperationStatus.TIMED_OUT:
                lows = [
                    low
                    for low in (life.due_low_ms.get(after.id), life.beat_low_ms.get(after.id))
                    if low is not None
                ]
            case OperationType.CALLBACK, status if status in _ANSWERED and call is not None:
                high_ms = life.due_high_ms.get(after.id)
                if high_ms is not None and call.arrived_ms > high_ms:
                    late_ms = call.arrived_ms - high_ms
                    self._complain("C1", life.id, f"{after.id} answered {late_ms} ms too late")
            case _:
                pass
        if lows and clock_ms < min(lows):
            early_ms = min(lows) - clock_ms
            self._complain("T1", life.id, f"{after.id} fired {early_ms} ms early")


def _is_late_copy(call: Call) -> bool:
    """Tell whether the attempt has had its answer before: it hears no other."""
    assert call.attempt is not None
    return getattr(call.request, "client_token", None) in call.attempt.answered
