"""Delivers what one execution has to say to another: starts of children, their outcomes,
announcements.

A letter stays in the store until what it asks for is committed, in the same transaction (D3): it is
delivered though every process dies, and its effect comes once.
"""

import asyncio
import logging
from typing import Final

from perdure.core.commands import FinishChainedInvoke
from perdure.core.errors import Refusal, ResourceNotFound, TooManyRequests, Unavailable
from perdure.core.outcome import AnnounceEnd, NotifyParent, Outcome, StartChild
from perdure.engine.announcing import Announcer
from perdure.engine.engine import Engine
from perdure.engine.hearsay import Topic
from perdure.engine.loops import Loop
from perdure.engine.starting import Starter
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus
from perdure.store.change import Change, Letter

__all__ = ["Outbox"]

_log = logging.getLogger(__name__)

_LOOK_EVERY_SECONDS: Final = 10.0
_READ_MAX: Final = 1_000
_AT_ONCE_MAX: Final = 64
#: A child's outcome waits so long for its parent's invocation to suspend, so that history reads as
#: it does on AWS: the invocation that asked has completed before the answer comes. A parent busy
#: with other work is told then.
_HELD_SECONDS: Final = 0.25
_HELD_STEP_SECONDS: Final = 0.005

#: Where nodes share the store, who commits a letter delivers it; one so old was left by its node.
_SHARED_LOOK_EVERY_SECONDS: Final = 3.0
_LEFT_AFTER_MS: Final = 1_000
_CLAIM_MS: Final = 5_000
_SHARED_STEP_SECONDS: Final = 0.025


class Outbox:
    """Delivers letters."""

    def __init__(self, engine: Engine, starter: Starter, announcer: Announcer) -> None:
        """Deliver for ``engine``."""
        self._engine = engine
        self._starter = starter
        self._announcer = announcer
        self._waiting: dict[str, Letter] = {}
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._loop = Loop("outbox", self.run_once)
        engine.listen(self._hear)
        engine.hearsay.listen(Topic.LETTERS, self._hear_of_left)

    def start(self) -> None:
        """Begin."""
        self._loop.start()

    async def stop(self) -> None:
        """End; what is under way is given up, and delivered after the next start."""
        await self._loop.stop()
        for task in self._under_way.values():
            task.cancel()
        if self._under_way:
            self._engine.hearsay.tell(Topic.LETTERS)
            await asyncio.wait(self._under_way.values())

    @property
    def letters(self) -> int:
        """How many letters this node is delivering, or is about to."""
        return len(self._under_way) + len(self._waiting)

    async def run_once(self) -> float:
        """Take up what lies in the store; return the seconds until the next look."""
        engine = self._engine
        found = await engine.store.letters(limit=_READ_MAX, claim=engine.claim(_CLAIM_MS))
        sent_before_ms = engine.clock.now_ms() - (_LEFT_AFTER_MS if engine.is_shared else 0)
        for letter in found:
            if letter.sent_at_ms <= sent_before_ms or not engine.is_shared:
                self._take(letter)
        return _SHARED_LOOK_EVERY_SECONDS if engine.is_shared else _LOOK_EVERY_SECONDS

    def _hear_of_left(self, _keys: tuple[str, ...]) -> None:
        self._loop.nudge()

    def _hear(self, outcome: Outcome, change: Change) -> None:
        for letter in change.letters:
            self._take(letter)

    def _take(self, letter: Letter) -> None:
        if letter.id in self._under_way or letter.id in self._waiting:
            return
        if len(self._under_way) >= _AT_ONCE_MAX:
            self._waiting[letter.id] = letter
            return
        task = asyncio.create_task(self._deliver(letter))
        self._under_way[letter.id] = task
        task.add_done_callback(lambda _: self._done(letter.id))

    def _done(self, letter_id: str) -> None:
        del self._under_way[letter_id]
        if self._waiting and len(self._under_way) < _AT_ONCE_MAX:
            self._take(self._waiting.pop(next(iter(self._waiting))))

    async def _deliver(self, letter: Letter) -> None:
        try:
            match letter.message:
                case StartChild():
                    await self._start_child(letter, letter.message)
                case NotifyParent():
                    await self._notify(letter, letter.message)
                case AnnounceEnd():
                    await self._announcer.announce(letter)
                    await self._engine.store.discard([letter.id])
        except (Unavailable, TooManyRequests) as refusal:
            _log.warning("letter %s will be tried again: %s", letter.id, refusal)
        except ResourceNotFound:
            _log.warning("letter %s is dropped: its sender was deleted", letter.id)
            await self._engine.store.discard([letter.id])
        except Exception:  # noqa: BLE001 - the edge of a delivery: the letter stays, and is tried again
            _log.exception("letter %s will be tried again", letter.id)

    async def _start_child(self, letter: Letter, message: StartChild) -> None:
        try:
            now_ms = self._engine.clock.now_ms()
            start = await self._starter.child(message, letter.sender_id, now_ms=now_ms)
            outcome = await self._engine.start(start, delivered=[letter.id], is_named=False)
            if not outcome.is_change:
                await self._engine.store.discard([letter.id])
        except (Unavailable, TooManyRequests):
            raise
        except Refusal as refusal:
            error = ErrorObject(error_type=refusal.code, error_message=refusal.message)
            await self._finish(
                letter.sender_id,
                FinishChainedInvoke(
                    operation_id=message.operation_id, status=OperationStatus.FAILED, error=error
                ),
                letter,
            )

    async def _notify(self, letter: Letter, message: NotifyParent) -> None:
        parent_id = message.parent.execution_id
        await self._hold(parent_id)
        command = FinishChainedInvoke(
            operation_id=message.parent.operation_id,
            status=message.status,
            payload=message.payload,
            error=message.error,
        )
        await self._finish(parent_id, command, letter)

    async def _hold(self, parent_id: str) -> None:
        step_seconds = _SHARED_STEP_SECONDS if self._engine.is_shared else _HELD_STEP_SECONDS
        for _ in range(round(_HELD_SECONDS / step_seconds)):
            try:
                async with self._engine.reading(parent_id) as parent:
                    if not parent.is_leased:
                        return
            except ResourceNotFound:
                return
            await asyncio.sleep(step_seconds)

    async def _finish(self, parent_id: str, command: FinishChainedInvoke, letter: Letter) -> None:
        try:
            outcome = await self._engine.carry_out(parent_id, command, delivered=[letter.id])
            is_discarded = outcome.is_change
        except ResourceNotFound:
            is_discarded = False
        if not is_discarded:
            await self._engine.store.discard([letter.id])
