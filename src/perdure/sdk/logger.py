"""The logger of a context: every line says where it belongs, and a replay repeats none.

It writes to the author's own logger and adds ``extra``: ``executionArn``, ``parentId``,
``operationName``, ``operationId`` and ``attempt``, those that there are. While its context replays
it is silent: the line was logged when the code ran first. Handlers, levels and formats are the
author's; what tells that a context replays is the context's.

Source: ``aws_durable_execution_sdk_python.logger``, 3.x.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol

from perdure.sdk.records import record
from perdure.sdk.types import LoggerInterface

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Self

__all__ = ["LogInfo", "LoggedExecution", "LoggedOperation", "Logger", "LoggerInterface"]

_NO_EXTRA: Final[Mapping[str, object]] = {}
_METHODS: Final = ("debug", "info", "warning", "error", "exception")


class LoggedExecution(Protocol):
    """What is needed of an execution."""

    @property
    def durable_execution_arn(self) -> str: ...


class LoggedOperation(Protocol):
    """What is needed of an operation's identity."""

    @property
    def operation_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def name(self) -> str | None: ...


@record
class LogInfo:
    """Where a line belongs."""

    execution_state: LoggedExecution
    parent_id: str | None = None
    operation_id: str | None = None
    name: str | None = None
    attempt: int | None = None

    @classmethod
    def from_operation_identifier(
        cls, execution_state: LoggedExecution, op_id: LoggedOperation, attempt: int | None = None
    ) -> Self:
        """Return the place of an operation, or of one attempt of it."""
        return cls(execution_state, op_id.parent_id, op_id.operation_id, op_id.name, attempt)

    def with_parent_id(self, parent_id: str) -> LogInfo:
        """Return this place under another parent."""
        return LogInfo(self.execution_state, parent_id, self.operation_id, self.name, self.attempt)


def _never() -> bool:
    return False


class Logger(LoggerInterface):
    """A logger that adds its place to every line, and is silent while its context replays."""

    def __init__(
        self,
        logger: LoggerInterface,
        default_extra: Mapping[str, object],
        is_replaying: Callable[[], bool] = _never,
    ) -> None:
        """Write to ``logger``, with ``default_extra``, unless ``is_replaying()``."""
        self._logger = logger
        self._given_extra = default_extra
        self._place: Callable[[], LogInfo] | None = None  #: tells what is added, if not given
        self._is_replaying = is_replaying

    @classmethod
    def from_log_info(
        cls,
        logger: LoggerInterface,
        info: LogInfo,
        is_replaying: Callable[[], bool] = _never,
    ) -> Self:
        """Return a logger for the place that ``info`` says."""
        made = cls(logger, _NO_EXTRA, is_replaying)
        made._place = lambda: info
        return made

    def with_log_info(self, info: LogInfo) -> Logger:
        """Return a logger for another place, that is silent when this one is."""
        return Logger.from_log_info(self._logger, info, self._is_replaying)

    def at(self, place: Callable[[], LogInfo]) -> Logger:
        """Return a logger for the place that ``place`` tells when the first line is written."""
        made = Logger(self._logger, _NO_EXTRA, self._is_replaying)
        made._place = place
        return made

    def with_is_replaying(self, is_replaying: Callable[[], bool]) -> Logger:
        """Return a logger for the same place, that is silent when ``is_replaying()``."""
        return Logger(self._logger, self._default_extra, is_replaying)

    def get_logger(self) -> LoggerInterface:
        """Return the logger that this one writes to; it repeats itself on replay."""
        return self._logger

    def debug(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line for whoever looks for an error."""
        if not self._is_replaying():
            self._logger.debug(msg, *args, **self._options(extra))

    def info(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line on what happens."""
        if not self._is_replaying():
            self._logger.info(msg, *args, **self._options(extra))

    def warning(
        self, msg: object, *args: object, extra: Mapping[str, object] | None = None
    ) -> None:
        """Log a line on what should not happen."""
        if not self._is_replaying():
            self._logger.warning(msg, *args, **self._options(extra))

    def error(self, msg: object, *args: object, extra: Mapping[str, object] | None = None) -> None:
        """Log a line on what failed."""
        if not self._is_replaying():
            self._logger.error(msg, *args, **self._options(extra))

    def exception(
        self, msg: object, *args: object, extra: Mapping[str, object] | None = None
    ) -> None:
        """Log a line on what failed, with the exception that is being handled."""
        if not self._is_replaying():
            log = self._logger.exception  # inside the author's handler of it
            log(msg, *args, **self._options(extra))

    @property
    def _default_extra(self) -> Mapping[str, object]:
        """What is added to every line: most loggers never write one."""
        place = self._place
        if place is not None:
            self._given_extra = _extra_of(place())
            self._place = None
        return self._given_extra

    def _options(self, extra: Mapping[str, object] | None) -> dict[str, Any]:
        options: dict[str, Any] = {"extra": {**self._default_extra, **(extra or {})}}
        if _takes_stacklevel(type(self._logger)):
            options["stacklevel"] = 2  # the line is the caller's, not this module's
        return options


def _extra_of(info: LogInfo) -> dict[str, object]:
    extra: dict[str, object] = {"executionArn": info.execution_state.durable_execution_arn}
    if info.parent_id:
        extra["parentId"] = info.parent_id
    if info.name:
        extra["operationName"] = info.name  # a log record has a ``name`` of its own
    if info.attempt is not None:
        extra["attempt"] = info.attempt
    if info.operation_id:
        extra["operationId"] = info.operation_id
    return extra


@cache
def _takes_stacklevel(kind: type) -> bool:
    """Tell whether the methods are the standard library's, whatever else was overridden."""
    return any(
        all(getattr(kind, name, None) is getattr(base, name) for name in _METHODS)
        for base in (logging.Logger, logging.LoggerAdapter)
    )
