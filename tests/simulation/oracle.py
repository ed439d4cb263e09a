"""The oracles together: what was acknowledged, what ran, what was answered, and who may complain.

They know the wire, the commits and the effects; nothing that the engine keeps for itself.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator
from typing import Any, Final

from perdure.core.errors import (
    InvalidCheckpointToken,
    InvalidParameterValue,
    Refusal,
    TooManyRequests,
    Unavailable,
)
from perdure.core.execution import Execution
from perdure.core.operation import Operation
from perdure.protocol.operations import OperationUpdate
from perdure.protocol.words import (
    CLOSED_EXECUTION_STATUSES,
    OperationAction,
    OperationStatus,
    OperationType,
)

from .commits import Commits
from .records import Attempt, Call, Life, Trace

__all__ = ["RUDE", "Fact", "Oracle", "Violation", "visible"]

#: What may be answered to a checkpoint beside success. Anything else ends a customer's execution.
_CHECKPOINT_REFUSALS: Final = (InvalidCheckpointToken, TooManyRequests, Unavailable)
_KEPT_MS: Final = 14 * 60_000
RUDE: Final = "rude"  #: begins the ClientToken of a request that is to be refused

#: Says what is wrong with an execution, given what is acknowledged of it; None: nothing.
Fact = Callable[[Execution | None], str | None]


class Violation(Exception):
    """A rule did not hold."""

    def __init__(self, rule: str, execution_id: str, detail: str) -> None:
        """Name the rule and the execution."""
        super().__init__(f"{rule} violated by {execution_id}: {detail}")
        self.rule = rule


class Oracle:
    """Keeps the accounts of one schedule."""

    def __init__(self, now: Callable[[], float]) -> None:
        """Tell the time with ``now``."""
        self._now = now
        self.trace = Trace()
        self.violations: list[Violation] = []
        self.on_violation: Callable[[], None] = lambda: None
        self.ticks = 0
        self.commits = Commits(self.complain, self.tick)
        self.counts: dict[str, int] = {}
        self.may_be_gone: set[str] = set()  #: executions whose deletion was asked for
        self._facts: dict[str, list[Fact]] = {}
        self._effects: dict[tuple[str, str, int], int] = {}
        self._ran: set[tuple[str, str]] = set()
        self._succeeded: dict[tuple[str, str], tuple[int, Attempt]] = {}
        self._replies: dict[tuple[str, str, str], tuple[int, Any]] = {}

    def tick(self) -> int:
        """Number what happens."""
        self.ticks += 1
        return self.ticks

    def count(self, what: str) -> None:
        """Count ``what``, for the summary."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def note(self, what: str, *details: Any) -> None:
        """Add a line to the trace."""
        self.trace.add(self._now(), what, *details)

    def complain(self, rule: str, execution_id: str, detail: str) -> None:
        """Record a violation; the schedule ends."""
        violation = Violation(rule, execution_id, detail)
        self.violations.append(violation)
        self.note("VIOLATION", violation)
        self.on_violation()

    def life(self, execution_id: str) -> Life | None:
        """Return what the commits tell of an execution."""
        return self.commits.lives.get(execution_id)

    # What was acknowledged (D1).

    def acknowledged(self, execution_id: str, fact: Fact, stored: Execution | None) -> None:
        """Keep a fact that a client was told, and hold it against what is stored at this moment."""
        self._facts.setdefault(execution_id, []).append(fact)
        self._hold(execution_id, fact, stored)

    def hold_all(self, load: Callable[[str], Execution | None]) -> None:
        """Hold every acknowledged fact against the store: after a crash, and at the end."""
        for execution_id, facts in self._facts.items():
            stored = load(execution_id)
            for fact in facts:
                self._hold(execution_id, fact, stored)

    def _hold(self, execution_id: str, fact: Fact, stored: Execution | None) -> None:
        if stored is None and execution_id in self.may_be_gone:
            return
        problem = "it is gone" if stored is None else fact(stored)
        if problem is not None:
            self.complain("D1", execution_id, f"acknowledged, but {problem}")

    # What ran (S3, S4).

    def ran(self, path: str, step_attempt: int, attempt: Attempt, *, is_once: bool) -> None:
        """Take note that a step's body begins to run."""
        execution_id = attempt.execution_id
        key = (execution_id, path, step_attempt)
        self._effects[key] = self._effects.get(key, 0) + 1
        self._ran.add((execution_id, path))
        self.note("body", execution_id[:6], path, step_attempt, f"attempt {attempt.number}")
        if is_once and self._effects[key] > 1:
            self.complain("S3", execution_id, f"{path} attempt {step_attempt} ran again")
        done = self._succeeded.get((execution_id, path))
        if done is not None and (done[1] is attempt or done[0] < attempt.begun_tick):
            self.complain("S4", execution_id, f"{path} ran again after its success was stored")

    def has_run(self, execution_id: str, path: str) -> bool:
        """Tell whether a step's body has run at all."""
        return (execution_id, path) in self._ran

    # What was answered (F3, F4, S7).

    def served(self, call: Call, answer: Any, clock_ms: int) -> None:
        """Judge what a server answers to a call: a response, or a refusal."""
        if call.method == "checkpoint_durable_execution":
            if isinstance(answer, Refusal):
                self._refused(call, answer, clock_ms)
            else:
                self._accepted(call, answer)

    def _key(self, call: Call) -> tuple[str, str, str]:
        request = call.request
        return request.durable_execution_arn, request.checkpoint_token, request.client_token

    def _accepted(self, call: Call, answer: Any) -> None:
        key = self._key(call)
        if call.commits:
            self._replies.setdefault(key, (call.arrived_ms, answer))
            return
        first = self._replies.get(key)
        if first is not None and first[1] != answer:
            self.complain(
                "F4",
                key[0].rpartition("/")[2],
                f"the same request was answered otherwise: {first[1]} then {answer}",
            )

    def _refused(self, call: Call, refusal: Refusal, clock_ms: int) -> None:
        attempt = call.attempt
        if call.commits and not isinstance(refusal, TooManyRequests | Unavailable):
            self.complain(
                "D2", call.request.durable_execution_arn, "refused, but it left something"
            )
        if call.request.client_token.startswith(RUDE) and type(refusal) is InvalidParameterValue:
            return
        if attempt is None or not isinstance(refusal, _CHECKPOINT_REFUSALS):
            name = type(refusal).__name__
            self.complain("F3", call.request.durable_execution_arn, f"{name}: {refusal}")
            return
        life = self.life(attempt.execution_id)
        if not isinstance(refusal, InvalidCheckpointToken) or life is None:
            return
        is_live = (
            life.attempts[-1] is attempt
            and not attempt.is_over
            and not life.is_ended
            and life.progress.pause is None
            and not life.progress.owes_invocation
        )
        if not is_live:
            return
        token = call.request.checkpoint_token
        version = attempt.consumed.get(token)
        if version is None:
            self.complain("F3", life.id, f"a good token was refused: {refusal}")
        elif version == max(attempt.consumed.values()):
            first = self._replies.get(self._key(call))
            now_ms = max(clock_ms, life.progress.updated_at_ms)
            if first is not None and now_ms - first[0] < _KEPT_MS:
                self.complain("F4", life.id, f"the same request again was refused: {refusal}")

    def told(self, attempt: Attempt, token: str, answer: Any) -> None:
        """Judge what a handler has received: everything that changed since it last heard (S7)."""
        life = self.life(attempt.execution_id)
        version = attempt.consumed.get(token)
        if life is None or version is None or answer.checkpoint_token in (None, token):
            return  # paused, ended, or nothing new
        given = {each.id: each.status for each in answer.new_execution_state.operations}
        wanted: dict[str, OperationStatus] = {}
        for number in range(attempt.synced_version + 1, version + 1):
            wanted.update(life.touched.get(number, {}))
        missing = {i: status for i, status in wanted.items() if given.get(i) != status}
        if missing:
            self.complain("S7", life.id, f"attempt {attempt.number} was not told of {missing}")
        attempt.synced_version = max(attempt.synced_version, version)

    def given(self, attempt: Attempt, operation_ids: set[str]) -> None:
        """Judge the state that an attempt begins with: everything that a replay can see (S7)."""
        life = self.life(attempt.execution_id)
        if life is None:
            return
        for operation in visible(life.operations.values()):
            if operation.id not in operation_ids and attempt is life.attempts[-1]:
                self.complain("S7", life.id, f"{operation.id} is missing in the input")

    def stored(self, attempt: Attempt, update: OperationUpdate) -> Fact:
        """Return the fact that an acknowledged update states."""
        if update.type is OperationType.STEP and update.action is OperationAction.SUCCEED:
            key = (attempt.execution_id, update.id)
            self._succeeded.setdefault(key, (self.tick(), attempt))
        return lambda execution: _problem_with_update(execution, update)


def visible(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield what a replay sees: nothing below an ended context, unless that asks for it."""
    hidden: set[str] = set()
    for operation in operations:
        if operation.parent_id in hidden:
            hidden.add(operation.id)
            continue
        yield operation
        is_closed = operation.type is OperationType.CONTEXT and operation.is_finished
        if is_closed and not operation.replay_children:
            hidden.add(operation.id)


def _problem_with_update(execution: Execution | None, update: OperationUpdate) -> str | None:
    assert execution is not None
    operation_id = update.id
    if update.type is OperationType.EXECUTION:
        operation_id = execution.identity.id
        if execution.progress.status not in CLOSED_EXECUTION_STATUSES:
            return "its end is not stored"
    operation = execution.operations.get(operation_id)
    if operation is None:
        return f"{update.id} is not stored"
    match update.action:
        case OperationAction.SUCCEED:
            is_kept = (operation.status, operation.payload) == (
                OperationStatus.SUCCEEDED,
                update.payload,
            )
        case OperationAction.FAIL:
            is_kept = (operation.status, operation.error) == (OperationStatus.FAILED, update.error)
        case OperationAction.RETRY:
            is_kept = operation.attempt > 0
        case _:
            is_kept = True
    return None if is_kept else f"{update.id} is {operation.status} with {operation.payload!r}"


def run_now(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")
