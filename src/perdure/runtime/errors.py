"""What can go wrong before a function's code runs.

WorkerError                 no worker could be had: a ``Crashed`` outcome of ``invoke``
  BadArchiveError           the zip is not one we extract
  CodeMissingError          the code is gone, or is not what its hash says
  InterpreterMissingError   this machine has nothing that runs the runtime
  LaunchError               the process could not be started
  InitError                 the process started, but its runtime or the user's module did not
"""

from perdure.engine.invoker import FailureKind

__all__ = [
    "BadArchiveError",
    "CodeMissingError",
    "InitError",
    "InterpreterMissingError",
    "LaunchError",
    "WorkerError",
]


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
