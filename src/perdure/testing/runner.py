"""The test runner: a durable function, the service and its time, all in the test's own process.

Constructor and methods follow AWS's testing package; what is ours comes after, by keyword.
"""

from __future__ import annotations

import importlib
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec

from perdure.protocol.arns import function_arn
from perdure.sdk.duration import as_duration
from perdure.sdk.execution import durable_execution
from perdure.testing.callbacks import Responders
from perdure.testing.chance import Coin
from perdure.testing.clock import START, RealClock, SkipClock
from perdure.testing.controls import Controls
from perdure.testing.exceptions import DurableFunctionsTestError
from perdure.testing.executions import Executions
from perdure.testing.functions import (
    CHILD_TIMEOUT_SECONDS,
    FOREVER_SECONDS,
    Functions,
    Registered,
)
from perdure.testing.held import Origin
from perdure.testing.operations import (
    OPERATION_FACTORIES,
    CallbackOperation,
    ContextOperation,
    ExecutionOperation,
    InvokeOperation,
    Operation,
    OperationFactory,
    StepOperation,
    WaitOperation,
    create_operation,
)
from perdure.testing.results import DurableFunctionTestResult, Invocation
from perdure.testing.service import LocalService, Rules
from perdure.testing.texts import json_text
from perdure.testing.trials import Trial, current_trial, default_keep, watch

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable
    from typing import Self

    from perdure.sdk.context import DurableContext
    from perdure.sdk.duration import DurationLike
    from perdure.testing.cloud import DurableFunctionCloudTestRunner
    from perdure.testing.crash_report import CrashReport
    from perdure.testing.trials import Keep

__all__ = [
    "OPERATION_FACTORIES",
    "CallbackOperation",
    "ContextOperation",
    "DurableChildContextTestRunner",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "ExecutionOperation",
    "Invocation",
    "InvokeOperation",
    "Operation",
    "OperationFactory",
    "StepOperation",
    "WaitOperation",
    "create_operation",
]

Params = ParamSpec("Params")

#: Source: AWS's testing package, DEFAULT_MAX_INVOCATION_PAGE_BYTES: 5 MB
_PAGE_BYTES: Final = 5 * 1024 * 1024


class DurableFunctionTestRunner(Controls):
    """Runs a durable function's executions in this process.

    Time is skipped: waits, retries and time-outs pass at once, in their order, while ``now`` shows
    what the execution sees. With ``skip_time=False`` they take as long as they take.
    """

    def __init__(  # noqa: PLR0913 - AWS's signature
        self,
        handler: Callable[..., Any],
        poll_interval: float = 1.0,
        max_invocation_page_bytes: int | None = None,
        execution_timeout: int = 300,
        invocation_timeout: int = 900,
        store: None = None,
        skip_time: bool = True,
        region: str = "us-west-2",
        *,
        keep_handlers: bool | Keep | None = None,
        durable_timeout: DurationLike | None = None,
        start_at: datetime.datetime = START,
        seed: int = 0,
        patience: float = 5.0,
    ) -> None:
        """Prepare to run ``handler``, made by ``durable_execution``: Perdure's or AWS's.

        Args:
            handler: the durable function.
            poll_interval: has no effect: nothing is polled.
            max_invocation_page_bytes: how much of its state a handler is given at once.
            execution_timeout: how long a test waits for an execution, in real seconds.
            invocation_timeout: what handlers are told that they have left, in seconds.
            store: there is only one: memory.
            skip_time: whether time is skipped.
            region: where the functions are.
            keep_handlers: whether suspended handlers go on from where they stand (``True`` or
                ``"on"``), are replayed (``"off"``), or by a coin (``"random"``). Replayed, unless
                pytest's ``--durable-keep-handlers`` says otherwise.
            durable_timeout: how long an execution may last in its own time; else as long as it
                wants. With real time it is ``execution_timeout``.
            start_at: where skipped time begins.
            seed: of the coin.
            patience: how long, in real seconds, a handler may run without storing anything before
                skipped time passes for its other branches.
        """
        if store is not None:
            raise DurableFunctionsTestError("executions are in memory; there is no other store")
        self.poll_interval = poll_interval
        self._handler = handler
        self._execution_timeout = execution_timeout
        self._durable_timeout = durable_timeout
        self._is_skipping = skip_time
        self._settings: dict[str, Any] = {
            "max_invocation_page_bytes": max_invocation_page_bytes,
            "execution_timeout": execution_timeout,
            "invocation_timeout": invocation_timeout,
            "skip_time": skip_time,
            "region": region,
            "durable_timeout": durable_timeout,
            "start_at": start_at,
            "seed": seed,
            "patience": patience,
        }
        self._functions = Functions(region)
        self._responders = Responders()
        self.trial = current_trial() or Trial()
        clock = SkipClock(start_at) if skip_time else RealClock()
        rules = Rules(
            keep=self.trial.keep or _keep_of(keep_handlers),
            coin=Coin(seed),
            responders=self._responders,
            page_bytes=max_invocation_page_bytes or _PAGE_BYTES,
            patience_seconds=patience,
            invocation_ms=invocation_timeout * 1000,
        )
        super().__init__(LocalService(Executions(self._functions, clock), rules, self.trial))
        watch(self.trees)

    def register_durable_function(
        self,
        function_name: str,
        handler: Callable[..., Any],
        execution_timeout: int = CHILD_TIMEOUT_SECONDS,
        retention_period_days: int = 1,
    ) -> Self:
        """Let executions invoke a durable function by a name; each invoke is an execution.

        An ``execution_timeout`` other than the default counts in the execution's own time.
        """
        is_said = execution_timeout != CHILD_TIMEOUT_SECONDS or not self._is_skipping
        self._functions.register(
            Registered(
                name=function_name,
                handler=handler,
                is_durable=True,
                timeout_seconds=execution_timeout if is_said else FOREVER_SECONDS,
                retention_days=retention_period_days,
            )
        )
        return self

    def register_function(self, function_name: str, handler: Callable[..., Any]) -> Self:
        """Let executions invoke an ordinary function by a name: ``handler(event, context)``, which
        may be a coroutine function.
        """
        self._functions.register(Registered(name=function_name, handler=handler, is_durable=False))
        return self

    def on_callback(self, name: str | None, respond: Callable[[str], Any]) -> Self:
        """Have ``respond(callback_id)`` answer the callbacks called ``name``; None: all others.

        What it returns is the result, what it raises the failure. It is called when the invocation
        that made the callback has ended.
        """
        self._responders.register(name, respond)
        return self

    def __enter__(self) -> Self:
        """Return the runner."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def run(  # noqa: PLR0913 - AWS's signature
        self,
        input: Any = None,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        function_name: str = "test-function",
        execution_name: str = "execution-name",
        account_id: str = "123456789012",
        tenant_id: str | None = None,
    ) -> DurableFunctionTestResult:
        """Run an execution to its end; return what became of it.

        Args:
            input: JSON text; or any other value, or other text, of which JSON is made.
            execution_timeout: how long to wait for it, in real seconds.
            timeout: the earlier name of ``execution_timeout``.
            function_name: what the function is called.
            execution_name: what the execution is called.
            account_id: whose function it is.
            tenant_id: for which tenant it runs.

        Raises:
            TimeoutError: it has not ended in that time, or never will.
        """
        arn = self.run_async(
            input, execution_timeout, timeout, function_name, execution_name, account_id, tenant_id
        )
        return self.wait_for_result(arn, self._patience_of(execution_timeout, timeout))

    def run_async(  # noqa: PLR0913 - AWS's signature
        self,
        input: Any = None,
        execution_timeout: int | None = None,
        timeout: int | None = None,
        function_name: str = "test-function",
        execution_name: str = "execution-name",
        account_id: str = "123456789012",
        tenant_id: str | None = None,
    ) -> str:
        """Start an execution; return its ARN, while it runs."""
        if self._durable_timeout is not None:
            seconds = round(as_duration(self._durable_timeout).to_seconds())
        elif self._is_skipping:
            seconds = FOREVER_SECONDS
        else:
            seconds = self._patience_of(execution_timeout, timeout)
        function = Registered(
            name=function_name, handler=self._handler, is_durable=True, timeout_seconds=seconds
        )
        name, _, _ = function_name.partition(":")
        region = self._functions.region
        origin = Origin(function_arn(region, account_id, name), execution_name, tenant_id)
        return self._service.start(function, origin, json_text(input)).arn

    def check_crash_safety(
        self,
        input: Any = None,
        *,
        scenario: Callable[[DurableFunctionTestRunner], Any] | None = None,
        keep_handlers: tuple[Keep, ...] = ("off", "on"),
        points_max: int | None = None,
    ) -> CrashReport:
        """Run again and again, killing the handler at every place; report what became of it.

        Every run has a runner like this one, with the same functions and responders. ``scenario``
        is what is run with it; without one, ``run(input)``. See ``perdure.testing.crashes``.
        """
        from perdure.testing.crashes import explore

        def run_once() -> None:
            with self.twin() as runner:
                if scenario is not None:
                    scenario(runner)
                else:
                    runner.run(input)

        return explore(run_once, keep_handlers=keep_handlers, points_max=points_max)

    def twin(self) -> DurableFunctionTestRunner:
        """Return a new runner for the same handler, with the same functions and responders."""
        runner = DurableFunctionTestRunner(self._handler, **self._settings)
        runner._functions.copy_from(self._functions)
        runner._responders.copy_from(self._responders)
        return runner

    def _patience_of(self, execution_timeout: int | None, timeout: int | None) -> int:
        given = timeout if execution_timeout is None else execution_timeout
        return self._execution_timeout if given is None else given


class DurableChildContextTestRunner(DurableFunctionTestRunner):
    """Runs a function made by ``durable_with_child_context`` as a handler of its own."""

    def __init__(
        self,
        context_function: Callable[Concatenate[DurableContext, Params], Any],
        *args: Any,
        skip_time: bool = True,
        **kwargs: Any,
    ) -> None:
        """Prepare to call the function with ``args`` and ``kwargs``."""
        bound = context_function(*args, **kwargs)
        if iscoroutinefunction(bound):

            async def handler_async(event: Any, context: Any) -> Any:
                return await bound(context)

            super().__init__(durable_execution(handler_async), skip_time=skip_time)
        else:

            def handler(event: Any, context: Any) -> Any:
                return bound(context)

            super().__init__(durable_execution(handler), skip_time=skip_time)


def __getattr__(name: str) -> Any:
    """Return the cloud runner, where AWS's package has it too; it is loaded when it is used."""
    if name == "DurableFunctionCloudTestRunner":
        return importlib.import_module("perdure.testing.cloud").DurableFunctionCloudTestRunner
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _keep_of(keep_handlers: bool | Keep | None) -> Keep:
    if keep_handlers is None:
        return default_keep()
    if isinstance(keep_handlers, bool):
        return "on" if keep_handlers else "off"
    return keep_handlers
