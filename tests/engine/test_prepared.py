"""What is to be said is prepared while it is being committed, and said only afterwards."""

import asyncio
from typing import Any

import pytest

from perdure.core.errors import Unavailable
from perdure.engine.prepared import Prepared
from perdure.protocol import executions as shapes
from perdure.protocol.wire import decode
from perdure.store.change import Change
from perdure.store.protocol import CommitResult, StoreUnknownError

from .rig import Rig, Run, a_rig

UPDATE = {"Id": "s", "Type": "STEP", "Action": "START", "Name": "work"}


class Held:
    """Has commits wait until the test answers them."""

    def __init__(self, rig: Rig) -> None:
        self.changes: list[tuple[Change, asyncio.Future[CommitResult]]] = []
        self._store = rig.engine.store
        self._commit = self._store.commit
        self._store.commit = self.commit  # type: ignore[method-assign]

    def commit(self, change: Change) -> asyncio.Future[CommitResult]:
        answer: asyncio.Future[CommitResult] = asyncio.get_running_loop().create_future()
        self.changes.append((change, answer))
        return answer

    async def let_through(self) -> None:
        change, answer = self.changes.pop(0)
        answer.set_result(await self._commit(change))

    def release(self) -> None:
        self._store.commit = self._commit  # type: ignore[method-assign]


def _request(run: Run) -> shapes.CheckpointDurableExecutionRequest:
    arn, token = run.envelope["DurableExecutionArn"], run.envelope["CheckpointToken"]
    document = {"DurableExecutionArn": arn, "CheckpointToken": token, "Updates": [UPDATE]}
    return decode(shapes.CheckpointDurableExecutionRequest, document)


async def _some_rounds() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def test_an_answer_is_prepared_during_the_commit_and_returned_after_it() -> None:
    async def story() -> None:
        async with a_rig() as rig:
            await rig.start()
            run = (await rig.run()).on("one")
            held, shown = Held(rig), list[Any]()
            answering = asyncio.create_task(
                rig.executions.checkpoint_durable_execution(_request(run), shown.append)
            )
            await _some_rounds()
            assert len(shown) == 1
            assert not answering.done()
            await held.let_through()
            held.release()
            assert await answering is shown[0]
            run.answer("SUCCEEDED", Result="1")
            await rig.rest()

    asyncio.run(story())


def test_what_was_prepared_for_nothing_is_not_said() -> None:
    async def story() -> None:
        async with a_rig() as rig:
            await rig.start()
            run = (await rig.run()).on("one")
            held, shown = Held(rig), list[Any]()
            answering = asyncio.create_task(
                rig.executions.checkpoint_durable_execution(_request(run), shown.append)
            )
            await _some_rounds()
            held.changes.pop(0)[1].set_result(CommitResult.CONFLICT)
            await _some_rounds()
            assert len(shown) == 2
            await held.let_through()
            held.release()
            assert await answering is shown[1]
            run.answer("SUCCEEDED", Result="1")
            await rig.rest()

    asyncio.run(story())


def test_a_commit_of_which_nothing_is_known_is_not_told_as_prepared() -> None:
    async def story() -> None:
        async with a_rig() as rig:
            await rig.start()
            run = (await rig.run()).on("one")
            held, shown = Held(rig), list[Any]()
            answering = asyncio.create_task(
                rig.executions.checkpoint_durable_execution(_request(run), shown.append)
            )
            await _some_rounds()
            held.changes.pop(0)[1].set_exception(StoreUnknownError("cut off"))
            held.release()
            with pytest.raises(Unavailable):
                await answering
            assert len(shown) == 1
            run.answer("SUCCEEDED", Result="1")
            await rig.rest()

    asyncio.run(story())


def test_something_else_is_made_anew() -> None:
    made = list[list[int]]()
    prepared: Prepared[list[int], int] = Prepared(lambda given: made.append(given) or len(made))
    foreseen, other = [1], [1]
    prepared.foresee(foreseen)
    assert prepared.of(foreseen) == 1
    assert prepared.of(other) == 2
    assert made == [foreseen, other]


def test_what_is_foreseen_too_late_is_not_made() -> None:
    made = list[int]()
    prepared: Prepared[int, None] = Prepared(made.append)
    prepared.of(1)
    prepared.foresee(1)
    assert made == [1]
