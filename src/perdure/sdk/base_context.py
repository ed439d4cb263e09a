"""What both kinds of context are: the place where operations get their identity.

An operation's id follows from the order of the calls in its context alone, so it is taken when the
operation is asked for, not when it runs. While the context replays, each operation it reaches is
compared with what is recorded.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from perdure.protocol.words import OperationType
from perdure.sdk.identifiers import operation_id
from perdure.sdk.journal import FINISHED, Identity
from perdure.sdk.logger import Logger, LogInfo
from perdure.sdk.misuse import WrongContextError
from perdure.sdk.scopes import ACTIVE, Scope

if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Self

    from perdure.sdk.requests import Body, Request
    from perdure.sdk.run import Run
    from perdure.sdk.types import LambdaContext, LoggerInterface

__all__ = ["BaseContext", "ExecutionContext"]

_log: Final = logging.getLogger(__name__)


class ExecutionContext(NamedTuple):
    """What is known of the execution a context belongs to."""

    durable_execution_arn: str


class _Replay:
    """Whether what a context runs has run before.

    Its loggers know this, and not the context: nothing of a run refers to itself, so that all of it
    is freed at its end, and not when garbage is next looked for.
    """

    __slots__ = ("is_on",)

    def __init__(self, is_on: bool) -> None:
        self.is_on = is_on

    def is_replaying(self) -> bool:
        return self.is_on


class BaseContext:
    """A context: the handler's own, or a child's."""

    is_async = False
    callback_class: Any = None  #: what ``create_callback`` returns

    def __init__(
        self,
        run: Run,
        driver: Any,
        *,
        around: BaseContext | None = None,
        identity: Identity | None = None,
        is_virtual: bool = False,
        is_replaying: bool = False,
    ) -> None:
        """Be the context of ``identity``, inside ``around``; without either, the handler's own."""
        self.run = run
        self._driver = driver
        own_id = identity.operation_id if identity is not None else None
        #: what operations in here give as their parent; a virtual context is nobody's parent
        self.parent_id = around.parent_id if around is not None and is_virtual else own_id
        self._prefix = own_id
        self._is_virtual = is_virtual
        self._replay_state = _Replay(is_replaying)
        self._counts: dict[str, int] = {}
        name = identity.name if identity is not None else None
        self.scope = Scope(around.scope if around is not None else None, name)
        self._log_info = LogInfo(run, parent_id=self.parent_id)
        if around is not None:
            logger = around.logger.with_log_info(self._log_info)
            self.logger: Logger = logger.with_is_replaying(self._replay_state.is_replaying)
        else:
            self.set_logger(logging.getLogger())

    @property
    def execution_context(self) -> ExecutionContext:
        """What is known of the execution."""
        return ExecutionContext(self.run.durable_execution_arn)

    @property
    def lambda_context(self) -> LambdaContext | None:
        """What Lambda gave to the invocation that is running now."""
        return self.run.lambda_context

    @property
    def is_virtual(self) -> bool:
        """Whether this context is not recorded itself: a branch of a FLAT map or parallel."""
        return self._is_virtual

    def is_replaying(self) -> bool:
        """Tell whether the code that runs now has run before, up to here."""
        return self._replay_state.is_on

    def set_logger(self, new_logger: LoggerInterface) -> None:
        """Log through ``new_logger`` from now on."""
        self.logger = Logger.from_log_info(
            new_logger, self._log_info, self._replay_state.is_replaying
        )

    def end_replay(self) -> None:
        """Count what runs from now on as new."""
        self._replay_state.is_on = False

    def child(self, identity: Identity, *, is_virtual: bool = False) -> Self:
        """Return the context of a child operation."""
        return type(self)(
            self.run,
            self._driver,
            around=self,
            identity=identity,
            is_virtual=is_virtual,
            is_replaying=self._replay_state.is_on,
        )

    def id_of(self, position: int, path: str = "") -> str:
        """Return the id of the operation at ``position`` of the task at ``path``."""
        if path:
            return operation_id(f"{self._prefix or ''}t{path}", position)
        return operation_id(self._prefix, position)

    def identify(self, operation_type: OperationType, sub_type: str, name: str | None) -> Identity:
        """Return the identity of the next operation.

        Raises ``WrongContextError`` if it is asked for where no operation can be.
        """
        return self.next_identity(operation_type, sub_type, name, path=self._path(sub_type))

    def next_identity(
        self, operation_type: OperationType, sub_type: str, name: str | None, *, path: str = ""
    ) -> Identity:
        """Return the identity of the next operation of the task at ``path``, wherever it is asked
        for.
        """
        position = self._counts[path] = self._counts.get(path, 0) + 1
        return Identity(self.id_of(position, path), operation_type, sub_type, self.parent_id, name)

    def drive(self, body: Body) -> Any:
        """Have an operation done: return its result, or what is awaited for it."""
        return self._driver.drive(body)

    def followed(self, identity: Identity, body: Body, *, is_virtual: bool = False) -> Body:
        """Return ``body``, with the context's replay followed around it."""
        if not self._replay_state.is_on:
            return body
        place = ACTIVE.get()
        path = place.path if place is not None and place.scope is self.scope else ""
        return self._replay(identity, body, path, is_virtual=is_virtual)

    def whole_seconds(self, seconds: float, what: str) -> int:
        """Return a delay as the service takes it: whole seconds, and at least one."""
        if seconds < 1:
            _log.warning("%s is %s seconds; the service takes 1 at least", what, seconds)
        return max(1, math.ceil(seconds))

    def _path(self, sub_type: str) -> str:
        place = ACTIVE.get()
        if place is None:
            return ""
        if place.scope is self.scope:
            return place.path
        if place.scope.is_work:
            raise WrongContextError(
                f"a durable operation ({sub_type}) was asked for inside the step"
                f" {_quoted(place.scope.name)}; a step is one unit of work: use"
                " run_in_child_context to group operations"
            )
        raise WrongContextError(
            f"a durable operation ({sub_type}) was asked for of the context"
            f" {_quoted(self.scope.name)} while {_quoted(place.scope.name)} is running; use the"
            " context that the innermost function was given"
        )

    def _replay(
        self, identity: Identity, body: Body, path: str, *, is_virtual: bool
    ) -> Generator[Request, Any, Any]:
        """Run an operation, and find out whether what comes after it is new.

        Source: AWS's SDK 3.0, ``DurableContext._replay_aware``.
        """
        operation = self.run.journal.find(identity.operation_id)
        is_open = operation is not None and operation.status not in FINISHED
        if operation is not None:
            # Looked at only to compare: a difference is raised before a plugin hears of it.
            if not is_virtual:
                self.run.compare(identity)
            if self.run.hooks is not None and not is_virtual:
                self.run.hooks.on_replayed(operation)
        if operation is None or (is_open and operation.type is OperationType.STEP):
            self.end_replay()
        try:
            return (yield from body)
        finally:
            if is_open or not self._has_next(path):
                self.end_replay()

    def _has_next(self, path: str) -> bool:
        """Tell whether the task at ``path``, or one that started it, has gone further before."""
        while True:
            position = self._counts.get(path, 0) + 1
            if self.run.journal.find(self.id_of(position, path)) is not None:
                return True
            if not path:
                return False
            path = path.rpartition(".")[0]


def _quoted(name: str | None) -> str:
    return f'"{name}"' if name else "without a name"
