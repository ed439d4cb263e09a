"""The words in which ``explanation`` speaks: plain English, instants in UTC, names cut to a length.

What users named is quoted, never interpreted: whoever shows it treats it as text.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from perdure.core.operation import Operation
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationType

__all__ = [
    "NO_CONCURRENCY",
    "behind",
    "cut",
    "ended",
    "failures",
    "few_words",
    "function_full",
    "gone",
    "instant",
    "joined",
    "meanwhile",
    "name_of",
    "node_full",
    "one",
    "quarantined",
    "sentence",
    "several",
    "unblocks",
    "under_way",
]

NO_CONCURRENCY: Final = "the reserved concurrency of its function is 0; raise or remove it"
_TEXT_MAX: Final = 200
_NAME_MAX: Final = 80
_SHOWN_STEPS: Final = 3
_NOUNS: Final = {
    OperationType.WAIT: ("wait", "waits"),
    OperationType.STEP: ("step to be tried again", "steps to be tried again"),
    OperationType.CALLBACK: ("callback", "callbacks"),
    OperationType.CHAINED_INVOKE: ("chained invoke", "chained invokes"),
}
_ENDS: Final = {
    ExecutionStatus.SUCCEEDED: "succeeded",
    ExecutionStatus.FAILED: "failed",
    ExecutionStatus.TIMED_OUT: "timed out",
    ExecutionStatus.STOPPED: "was stopped",
}


def instant(at_ms: int) -> str:
    """Return an instant in ISO 8601, to the second, in UTC."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def cut(text: str, characters_max: int = _TEXT_MAX) -> str:
    """Return ``text`` on one line, cut to a length."""
    line = " ".join(text.split())
    return line if len(line) <= characters_max else f"{line[: characters_max - 3]}..."


def name_of(operation: Operation) -> str:
    """Return what people call an operation: its name, or else what it is."""
    return cut(operation.name or operation.sub_type or operation.type, _NAME_MAX)


def sentence(text: str) -> str:
    """Return ``text`` with a capital first letter and a full stop."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def joined(*clauses: str) -> str:
    """Return the clauses that are there, as one."""
    return "; ".join(clause for clause in clauses if clause)


def counted(count: int, singular: str, plural: str) -> str:
    """Return ``1 wait`` or ``2 waits``."""
    return f"{count:,} {singular if count == 1 else plural}"


def error_text(error: ErrorObject | None) -> str:
    """Return an error's type and message; empty if it has neither."""
    if error is None:
        return ""
    return cut(": ".join(part for part in (error.error_type, error.error_message) if part))


def gone(reason: str) -> str:
    """Say that its function version cannot be had."""
    return f"its function version cannot be had ({cut(reason)}); deploy it again, or stop this"


def function_full(limit: int) -> str:
    """Say that the function's reserved concurrency is used up."""
    return f"its function runs as often as its reserved concurrency allows ({limit:,})"


def node_full(limit: int) -> str:
    """Say that the node is busy."""
    return f"no worker is free: this node runs as many handlers as it may ({limit:,})"


def behind(count: int) -> str:
    """Say how many executions come first."""
    return "as the next one" if count == 0 else f"behind {counted(count, 'other', 'others')}"


def quarantined(reason: str) -> str:
    """Say that an execution is left alone."""
    return (
        f"the service leaves it alone because its records broke a rule ({cut(reason)}); nothing"
        " moves it: keep a copy of the data for a report, then stop it"
    )


def failures(count: int, error: ErrorObject | None) -> str:
    """Say how often invocations have failed in a row, and how the last one did."""
    if count == 0:
        return ""
    why = error_text(error)
    times = counted(count, "invocation", "invocations")
    row = " in a row" if count > 1 else ""
    return f"{times}{row} failed" + (f" (the last one with {why})" if why else "")


def ended(status: ExecutionStatus, at_ms: int, invocations: int, error: ErrorObject | None) -> str:
    """Say how an execution has ended."""
    said = f"it {_ENDS[status]} at {instant(at_ms)}"
    said += f" after {counted(invocations, 'invocation', 'invocations')}"
    why = error_text(error)
    return f"{said}: {why}" if why else said


def meanwhile(count: int) -> str:
    """Say how many operations wait while the handler runs."""
    return f"{counted(count, 'operation waits', 'operations wait')} meanwhile" if count else ""


def under_way(steps: Sequence[Operation]) -> str:
    """Say which steps have begun."""
    if not steps:
        return ""
    shown = ", ".join(
        f"'{name_of(step)}' (attempt {step.attempt + 1})" for step in steps[:_SHOWN_STEPS]
    )
    more = len(steps) - _SHOWN_STEPS
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{'step' if len(steps) == 1 else 'steps'} {shown}{rest} under way"


def unblocks(operation: Operation) -> str:
    """Say what moves an open operation."""
    match operation.type:
        case OperationType.WAIT:
            return "time alone"
        case OperationType.STEP:
            return "its next attempt"
        case OperationType.CALLBACK:
            return "a callback success or failure with its id"
        case _:
            return "the end of the invoked function"


def one(operation: Operation, path: Sequence[str], children: Mapping[str, str]) -> str:
    """Say what an execution waits for that waits for one thing."""
    name, since = name_of(operation), instant(operation.started_at_ms)
    place = f" in {' > '.join(path)}" if path else ""
    match operation.type:
        case OperationType.WAIT:
            until = instant(operation.due_at_ms or 0)
            return (
                f"it has waited since {since} for '{name}'{place}, which ends at {until} by itself"
            )
        case OperationType.STEP:
            return _step(operation, name, place)
        case OperationType.CALLBACK:
            return _callback(operation, name, place, since)
        case _:
            return _invoke(operation, name, place, since, children)


def _step(operation: Operation, name: str, place: str) -> str:
    why = error_text(operation.error)
    times = counted(operation.attempt, "attempt", "attempts")
    said = f"step '{name}'{place} is tried again at {instant(operation.due_at_ms or 0)}"
    return f"{said}, after {times}" + (f" (the last one failed with {why})" if why else "")


def _callback(operation: Operation, name: str, place: str, since: str) -> str:
    said = f"it has waited since {since} for an answer to callback '{name}'{place}"
    if operation.due_at_ms is not None:
        said += f", until {instant(operation.due_at_ms)} at the latest"
    if operation.heartbeat_due_at_ms is not None:
        said += f", with a heartbeat due by {instant(operation.heartbeat_due_at_ms)}"
    return f"{said}: a success or failure sent with its callback id unblocks it"


def _invoke(
    operation: Operation, name: str, place: str, since: str, children: Mapping[str, str]
) -> str:
    target = cut(operation.target or "", _NAME_MAX)
    said = f"it has waited since {since} for '{name}'{place}, an invocation of {target}"
    status = children.get(operation.child_arn or "")
    if status is not None:
        said += f", which is {status} ({operation.child_arn})"
    return f"{said}: the end of that unblocks it"


def several(operations: Sequence[Operation]) -> str:
    """Say what an execution waits for that waits for several things: the first that comes about
    lets it go on.
    """
    since = instant(min(operation.started_at_ms for operation in operations))
    said = f"it has waited since {since} for {few_words(operations)}"
    due = [at_ms for operation in operations if (at_ms := operation.wakes_at_ms) is not None]
    if due:
        said += f", of which time moves the next at {instant(min(due))}"
    return f"{said}: it goes on with the first that comes about"


def few_words(operations: Sequence[Operation]) -> str:
    """Return what an execution waits for as a list shows it."""
    if len(operations) == 1:
        (operation,) = operations
        return f"{_NOUNS[operation.type][0]} '{name_of(operation)}'"
    counts = Counter(operation.type for operation in operations)
    return _listed([counted(counts[kind], *_NOUNS[kind]) for kind in _NOUNS if counts[kind]])


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
