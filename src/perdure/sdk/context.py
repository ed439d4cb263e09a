"""The contexts that handlers call operations on: one that blocks, one that is awaited.

They have the same operations. Each builds the same generator; only the driver differs, and with it
the types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from perdure.sdk.base_context import BaseContext
from perdure.sdk.operations import plans
from perdure.sdk.operations.callback import await_callback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from perdure.sdk.batches import BatchResult
    from perdure.sdk.config import (
        CallbackConfig,
        ChildConfig,
        InvokeConfig,
        MapConfig,
        ParallelBranch,
        ParallelConfig,
        StepConfig,
        WaitForCallbackConfig,
    )
    from perdure.sdk.duration import DurationLike
    from perdure.sdk.journal import Identity
    from perdure.sdk.serdes import SerDes
    from perdure.sdk.types import StepContext, WaitForCallbackContext, WaitForConditionCheckContext
    from perdure.sdk.waits import WaitForConditionConfig

__all__ = ["AsyncCallback", "AsyncDurableContext", "Callback", "DurableContext"]

T = TypeVar("T")
U = TypeVar("U")


class _Callback(Generic[T]):
    """What both kinds of callback hold."""

    def __init__(
        self, callback_id: str, context: BaseContext, identity: Identity, serdes: SerDes[T] | None
    ) -> None:
        """Be the callback that ``identity`` created in ``context``."""
        self.callback_id = callback_id  #: what the other side answers with
        self.operation_id = identity.operation_id
        self._context = context
        self._identity = identity
        self._serdes = serdes

    def _answer(self) -> Any:
        return self._context.drive(await_callback(self._context, self._identity, self._serdes))


class Callback(_Callback[T]):
    """An answer from outside, to come."""

    def result(self) -> T:
        """Return the answer, as text unless the config's serdes says otherwise.

        The handler is suspended until it is there.

        Raises:
            CallbackExternalError: the other side sent a failure.
            CallbackTimeoutError: no answer, or no heartbeat, came in time.
        """
        return self._answer()


class AsyncCallback(_Callback[T]):
    """An answer from outside, to come; ``result`` is awaited."""

    async def result(self) -> T:
        """As ``Callback.result``."""
        return await self._answer()


class DurableContext(BaseContext):
    """The durable operations, for handlers that block."""

    callback_class = Callback

    def step(
        self,
        func: Callable[[StepContext], T],
        name: str | None = None,
        config: StepConfig | None = None,
    ) -> T:
        """Run a function once, and record its result.

        Raises:
            StepError: the last attempt has failed.
        """
        return self.drive(plans.step(self, func, name, config))

    def wait(self, duration: DurationLike, name: str | None = None) -> None:
        """Let time pass; the handler is suspended meanwhile.

        ``duration`` is a ``Duration``, a ``timedelta`` or a number of seconds; one second at least.
        """
        self.drive(plans.wait(self, duration, name))

    def create_callback(
        self, name: str | None = None, config: CallbackConfig | None = None
    ) -> Callback[Any]:
        """Return a callback: its id is to be handed out, its result to be waited for."""
        return self.drive(plans.create_callback(self, name, config))

    def wait_for_callback(
        self,
        submitter: Callable[[str, WaitForCallbackContext], object],
        name: str | None = None,
        config: WaitForCallbackConfig | None = None,
    ) -> Any:
        """Hand out a callback's id through ``submitter``, and return the answer.

        Raises:
            CallbackSubmitterError: the submitter has failed.
            CallbackExternalError: the other side sent a failure.
            CallbackTimeoutError: no answer, or no heartbeat, came in time.
        """
        return self.drive(plans.wait_for_callback(self, submitter, name, config))

    def wait_for_condition(
        self,
        check: Callable[[T, WaitForConditionCheckContext], T],
        config: WaitForConditionConfig[T],
        name: str | None = None,
    ) -> T:
        """Check again and again, as the config's strategy says; return the state it ended with.

        Raises:
            WaitForConditionError: the check, or the strategy, has raised.
        """
        return self.drive(plans.wait_for_condition(self, check, config, name))

    def invoke(
        self,
        function_name: str,
        payload: Any,
        name: str | None = None,
        config: InvokeConfig[Any, T] | None = None,
    ) -> T:
        """Invoke another function, and return its result.

        Raises:
            InvokeError: it has failed, timed out or was stopped.
        """
        return self.drive(plans.invoke(self, function_name, payload, name, config))

    def run_in_child_context(
        self,
        func: Callable[[DurableContext], T],
        name: str | None = None,
        config: ChildConfig[T] | None = None,
    ) -> T:
        """Run operations as one: when it is over, its result stands for them.

        Raises:
            ChildContextError: the function has raised.
        """
        return self.drive(plans.run_in_child_context(self, func, name, config))

    def map(
        self,
        inputs: Sequence[U],
        func: Callable[[DurableContext, U, int, Sequence[U]], T],
        name: str | None = None,
        config: MapConfig[U] | None = None,
    ) -> BatchResult[T]:
        """Run a function for every input, beside each other; return what became of each."""
        return self.drive(plans.map_inputs(self, inputs, func, name, config))

    def parallel(
        self,
        functions: Sequence[Callable[[DurableContext], T] | ParallelBranch[T]],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> BatchResult[T]:
        """Run functions beside each other; return what became of each."""
        return self.drive(plans.parallel(self, functions, name, config))


class AsyncDurableContext(BaseContext):
    """The durable operations, for ``async def`` handlers: as ``DurableContext``'s, awaited.

    An operation has its id from the moment it is asked for, so several may be gathered. Functions
    that are passed in may be coroutine functions; a step that is not runs in a thread.
    """

    is_async = True
    callback_class = AsyncCallback

    def step(
        self,
        func: Callable[[StepContext], Awaitable[T]] | Callable[[StepContext], T],
        name: str | None = None,
        config: StepConfig | None = None,
    ) -> Coroutine[Any, Any, T]:
        """As ``DurableContext.step``."""
        return self.drive(plans.step(self, func, name, config))

    def wait(self, duration: DurationLike, name: str | None = None) -> Coroutine[Any, Any, None]:
        """As ``DurableContext.wait``."""
        return self.drive(plans.wait(self, duration, name))

    def create_callback(
        self, name: str | None = None, config: CallbackConfig | None = None
    ) -> Coroutine[Any, Any, AsyncCallback[Any]]:
        """As ``DurableContext.create_callback``."""
        return self.drive(plans.create_callback(self, name, config))

    def wait_for_callback(
        self,
        submitter: Callable[[str, WaitForCallbackContext], object],
        name: str | None = None,
        config: WaitForCallbackConfig | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """As ``DurableContext.wait_for_callback``."""
        return self.drive(plans.wait_for_callback(self, submitter, name, config))

    def wait_for_condition(
        self,
        check: Callable[[T, WaitForConditionCheckContext], Awaitable[T]]
        | Callable[[T, WaitForConditionCheckContext], T],
        config: WaitForConditionConfig[T],
        name: str | None = None,
    ) -> Coroutine[Any, Any, T]:
        """As ``DurableContext.wait_for_condition``."""
        return self.drive(plans.wait_for_condition(self, check, config, name))

    def invoke(
        self,
        function_name: str,
        payload: Any,
        name: str | None = None,
        config: InvokeConfig[Any, T] | None = None,
    ) -> Coroutine[Any, Any, T]:
        """As ``DurableContext.invoke``."""
        return self.drive(plans.invoke(self, function_name, payload, name, config))

    def run_in_child_context(
        self,
        func: Callable[[AsyncDurableContext], Awaitable[T]],
        name: str | None = None,
        config: ChildConfig[T] | None = None,
    ) -> Coroutine[Any, Any, T]:
        """As ``DurableContext.run_in_child_context``."""
        return self.drive(plans.run_in_child_context(self, func, name, config))

    def map(
        self,
        inputs: Sequence[U],
        func: Callable[[AsyncDurableContext, U, int, Sequence[U]], Awaitable[T]],
        name: str | None = None,
        config: MapConfig[U] | None = None,
    ) -> Coroutine[Any, Any, BatchResult[T]]:
        """As ``DurableContext.map``."""
        return self.drive(plans.map_inputs(self, inputs, func, name, config))

    def parallel(
        self,
        functions: Sequence[
            Callable[[AsyncDurableContext], Awaitable[T]] | ParallelBranch[Awaitable[T]]
        ],
        name: str | None = None,
        config: ParallelConfig | None = None,
    ) -> Coroutine[Any, Any, BatchResult[T]]:
        """As ``DurableContext.parallel``."""
        return self.drive(plans.parallel(self, functions, name, config))
