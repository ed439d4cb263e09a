"""Two nodes on one store: what is old comes to nothing, and what one has left the other takes."""

import asyncio

import pytest
import uvloop

from perdure.core.commands import Pause, Resume, Stop
from perdure.core.errors import ResourceConflict
from perdure.core.execution import Identity
from perdure.engine.hearsay import Topic
from perdure.engine.reaper import Reaper
from perdure.engine.waiting import Waiting
from perdure.protocol.words import ExecutionStatus
from perdure.store.protocol import StoreUnavailableError

from .pair import Pair, a_pair
from .rig import Rig
from .stories import told


async def status_at(rig: Rig, identity: Identity) -> ExecutionStatus:
    """Return an execution's status, as a node shows it."""
    async with rig.engine.reading(identity.id) as execution:
        return execution.progress.status


async def waiting(pair: Pair) -> Identity:
    """Return an execution that node ``a`` has run, whose handler waits for a callback there."""
    return await pair.a.suspended("w", "c")


@told
async def test_a_node_shows_what_another_has_committed() -> None:
    """F9."""
    async with a_pair() as pair:
        identity = await waiting(pair)
        assert await status_at(pair.b, identity) is ExecutionStatus.RUNNING
        await pair.a.tell(identity, Pause())
        assert await status_at(pair.b, identity) is ExecutionStatus.PAUSED


@told
async def test_a_refusal_is_not_made_of_what_is_old() -> None:
    """F9: node ``b`` remembers the execution as paused; a second pause would be refused."""
    async with a_pair() as pair:
        identity = await waiting(pair)
        await pair.b.tell(identity, Pause())
        await pair.a.tell(identity, Resume())
        await pair.b.tell(identity, Pause())
        assert await status_at(pair.a, identity) is ExecutionStatus.PAUSED
        with pytest.raises(ResourceConflict):
            await pair.a.tell(identity, Pause())


@told
async def test_an_old_state_meets_a_conflict_and_the_command_is_applied_again() -> None:
    async with a_pair() as pair:
        identity = await waiting(pair)
        await status_at(pair.b, identity)
        await pair.a.tell(identity, Pause())
        await pair.b.tell(identity, Stop())
        assert pair.store.conflicts == 1
        assert await status_at(pair.a, identity) is ExecutionStatus.STOPPED


@told
async def test_a_command_on_what_is_remembered_reads_nothing() -> None:
    async with a_pair() as pair:
        identity = await waiting(pair)
        loads = pair.store.loads
        await pair.a.tell(identity, Pause())
        await pair.a.tell(identity, Resume())
        assert (pair.store.loads, pair.store.conflicts) == (loads, 0)


@told
async def test_what_a_node_starts_runs_and_ends_it_does_not_read() -> None:
    async with a_pair() as pair:
        waiting = Waiting(pair.a.engine)
        identity = await pair.a.start()
        loads = pair.store.loads
        closed = asyncio.create_task(
            waiting.closed(identity.id, timeout_seconds=60, since_version=1)
        )
        run = (await pair.a.run()).on("w")
        run.answer("SUCCEEDED", Result="1")
        assert await closed
        await pair.a.rest()
        assert (pair.store.loads, pair.store.conflicts) == (loads, 0)


def test_a_caller_whose_time_is_up_looks_no_more() -> None:
    """Not even where the loop's timers are early, as uvloop's are by up to a millisecond."""

    async def story() -> None:
        async with a_pair() as pair:
            waiting = Waiting(pair.a.engine)
            identity = await pair.a.start()
            loads = pair.store.loads
            for _ in range(20):
                assert not await waiting.closed(identity.id, timeout_seconds=0.0304)
            assert pair.store.loads == loads + 20

    uvloop.run(story())


@told
async def test_whoever_waits_hears_of_an_end_elsewhere() -> None:
    async with a_pair() as pair:
        waiting, _ = Waiting(pair.a.engine), Waiting(pair.b.engine)
        identity = await pair.a.start()
        closed = asyncio.create_task(
            waiting.closed(identity.id, timeout_seconds=60, since_version=1)
        )
        await pair.a.until(lambda: waiting.callers == 1)
        await pair.b.tell(identity, Stop())
        assert await closed


@told
async def test_whoever_waits_sees_an_end_of_which_nobody_told_him() -> None:
    """F9: node ``a`` remembers the execution as running."""
    async with a_pair() as pair:
        for wire in pair.wires:
            wire.is_whole = False
        identity = await pair.a.start()
        await pair.b.tell(identity, Stop())
        assert await Waiting(pair.a.engine).closed(identity.id, timeout_seconds=60)


@told
async def test_the_node_that_keeps_a_handler_goes_first() -> None:
    async with a_pair() as pair:
        identity = await waiting(pair)
        await pair.b.call_back(identity, "c")
        run = (await pair.a.run()).on("w")
        assert (run.is_short, run.statuses) == (True, {"c": "SUCCEEDED"})
        run.answer("SUCCEEDED", Result="1")
        await pair.a.rest()
        await pair.b.rest()


@told
async def test_any_node_goes_on_where_the_keeper_is_not_heard_of() -> None:
    async with a_pair() as pair:
        identity = await waiting(pair)
        for wire in pair.wires:
            wire.is_whole = False
        await pair.b.call_back(identity, "c")
        run = (await pair.b.run()).on("x")
        assert (run.is_short, run.statuses) == (False, {"c": "SUCCEEDED"})
        run.answer("SUCCEEDED", Result="1")
        await pair.b.rest()


@told
async def test_a_stop_elsewhere_ends_the_invocation_here() -> None:
    async with a_pair() as pair:
        identity = await pair.a.start()
        run = await pair.a.run()
        await pair.b.tell(identity, Stop())
        await pair.a.until(run.report.cancelled)
        await pair.a.rest()
        assert await status_at(pair.a, identity) is ExecutionStatus.STOPPED


@told
async def test_what_a_node_has_no_room_for_the_other_takes() -> None:
    async with a_pair(invocations_max=1) as pair:
        pair.b.dispatcher.start()
        await pair.a.start()
        second = await pair.a.start()
        first_run = await pair.a.run()
        run = await pair.b.run()
        assert run.request.durable_execution_arn == second.arn
        for each in (first_run.on("x"), run.on("y")):
            each.answer("SUCCEEDED")
        await pair.a.rest()
        await pair.b.rest()


@told
async def test_a_node_that_drains_hands_over_what_becomes_ready_there() -> None:
    async with a_pair() as pair:
        pair.b.dispatcher.start()
        draining = asyncio.create_task(pair.a.dispatcher.stop(grace_seconds=5))
        await pair.a.until(lambda: pair.a.dispatcher.is_draining)
        identity = await pair.a.start()
        run = await pair.b.run()
        assert run.request.durable_execution_arn == identity.arn
        run.on("x").answer("SUCCEEDED")
        await pair.b.rest()
        await draining


@told
async def test_the_leases_of_a_node_that_is_gone_are_freed_at_once() -> None:
    async with a_pair() as pair:
        pair.wires[0].is_whole = pair.wires[1].is_whole = False
        identity = await pair.a.start()
        lost = await pair.a.run()
        reaper = Reaper(pair.b.engine)
        reaper.is_alive = lambda owner: owner == "a"
        await reaper.run_once()
        assert not pair.b.dispatcher.running
        reaper.is_alive = lambda _: False
        reaper.look_for_dead()
        await reaper.run_once()
        run = (await pair.b.run()).on("y")
        run.answer("SUCCEEDED", Result='"second"')
        await pair.b.rest()
        lost.on("x").answer("SUCCEEDED", Result='"first"')  # F7: it counts for nothing
        await pair.a.rest()
        async with pair.a.engine.reading(identity.id) as execution:
            assert execution.operations[identity.id].payload == '"second"'


@told
async def test_an_interruption_of_hints_has_everybody_look() -> None:
    async with a_pair() as pair:
        heard: list[tuple[str, ...]] = []
        pair.a.engine.hearsay.listen(Topic.ENDED, heard.append)
        pair.wires[0].interrupt()
        assert heard == [()]


@told
async def test_a_node_that_is_alone_tells_nobody() -> None:
    async with a_pair() as pair:
        pair.a.engine.hearsay.is_alone = True
        identity = await waiting(pair)
        await pair.a.tell(identity, Stop())
        assert pair.wires[0].said == []


@told
async def test_a_look_keeps_nothing_from_others_that_the_node_may_not_run() -> None:
    """X2: all of the function's concurrency is node ``a``'s, and nobody hears of anything."""
    async with a_pair(concurrency_max=1) as pair:
        pair.a.dispatcher.bounds.share = lambda concurrency_max: concurrency_max
        pair.b.dispatcher.bounds.share = lambda _: 0
        pair.wires[0].is_whole = pair.wires[1].is_whole = False
        identity = await pair.b.start()
        await pair.b.rest()
        for wire in pair.wires:
            wire.interrupt()
        await pair.b.dispatcher.run_once()
        await pair.a.dispatcher.run_once()
        assert pair.a.dispatcher.running == 1
        run = (await pair.a.run()).on("x")
        assert run.request.durable_execution_arn == identity.arn
        run.answer("SUCCEEDED")
        await pair.a.rest()


@told
async def test_a_look_passes_over_what_is_left_alone_for_now() -> None:
    """X2: or what others have left behind it waits for as long as it does."""
    async with a_pair(invocations_max=1) as pair:
        pair.wires[0].is_whole = pair.wires[1].is_whole = False
        await pair.b.start()
        running = (await pair.b.run()).on("x")
        resting, behind = await pair.b.start(), await pair.b.start()
        pair.a.dispatcher._queue.rest(resting.id, 60_000)
        pair.wires[0].interrupt()
        await pair.a.dispatcher.run_once()
        run = (await pair.a.run()).on("y")
        assert run.request.durable_execution_arn == behind.arn
        for each in (run, running):
            each.answer("SUCCEEDED")
        await pair.a.rest()


@pytest.mark.parametrize("error", [StoreUnavailableError("gone"), RuntimeError("broken")])
def test_a_run_whose_bound_cannot_be_learned_leaves_no_trace(error: Exception) -> None:
    """X2: it would count as running for ever, and its execution as begun."""

    @told
    async def tell() -> None:
        async with a_pair(concurrency_max=1) as pair:
            learn = pair.a.dispatcher.bounds.learn

            async def fail(_: str) -> None:
                pair.a.dispatcher.bounds.learn = learn  # type: ignore[method-assign]
                raise error

            pair.a.dispatcher.bounds.learn = fail  # type: ignore[method-assign]
            identity = await pair.a.start()
            await pair.a.rest()
            pair.a.dispatcher._queue.offer(identity.id, identity.function_arn, 0)
            run = (await pair.a.run()).on("x")
            run.answer("SUCCEEDED")
            await pair.a.rest()

    tell()
