"""What can go wrong before a function's code runs.

WorkerError                 no worker could be had: a ``Crashed`` outcome of ``invoke``
  BadArchiveError           the zip is not one we extract
  CodeMissingError          the code is gone, or is not what its hash says
  InterpreterMissingError   this machine has nothing that runs the runtime
  LaunchError               the process could not be started
  InitError                 the process started, but its runtime or the user's module did not
"""

from typing import Final

from perdure.engine.invoker import Crashed, FailureKind, InvocationReport

__all__ = [
    "BadArchiveError",
    "CodeMissingError",
    "InitError",
    "InterpreterMissingError",
    "LaunchError",
    "WorkerError",
    "report_of",
]

_NO_WORKER_MS: Final = 1_000  #: until a run for which no worker could be started is tried again


class WorkerError(Exception):
    """No worker could be had: ``kind`` and ``error_type`` are the outcome's."""

    kind = FailureKind.UNAVAILABLE
    log_tail = b""  #: what a worker that did not come up wrote

    def __init__(self, message: str, *, error_type: str | None = None) -> None:
        """Say what is wrong; ``error_type`` is the kind's value unless there is a better word."""
        super().__init__(message)
        self.error_type = error_type or self.kind.value


class BadArchiveError(WorkerError, ValueError):
    """The archive is refused; ``problem`` says why, for the caller who sent it."""

    kind = FailureKind.CODE_MISSING

    def __init__(self, problem: str) -> None:
        """Take the reason, without a full stop."""
        super().__init__(problem, error_type="Runtime.InvalidArchive")
        self.problem = problem


class CodeMissingError(WorkerError):
    """The version's code is gone or does not match its hash."""

    kind = FailureKind.CODE_MISSING


class InterpreterMissingError(WorkerError):
    """This machine has nothing that runs the runtime."""

    kind = FailureKind.INIT_FAILED


class LaunchError(WorkerError):
    """The process could not be started; nothing of the user's ran."""


class InitError(WorkerError):
    """The process started, but its runtime or the user's module did not come up.

    ``kind`` is the instance's: INIT_FAILED, or TIMED_OUT, OUT_OF_MEMORY or EXITED.
    """

    def __init__(self, message: str, *, kind: FailureKind, error_type: str | None = None) -> None:
        """Take the message, the kind and the runtime's own word for it."""
        super().__init__(message, error_type=error_type or kind.value)
        self.kind = kind


def report_of(error: WorkerError, now_ms: int, *, is_final: bool) -> InvocationReport:
    """Return what became of a run that got no worker; unless ``is_final``, it is tried again.

    That is not a failure of the function, so nothing else would hold the next try back.
    """
    is_passing = error.kind is FailureKind.UNAVAILABLE and not is_final
    crash = Crashed(
        kind=error.kind,
        error_type=error.error_type,
        message=str(error),
        retry_after_ms=_NO_WORKER_MS if is_passing else 0,
    )
    return InvocationReport(
        outcome=crash, started_at_ms=now_ms, ended_at_ms=now_ms, log_tail=error.log_tail
    )
