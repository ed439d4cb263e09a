"""What ends a command early, and with which exit code.

    click.ClickException
    ├── CommandError      1  the server refused, or could not be reached; a file cannot be read
    │   ├── StoreFailed   3  the data cannot be opened or written
    │   ├── NotFound      4  there is no such function, execution, callback or log
    │   └── NotSucceeded  5  the execution was stopped, or its time ran out
    └── click.UsageError  2  the command line makes no sense

A function that failed is no error of the command: ``invoke`` prints its error and exits with 1.
"""

from collections.abc import Generator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar

import click

from perdure.cli.neutral import neutral

__all__ = [
    "CommandError",
    "Conflict",
    "ExitCode",
    "NotFound",
    "NotSucceeded",
    "StoreFailed",
    "reading",
]


class ExitCode(IntEnum):
    """How a command ended."""

    SUCCESS = 0
    ERROR = 1  #: the function failed, or the command did
    USAGE = 2  #: the command line makes no sense
    STORE = 3  #: the data cannot be opened or written
    NOT_FOUND = 4
    NOT_SUCCEEDED = 5  #: the execution was stopped, or its time ran out


class CommandError(click.ClickException):
    """The command cannot go on; the message is one line, shown as plain text."""

    exit_code: ClassVar[int] = ExitCode.ERROR

    def __init__(self, message: str) -> None:
        """Say why, with the value and the limit."""
        super().__init__(neutral(message))

    def show(self, file: Any = None) -> None:
        """Write the message to standard error."""
        click.echo(f"perdure: {self.format_message()}", file=file, err=True)


class StoreFailed(CommandError):
    """The data cannot be opened or written."""

    exit_code = ExitCode.STORE


class Conflict(CommandError):
    """The thing exists already, or is in a state that forbids the call."""


class NotFound(CommandError):
    """There is no such thing."""

    exit_code = ExitCode.NOT_FOUND


class NotSucceeded(CommandError):
    """The execution ended without a verdict of its own."""

    exit_code = ExitCode.NOT_SUCCEEDED


@contextmanager
def reading(path: Path) -> Generator[None]:
    """Turn what can go wrong with a file into a clear error."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text: byte {error.start}") from error
