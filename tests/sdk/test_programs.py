"""Random programs come to what they have to, in both colours, crashed, kept or replayed."""

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType
from perdure.sdk.parking import Parking
from tests.sdk.programs import (
    Node,
    Runs,
    answer_of,
    async_handler,
    expected,
    nodes,
    sync_handler,
)
from tests.sdk.service import Crash, Ended, Service

HANDLERS = {"sync": sync_handler, "async": async_handler}
COLOURS = st.sampled_from(sorted(HANDLERS))
EXAMPLES = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@dataclass
class Crashes:
    """Kills the handler at some checkpoints, before or after they are stored."""

    points: frozenset[int]
    count: int = 0
    crashed: int = 0
    counted: dict[str, int] = field(default_factory=dict[str, int])

    def at(self, number: int) -> None:
        """Die at every chosen point, once each."""
        self.count += 1
        if self.count in self.points:
            self.crashed += 1
            raise Crash(f"at point {self.count}")


def run(
    colour: str, program: tuple[Node, ...], runs: Runs, crashes: Crashes | None = None, **how: Any
) -> Ended:
    """Run a program to its end."""
    numbers: dict[str, int] = {}

    def answer(callback_id: str) -> tuple[str | None, ErrorObject | None]:
        if callback_id not in numbers:
            operations = {f"callback-{o.id}": o for o in service.operations()}
            name = operations[callback_id].name or ""
            numbers[callback_id] = int(name.split(" ")[0])
        return answer_of(numbers[callback_id])

    service = Service(
        HANDLERS[colour](program, runs),
        targets={"wrap": lambda payload: [payload]},
        answer=answer,
        before_checkpoint=crashes.at if crashes else None,
        after_checkpoint=crashes.at if crashes else None,
        **how,
    )
    return service.run()


def shape(ended: Ended) -> Counter[tuple[Any, ...]]:
    """Return what a history consists of, whatever the order."""
    names = {operation.id: operation.name for operation in ended.operations}
    return Counter(
        (o.type, o.sub_type, o.name, names.get(o.parent_id or ""), o.status)
        for o in ended.operations
    )


@given(program=nodes(), colour=COLOURS)
@EXAMPLES
def test_a_program_comes_to_its_result(program: tuple[Node, ...], colour: str) -> None:
    ended = run(colour, program, Runs())
    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, expected(program))


@given(program=nodes())
@EXAMPLES
def test_both_colours_record_the_same(program: tuple[Node, ...]) -> None:
    assert shape(run("sync", program, Runs())) == shape(run("async", program, Runs()))


@given(program=nodes(), colour=COLOURS, places=st.integers(1, 2), page=st.integers(1, 5))
@EXAMPLES
def test_a_kept_handler_records_what_a_replayed_one_does(
    program: tuple[Node, ...], colour: str, places: int, page: int
) -> None:
    threads = threading.active_count()
    replayed = run(colour, program, Runs(), page=page)
    runs = Runs()
    kept = run(colour, program, runs, keep=Parking(places))
    assert (kept.status, kept.result) == (replayed.status, replayed.result)
    assert shape(kept) == shape(replayed)
    assert threading.active_count() <= threads + 40  # idle ones, to be used again


@given(
    program=nodes(),
    colour=COLOURS,
    points=st.frozensets(st.integers(1, 30), max_size=5),
    is_kept=st.booleans(),
)
@example(program=(Node("once", 0),), colour="sync", points=frozenset({2}), is_kept=False)
@example(program=(Node("once", 0),), colour="async", points=frozenset({3}), is_kept=True)
@EXAMPLES
def test_a_crash_changes_nothing(
    program: tuple[Node, ...], colour: str, points: frozenset[int], is_kept: bool
) -> None:
    crashes, runs = Crashes(points), Runs()
    ended = run(colour, program, runs, crashes, keep=Parking(1) if is_kept else None)
    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, expected(program))
    assert shape(ended) == shape(run(colour, program, Runs()))
    assert_runs(ended, runs, crashes)


def assert_runs(ended: Ended, runs: Runs, crashes: Crashes) -> None:
    """Hold the functions' runs to the attempts: one more each for every crash, if they may."""
    for operation in ended.operations:
        if operation.type is OperationType.STEP and operation.name in runs.counts:
            details = operation.step_details
            attempts = (details.attempt or 1) if details else 1
            assert operation.status in (OperationStatus.SUCCEEDED, OperationStatus.FAILED)
            again = 0 if operation.name in runs.once else crashes.crashed
            assert runs.counts[operation.name] <= attempts + again
