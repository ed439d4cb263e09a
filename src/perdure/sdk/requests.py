"""What an operation asks of whoever drives it: the few things it cannot do by itself.

An operation is a generator without colour. It yields these; a driver carries each out in its own
way, by blocking a thread or by awaiting, and sends the answer back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from perdure.protocol.operations import Operation
    from perdure.sdk.scopes import Scope
    from perdure.sdk.switchboard import Mailbox

__all__ = [
    "BranchEnd",
    "Call",
    "Close",
    "Driver",
    "Flush",
    "Receive",
    "Request",
    "Settle",
    "Spawn",
]

Answer_co = TypeVar("Answer_co", covariant=True)


class Driver(Protocol[Answer_co]):
    """Carries out requests; every method is a coroutine function, or none is."""

    def call(self, request: Call) -> Answer_co: ...
    def flush(self, request: Flush) -> Answer_co: ...
    def settle(self, request: Settle) -> Answer_co: ...
    def spawn(self, request: Spawn) -> Answer_co: ...
    def receive(self, request: Receive) -> Answer_co: ...
    def close(self, request: Close) -> Answer_co: ...


class Call(NamedTuple):
    """Run the user's function, with ``scope`` as the context it is in; answered with its result.

    ``is_work`` says that the function does something of its own (a step) rather than call other
    operations (a child context).
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    scope: Scope
    is_work: bool

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.call(self)


class Flush(NamedTuple):
    """Wait until what was recorded so far, up to ``ticket``, is stored."""

    ticket: int

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.flush(self)


class Settle(NamedTuple):
    """Wait until an operation is no longer as it was ``seen``; the handler may be suspended."""

    seen: Operation
    until_ms: int | None
    scope: Scope

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.settle(self)


class Spawn(NamedTuple):
    """Run ``branch`` beside the caller; answered at once.

    When it ends, its mailbox gets a ``BranchEnd``.
    """

    branch: Body
    number: int
    mailbox: Mailbox
    scope: Scope

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.spawn(self)


class BranchEnd(NamedTuple):
    """What became of a branch: a result, or what it raised."""

    number: int
    result: Any
    error: BaseException | None


class Close(NamedTuple):
    """Close a scope: whatever still runs under it is to leave; answered at once."""

    scope: Scope

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.close(self)


class Receive(NamedTuple):
    """Wait for the next message in a mailbox; answered with it."""

    mailbox: Mailbox
    scope: Scope

    def by(self, driver: Driver[Any]) -> Any:
        """Have it done."""
        return driver.receive(self)


Request = Call | Flush | Settle | Spawn | Receive | Close
if TYPE_CHECKING:
    Body = Generator[Request, Any, Any]
