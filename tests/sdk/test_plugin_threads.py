"""Which thread calls which hook, who waits for it, and what is left when a thread is stopped.

What can be asked of AWS's executor as well is: each test runs in both worlds.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from perdure.sdk.plugin_executor import PluginExecutor
from tests.sdk.plugin_worlds import EXECUTION, AwsWorld, OurWorld, an_operation, identity_of, noting

BOTH = pytest.mark.parametrize("kind", [OurWorld, AwsWorld], ids=["ours", "AWS's"])
SOON = 10.0


@contextmanager
def in_thread(work: Callable[[], object]) -> Iterator[threading.Thread]:
    """Run ``work`` in a thread meanwhile, and wait for it."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield thread
    finally:
        thread.join(SOON)
    assert not thread.is_alive()


def a_world(kind: Any, **hooks: Callable[..., Any]) -> Any:
    notes: list[Any] = []
    return kind(noting(kind.base, notes, **hooks), notes=notes)


def names(world: Any) -> list[str]:
    return [note.hook for note in world.notes]


@BOTH
def test_who_reads_a_result_meanwhile_waits_for_its_hook(kind: Any) -> None:
    entered, go_on = threading.Event(), threading.Event()
    order: list[str] = []

    def end(info: Any) -> None:
        entered.set()
        assert go_on.wait(SOON)
        order.append(f"hook in {threading.current_thread().name}")

    def read(name: str) -> None:
        world.observed("s")
        order.append(name)

    world = a_world(kind, on_operation_end=end)
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("s", "SUCCEEDED")])
        with in_thread(lambda: read("first")) as first:
            assert entered.wait(SOON)
            with in_thread(lambda: read("second")):
                go_on.set()

    assert order[0] == f"hook in {first.name}"
    assert sorted(order[1:]) == ["first", "second"]


@BOTH
def test_a_hook_is_kept_for_the_thread_that_waits_for_the_checkpoint(kind: Any) -> None:
    order: list[object] = []
    world = a_world(kind, on_operation_end=lambda _: order.append(threading.get_ident()))

    def read() -> None:
        world.observed("s")
        order.append("read")

    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("s", "SUCCEEDED")], {"s"})
        with in_thread(read):
            world.observed("s", waiter=True)

    assert order == [threading.get_ident(), "read"]


@BOTH
def test_what_another_thread_is_calling_is_left_to_it(kind: Any) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def end(info: Any) -> None:
        if info.operation_id == "a":
            entered.set()
            assert go_on.wait(SOON)

    world = a_world(kind, on_operation_end=end, on_invocation_end=lambda _: go_on.set())
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("a", "SUCCEEDED"), an_operation("b", "SUCCEEDED")])
        with in_thread(lambda: world.observed("a")):
            assert entered.wait(SOON)
            world.merged([an_operation("a", "FAILED")])
            world.end()

    ended = [
        (note.fields["operation_id"], note.fields["status"])
        for note in world.notes
        if note.hook == "on_operation_end"
    ]
    assert ended == [("a", "SUCCEEDED"), ("b", "SUCCEEDED")]


@BOTH
def test_a_hook_that_reads_neither_calls_nor_waits(kind: Any) -> None:
    world = a_world(
        kind,
        on_operation_start=lambda _: world.observed("s"),
        on_user_function_end=lambda _: world.observed("kept", waiter=True),
        on_operation_end=lambda _: world.observed("s"),
    )
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("s", "SUCCEEDED"), an_operation("kept", "FAILED")], {"kept"})
        world.begin(an_operation("t"))
        world.call(an_operation("t"))
        world.merged([an_operation("t", "SUCCEEDED")])
        world.observed("t")
        world.end()

    ended = [n.fields["operation_id"] for n in world.notes if n.hook == "on_operation_end"]
    assert ended == ["t", "s", "kept"]


@BOTH
def test_a_read_during_propagation_calls_no_hook(kind: Any) -> None:
    notes: list[Any] = []

    def provide(self: Any, info: Any) -> Any:
        world.observed("s")
        return kind.metadata(x_amzn_trace_id="trace")

    plugin = noting(kind.base, notes)
    type(plugin).provide_propagation_metadata = provide
    world = kind(plugin, notes=notes)
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("s", "SUCCEEDED")])
        assert world.propagation("i") == "trace"
        assert "on_operation_end" not in names(world)
        world.end()

    assert "on_operation_end" in names(world)


@BOTH
def test_propagation_refuses_a_coroutine_function(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def provide(self: Any, info: Any) -> Any:
        return kind.metadata(x_amzn_trace_id="trace")

    plugin = type("Awaited", (kind.base,), {"provide_propagation_metadata": provide})()
    world = kind(plugin)
    world.start([EXECUTION])

    assert world.propagation("i") is None
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@BOTH
def test_a_trace_id_of_another_kind_of_str_is_data(kind: Any) -> None:
    class Loud(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            raise AssertionError("compared")

        __hash__ = str.__hash__

    def plugin(trace_id: str) -> Any:
        def provide(self: Any, info: Any) -> Any:
            return kind.metadata(x_amzn_trace_id=trace_id)

        return type("Tracing", (kind.base,), {"provide_propagation_metadata": provide})()

    world = kind(plugin(Loud("one")), plugin(Loud("one")))
    world.start([EXECUTION])

    assert world.propagation("i") == "one"


@BOTH
def test_a_stopped_hook_leaves_nobody_waiting_and_is_not_told_again(kind: Any) -> None:
    def stop(info: Any) -> None:
        if info.operation_id == "below":
            raise KeyboardInterrupt

    world = a_world(kind, on_operation_end=stop)
    with world.run():
        world.start([EXECUTION])
        world.merged(
            [an_operation("above", "SUCCEEDED"), an_operation("below", "FAILED", ParentId="above")],
            {"above"},
        )
        with pytest.raises(KeyboardInterrupt):
            world.observed("above", waiter=True)
        world.observed("above")
        world.end()

    ended = [n.fields["operation_id"] for n in world.notes if n.hook == "on_operation_end"]
    assert ended == ["below"]


@BOTH
@pytest.mark.parametrize("ending", [None, SystemExit], ids=["end", "end stops too"])
def test_the_end_is_told_even_if_a_leftover_hook_stops_the_thread(kind: Any, ending: Any) -> None:
    def stop(info: Any) -> None:
        raise KeyboardInterrupt(info.operation_id)

    def stop_end(info: Any) -> None:
        if ending is not None:
            raise ending

    world = a_world(kind, on_operation_end=stop, on_invocation_end=stop_end)
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("a", "SUCCEEDED"), an_operation("b", "SUCCEEDED")])
        with pytest.raises(KeyboardInterrupt, match="a"):
            world.end()

    told = [name for name in names(world) if name != "on_operation_change"]
    assert told == [
        "on_invocation_start",
        "on_operation_end",
        "on_operation_end",
        "on_invocation_end",
    ]


@BOTH
def test_a_scope_left_without_its_end_still_tells_what_ended(kind: Any) -> None:
    world = a_world(kind)
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("s", "SUCCEEDED")])

    assert sorted(names(world)) == [
        "on_invocation_start",
        "on_operation_change",
        "on_operation_end",
    ]


@BOTH
def test_an_executor_serves_one_invocation(kind: Any) -> None:
    world = a_world(kind)
    with world.run():
        pass
    with pytest.raises(RuntimeError), world.run():
        pass


@BOTH
def test_plugins_have_their_own_copy_of_the_input(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    event: Any = {"items": [1]}
    world = a_world(kind, on_invocation_start=lambda info: seen.append(info.execution_input))
    world.start([EXECUTION], event=event)
    event["items"].append(2)

    class Uncopied:
        def __deepcopy__(self, memo: object) -> object:
            raise TypeError("it cannot be copied")

    other = a_world(kind, on_invocation_start=lambda info: seen.append(info.execution_input))
    other.start([EXECUTION], event=Uncopied())

    assert seen == [{"items": [1]}, None]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@BOTH
def test_changes_are_told_on_a_thread_of_their_own_and_pile_up_into_one(kind: Any) -> None:
    entered, go_on = threading.Event(), threading.Event()
    threads: list[str] = []

    def change(info: Any) -> None:
        threads.append(threading.current_thread().name)
        entered.set()
        assert go_on.wait(SOON)

    world = a_world(kind, on_operation_change=change)
    with world.run():
        world.start([EXECUTION, an_operation("same", "STARTED")])
        world.merged([an_operation("same", "STARTED")])  # its status has not changed
        world.merged([an_operation("a")])
        assert entered.wait(SOON)
        world.merged([an_operation("b"), an_operation("same", "STARTED")])
        world.merged([an_operation("a", "SUCCEEDED"), an_operation("c")])
        world.merged([an_operation("c", "FAILED"), an_operation("d", "READY")])
        go_on.set()
        world.end()

    told = [
        {key: info["status"] for key, info in note.fields["updated_operations"].items()}
        for note in world.notes
        if note.hook == "on_operation_change"
    ]
    assert told == [
        {"a": "STARTED"},
        {"b": "STARTED", "a": "SUCCEEDED", "c": "FAILED", "d": "READY"},
    ]
    assert threads == ["plugin-change", "plugin-change"]
    last = [note for note in world.notes if note.hook == "on_operation_change"][-1]
    assert list(last.fields["operations"]) == ["e-1", "same", "a", "b", "c", "d"]
    assert names(world)[-1] == "on_invocation_end"


@BOTH
def test_what_stops_the_change_thread_is_logged_and_all_plugins_hear(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    told = threading.Semaphore(0)

    def stop(info: Any) -> None:
        raise SystemExit

    notes: list[Any] = []
    world = kind(
        noting(kind.base, notes, "first", on_operation_change=stop),
        noting(kind.base, notes, "second", on_operation_change=lambda _: told.release()),
        notes=notes,
    )
    with world.run():
        world.start([EXECUTION])
        for operation_id in ("a", "b"):
            world.merged([an_operation(operation_id)])
            assert told.acquire(timeout=SOON)
        world.end()

    changes = [note.plugin for note in notes if note.hook == "on_operation_change"]
    assert changes == ["first", "second"] * 2
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


@BOTH
@pytest.mark.parametrize("stop", [None, KeyboardInterrupt], ids=["", "stopped"])
def test_without_a_thread_changes_are_told_once_at_the_end(
    kind: Any,
    stop: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def change(info: Any) -> None:
        if stop is not None:
            raise stop

    world = a_world(kind, on_operation_change=change)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("a")])
        world.merged([an_operation("b")])
        if stop is None:
            world.end()
        else:
            with pytest.raises(stop):
                world.end()

    assert names(world) == ["on_invocation_start", "on_operation_change", "on_invocation_end"]
    assert list(world.notes[1].fields["updated_operations"]) == ["a", "b"]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@BOTH
def test_a_plugin_whose_attribute_fails_is_logged_at_each_hook(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    @property
    def broken(self: Any) -> Any:
        raise LookupError("no such hook")

    world = kind(type("Broken", (kind.base,), {"on_operation_change": broken})())
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("a")])
        world.end()

    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_no_thread_is_started_if_nobody_listens_to_changes() -> None:
    class Deaf(OurWorld.base):
        """Overrides nothing."""

    before = set(threading.enumerate())
    world = OurWorld(Deaf())
    with world.run():
        world.start([EXECUTION])
        world.merged([an_operation("a")])
        assert set(threading.enumerate()) <= before
        world.end()


def test_a_failing_block_is_told_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    def stop(info: Any) -> None:
        raise KeyboardInterrupt

    def fail() -> None:
        with world.run(), world.executor.failing():
            world.start([EXECUTION])
            raise ValueError("the handler's")

    world = a_world(OurWorld, on_invocation_end=stop)
    with pytest.raises(ValueError, match="the handler's"):
        fail()

    assert world.notes[-1].fields["status"] == "RETRY"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_block_that_does_not_fail_is_not_told() -> None:
    world = a_world(OurWorld)
    with world.run(), world.executor.failing():
        world.start([EXECUTION])

    assert names(world) == ["on_invocation_start"]


def test_updates_that_start_nothing_are_not_told() -> None:
    from perdure.protocol.operations import OperationUpdate
    from perdure.protocol.words import OperationAction, OperationType

    world = a_world(OurWorld)
    world.start([EXECUTION])
    for action in OperationAction:
        update = OperationUpdate(id="s", type=OperationType.STEP, action=action)
        world.executor.on_operation_start(update, None)

    assert names(world) == ["on_invocation_start", "on_operation_start"]


def test_a_function_ends_as_its_error_says_unless_told() -> None:
    world = a_world(OurWorld)
    world.start([EXECUTION])
    start = world.executor.on_user_function_start(identity_of(an_operation("s")))
    world.executor.on_user_function_end(start, None)

    assert world.notes[-1].fields["outcome"] == "SUCCEEDED"


def test_an_executor_without_factories_does_nothing() -> None:
    executor = PluginExecutor(None)
    assert not executor.has_plugins
    assert PluginExecutor([object()]).has_plugins  # type: ignore[list-item] - never called
    with executor.run():
        executor.on_invocation_start(execution_arn="a", request_id=None, is_first_invocation=True)
        executor.merged([])
        executor.observed("s")
