"""How many run at endpoints at once; how long an endpoint is left alone."""

import asyncio

import pytest

from perdure.engine.invoker import FunctionVersion
from perdure.runtime.endpoint_gate import Gate, Outages


def a_function(name: str, concurrency_max: int | None = None) -> FunctionVersion:
    """Return a function at an endpoint."""
    return FunctionVersion(
        function_arn=f"arn:{name}",
        function_name=name,
        version="1",
        revision_id="r",
        runtime="",
        handler="",
        timeout_seconds=3,
        memory_mb=128,
        endpoint_url="http://h",
        concurrency_max=concurrency_max,
    )


class Visits:
    """Visitors of a gate, each of whom stays until told to leave."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.inside: list[str] = []
        self._leave: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def come(self, visitor: str, function: FunctionVersion) -> None:
        """Have a visitor come, and let it go as far as it can."""
        self._leave[visitor] = asyncio.Event()
        self._tasks[visitor] = asyncio.create_task(self._visit(visitor, function))
        await self.settle()

    async def leave(self, visitor: str) -> None:
        """Have a visitor leave."""
        self._leave[visitor].set()
        await self._tasks[visitor]
        await self.settle()

    async def give_up(self, visitor: str) -> None:
        """Cancel a visitor, wherever it is."""
        self._tasks[visitor].cancel()
        await asyncio.wait([self._tasks[visitor]])
        await self.settle()

    @staticmethod
    async def settle() -> None:
        """Let everything that can happen now happen."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def _visit(self, visitor: str, function: FunctionVersion) -> None:
        async with self.gate.entered(function):
            self.inside.append(visitor)
            try:
                await self._leave[visitor].wait()
            finally:
                self.inside.remove(visitor)


def test_who_comes_first_goes_first_and_no_more_than_there_is_room_for() -> None:
    async def story() -> None:
        visits, function = Visits(Gate(2)), a_function("f")
        for visitor in "abcd":
            await visits.come(visitor, function)
        assert visits.inside == ["a", "b"]
        assert not visits.gate.has_room(function)
        await visits.leave("a")
        assert visits.inside == ["b", "c"]
        await visits.leave("b")
        await visits.leave("c")
        await visits.leave("d")
        assert visits.gate.has_room(function)

    asyncio.run(story())


def test_a_function_at_its_limit_holds_up_no_other() -> None:
    async def story() -> None:
        visits = Visits(Gate(3))
        narrow, other = a_function("narrow", 1), a_function("other")
        for visitor in ("n1", "n2", "n3"):
            await visits.come(visitor, narrow)
        await visits.come("o1", other)
        assert visits.inside == ["n1", "o1"]
        assert visits.gate.has_room(other)
        assert not visits.gate.has_room(narrow)
        await visits.come("o2", other)
        await visits.come("o3", other)
        assert visits.inside == ["n1", "o1", "o2"]
        await visits.leave("n1")
        assert visits.inside == ["o1", "o2", "n2"]
        for visitor in ("o1", "o2", "n2", "n3", "o3"):
            await visits.leave(visitor)

    asyncio.run(story())


def test_one_that_gives_up_waiting_leaves_no_trace() -> None:
    async def story() -> None:
        visits, function = Visits(Gate(1)), a_function("f")
        for visitor in "abc":
            await visits.come(visitor, function)
        await visits.give_up("b")
        await visits.leave("a")
        assert visits.inside == ["c"]
        await visits.give_up("c")
        assert visits.gate.has_room(function)

    asyncio.run(story())


def test_one_that_gives_up_just_when_let_in_gives_its_place_on() -> None:
    async def story() -> None:
        gate, function = Gate(1), a_function("f")
        first = gate.entered(function)
        await first.__aenter__()
        visits = Visits(gate)
        await visits.come("b", function)
        await visits.come("c", function)
        giving_up = visits._tasks["b"]
        await first.__aexit__(None, None, None)  # b is let in, and has not run yet
        giving_up.cancel()
        await visits.settle()
        assert giving_up.cancelled()
        assert visits.inside == ["c"]
        await visits.leave("c")

    asyncio.run(story())


def test_a_function_that_may_not_run_at_all_waits() -> None:
    async def story() -> None:
        visits = Visits(Gate(1))
        await visits.come("a", a_function("f", 0))
        assert visits.inside == []
        await visits.give_up("a")
        assert visits.gate.has_room(a_function("g"))

    asyncio.run(story())


@pytest.mark.parametrize(
    ("away_ms", "wait_ms"),
    [(0, 1_000), (400, 1_000), (5_000, 5_000), (59_999, 59_999), (3_600_000, 60_000)],
)
def test_a_place_is_left_alone_as_long_as_it_has_been_away(away_ms: int, wait_ms: int) -> None:
    outages = Outages()
    outages.wait_ms("u", 1_000_000)
    assert outages.wait_ms("u", 1_000_000 + away_ms) == wait_ms
    assert outages.wait_ms("v", 1_000_000 + away_ms) == 1_000


def test_a_place_that_answers_is_not_away() -> None:
    outages = Outages()
    outages.wait_ms("u", 0)
    outages.note_answer("u")
    outages.note_answer("never heard of")
    assert outages.wait_ms("u", 30_000) == 1_000
