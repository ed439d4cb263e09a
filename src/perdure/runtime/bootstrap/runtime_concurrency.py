"""Several runs at once in one Python worker: what keeps them apart.

Standard library only, and nothing of the bootstrap: it is imported where a worker is shared, by the
bootstrap and by ``perdure.endpoint``.
"""

import io
import os
import threading
import traceback
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TextIO

__all__ = ["RunInContext", "WholeLines", "run_side_by_side"]


class RunInContext:
    """The run that code runs for, wherever its threads and tasks are: by context variable."""

    def __init__(self) -> None:
        """Begin with none."""
        self._ids: ContextVar[tuple[str, str | None]] = ContextVar("run", default=("", None))

    def begin(self, headers: dict[str, str]) -> None:
        """Have this context be of the run that ``headers`` tell of."""
        request_id = headers["lambda-runtime-aws-request-id"]
        self._ids.set((request_id, headers.get("lambda-runtime-aws-tenant-id")))

    def filter(self, record: Any) -> bool:
        """Put the run's ids on a log record."""
        record.aws_request_id, record.tenant_id = self._ids.get()
        return True


class WholeLines(io.TextIOBase):
    """A stream to which each thread writes whole lines: those of different runs are not mixed."""

    def __init__(self, stream: TextIO) -> None:
        """Write to ``stream``."""
        self._stream = stream
        self._begun = threading.local()

    def write(self, text: str, /) -> int:
        """Write ``text``, up to its last line's end."""
        whole, end, rest = text.rpartition("\n")
        if end:
            self._stream.write(getattr(self._begun, "text", "") + whole + end)
            self._begun.text = rest
        else:
            self._begun.text = getattr(self._begun, "text", "") + rest
        return len(text)

    def flush(self) -> None:
        """Write what this thread has begun, and flush the stream."""
        if begun := getattr(self._begun, "text", ""):
            self._begun.text = ""
            self._stream.write(begun)
        self._stream.flush()

    def writable(self) -> bool:
        """Return True."""
        return True

    def isatty(self) -> bool:
        """Tell what the stream does."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The stream's encoding."""
        return self._stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        """What the stream does with what has no encoding."""
        return self._stream.errors

    def __getattr__(self, name: str) -> Any:
        # What the base class does not have.
        return getattr(self._stream, name)


def run_side_by_side(serve: Callable[[], object], count: int) -> None:
    """Call ``serve`` in so many threads, this one among them; the first to end ends the process."""

    def live() -> None:
        try:
            serve()
        except SystemExit as leaving:
            os.write(2, f"{leaving}\n".encode(errors="backslashreplace"))
        except BaseException:  # noqa: BLE001 - whatever it is, the worker has lost a slot
            os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
        os._exit(1)

    for _ in range(count - 1):
        threading.Thread(target=live, name="lambda-runtime", daemon=True).start()
    live()
