"""The executions of one runner, by the real state machine; what one has to say to another; and when
time alone moves one of them. Its callers hold the service's lock.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perdure.core.commands import Command, FinishChainedInvoke, Start, Wake
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.core.outcome import CancelInvocation, NotifyParent, Outcome, StartChild
from perdure.testing.held import Held, child_start

if TYPE_CHECKING:
    from perdure.testing.clock import TestClock
    from perdure.testing.functions import Functions, Registered

__all__ = ["Executions"]


class Executions:
    """Executions in memory."""

    def __init__(self, functions: Functions, clock: TestClock) -> None:
        """Begin with none."""
        self.functions = functions
        self.clock = clock
        self.held: dict[str, Held] = {}  #: by ARN, in the order they were started
        self._by_id: dict[str, Held] = {}
        self._open: dict[str, Held] = {}
        self._letters: deque[tuple[Held, StartChild | NotifyParent]] = deque()

    @property
    def open(self) -> list[Held]:
        """Those that have not ended."""
        return list(self._open.values())

    def find_callback(self, callback_id: str) -> tuple[Held, str] | None:
        """Return the execution and the operation id of a callback."""
        execution_id, _, operation_id = callback_id.partition("/")
        held = self._by_id.get(execution_id)
        if held is None or operation_id not in held.execution.operations:
            return None
        return held, operation_id

    def admit(self, command: Start, function: Registered) -> Held:
        """Start an execution."""
        outcome = apply(None, command, self.clock.now_ms())
        execution = Execution.of(command.identity, outcome.progress, outcome.operations.values())
        account_id = command.identity.function_arn.split(":")[4]
        held = Held(execution, function, account_id, [*outcome.events])
        self.held[held.arn] = self._open[held.arn] = held
        self._by_id[command.identity.id] = held
        return held

    def tell(self, held: Held, command: Command) -> Outcome:
        """Carry out a command; raise ``Refusal`` if it is not acceptable."""
        outcome = apply(held.execution, command, self.clock.now_ms())
        held.execution.advance(outcome)
        held.events += outcome.events
        for message in outcome.messages:
            if isinstance(message, StartChild | NotifyParent):
                self._letters.append((held, message))
        for effect in outcome.effects:
            if isinstance(effect, CancelInvocation) and held.client is not None:
                held.client.run.is_dead = True
        if held.execution.is_closed:
            self._open.pop(held.arn, None)
        return outcome

    def deliver(self) -> None:
        """Take letters to whom they are for; a parent hears of a child's end between invocations,
        as on a server.
        """
        waiting: deque[tuple[Held, StartChild | NotifyParent]] = deque()
        while self._letters:
            sender, letter = self._letters.popleft()
            if isinstance(letter, StartChild):
                function = self.functions.find(letter.target)
                assert function is not None, "its target was found at the checkpoint"
                sender_id = sender.execution.identity.id
                self.admit(child_start(letter, sender_id, function, self.clock.now_ms()), function)
                continue
            parent = self._by_id[letter.parent.execution_id]
            if parent.execution.is_leased:
                waiting.append((sender, letter))
                continue
            end = FinishChainedInvoke(
                operation_id=letter.parent.operation_id,
                status=letter.status,
                payload=letter.payload,
                error=letter.error,
            )
            self.tell(parent, end)
        self._letters = waiting

    def next_due_ms(self) -> int | None:
        """Return the earliest instant at which time alone moves an execution, or None."""
        due = [held.next_due_ms for held in self._open.values()]
        return min((at_ms for at_ms in due if at_ms is not None), default=None)

    def wake(self) -> bool:
        """Do what is due now; tell whether there was anything."""
        now_ms = self.clock.now_ms()
        has_woken = False
        for held in self.open:
            progress = held.execution.progress
            if progress.wake_at_ms is not None and progress.wake_at_ms <= now_ms:
                has_woken |= self.tell(held, Wake()).is_change
            has_woken |= self.is_wanted(held)
        return has_woken

    def is_wanted(self, held: Held) -> bool:
        """Tell whether an invocation of ``held`` is to begin now."""
        ready_at_ms = held.execution.progress.ready_at_ms
        return ready_at_ms is not None and ready_at_ms <= self.clock.now_ms()

    def has_deadline(self, until_ms: int) -> bool:
        """Tell whether something would be too late after ``until_ms`` that may still come from
        outside: the answer to a callback, or whatever an execution with a limit waits for.
        """
        for held in self._open.values():
            timeout_at_ms = held.execution.progress.timeout_at_ms
            deadlines = [callback.wakes_at_ms for callback in held.open_callbacks()]
            if any(
                at_ms is not None and at_ms <= until_ms for at_ms in (timeout_at_ms, *deadlines)
            ):
                return True
        return False
