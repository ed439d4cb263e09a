"""A durable handler as AWS's SDKs run it: it replays what is recorded, runs what is not, and
suspends when everything waits.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from perdure.engine.invoker import InvocationOutcome, Raised, Returned
from perdure.protocol.operations import (
    CallbackOptions,
    ChainedInvokeOptions,
    ContextOptions,
    ErrorObject,
    OperationUpdate,
    StepOptions,
    WaitOptions,
)
from perdure.protocol.words import OperationAction, OperationStatus, OperationType

from .branches import Branches, Group
from .checkpoints import AttemptEndedError, Checkpoints, View, raised
from .expectations import FAILED, INTERRUPTED, TIMED_OUT
from .oracle import Oracle
from .programs import (
    Callback,
    Child,
    Condition,
    Fail,
    Invoke,
    Item,
    Opening,
    Parallel,
    Program,
    Step,
    Wait,
)
from .records import Attempt

__all__ = ["Handler"]

_START, _SUCCEED = OperationAction.START, OperationAction.SUCCEED
_FAIL, _RETRY = OperationAction.FAIL, OperationAction.RETRY

#: Tells the world outside of a callback: its id, and what is to become of it.
Publish = Callable[[str, str, Callback], None]
Values = dict[str, str]


class _FailedError(Exception):
    """The code of the program raised; the text is the path."""


class Handler:
    """One attempt; or several, if it is kept in between."""

    def __init__(
        self,
        program: Program,
        version: str,
        attempt: Attempt,
        checkpoints: Checkpoints,
        oracle: Oracle,
        publish: Publish,
    ) -> None:
        """Run ``program``."""
        self._program = program
        self._version = version
        self._attempt = attempt
        self._checkpoints = checkpoints
        self._oracle = oracle
        self._publish = publish
        self._branches = Branches(checkpoints.views, self._rest)
        self._begun: list[asyncio.Task[Any]] = []
        self._suspending: list[asyncio.Task[Any]] = []
        self._over: asyncio.Future[InvocationOutcome] | None = None
        self.is_parked = False  #: it stands still, knows every answer, and may go on later

    async def run(self) -> InvocationOutcome:
        """Return what the runtime would."""
        checkpoints = self._checkpoints
        over = self._over = asyncio.get_running_loop().create_future()
        checkpoints.ended = self._end
        try:
            if self.is_parked:
                self.is_parked = False
                self._go_on()
            else:
                await checkpoints.read_state()
                checkpoints.heard = self._branches.hear
                self._begin(self._main())
            outcome = await over
            is_pending = outcome == _PENDING and self._branches.running == 0
            self.is_parked = is_pending and checkpoints.is_settled
            return outcome
        except AttemptEndedError as error:
            return _ended(error)
        finally:
            for suspending in self._suspending:
                suspending.cancel()
            if not self.is_parked:
                self.close()

    def renew(self, envelope: dict[str, Any], attempt: Attempt) -> None:
        """Have the next ``run`` go on from where it stands, in another invocation."""
        assert self.is_parked
        self._attempt = attempt
        self._checkpoints.renew(envelope, attempt)

    def close(self) -> None:
        """Let go of everything."""
        self.is_parked = False
        if self._over is not None and not self._over.done():
            self._over.cancel()
        self._checkpoints.stop()
        for branch in self._begun:
            branch.cancel()

    def _go_on(self) -> None:
        self._suspending.clear()
        self._checkpoints.read_changes()
        if self._branches.running == 0:
            self._rest()

    def _begin(self, code: Any) -> "asyncio.Task[Any]":
        branch = asyncio.create_task(code)
        self._begun.append(branch)
        return branch

    def _finish(self, outcome: InvocationOutcome) -> None:
        assert self._over is not None
        if not self._over.done():
            self._over.set_result(outcome)

    def _end(self, error: AttemptEndedError) -> None:
        self._finish(_ended(error))

    async def _main(self) -> None:
        values: Values = {}
        try:
            await self._items(self._program.items, None, values)
        except _FailedError as failure:
            error = {"ErrorMessage": str(failure), "ErrorType": "Failed"}
            self._finish(_answer({"Status": "FAILED", "Error": error}))
            return
        result = json.dumps(values, sort_keys=True)
        if self._program.is_ended_by_checkpoint:
            await self._checkpoints.put(
                OperationUpdate(
                    id="end", type=OperationType.EXECUTION, action=_SUCCEED, payload=result
                )
            )
            result = ""
        self._finish(_answer({"Status": "SUCCEEDED", "Result": result}))

    # Suspending: the handler ends when every branch waits for something outside.

    def _rest(self) -> None:
        assert self._over is not None
        if not self._over.done():
            self._suspending.append(self._begin(self._suspend()))

    async def _suspend(self) -> None:
        lingers = self._program.lingers
        await self._checkpoints.settle()
        while self._branches.running == 0:
            if lingers == 0:
                self._finish(_PENDING)
                return
            lingers -= 1
            await asyncio.sleep(0.3)
            if self._branches.running == 0:
                await self._checkpoints.poll()

    # The operations.

    async def _items(self, items: tuple[Item, ...], parent_id: str | None, values: Values) -> None:
        for item in items:
            match item:
                case Step():
                    await self._step(item, parent_id, values)
                case Wait():
                    await self._wait(item, parent_id, values)
                case Callback():
                    await self._callback(item, parent_id, values)
                case Child():
                    await self._child(item, parent_id, values)
                case Parallel():
                    await self._parallel(item, parent_id, values)
                case Invoke():
                    await self._invoke(item, parent_id, values)
                case Condition():
                    await self._condition(item, parent_id, values)
                case Fail():
                    raise _FailedError(item.path)

    def _view(self, operation_id: str) -> View | None:
        return self._checkpoints.views.get(operation_id)

    async def _step(self, step: Step, parent_id: str | None, values: Values) -> None:
        while True:
            view = self._view(step.path)
            if view is not None and not view.is_open:
                break
            if view is not None and view.status is OperationStatus.PENDING:
                await self._branches.until(
                    step.path, lambda v: v.status is not OperationStatus.PENDING
                )
                continue
            await self._attempt_step(step, view, parent_id)
        if view.status is OperationStatus.SUCCEEDED:
            values[step.path] = str(view.payload)
        elif view.error == INTERRUPTED:
            values[step.path] = INTERRUPTED
        elif step.is_caught:
            values[step.path] = FAILED + str(view.error)
        else:
            raise _FailedError(step.path)

    async def _attempt_step(self, step: Step, view: View | None, parent_id: str | None) -> None:
        number = (view.attempt if view is not None else 0) + 1
        update = _updates(OperationType.STEP, step.path, parent_id)
        is_started = view is not None and view.status is OperationStatus.STARTED
        if is_started and step.is_at_most_once:
            error = ErrorObject(error_message=INTERRUPTED)
            if step.is_retried:
                await self._checkpoints.put(update(_RETRY, error=error, step_options=_delay(1)))
            else:
                await self._checkpoints.put(update(_FAIL, error=error))
            return
        if not is_started and step.opening is Opening.AHEAD:
            await self._checkpoints.put(update(_START))
        elif not is_started and step.opening is Opening.ALONG:
            self._checkpoints.post(update(_START))
        self._oracle.ran(step.path, number, self._attempt, is_once=step.is_at_most_once)
        if step.body_seconds:
            await asyncio.sleep(step.body_seconds)
        if step.is_at_most_once or step.script[min(number, len(step.script)) - 1]:
            payload = f"{self._version}:{step.path}"
            await self._checkpoints.put(update(_SUCCEED, payload=payload))
            if self._program.is_rude:
                wait = _updates(OperationType.WAIT, f"rude-{step.path}", None)
                self._checkpoints.be_rude(
                    wait(_START, wait_options=WaitOptions(wait_seconds=1)),
                    update(_SUCCEED, payload="overwritten"),
                )
            return
        error = ErrorObject(error_message=step.path)
        if number < len(step.script):
            options = _delay(step.delay_seconds)
            await self._checkpoints.put(update(_RETRY, error=error, step_options=options))
        else:
            await self._checkpoints.put(update(_FAIL, error=error))

    async def _condition(self, condition: Condition, parent_id: str | None, values: Values) -> None:
        update = _updates(OperationType.STEP, condition.path, parent_id)
        while True:
            view = self._view(condition.path)
            if view is not None and not view.is_open:
                break
            if view is not None and view.status is OperationStatus.PENDING:
                await self._branches.until(
                    condition.path, lambda v: v.status is not OperationStatus.PENDING
                )
                continue
            rounds = int((view and view.payload) or 0) + 1
            if view is None or view.status is OperationStatus.READY:
                self._checkpoints.post(update(_START))
            self._oracle.ran(condition.path, rounds, self._attempt, is_once=False)
            if rounds < condition.rounds:
                await self._checkpoints.put(
                    update(_RETRY, payload=str(rounds), step_options=_delay(1))
                )
            else:
                payload = f"{self._version}:{condition.path}:{rounds}"
                await self._checkpoints.put(update(_SUCCEED, payload=payload))
        values[condition.path] = str(view.payload)

    async def _wait(self, wait: Wait, parent_id: str | None, values: Values) -> None:
        if self._view(wait.path) is None:
            update = _updates(OperationType.WAIT, wait.path, parent_id)
            options = WaitOptions(wait_seconds=wait.seconds)
            await self._checkpoints.put(update(_START, wait_options=options))
        await self._branches.until(wait.path, lambda view: not view.is_open)
        values[wait.path] = "waited"

    async def _callback(self, callback: Callback, parent_id: str | None, values: Values) -> None:
        if callback.is_submitted:
            context_id = f"{callback.path}-w"
            update = _updates(OperationType.CONTEXT, context_id, parent_id)
            known = self._view(context_id)
            if known is not None and not known.is_open:
                values[callback.path] = str(known.payload)
                return
            if known is None:
                self._checkpoints.post(update(_START))
            parent_id = context_id
        if self._view(callback.path) is None:
            start = _updates(OperationType.CALLBACK, callback.path, parent_id)
            options = CallbackOptions(
                timeout_seconds=callback.timeout_seconds,
                heartbeat_timeout_seconds=callback.heartbeat_seconds,
            )
            await self._checkpoints.put(start(_START, callback_options=options))
        view = self._checkpoints.views[callback.path]
        self._publish(str(view.callback_id), self._attempt.execution_id, callback)
        view = await self._branches.until(callback.path, lambda view: not view.is_open)
        values[callback.path] = {
            OperationStatus.SUCCEEDED: str(view.payload),
            OperationStatus.FAILED: FAILED + str(view.error),
        }.get(view.status, TIMED_OUT)
        if callback.is_submitted:
            await self._checkpoints.put(update(_SUCCEED, payload=values[callback.path]))

    async def _child(self, child: Child, parent_id: str | None, values: Values) -> None:
        view = self._view(child.path)
        update = _updates(OperationType.CONTEXT, child.path, parent_id)
        if view is not None and view.status is OperationStatus.FAILED:
            values[child.path] = FAILED + str(view.error)
            return
        if view is not None and not view.is_open and not view.replays_children:
            values.update(json.loads(view.payload or "{}"))
            return
        if view is None:
            self._checkpoints.post(update(_START))
        inner: Values = {}
        try:
            await self._items(child.items, child.path, inner)
        except _FailedError as failure:
            error = ErrorObject(error_message=str(failure))
            await self._checkpoints.put(update(_FAIL, error=error))
            values[child.path] = FAILED + str(failure)
            return
        if view is None or view.is_open:
            options = ContextOptions(replay_children=child.replay_children)
            payload = None if child.replay_children else json.dumps(inner)
            await self._checkpoints.put(update(_SUCCEED, payload=payload, context_options=options))
        values.update(inner)

    async def _parallel(self, parallel: Parallel, parent_id: str | None, values: Values) -> None:
        view = self._view(parallel.path)
        update = _updates(OperationType.CONTEXT, parallel.path, parent_id)
        if view is not None and not view.is_open:
            values.update(json.loads(view.payload or "{}"))
            return
        if view is None:
            self._checkpoints.post(update(_START))
        inner: Values = {}
        group = Group(len(parallel.branches), is_first=parallel.is_first)
        self._branches.enter(group)
        branches = [
            self._begin(self._branch(branch, parallel.path, inner, group))
            for branch in parallel.branches
        ]
        when = asyncio.FIRST_COMPLETED if parallel.is_first else asyncio.ALL_COMPLETED
        await asyncio.wait(branches, return_when=when)
        for child, branch in zip(parallel.branches, branches, strict=True):
            if branch.done():
                branch.result()
                continue
            branch.cancel()
            if child.path not in group.begun:
                self._branches.leave(group)  # it cannot count itself out
        if parallel.is_first:
            inner = {parallel.path: "first"}
        await self._checkpoints.put(update(_SUCCEED, payload=json.dumps(inner)))
        values.update(inner)

    async def _branch(self, branch: Child, parent_id: str, values: Values, group: Group) -> None:
        group.begun[branch.path] = None
        try:
            await self._child(branch, parent_id, values)
        finally:
            self._branches.leave(group)

    async def _invoke(self, invoke: Invoke, parent_id: str | None, values: Values) -> None:
        if self._view(invoke.path) is None:
            start = _updates(OperationType.CHAINED_INVOKE, invoke.path, parent_id)
            options = ChainedInvokeOptions(function_name=f"{invoke.target}:live")
            payload = json.dumps({"from": self._attempt.execution_id, "at": invoke.path})
            await self._checkpoints.put(
                start(_START, chained_invoke_options=options, payload=payload)
            )
        view = await self._branches.until(invoke.path, lambda view: not view.is_open)
        values[invoke.path] = f"{view.status} {view.payload}"


def _updates(kind: OperationType, operation_id: str, parent_id: str | None) -> Any:
    def update(action: OperationAction, **members: Any) -> OperationUpdate:
        return OperationUpdate(
            id=operation_id, type=kind, action=action, parent_id=parent_id, **members
        )

    return update


def _delay(seconds: int) -> StepOptions:
    return StepOptions(next_attempt_delay_seconds=seconds)


def _answer(document: dict[str, Any]) -> Returned:
    return Returned(payload=json.dumps(document).encode())


_PENDING = _answer({"Status": "PENDING"})


def _ended(error: AttemptEndedError) -> InvocationOutcome:
    if error.is_revoked:
        return _PENDING
    return Raised(payload=raised(error), error_type="InvocationError")
