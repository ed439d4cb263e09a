"""The server's state machine, entered here: ``apply`` carries out one command on one execution."""

from perdure.core.checkpoint import checkpoint
from perdure.core.commands import (
    AnswerCallback,
    BeginInvocation,
    Checkpoint,
    Command,
    Delete,
    FinishChainedInvoke,
    FinishInvocation,
    Heartbeat,
    Pause,
    ReleaseLease,
    RenewLease,
    Resume,
    Start,
    Stop,
    Wake,
)
from perdure.core.completions import answer_callback, finish_chained_invoke, heartbeat
from perdure.core.controls import attach, delete, pause, resume, start, stop
from perdure.core.draft import Draft
from perdure.core.errors import ResourceNotFound
from perdure.core.execution import Execution
from perdure.core.invariants import check
from perdure.core.invocations import (
    begin_invocation,
    finish_invocation,
    release_lease,
    renew_lease,
)
from perdure.core.outcome import Accepted, Outcome
from perdure.core.timers import fire_due

__all__ = ["apply"]


def apply(execution: Execution | None, command: Command, now_ms: int) -> Outcome:
    """Return what ``command`` comes to at ``now_ms``, an instant of the authoritative clock.

    Neither argument is changed. The same arguments give the same outcome (E5).

    Raises:
        Refusal: the command is not acceptable; nothing is to be changed.
        ResourceNotFound: there is no execution, and the command does not start one.
    """
    if isinstance(command, Start):
        outcome = attach(execution, command) if execution else start(command, now_ms)
    elif execution is None:
        raise ResourceNotFound("Durable Execution does not exist")
    else:
        outcome = _apply(Draft(execution, now_ms), command)
    check(execution, command, outcome)
    return outcome


def _apply(draft: Draft, command: Command) -> Outcome:  # noqa: C901, PLR0912 - one line a command
    match command:
        case Checkpoint():
            return checkpoint(draft, command)
        case BeginInvocation():
            return begin_invocation(draft, command)
        case FinishInvocation():
            return finish_invocation(draft, command)
        case RenewLease():
            return renew_lease(draft, command)
        case ReleaseLease():
            return release_lease(draft, command)
        case Wake():
            fire_due(draft)
            return draft.finish(Accepted(at_ms=draft.now_ms))
        case AnswerCallback():
            return answer_callback(draft, command)
        case Heartbeat():
            return heartbeat(draft, command)
        case FinishChainedInvoke():
            return finish_chained_invoke(draft, command)
        case Stop():
            return stop(draft, command)
        case Pause():
            return pause(draft, command)
        case Resume():
            return resume(draft, command)
        case Delete():
            return delete(draft, command)
        case Start():  # pragma: no cover - apply has taken it
            raise AssertionError(command)
