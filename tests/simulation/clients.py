"""Those outside: they start executions, answer callbacks, stop, pause, resume, delete and look.
They insist until they are answered, and write down what they were told.
"""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from perdure.core.errors import (
    CallbackTimedOut,
    ExecutionAlreadyStarted,
    InvalidParameterValue,
    Refusal,
    ResourceConflict,
    ResourceNotFound,
    TooManyRequests,
    Unavailable,
)
from perdure.core.execution import Execution
from perdure.protocol import callbacks as callback_shapes
from perdure.protocol import executions as shapes
from perdure.protocol.invocations import InvocationType, InvokeRequest
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import CLOSED_EXECUTION_STATUSES, OperationStatus

from .dice import Dice
from .expectations import FAILED, TIMED_OUT
from .network import LostError, Network
from .oracle import Oracle
from .programs import Answers, Callback
from .records import Life

__all__ = ["Answered", "Clients", "id_of"]

_AGAIN_SECONDS: Final = 0.25
_Load = Callable[[str], Execution | None]


@dataclass(slots=True)
class Answered:
    """What was tried on one callback, and what was acknowledged."""

    callback_id: str
    tried: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    is_timed_out: bool = False


def id_of(arn: str) -> str:
    """Return the id of an execution's ARN."""
    return arn.rpartition("/")[2]


class Clients:
    """All of them."""

    def __init__(self, network: Network, oracle: Oracle, dice: Dice, load: _Load) -> None:
        """Send through ``network``."""
        self._network = network
        self._oracle = oracle
        self._dice = dice
        self._load = load
        self.answered: dict[tuple[str, str], Answered] = {}
        self.stopped: set[str] = set()  #: executions that were asked to stop
        self.deleted: set[str] = set()  #: executions whose deletion was acknowledged
        self.pauses: dict[str, bool] = {}  #: executions that were asked to pause; True: resumed
        self.busy = 0
        self.has_steady_clocks = True

    def send(self, errand: Coroutine[Any, Any, None]) -> None:
        """Have somebody run an errand."""
        self.busy += 1
        asyncio.get_running_loop().create_task(errand).add_done_callback(self._is_back)

    def _is_back(self, errand: "asyncio.Task[None]") -> None:
        self.busy -= 1
        if not errand.cancelled() and errand.exception() is not None:
            self._oracle.complain("fault", "client", f"{errand.exception()!r}")

    async def insist(self, method: str, request: Any) -> Any:
        """Return the response, however often it takes.

        Raises:
            Refusal: a server refuses it for good.
        """
        while True:
            try:
                return await self._network.call(method, request)
            except (LostError, TooManyRequests, Unavailable):
                await asyncio.sleep(_AGAIN_SECONDS)

    # Starts (I1, I3).

    async def start(
        self, function: str, name: str | None, payload: str, *, is_event: bool
    ) -> str | None:
        """Start an execution, or attach to the one that has the name; return its ARN."""
        request = InvokeRequest(
            function_name=function,
            qualifier="live",
            invocation_type=InvocationType.EVENT if is_event else InvocationType.REQUEST_RESPONSE,
            durable_execution_name=name,
            payload=payload.encode(),
        )
        try:
            response = await self.insist("invoke", request)
        except ExecutionAlreadyStarted as refusal:
            holder = self._oracle.life(id_of(refusal.durable_execution_arn or ""))
            if holder is None or holder.root().input == payload:
                self._oracle.complain("I1", str(name), f"refused without a reason: {refusal}")
            return None
        except ResourceNotFound:
            return None  # removed while its caller waited
        arn = str(response.durable_execution_arn)
        execution_id = id_of(arn)
        life = self._oracle.life(execution_id)
        if life is None:
            self._oracle.complain("D1", execution_id, "started, but nothing is stored")
            return None
        self._oracle.acknowledged(execution_id, _is_input(payload), self._load(execution_id))
        if name is not None and life.identity.name != name:
            self._oracle.complain("I1", execution_id, f"is not named {name}")
        if response.executed_version != life.identity.version:
            self._oracle.complain("V1", execution_id, f"version {response.executed_version}")
        if not is_event:
            self._check_result(life, response)
        return arn

    def _check_result(self, life: Life, response: Any) -> None:
        root = life.root()
        is_success = root.status is OperationStatus.SUCCEEDED
        if is_success != (response.function_error is None) or not life.is_ended:
            self._oracle.complain("I1", life.id, f"{root.status}, but answered {response}")
        elif is_success and response.payload != (root.payload or "null").encode():
            self._oracle.complain("I1", life.id, f"answered {response.payload!r}")

    # Callbacks (C1 to C5).

    def publish(self, callback_id: str, execution_id: str, item: Callback) -> None:
        """Hear of a callback; the first time, somebody begins to see to it."""
        key = (execution_id, item.path)
        known = self.answered.get(key)
        if known is not None:
            if known.callback_id != callback_id:
                self._oracle.complain("C6", execution_id, f"{item.path} has another id")
            return
        answered = self.answered[key] = Answered(callback_id)
        self.send(_PLANS[item.answers](self, execution_id, item, answered))

    async def _answer_once(self, execution_id: str, item: Callback, answered: Answered) -> None:
        await asyncio.sleep(self._dice.pick((0.0, 0.1, 4.0)) * self._dice.fraction())
        await self._answer(execution_id, item, answered, 0)

    async def _answer_all(self, execution_id: str, item: Callback, answered: Answered) -> None:
        for number in range(3):
            self.send(self._answer(execution_id, item, answered, number))

    async def _answer_in_time(self, execution_id: str, item: Callback, answered: Answered) -> None:
        await asyncio.sleep(item.timeout_seconds * self._dice.between(0.8, 1.2))
        await self._answer(execution_id, item, answered, 0)

    async def _answer_late(self, execution_id: str, item: Callback, answered: Answered) -> None:
        await asyncio.sleep(item.timeout_seconds + self._dice.between(0.1, 6))
        await self._answer(execution_id, item, answered, 0)

    async def _beat(self, execution_id: str, item: Callback, answered: Answered) -> None:
        beats = self._dice.integer(1, 5)
        if item.timeout_seconds:
            beats = item.timeout_seconds + 2
        for _ in range(beats):
            await asyncio.sleep(1)
            try:
                request = callback_shapes.SendDurableExecutionCallbackHeartbeatRequest(
                    callback_id=answered.callback_id
                )
                await self._network.call("send_durable_execution_callback_heartbeat", request)
            except (LostError, Refusal):
                continue
        await self._answer(execution_id, item, answered, 0)

    async def _answer(
        self, execution_id: str, item: Callback, answered: Answered, number: int
    ) -> None:
        text = f"answer {number} to {item.path}"
        is_success = self._dice.chance(0.7)
        value = text if is_success else FAILED + text
        answered.tried.add(value)
        try:
            if is_success:
                await self.insist(
                    "send_durable_execution_callback_success",
                    callback_shapes.SendDurableExecutionCallbackSuccessRequest(
                        callback_id=answered.callback_id, result=text.encode()
                    ),
                )
            else:
                await self.insist(
                    "send_durable_execution_callback_failure",
                    callback_shapes.SendDurableExecutionCallbackFailureRequest(
                        callback_id=answered.callback_id, error=ErrorObject(error_message=text)
                    ),
                )
        except Refusal as refusal:
            self._refused(execution_id, item, answered, refusal)
            return
        answered.acknowledged.add(value)
        if len(answered.acknowledged) > 1:
            self._oracle.complain("C1", execution_id, f"two answers won: {answered.acknowledged}")
        fact = _is_answered(item.path, value)
        self._oracle.acknowledged(execution_id, fact, self._load(execution_id))

    def _refused(
        self, execution_id: str, item: Callback, answered: Answered, refusal: Refusal
    ) -> None:
        life = self._oracle.life(execution_id)
        is_open = life is not None and not life.is_ended
        match refusal:
            case CallbackTimedOut():
                answered.is_timed_out = True
            case ResourceNotFound() if is_open and "no such" in refusal.message:
                self._oracle.complain("C4", execution_id, f"{item.path} is not found: {refusal}")
            case ResourceNotFound() | InvalidParameterValue():
                pass
            case _:
                self._oracle.complain("C1", execution_id, f"{item.path}: {refusal!r}")

    def callback(self, execution_id: str, item: Callback) -> frozenset[str]:
        """Return what a callback may have come to."""
        answered = self.answered.get((execution_id, item.path))
        if answered is None:
            return frozenset()
        if answered.acknowledged:
            return frozenset(answered.acknowledged)
        if answered.is_timed_out and self.has_steady_clocks:
            return frozenset({TIMED_OUT})
        has_end = bool(item.timeout_seconds or item.heartbeat_seconds)
        return frozenset(answered.tried | ({TIMED_OUT} if has_end else set()))

    # Controls (X1, X6, X7, R1).

    async def stop(self, arn: str) -> None:
        """Stop an execution."""
        execution_id = id_of(arn)
        self.stopped.add(execution_id)
        request = shapes.StopDurableExecutionRequest(durable_execution_arn=arn)
        try:
            await self.insist("stop_durable_execution", request)
        except ResourceNotFound:
            self._check_gone(execution_id, "stop")
            return
        self._oracle.acknowledged(execution_id, _is_closed, self._load(execution_id))
        await self._look(arn, _is_closed_word)

    async def pause(self, arn: str, until: Callable[[], bool]) -> None:
        """Pause an execution for a while, then resume it."""
        execution_id = id_of(arn)
        self.pauses[execution_id] = False
        life = self._oracle.life(execution_id)
        assert life is not None
        request = shapes.PauseDurableExecutionRequest(
            durable_execution_arn=arn,
            client_token=f"pause-{execution_id[:8]}",
            execution_timeout_paused=self._dice.chance(0.8),
        )
        try:
            await self.insist("pause_durable_execution", request)
            life.is_pause_acknowledged = not life.is_ended
            stored = self._load(execution_id)
            self._oracle.acknowledged(execution_id, self._is_paused(execution_id), stored)
        except ResourceNotFound:
            self._check_gone(execution_id, "pause")
            return
        except ResourceConflict:
            pass  # it has ended, or a lost request paused it and the heal phase resumed it
        seconds = self._dice.between(0.2, 6)
        for _ in range(10):
            if not until():
                await asyncio.sleep(seconds / 10)
        await self.resume(arn)

    async def resume(self, arn: str) -> None:
        """Resume an execution."""
        execution_id = id_of(arn)
        self.pauses[execution_id] = True
        life = self._oracle.life(execution_id)
        assert life is not None
        life.is_pause_acknowledged = False
        request = shapes.ResumeDurableExecutionRequest(
            durable_execution_arn=arn, client_token=f"resume-{self._oracle.tick()}"
        )
        try:
            await self.insist("resume_durable_execution", request)
        except ResourceConflict:
            return
        except ResourceNotFound:
            self._check_gone(execution_id, "resume")

    def _is_paused(self, execution_id: str) -> Callable[[Execution | None], str | None]:
        def fact(execution: Execution | None) -> str | None:
            assert execution is not None
            is_kept = execution.is_closed or execution.progress.pause is not None
            return None if is_kept or self.pauses[execution_id] else "it is not paused"

        return fact

    async def delete(self, arn: str) -> None:
        """Delete an execution."""
        execution_id = id_of(arn)
        life = self._oracle.life(execution_id)
        assert life is not None
        is_ended = life.is_ended
        self._oracle.may_be_gone.add(execution_id)
        request = shapes.DeleteDurableExecutionRequest(durable_execution_arn=arn)
        try:
            await self.insist("delete_durable_execution", request)
        except ResourceNotFound:
            self._check_gone(execution_id, "delete")
        except ResourceConflict as refusal:
            if is_ended:
                self._oracle.complain("R1", execution_id, f"delete refused: {refusal}")
        else:
            if not life.is_ended:
                self._oracle.complain("R1", execution_id, "deleted while it runs")
            self.deleted.add(execution_id)

    def _check_gone(self, execution_id: str, what: str) -> None:
        if execution_id not in self._oracle.may_be_gone:
            self._oracle.complain("F9", execution_id, f"{what}: it is not found")

    async def _look(self, arn: str, is_right: Callable[[Any], bool]) -> None:
        """Look at an execution: what was acknowledged before must show (F9)."""
        execution_id = id_of(arn)
        request = shapes.GetDurableExecutionRequest(durable_execution_arn=arn)
        try:
            response = await self.insist("get_durable_execution", request)
        except ResourceNotFound:
            self._check_gone(execution_id, "get")
            return
        if not is_right(response):
            self._oracle.complain("F9", execution_id, f"it is shown as {response.status}")

    async def look(self, arn: str) -> None:
        """Look at an execution: if its end was stored before, it must show (F9)."""
        life = self._oracle.life(id_of(arn))
        assert life is not None
        is_ended = life.is_ended
        await self._look(arn, lambda response: not is_ended or _is_closed_word(response))


def _is_input(payload: str) -> Callable[[Execution | None], str | None]:
    def fact(execution: Execution | None) -> str | None:
        assert execution is not None
        root = execution.operations[execution.identity.id]
        return None if root.input == payload else f"its input is {root.input!r}"

    return fact


def _is_answered(path: str, value: str) -> Callable[[Execution | None], str | None]:
    def fact(execution: Execution | None) -> str | None:
        assert execution is not None
        operation = execution.operations.get(path)
        if operation is None:
            return f"{path} is not stored"
        found = operation.payload
        if operation.status is OperationStatus.FAILED and operation.error is not None:
            found = FAILED + str(operation.error.error_message)
        return None if found == value else f"{path} is {operation.status} with {found!r}"

    return fact


def _is_closed(execution: Execution | None) -> str | None:
    assert execution is not None
    return None if execution.is_closed else f"it is {execution.progress.status}"


def _is_closed_word(response: Any) -> bool:
    return response.status in CLOSED_EXECUTION_STATUSES


_PLANS: Final = {
    Answers.ONE: Clients._answer_once,
    Answers.RIVALS: Clients._answer_all,
    Answers.NEVER: Clients._answer_late,
    Answers.RACE: Clients._answer_in_time,
    Answers.BEATS: Clients._beat,
    Answers.LATE: Clients._beat,
}


def payload_of(number: int) -> str:
    """Return the input of a start."""
    return json.dumps({"start": number})
