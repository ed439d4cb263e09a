"""What follows upon a change at once is committed with it, and only if there is room for it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perdure.core.commands import Pause
from perdure.core.errors import Unavailable
from perdure.store.change import Change
from perdure.store.protocol import CommitResult, StoreFullError

from .rig import Rig, a_rig


class Commits:
    """Counts what a store is asked to commit, and answers in its place when told to."""

    def __init__(self, rig: Rig) -> None:
        self.changes: list[Change] = []
        self.answers: list[CommitResult | Exception | asyncio.Future[CommitResult]] = []
        store = rig.engine.store
        self._commit = store.commit
        store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, change: Change) -> CommitResult:
        self.changes.append(change)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return await answer if isinstance(answer, asyncio.Future) else answer
        return await self._commit(change)


def told(story: Callable[[Rig, Commits], Awaitable[None]], **settings: Any) -> None:
    async def tell() -> None:
        async with a_rig(**settings) as rig:
            await story(rig, Commits(rig))

    asyncio.run(tell())


def test_a_start_and_the_beginning_of_its_invocation_are_one_commit() -> None:
    async def story(rig: Rig, commits: Commits) -> None:
        await rig.start()
        run = (await rig.run()).on("one")
        assert len(commits.changes) == 1
        (change,) = commits.changes
        assert change.identity is not None
        assert (change.expected_version, change.progress.version) == (0, 1)
        assert (change.progress.epoch, change.progress.lease_owner) == (1, "test")
        run.answer("SUCCEEDED", Result="1")
        await rig.rest()
        assert len(commits.changes) == 2

    told(story)


def test_an_answer_and_the_resume_are_one_commit() -> None:
    async def story(rig: Rig, commits: Commits) -> None:
        identity = await rig.suspended("one", "a")
        commits.changes.clear()
        await rig.call_back(identity, "a")
        run = (await rig.run()).on("one")
        (change,) = commits.changes
        assert [operation.id for operation in change.operations] == ["a"]
        assert change.progress.request_id == run.request.request_id
        assert run.statuses == {"a": "SUCCEEDED"}
        run.answer("SUCCEEDED", Result="1")

    told(story)


def test_without_room_an_execution_is_only_marked_ready() -> None:
    async def story(rig: Rig, commits: Commits) -> None:
        await rig.start()
        first = (await rig.run()).on("one")
        await rig.start()
        assert commits.changes[-1].progress.ready_at_ms is not None
        assert commits.changes[-1].progress.lease_until_ms is None
        first.answer("SUCCEEDED", Result="1")
        (await rig.run()).on("one").answer("SUCCEEDED", Result="1")

    told(story, invocations_max=1)


def test_a_paused_execution_is_not_begun() -> None:
    async def story(rig: Rig, commits: Commits) -> None:
        identity = await rig.suspended("one", "a")
        await rig.tell(identity, Pause())
        await rig.call_back(identity, "a")
        assert commits.changes[-1].progress.lease_until_ms is None
        assert rig.dispatcher.running == 0

    told(story)


def test_whoever_loses_the_race_follows_again() -> None:
    """A conflict gives the room back, and the next attempt takes it anew."""

    async def story(rig: Rig, commits: Commits) -> None:
        identity = await rig.suspended("one", "a")
        commits.answers.append(CommitResult.CONFLICT)
        await rig.call_back(identity, "a")
        run = (await rig.run()).on("one")
        assert rig.dispatcher.running == 1
        run.answer("SUCCEEDED", Result="1")

    told(story)


def test_a_full_store_leaves_no_run_behind() -> None:
    async def story(rig: Rig, commits: Commits) -> None:
        identity = await rig.suspended("one", "a")
        commits.answers.append(StoreFullError("no room"))
        with pytest.raises(Unavailable):
            await rig.call_back(identity, "a")
        assert rig.dispatcher.running == 0
        await rig.call_back(identity, "a")
        (await rig.run()).on("one").answer("SUCCEEDED", Result="1")

    told(story)


def test_room_that_is_given_back_is_for_whoever_waits_for_it() -> None:
    """X2: one waits for the room that another has claimed, whose change is not committed."""

    async def story(rig: Rig, commits: Commits) -> None:
        answer: asyncio.Future[CommitResult] = asyncio.get_running_loop().create_future()
        commits.answers.append(answer)
        refused = asyncio.ensure_future(rig.start())
        await rig.until(lambda: len(commits.changes) == 1)
        waiting = await rig.start()
        assert rig.dispatcher.queued == 1
        answer.set_exception(StoreFullError("no room"))
        with pytest.raises(Unavailable):
            await refused
        run = (await rig.run()).on("one")
        assert run.envelope["DurableExecutionArn"] == waiting.arn
        run.answer("SUCCEEDED", Result="1")

    told(story, invocations_max=1)


def test_a_caller_who_leaves_does_not_take_the_invocation_with_him() -> None:
    """The lease is taken by a commit that goes on: its invocation is begun (F5)."""

    async def story(rig: Rig, commits: Commits) -> None:
        identity = await rig.suspended("one", "a")
        asking = asyncio.ensure_future(rig.call_back(identity, "a"))
        while not rig.dispatcher.running:  # noqa: ASYNC110 - it has no event to wait on
            await asyncio.sleep(0)
        asking.cancel()
        (await rig.run()).on("one").answer("SUCCEEDED", Result="1")

    told(story)
