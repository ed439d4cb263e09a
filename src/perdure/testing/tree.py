"""Executions drawn as text: for the eyes of whoever reads a failed test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from perdure.sdk.batches import BatchResult

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator, Sequence

    from perdure.testing.operations import Operation

__all__ = ["draw", "shown_span"]

_SHOWN_MAX: Final = 60


def draw(head: Sequence[str], operations: Sequence[Operation]) -> str:
    """Return the operations under a line of ``head``: what each is, its status, attempts, time,
    result or error.
    """
    rows = list(_rows(operations, ""))
    width = max((len(place) for place, _, _ in rows), default=0)
    status_width = max((len(status) for _, status, _ in rows), default=0)
    lines = [
        f"{place:<{width}}  {status:<{status_width}}  {rest}".rstrip()
        for place, status, rest in rows
    ]
    return "\n".join(["  ".join(shortened(part, 2 * _SHOWN_MAX) for part in head), *lines])


def shown_span(span: datetime.timedelta) -> str:
    """Return a span as people write it: ``1.5 s``, ``2 h 30 m``, ``3 d``."""
    seconds = span.total_seconds()
    if seconds < 60:
        return f"{round(seconds, 3):g} s"
    parts: list[str] = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{int(count)} {unit}")
    return " ".join(parts)


def shortened(text: str, width: int = _SHOWN_MAX) -> str:
    """Return text on one line, cut where it is too long."""
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 3]}..."


def _plain(value: Any) -> Any:
    """Return a batch's results in its place, and everything else as it is."""
    if isinstance(value, BatchResult):
        return cast("BatchResult[Any]", value).get_results()
    return value


def _rows(operations: Sequence[Operation], indent: str) -> Iterator[tuple[str, str, str]]:
    for number, operation in enumerate(operations, start=1):
        is_last = number == len(operations)
        kind = operation.sub_type or operation.operation_type
        name = f" {operation.name}" if operation.name else ""
        yield (
            f"{indent}{'└─' if is_last else '├─'} {kind}{name}",
            operation.status,
            _rest(operation),
        )
        yield from _rows(operation.children, indent + ("   " if is_last else "│  "))


def _rest(operation: Operation) -> str:
    parts: list[str] = []
    attempt = getattr(operation, "attempt", 0)
    if attempt > 1 or (attempt and operation.end_timestamp is None):
        parts.append(f"{attempt} attempt{'s' * (attempt != 1)}")
    if operation.duration:
        parts.append(shown_span(operation.duration))
    failure = operation.failure
    value = operation.value
    if failure is not None and (failure.type or failure.message):
        parts.append(shortened(f"{failure.type or 'Error'}: {failure.message}"))
    elif value is not None:
        parts.append(shortened(repr(_plain(value))))
    return "  ".join(parts)
