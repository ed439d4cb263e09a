"""The same script, played to our executor and to AWS's, has plugins hear the same."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sdk.plugin_worlds import (
    EXECUTION,
    AwsWorld,
    Note,
    OurWorld,
    an_operation,
    noting,
)

WORLDS = (OurWorld, AwsWorld)


def heard(script: Callable[[Any], None]) -> list[Note]:
    """Return what plugins hear of ``script``, which both worlds must agree on."""
    notes: list[list[Note]] = []
    for kind in WORLDS:
        world = kind()
        with world.run():
            script(world)
        notes.append([note for note in world.notes if note.hook != "on_operation_change"])
    assert notes[0] == notes[1]
    return notes[0]


def hooks(notes: list[Note]) -> list[str]:
    return [note.hook.removeprefix("on_") for note in notes]


def test_a_step_from_its_start_to_its_end() -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION], event={"order": 7})
        world.begin(an_operation("s"))
        world.call(an_operation("s"), 1)
        done = an_operation("s", "SUCCEEDED", StepDetails={"Attempt": 1, "Result": '"ok"'})
        world.merged([done], {"s"})
        world.observed("s", waiter=True)
        world.end("SUCCEEDED", result='"ok"')

    notes = heard(script)

    assert hooks(notes) == [
        "invocation_start",
        "operation_start",
        "user_function_start",
        "user_function_end",
        "operation_end",
        "invocation_end",
    ]
    assert notes[4].fields["result"] == '"ok"'
    assert notes[0].fields["execution_input"] == {"order": 7}


@pytest.mark.parametrize(
    "error", [ValueError("no"), KeyboardInterrupt(), LookupError()], ids=lambda e: type(e).__name__
)
def test_a_function_that_raises(error: BaseException) -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION])
        world.call(an_operation("s", ParentId="c"), 3, error)
        world.end("PENDING")

    notes = heard(script)

    assert notes[2].fields["outcome"] == (
        "FAILED" if isinstance(error, Exception) else "INCOMPLETE"
    )


DETAILS = [
    {"StepDetails": {"Attempt": 2, "Error": {"ErrorMessage": "m", "StackTrace": ["a", "b"]}}},
    {"StepDetails": {"Attempt": 1, "Result": ""}},
    {"Type": "CALLBACK", "CallbackDetails": {"CallbackId": "x", "Result": "r"}},
    {"Type": "CALLBACK", "CallbackDetails": {"CallbackId": "x", "Error": {"ErrorType": "T"}}},
    {"Type": "CHAINED_INVOKE", "ChainedInvokeDetails": {"Error": {"ErrorData": "d"}}},
    {"Type": "CHAINED_INVOKE", "ChainedInvokeDetails": {"Result": "[1]"}},
    {"Type": "CONTEXT", "SubType": "Map", "ContextDetails": {"Result": "[]"}},
    {"Type": "CONTEXT", "ContextDetails": {"Error": {"ErrorMessage": "m"}}},
    {"Type": "WAIT", "WaitDetails": {"ScheduledEndTimestamp": 1_700_000_000_000}},
]


@pytest.mark.parametrize("details", DETAILS, ids=lambda details: str(details)[:60])
@pytest.mark.parametrize("status", ["SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "CANCELLED"])
def test_what_is_told_of_an_operation(details: dict[str, Any], status: str) -> None:
    def script(world: Any) -> None:
        operation = an_operation("o", status, ParentId="p", **details)
        world.start([EXECUTION, operation], updated=["o", "unknown"])
        world.replay(operation)
        world.end("FAILED", error="it failed")

    notes = heard(script)

    assert hooks(notes) == ["invocation_start", "operation_end", "invocation_end"]
    assert list(notes[0].fields["updated_operations"]) == ["o"]
    assert list(notes[2].fields["operations"]) == ["e-1", "o"]


def test_an_invocation_that_an_exception_leaves() -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION])
        world.fail(RuntimeError("no network"))

    assert heard(script)[-1].fields["status"] == "RETRY"


def test_an_end_without_a_start_is_no_invocation() -> None:
    def script(world: Any) -> None:
        world.end("SUCCEEDED")

    assert heard(script) == []


def test_an_operation_that_has_not_ended_is_met_once_a_replay() -> None:
    def script(world: Any) -> None:
        operations = [
            EXECUTION,
            an_operation("wait", Type="WAIT"),
            an_operation("pending", "PENDING", StepDetails={"Attempt": 1}),
            an_operation("ready", "READY", StepDetails={"Attempt": 1}),
            an_operation("done", "SUCCEEDED"),
            an_operation("retried", "READY", StepDetails={"Attempt": 1}),
        ]
        world.start(operations, updated=["retried", "e-1"])
        for operation in operations * 2:
            world.replay(operation)
        world.begin(operations[3], operations[3])
        world.end("PENDING")

    assert [n.fields["operation_id"] for n in heard(script)[1:-1]] == ["wait", "pending", "ready"]


def test_contexts_whose_end_is_not_stored() -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION])
        child = an_operation("c", Type="CONTEXT", SubType="RunInChildContext")
        for _ in range(2):
            world.call(child, None)
            world.child_end(child)
        world.child_end(child, "it failed")
        world.child_end(child, is_replayed=True)
        world.end()

    assert hooks(heard(script)).count("operation_end") == 4


def test_what_nobody_reads_is_told_with_its_ancestor_or_at_the_end() -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION])
        world.merged(
            [
                an_operation("late", "SUCCEEDED"),
                an_operation("map", "SUCCEEDED", Type="CONTEXT"),
                an_operation("left", "SUCCEEDED", Type="CONTEXT", ParentId="map"),
                an_operation("right", "FAILED", Type="CONTEXT", ParentId="map"),
                an_operation("deep", "TIMED_OUT", Type="CALLBACK", ParentId="left"),
                an_operation("own", "SUCCEEDED", ParentId="right"),
            ],
            {"map", "own"},
        )
        world.observed("map", waiter=True)
        world.observed("own", waiter=True)
        world.end()

    ended = [n.fields["operation_id"] for n in heard(script) if n.hook == "on_operation_end"]
    assert ended == ["deep", "right", "left", "map", "own", "late"]


def test_an_end_is_told_once_whatever_reports_it() -> None:
    def script(world: Any) -> None:
        first, newer = (an_operation("s", "SUCCEEDED", Name=name) for name in ("first", "newer"))
        world.start([EXECUTION, first], updated=["s"])
        world.merged([first])
        world.merged([newer])
        world.replay(first)
        world.merged([newer])
        world.observed("s")
        world.replay(first)
        world.end()

    assert [n.fields["name"] for n in heard(script)[1:-1]] == ["newer"]


STATUSES = ("STARTED", "PENDING", "READY", "SUCCEEDED", "FAILED")
IDS = ("a", "b", "c", "d", "e")
PARENTS = {"b": "a", "c": "a", "d": "c"}
MOVES = st.one_of(
    st.tuples(
        st.just("merged"),
        st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(STATUSES)), max_size=4),
        st.sets(st.sampled_from(IDS), max_size=2),
    ),
    st.tuples(st.just("observed"), st.sampled_from(IDS)),
    st.tuples(st.just("replay"), st.sampled_from(IDS), st.sampled_from(STATUSES)),
    st.tuples(st.just("begin"), st.sampled_from(IDS), st.booleans()),
    st.tuples(st.just("call"), st.sampled_from(IDS)),
)


def play(world: Any, moves: list[Any]) -> None:
    """Make the moves; a reserved end is only asked for by whom it is kept for."""
    kept: set[str] = set()
    for move in moves:
        match move:
            case ("merged", found, waited_for):
                operations = [an_operation(i, s, ParentId=PARENTS.get(i)) for i, s in found]
                world.merged(operations, waited_for)
                kept |= waited_for
            case ("observed", operation_id):
                world.observed(operation_id, waiter=operation_id in kept)
            case ("replay", operation_id, status):
                if operation_id not in kept:
                    world.replay(an_operation(operation_id, status))
            case ("begin", operation_id, is_known):
                operation = an_operation(operation_id, ParentId=PARENTS.get(operation_id))
                world.begin(operation, operation if is_known else None)
            case ("call", operation_id):
                world.call(an_operation(operation_id))


@given(moves=st.lists(MOVES, max_size=25), updated=st.sets(st.sampled_from(IDS)))
@settings(deadline=None, max_examples=150)
def test_any_script_is_heard_alike(moves: list[Any], updated: set[str]) -> None:
    def script(world: Any) -> None:
        world.start([EXECUTION], updated=sorted(updated))
        play(world, moves)
        world.end("PENDING")

    heard(script)


FAILING = ("on_invocation_start", "on_operation_start", "on_invocation_end")


def test_plugins_are_called_in_order_and_do_not_hear_of_each_others_failures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(info: Any) -> None:
        raise RuntimeError("the plugin fails")

    notes: list[list[Note]] = []
    for kind in WORLDS:
        caplog.clear()
        found: list[Note] = []
        failing = dict.fromkeys(FAILING, fail)
        plugins = [noting(kind.base, found, "faulty", **failing), noting(kind.base, found, "sound")]
        world = kind(*plugins, notes=found)
        with world.run():
            world.start([EXECUTION])
            world.begin(an_operation("s"))
            world.end()
        notes.append(found)
        assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3

    assert notes[0] == notes[1]
    assert [note.plugin for note in notes[0]] == ["faulty", "sound"] * 3


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, GeneratorExit])
@pytest.mark.parametrize(
    "hook",
    ["on_invocation_start", "on_operation_start", "on_operation_end", "on_invocation_end"],
)
def test_what_stops_a_thread_goes_on(hook: str, stop: type[BaseException]) -> None:
    def raise_it(info: Any) -> None:
        raise BaseExceptionGroup("a task group", [stop(), ValueError("beside it")])

    notes: list[list[Note]] = []
    for kind in WORLDS:
        found: list[Note] = []
        plugins = [
            noting(kind.base, found, "first", **{hook: raise_it}),
            noting(kind.base, found, "second"),
        ]
        world = kind(*plugins, notes=found)
        steps: list[Callable[[], None]] = [
            lambda w=world: w.start([EXECUTION]),
            lambda w=world: w.begin(an_operation("s")),
            lambda w=world: w.merged([an_operation("s", "SUCCEEDED")]),
            lambda w=world: w.end(),
        ]
        raised: list[BaseExceptionGroup[Any]] = []
        with world.run():
            for step in steps:
                try:
                    step()
                except BaseExceptionGroup as group:
                    raised.append(group)
        assert [[type(each) for each in group.exceptions] for group in raised] == [[stop]]
        notes.append([note for note in found if note.hook != "on_operation_change"])

    assert notes[0] == notes[1]
    assert notes[0][-1].hook == "on_invocation_end"


CONTRIBUTIONS = [
    ("one",),
    (None, "one"),
    ("one", "two", "one", "three"),
    (" ", "", "two"),
    (7, "two"),
    (ValueError("no"), "two"),
    ("nothing of it", "two"),
    ("empty", "two"),
]


@pytest.mark.parametrize("given_ids", CONTRIBUTIONS, ids=str)
def test_the_first_trace_id_is_kept(given_ids: tuple[Any, ...]) -> None:
    kept: list[str | None] = []
    for kind in WORLDS:

        def plugin(trace_id: Any, kind: Any = kind) -> Any:
            def provide(self: Any, info: Any) -> Any:
                if isinstance(trace_id, Exception):
                    raise trace_id
                if trace_id == "nothing of it":
                    return trace_id
                if trace_id == "empty":
                    return kind.metadata()
                return None if trace_id is None else kind.metadata(x_amzn_trace_id=trace_id)

            return type("Tracing", (kind.base,), {"provide_propagation_metadata": provide})()

        world = kind(*(plugin(trace_id) for trace_id in given_ids))
        with world.run():
            world.start([EXECUTION])
            kept.append(world.propagation("i"))
            world.end()

    assert kept[0] == kept[1]
