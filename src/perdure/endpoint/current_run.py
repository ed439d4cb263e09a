"""Whose invocation code runs for: the run's id and the end of its log, wherever its threads are.

What is printed or logged goes where it always did, and into the tail of the invocation that did it:
a context variable says which, and the SDK's threads have it from the handler that began them.
"""

import io
import logging
import sys
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final, TextIO, cast

from perdure.runtime.bootstrap.runtime_concurrency import WholeLines
from perdure.runtime.bootstrap.runtime_rules import line_formatter

__all__ = ["CurrentRun", "current_run", "running", "set_up_logging"]

_TAIL_BYTES: Final = 4_096  #: Source: Lambda Invoke, LogType Tail: "the last 4 KB"


class CurrentRun:
    """One invocation."""

    def __init__(self, request_id: str, tenant_id: str | None) -> None:
        """Begin with an empty log."""
        self.request_id = request_id
        self.tenant_id = tenant_id
        self._log = bytearray()

    def add(self, text: str) -> None:
        """Append to the log, of which the end is kept."""
        self._log += text.encode(errors="backslashreplace")
        if len(self._log) > 8 * _TAIL_BYTES:
            del self._log[:-_TAIL_BYTES]

    @property
    def tail(self) -> bytes:
        """Return the end of the log: at most 4 KB, from the start of a character."""
        kept = bytes(self._log[-_TAIL_BYTES:])
        if len(kept) < len(self._log):
            kept = kept.decode(errors="ignore").encode()
        return kept


_current: ContextVar[CurrentRun | None] = ContextVar("perdure_endpoint_run", default=None)


def current_run() -> CurrentRun | None:
    """Return the invocation that this code runs for, if it runs for one."""
    return _current.get()


@contextmanager
def running(run: CurrentRun) -> Generator[None]:
    """Have what is printed and logged in this context be of ``run``."""
    token = _current.set(run)
    try:
        yield
    finally:
        _current.reset(token)


class _Teed(WholeLines):
    """A stream that also writes to the current invocation's log."""

    def write(self, text: str, /) -> int:
        """Write ``text``, up to its last line's end."""
        run = _current.get()
        if run is not None:
            run.add(text)
        return super().write(text)


class _RunFields(logging.Filter):
    """Puts the current invocation's ids on log records."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every record pass."""
        run = _current.get()
        record.aws_request_id = run.request_id if run else ""
        record.tenant_id = run.tenant_id if run else None
        return True


def set_up_logging(log_format: str, level: str) -> None:
    """Write log records to standard output as Lambda's runtimes do, once for the process.

    ``log_format`` is ``Text`` or ``JSON``; ``level`` one of logging's, or nothing for its default.
    """
    for name in ("stdout", "stderr"):
        stream: TextIO = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, errors="backslashreplace")
        setattr(sys, name, _Teed(cast("TextIO", stream)))
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(_RunFields())
    handler.setFormatter(line_formatter(is_json=log_format.upper() == "JSON"))
    root = logging.getLogger()
    if level.upper() in logging.getLevelNamesMapping():
        root.setLevel(level.upper())
    root.addHandler(handler)
