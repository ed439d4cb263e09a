"""Who runs the next invocation of an execution whose handler was kept, and what it is told (K1,
K2).
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from perdure.core.commands import Pause, Resume, Stop
from perdure.core.operation import Operation
from perdure.engine.invoker import Crashed, FailureKind, InvocationOutcome, Raised, Returned
from perdure.engine.states import fits_envelope
from perdure.engine.verdicts import Keeping, keeping_of
from perdure.protocol.words import OperationStatus, OperationType

from .rig import Rig, a_rig


def told(story: Callable[[Rig], Awaitable[None]], **settings: Any) -> None:
    """Tell a story on a rig of its own."""

    async def tell() -> None:
        async with a_rig(**settings) as rig:
            await story(rig)

    asyncio.run(tell())


def test_the_worker_that_keeps_the_handler_is_preferred_and_told_what_changed() -> None:
    """K1."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", "b")
        await rig.call_back(identity, "b")
        run = (await rig.run()).on("one")
        assert run.request.preferred_worker == "one"
        assert (run.is_short, run.statuses) == (True, {"b": "SUCCEEDED"})
        envelope = run.envelope
        assert [*envelope] == [
            "DurableExecutionArn",
            "CheckpointToken",
            "InitialExecutionState",
            "UpdatedOperationIds",
            "ChangesOnly",
        ]
        assert envelope["DurableExecutionArn"] == identity.arn
        assert [*envelope["InitialExecutionState"]] == ["Operations"]
        assert envelope["UpdatedOperationIds"] == ["b"]

    told(story)


def test_it_goes_on_with_the_token_of_its_own_and_can_be_kept_again() -> None:
    """F5, K1."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", "b")
        await rig.call_back(identity, "a")
        run = (await rig.run()).on("one")
        await run.checkpoint({"Id": "s", "Type": "STEP", "Action": "SUCCEED"})
        run.answer(Kept=True)
        await rig.rest()
        await rig.call_back(identity, "b")
        again = (await rig.run()).on("one")
        assert (again.is_short, again.statuses) == (True, {"b": "SUCCEEDED"})
        again.answer("SUCCEEDED", Result="1")
        await rig.rest()
        assert len(rig.keepers) == 0

    told(story)


def test_what_comes_between_its_last_checkpoint_and_its_answer_is_told() -> None:
    """X8, K1."""

    async def story(rig: Rig) -> None:
        identity = await rig.start()
        run = (await rig.run()).on("one")
        for name in ("a", "b", "c"):
            await run.checkpoint({"Id": name, "Type": "CALLBACK", "Action": "START"})
        await rig.call_back(identity, "a")
        await run.checkpoint()
        await rig.call_back(identity, "b")
        run.answer(Kept=True)
        again = (await rig.run()).on("one")
        assert (again.is_short, again.statuses) == (True, {"b": "SUCCEEDED"})

    told(story)


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "replayed"])
def test_what_a_late_copy_of_a_poll_was_answered_is_told_again(*, kept: bool) -> None:
    """X8, K1: the poll itself was answered when nothing was new, and the copy's answer is lost."""

    async def story(rig: Rig) -> None:
        identity = await rig.start()
        run = (await rig.run()).on("one")
        for name in ("a", "b"):
            await run.checkpoint({"Id": name, "Type": "CALLBACK", "Action": "START"})
        await run.checkpoint(client_token="poll")
        await rig.call_back(identity, "b")
        await run.checkpoint(client_token="poll")
        run.answer(Kept=kept)
        again = (await rig.run()).on("one")
        others = {} if kept else {"a": "STARTED"}
        assert (again.is_short, again.statuses) == (kept, {**others, "b": "SUCCEEDED"})

    told(story)


def test_what_a_poll_has_told_is_not_told_again_once_its_token_was_used() -> None:
    """K1: who bears the token has heard the answer that brought it."""

    async def story(rig: Rig) -> None:
        identity = await rig.start()
        run = (await rig.run()).on("one")
        for name in ("a", "b"):
            await run.checkpoint({"Id": name, "Type": "CALLBACK", "Action": "START"})
        await rig.call_back(identity, "a")
        await run.checkpoint(client_token="poll")
        await run.checkpoint({"Id": "s", "Type": "STEP", "Action": "SUCCEED"}, client_token="s")
        run.answer(Kept=True)
        await rig.rest()
        await rig.call_back(identity, "b")
        assert (await rig.run()).on("one").statuses == {"b": "SUCCEEDED"}

    told(story)


def test_any_other_worker_is_given_the_whole_state() -> None:
    """K2: one that keeps the handler is not waited for."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", "b")
        await rig.call_back(identity, "b")
        run = (await rig.run()).on("two")
        assert (run.is_short, run.statuses) == (False, {"a": "STARTED", "b": "SUCCEEDED"})
        assert "ChangesOnly" not in run.envelope
        run.answer()
        await rig.rest()
        await rig.call_back(identity, "a")
        assert (await rig.run()).request.preferred_worker is None

    told(story)


@pytest.mark.parametrize(
    "answer",
    [{"Kept": False}, {"Kept": None}, {"Kept": "yes"}, {"Dropped": "x"}],
    ids=["not kept", "nothing said", "no truth value", "cannot be read"],
)
def test_who_does_not_say_that_it_keeps_a_handler_replays(answer: dict[str, Any]) -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", **answer)
        await rig.call_back(identity, "a")
        run = (await rig.run()).on("one")
        assert (run.is_short, run.statuses) == (False, {"a": "SUCCEEDED"})

    told(story)


def test_an_invocation_elsewhere_makes_the_kept_handler_worthless() -> None:
    """K2, F5: even one of which nothing more was heard."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", "b")
        await rig.call_back(identity, "a")
        (await rig.run()).on("two").crash()
        run = (await rig.run()).on("one")
        assert (run.is_short, run.statuses) == (False, {"a": "SUCCEEDED", "b": "STARTED"})

    told(story)


def test_a_worker_that_has_gone_keeps_nothing() -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a")
        rig.keepers.forget_worker("one")
        await rig.call_back(identity, "a")
        assert (await rig.run()).request.resumption is None

    told(story)


@pytest.mark.parametrize(("by", "is_short"), [("one", False), ("two", True)])
def test_a_handler_that_made_room_is_not_gone_on_with(by: str, *, is_short: bool) -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a")
        await rig.suspended(by, "x", Dropped=[identity.arn, "arn:unknown"])
        await rig.call_back(identity, "a")
        assert (await rig.run()).on("one").is_short is is_short

    told(story)


def test_a_handler_that_made_room_while_its_execution_waited_for_the_worker_replays() -> None:
    """K2: the worker is asked when it is there."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a")
        await rig.call_back(identity, "a")
        waiting = await rig.run()
        other = await rig.start()
        run = (await rig.run()).on("one")
        await run.checkpoint({"Id": "x", "Type": "CALLBACK", "Action": "START"})
        run.answer(Kept=True, Dropped=[identity.arn])
        await rig.until(lambda: rig.keepers.keeper(other.arn, epoch=2) is not None)
        assert waiting.request.preferred_worker == "one"
        assert waiting.on("one").statuses == {"a": "SUCCEEDED"}
        assert not waiting.is_short

    told(story)


def test_the_end_of_an_execution_is_the_end_of_its_keeping() -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a")
        assert len(rig.keepers) == 1
        await rig.tell(identity, Stop())
        assert len(rig.keepers) == 0

    told(story)


def test_an_answer_that_comes_after_the_end_keeps_nothing() -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.start()
        run = (await rig.run()).on("one")
        await rig.tell(identity, Stop())
        run.answer(Kept=True)
        await rig.rest()
        assert len(rig.keepers) == 0

    told(story)


def test_a_handler_to_which_nothing_is_new_replays() -> None:
    """It could only wait on; a replay may find what it did not."""

    async def story(rig: Rig) -> None:
        identity = await rig.start()
        run = (await rig.run()).on("one")
        await run.checkpoint({"Id": "a", "Type": "CALLBACK", "Action": "START"})
        await rig.tell(identity, Pause())
        await run.checkpoint()
        run.answer(Kept=True)
        await rig.rest()
        assert rig.keepers.keeper(identity.arn, epoch=2) == "one"
        await rig.tell(identity, Resume())
        again = (await rig.run()).on("one")
        assert (again.is_short, again.statuses) == (False, {"a": "STARTED"})

    told(story)


def test_a_pause_in_between_changes_nothing() -> None:
    """X7, K1."""

    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a", "b")
        await rig.tell(identity, Pause())
        await rig.call_back(identity, "a")
        await rig.tell(identity, Resume())
        run = (await rig.run()).on("one")
        assert (run.is_short, run.statuses) == (True, {"a": "SUCCEEDED"})

    told(story)


def test_with_nothing_to_be_kept_every_resume_replays() -> None:
    async def story(rig: Rig) -> None:
        identity = await rig.suspended("one", "a")
        await rig.call_back(identity, "a")
        assert (await rig.run()).request.resumption is None

    told(story, kept_handlers_max=0)


def test_a_short_envelope_costs_what_changed_and_not_what_there_is() -> None:
    """K1: whatever the execution has come to."""

    async def story(rig: Rig) -> None:
        identity = await rig.start(size=100_000)
        run = (await rig.run()).on("one")
        for number in range(50):
            await run.checkpoint(
                *(
                    {"Id": f"s{number}-{n}", "Type": "STEP", "Action": "SUCCEED", "Payload": "x"}
                    for n in range(100)
                ),
            )
        await run.checkpoint({"Id": "a", "Type": "CALLBACK", "Action": "START"})
        run.answer(Kept=True)
        await rig.rest()
        await rig.call_back(identity, "a")
        request = (await rig.run()).request
        assert len(request.payload_for("one")) < 1_000
        assert len(request.payload_for("two")) > 100_000

    told(story)


@pytest.mark.parametrize(("size", "fits"), [(1_000, True), (6_000_000, False)])
def test_changes_that_one_envelope_cannot_hold_are_replayed_page_by_page(
    size: int, *, fits: bool
) -> None:
    payload = "x" * size
    change = Operation("a", OperationType.STEP, OperationStatus.SUCCEEDED, 1, payload=payload)
    assert fits_envelope([change]) is fits
    assert fits_envelope([change._replace(payload=None)] * 20_000) is False


@pytest.mark.parametrize(
    ("outcome", "keeping"),
    [
        (Returned(payload=b'{"Status":"PENDING","Kept":true}'), Keeping(kept=True)),
        (
            Returned(payload=b'{"Status":"SUCCEEDED","Dropped":["a","b"],"Other":{"Kept":1}}'),
            Keeping(dropped=("a", "b")),
        ),
        (Returned(payload=b'{"Kept":null,"Dropped":null}'), Keeping()),
        (Returned(payload=b'{"Kept":1}'), Keeping()),
        (Returned(payload=b'{"Kept":true,"Dropped":[1]}'), Keeping()),
        (Returned(payload=b'["Kept"]'), Keeping()),
        (Returned(payload=b"\xff"), Keeping()),
        (Raised(payload=b'{"Kept":true}', error_type="E"), Keeping()),
        (Crashed(kind=FailureKind.EXITED, error_type="E", message="m"), Keeping()),
    ],
)
def test_what_an_answer_says_about_keeping(outcome: InvocationOutcome, keeping: Keeping) -> None:
    assert keeping_of(outcome) == keeping
