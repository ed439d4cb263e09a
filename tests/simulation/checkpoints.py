"""A handler's end of the wire: the chain of tokens, batches, retries with the same ClientToken, and
the state as the service's answers tell it.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

from perdure.core.errors import InvalidCheckpointToken, Refusal, TooManyRequests, Unavailable
from perdure.core.execution import Execution
from perdure.core.operation import Operation as StoredOperation
from perdure.protocol import executions as shapes
from perdure.protocol.operations import Operation, OperationUpdate
from perdure.protocol.words import OperationStatus, OperationType

from .network import LostError, Network
from .oracle import RUDE, Oracle, visible
from .records import Attempt

__all__ = ["AttemptEndedError", "Checkpoints", "Load", "View", "raised"]

#: Looks at the disk, for the oracle only.
Load = Callable[[str], Execution | None]

_TRIES_MAX: Final = 8
_PAUSE_SECONDS: Final = 0.05
_BATCH_MAX: Final = 12


class AttemptEndedError(Exception):
    """This attempt can store nothing more. ``is_revoked``: the service asked for it."""

    def __init__(self, reason: str, *, is_revoked: bool = False) -> None:
        """Say why."""
        super().__init__(reason)
        self.is_revoked = is_revoked


@dataclass(frozen=True, slots=True)
class View:
    """What a handler knows of an operation."""

    id: str
    status: OperationStatus
    attempt: int
    payload: str | None
    error: str | None
    callback_id: str | None
    replays_children: bool

    @property
    def is_open(self) -> bool:
        """Whether something is still to come."""
        return self.status in (
            OperationStatus.STARTED,
            OperationStatus.PENDING,
            OperationStatus.READY,
        )


_DETAILS: Final = (
    "step_details",
    "context_details",
    "callback_details",
    "chained_invoke_details",
    "execution_details",
)


def view_of(operation: Operation) -> View:
    """Return what an answer's operation says."""
    details: Any = None
    for name in _DETAILS:
        details = details or getattr(operation, name)
    error = getattr(details, "error", None)
    return View(
        operation.id,
        operation.status,
        getattr(details, "attempt", 0) or 0,
        getattr(details, "result", None),
        None if error is None else error.error_message or "",
        getattr(details, "callback_id", None),
        bool(getattr(details, "replay_children", False)),
    )


def view_of_document(operation: dict[str, Any]) -> View:
    """Return what an envelope's operation says."""
    details: dict[str, Any] = {}
    for key, value in operation.items():
        if key.endswith("Details"):
            details = value
    error = details.get("Error")
    return View(
        operation["Id"],
        OperationStatus(operation["Status"]),
        details.get("Attempt", 0),
        details.get("Result"),
        None if error is None else error.get("ErrorMessage", ""),
        details.get("CallbackId"),
        bool(details.get("ReplayChildren", False)),
    )


def view_of_stored(operation: StoredOperation) -> View:
    """Return what an operation is to look like, but for a callback's id."""
    error = operation.error
    return View(
        operation.id,
        operation.status,
        operation.attempt,
        operation.payload,
        None if error is None else error.error_message or "",
        None,
        operation.replay_children,
    )


class Checkpoints:
    """Stores updates, one request at a time; what waits meanwhile goes with the next."""

    def __init__(
        self,
        envelope: dict[str, Any],
        attempt: Attempt,
        network: Network,
        oracle: Oracle,
        load: Load,
    ) -> None:
        """Begin with an invocation's envelope; ``load`` looks at the disk, for the oracle only."""
        self.arn: str = envelope["DurableExecutionArn"]
        self.views: dict[str, View] = {}
        self.heard: Callable[[View], None] = lambda view: None
        self.ended: Callable[[AttemptEndedError], None] = lambda error: None
        self._token: str = envelope["CheckpointToken"]
        self._envelope = envelope
        self._attempt = attempt
        self._network = network
        self._oracle = oracle
        self._load = load
        self._queue: list[tuple[OperationUpdate | None, asyncio.Future[None] | None]] = []
        self._sending: asyncio.Task[None] | None = None
        self._number = 0
        self._is_ended = False
        self._rude: tuple[OperationUpdate, ...] = ()

    async def read_state(self) -> None:
        """Read the state that the replay starts from, page by page: all of it, if the envelope has
        only what changed.

        Raises:
            AttemptEndedError: it cannot be had.
        """
        state = self._envelope["InitialExecutionState"]
        marker, is_all = state.get("NextMarker"), bool(self._envelope.get("ChangesOnly"))
        for operation in () if is_all else state["Operations"]:
            self._take(view_of_document(operation))
        while marker or is_all:
            request = shapes.GetDurableExecutionStateRequest(
                durable_execution_arn=self.arn, checkpoint_token=self._token, marker=marker
            )
            page = await self._insist("get_durable_execution_state", request)
            for operation in page.operations:
                self._take(view_of(operation))
            marker, is_all = page.next_marker, False
        self._oracle.given(self._attempt, set(self.views))

    def renew(self, envelope: dict[str, Any], attempt: Attempt) -> None:
        """Go on in another invocation, with its token."""
        self._envelope, self._attempt = envelope, attempt
        self._token = envelope["CheckpointToken"]

    def read_changes(self) -> None:
        """Take what has changed since the last answer: what is then known is the state (K1)."""
        for operation in self._envelope["InitialExecutionState"]["Operations"]:
            self._take(view_of_document(operation))
        attempt = self._attempt
        for operation in visible(attempt.state.values()):
            known, wanted = self.views.get(operation.id), view_of_stored(operation)
            if known is None or replace(known, callback_id=None) != wanted:
                self._oracle.complain(
                    "K1", attempt.execution_id, f"a kept handler knows {known}, not {wanted}"
                )
        self._oracle.given(attempt, set(self.views))

    @property
    def is_settled(self) -> bool:
        """Whether everything was sent, and every answer was heard."""
        return not self._queue and self._sending is None and not self._is_ended

    async def put(self, *updates: OperationUpdate) -> None:
        """Store updates; return when the service has acknowledged them all."""
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.post(*updates[:-1])
        self._queue.append((updates[-1], stored))
        self._hurry()
        await stored

    def post(self, *updates: OperationUpdate) -> None:
        """Have updates travel with whatever is sent next."""
        self._queue.extend((update, None) for update in updates)

    async def poll(self) -> None:
        """Ask what has changed."""
        asked: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append((None, asked))
        self._hurry()
        await asked

    def be_rude(self, *updates: OperationUpdate) -> None:
        """Send updates, some time, that the service has to refuse as a whole (D2, S2)."""
        self._rude = updates

    async def settle(self) -> None:
        """Send what was only posted; return when nothing is on its way."""
        if self._queue:
            self._hurry()
        if self._sending is not None:
            await asyncio.wait([self._sending])

    def stop(self) -> None:
        """Send nothing more; what is on its way may arrive."""
        self._is_ended = True
        if self._sending is not None:
            self._sending.cancel()

    def _hurry(self) -> None:
        if self._sending is None and not self._is_ended:
            self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        try:
            while self._queue:
                batch, self._queue = self._queue[:_BATCH_MAX], self._queue[_BATCH_MAX:]
                batch = [(u, f) for u, f in batch if f is None or not f.cancelled()]
                if not batch:
                    continue
                await self._store(tuple(u for u, _ in batch if u is not None))
                for _, stored in batch:
                    if stored is not None and not stored.done():
                        stored.set_result(None)
                if self._rude:
                    await self._try_rude()
        except AttemptEndedError as error:
            self._is_ended = True
            self.ended(error)
        finally:
            self._sending = None

    async def _store(self, updates: tuple[OperationUpdate, ...]) -> None:
        self._number += 1
        request = shapes.CheckpointDurableExecutionRequest(
            durable_execution_arn=self.arn,
            checkpoint_token=self._token,
            updates=updates,
            client_token=f"{self._attempt.request_id}-{self._number}",
        )
        answer = await self._insist("checkpoint_durable_execution", request)
        self._attempt.answered.add(request.client_token)
        stored = self._load(self._attempt.execution_id)
        for update in updates:
            fact = self._oracle.stored(self._attempt, update)
            self._oracle.acknowledged(self._attempt.execution_id, fact, stored)
        self._oracle.told(self._attempt, self._token, answer)
        for operation in answer.new_execution_state.operations:
            self._take(view_of(operation))
        if answer.checkpoint_token is None:
            if updates and updates[-1].type is OperationType.EXECUTION:
                return  # it has ended the execution itself
            raise AttemptEndedError("the service gave no token", is_revoked=True)
        self._token = answer.checkpoint_token

    async def _try_rude(self) -> None:
        updates, self._rude = self._rude, ()
        self._number += 1
        request = shapes.CheckpointDurableExecutionRequest(
            durable_execution_arn=self.arn,
            checkpoint_token=self._token,
            updates=updates,
            client_token=f"{RUDE}-{self._attempt.request_id}-{self._number}",
        )
        try:
            await self._network.call("checkpoint_durable_execution", request, self._attempt)
        except InvalidCheckpointToken as refusal:
            raise AttemptEndedError(str(refusal)) from refusal
        except (LostError, Refusal):
            return
        self._oracle.complain("S2", self._attempt.execution_id, f"accepted: {updates}")

    async def _insist(self, method: str, request: Any) -> Any:
        for number in range(_TRIES_MAX):
            try:
                return await self._network.call(method, request, self._attempt)
            except (LostError, TooManyRequests, Unavailable):
                await asyncio.sleep(_PAUSE_SECONDS * (1 << number))
            except InvalidCheckpointToken as refusal:
                raise AttemptEndedError(str(refusal)) from refusal
            except Refusal as refusal:
                raise AttemptEndedError(f"refused for good: {refusal!r}") from refusal
        raise AttemptEndedError("the service cannot be reached")

    def _take(self, view: View) -> None:
        self.views[view.id] = view
        self.heard(view)


def raised(error: Exception) -> bytes:
    """Return a runtime's error document."""
    return json.dumps({"errorType": type(error).__name__, "errorMessage": str(error)}).encode()
