"""Random programs come to what they have to, in both colours, crashed, kept or replayed."""

import asyncio
import faulthandler
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType
from perdure.sdk.parking import Parking
from perdure.sdk.workers import WORKERS
from tests.sdk.programs import HANDLERS, Node, Runs, answer_of, expected, nodes, wrap
from tests.sdk.service import LOOP, Crash, Ended, Service

pytestmark = pytest.mark.timeout(150)

Program = tuple[Node, ...]
COLOURS = st.sampled_from(sorted(HANDLERS))
EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_STUCK_SECONDS = 20.0


@dataclass
class Crashes:
    """Kills the handler at some checkpoints, before or after they are stored, once each."""

    points: frozenset[int] = frozenset()
    count: int = 0
    crashed: int = 0

    def at(self, number: int) -> None:
        """Be before a checkpoint, or after."""
        self.count += 1
        if self.count in self.points:
            self.crashed += 1
            raise Crash(f"at point {self.count}")


@dataclass
class Scene(Service):
    """One program's execution; each invocation may keep its handler in another parking."""

    runs: Runs = field(default_factory=Runs)
    parkings: Sequence[Parking | None] = (None,)
    others: Sequence["Scene"] = ()  #: those that share the parkings, this one included

    def __post_init__(self) -> None:
        super().__post_init__()
        self.runs.is_recorded = self._is_recorded
        self.answer = self._answer
        self._next_parking = cycle(self.parkings)

    def invoke(self) -> dict[str, Any] | None:
        """Run one invocation; believe what it says of the handlers that it let go."""
        before, self.keep = self.keep, next(self._next_parking)
        self._kept = self._kept and before is self.keep
        answer = super().invoke()
        for arn in (answer or {}).get("Dropped", ()):
            for other in self.others:
                if other.arn == arn:
                    other._kept = False
        if answer is not None and self.keep is None:
            self._kept = False
        return answer

    @property
    def arn(self) -> str:
        return self.story.execution.identity.arn

    def _is_recorded(self, name: str) -> bool:
        with self._lock:
            return any(
                operation.name == name and operation.status is OperationStatus.SUCCEEDED
                for operation in self.story.execution.operations.values()
            )

    def _answer(self, callback_id: str) -> tuple[str | None, ErrorObject | None] | None:
        operation_id = callback_id.removeprefix("callback-")
        return answer_of(self.story.execution.operations[operation_id].name)


def a_scene(colour: str, program: Program, crashes: Crashes | None = None, **members: Any) -> Scene:
    """Return a program about to be run."""
    crashes, runs = crashes or Crashes(), Runs()
    return Scene(
        HANDLERS[colour](program, runs),
        targets={"wrap": wrap},
        before_checkpoint=crashes.at,
        after_checkpoint=crashes.at,
        runs=runs,
        **members,
    )


def shape(ended: Ended) -> Counter[tuple[Any, ...]]:
    """Return what a history consists of, whatever the order."""
    names = {operation.id: operation.name for operation in ended.operations}
    return Counter(
        (o.type, o.sub_type, o.name, names.get(o.parent_id or ""), o.status)
        for o in ended.operations
    )


@contextmanager
def watched() -> Iterator[None]:
    """Show where everybody stands if it takes too long; hold that nobody is left at the end."""
    busy = _busy_threads()
    faulthandler.dump_traceback_later(_STUCK_SECONDS, file=sys.__stderr__)
    try:
        yield
        _until(lambda: _busy_threads() <= busy, "a thread is left")
        _until(lambda: not LOOP.run(_other_tasks()), "a task is left")
    finally:
        faulthandler.cancel_dump_traceback_later()


def _busy_threads() -> int:
    """Return how many of the SDK's threads are at work."""
    ours = [thread for thread in threading.enumerate() if thread.name == "perdure"]
    return len(ours) - len(WORKERS._idle)


async def _other_tasks() -> list[asyncio.Task[Any]]:
    await asyncio.sleep(0)
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def _until(is_so: Callable[[], bool], problem: str) -> None:
    rest = threading.Event()
    for _ in range(1_000):
        if is_so():
            return
        rest.wait(0.005)
    raise AssertionError(problem)


def assert_result(scene: Scene, program: Program) -> None:
    """Hold an execution to its result, and its steps to their promises."""
    ended = scene.ended()
    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, expected(program))
    runs = scene.runs
    assert runs.again == []
    assert not [p for p, n in runs.attempts.items() if n > 1 and p[0] in runs.once]


def assert_attempts(ended: Ended, runs: Runs, crashes: Crashes) -> None:
    """Hold steps' functions to the recorded attempts, and each to one run more a crash."""
    recorded = {
        operation.name: (operation.step_details.attempt if operation.step_details else 0) or 0
        for operation in ended.operations
        if operation.type is OperationType.STEP
    }
    for (name, attempt), count in runs.attempts.items():
        assert attempt <= recorded[name]
        assert count <= 1 + crashes.crashed


@given(program=nodes())
@EXAMPLES
def test_a_program_comes_to_its_result_in_either_colour(program: Program) -> None:
    shapes: list[Any] = []
    for colour in HANDLERS:
        with watched():
            scene = a_scene(colour, program)
            ended = scene.run()
        assert_result(scene, program)
        assert_attempts(ended, scene.runs, Crashes())
        shapes.append(shape(ended))
    assert shapes[0] == shapes[1]


@given(
    program=nodes(),
    colour=COLOURS,
    places=st.lists(st.integers(0, 3), min_size=1, max_size=3),
    page=st.integers(1, 5),
)
@example(program=(Node("callback", 0),), colour="async", places=[1, 2, 1], page=1)
@EXAMPLES
def test_a_kept_handler_records_what_a_replayed_one_does(
    program: Program, colour: str, places: list[int], page: int
) -> None:
    with watched():
        replayed = a_scene(colour, program, page=page)
        replayed.run()
        parkings = [Parking(count) if count else None for count in places]
        kept = a_scene(colour, program, page=page, parkings=parkings)
        kept.run()
        for parking in filter(None, parkings):
            parking.clear()
    assert_result(replayed, program)
    assert_result(kept, program)
    assert_attempts(kept.ended(), kept.runs, Crashes())
    assert shape(kept.ended()) == shape(replayed.ended())


@given(
    programs=st.lists(nodes(), min_size=2, max_size=3),
    colour=COLOURS,
    places=st.integers(1, 2),
    turns=st.lists(st.integers(0, 2), min_size=1, max_size=10),
    is_told=st.booleans(),
)
@EXAMPLES
def test_handlers_that_leave_for_one_another_are_replayed(
    programs: list[Program], colour: str, places: int, turns: list[int], is_told: bool
) -> None:
    parking = Parking(places)
    scenes = [
        a_scene(colour, program, name=f"order-{i}", parkings=[parking])
        for i, program in enumerate(programs)
    ]
    for scene in scenes if is_told else ():
        scene.others = scenes
    with watched():
        for turn in cycle([*turns, 0, 1, 2]):
            scenes[turn % len(scenes)].go_on()
            if all(scene.story.progress.ended_at_ms is not None for scene in scenes):
                break
        assert len(parking) == 0
    for scene, program in zip(scenes, programs, strict=True):
        assert_result(scene, program)
        assert_attempts(scene.ended(), scene.runs, Crashes())


@given(
    program=nodes(),
    colour=COLOURS,
    points=st.frozensets(st.integers(1, 30), max_size=5),
    places=st.lists(st.integers(0, 2), min_size=1, max_size=2),
    page=st.integers(1, 5),
)
@example((Node("once"),), "sync", frozenset({2}), [0], 1)
@example((Node("once"),), "async", frozenset({3}), [1], 1)
@EXAMPLES
def test_a_crash_changes_nothing(
    program: Program, colour: str, points: frozenset[int], places: list[int], page: int
) -> None:
    crashes = Crashes(points)
    with watched():
        parkings = [Parking(count) if count else None for count in places]
        scene = a_scene(colour, program, crashes, page=page, parkings=parkings)
        ended = scene.run()
        for parking in filter(None, parkings):
            parking.clear()
        calm = a_scene(colour, program)
        calm.run()
    assert_result(scene, program)
    assert shape(ended) == shape(calm.ended())
    assert_attempts(ended, scene.runs, crashes)
