"""What the store would not lend is left alone for a while, whoever looks for what is ready."""

import asyncio

import pytest

from perdure.store.change import Change
from perdure.store.protocol import CommitResult, StoreFullError, StoreUnavailableError

from .rig import Rig, a_rig


class _Begins:
    """Counts the invocations that a store is asked to begin, and refuses every one."""

    def __init__(self, rig: Rig, error: Exception) -> None:
        self.count = 0
        self._error = error
        store = rig.engine.store
        self._commit = store.commit
        store.commit = self.commit  # type: ignore[method-assign]

    async def commit(self, change: Change) -> CommitResult:
        if change.progress.lease_until_ms is None:
            return await self._commit(change)
        self.count += 1
        raise self._error


@pytest.mark.parametrize(
    "error", [StoreFullError("no room"), StoreUnavailableError("gone")], ids=["full", "away"]
)
def test_a_look_does_not_cut_short_the_pause_after_a_fault(error: Exception) -> None:
    """Or a node whose store takes no change would look, try and fail without a pause."""

    async def tell() -> None:
        async with a_rig(invocations_max=1) as rig:
            await rig.start()
            first = (await rig.run()).on("one")
            await rig.start()
            begins = _Begins(rig, error)
            first.answer("SUCCEEDED", Result="1")
            await rig.until(lambda: begins.count == 1)
            await rig.rest()
            await rig.dispatcher.run_once()
            assert (rig.dispatcher.running, rig.dispatcher.queued, begins.count) == (0, 0, 1)

    asyncio.run(tell())
