"""Crash-everywhere: a test is run again and again, and its handler killed at another place each
time.

First the test runs as it is, with suspended handlers kept, so that nothing is replayed: that is how
it should be. Then, with handlers replayed and with handlers kept, it runs once undisturbed and once
for every place at which a handler can die: before each checkpoint, after it, and before each answer
is heard. Every run should end as the first one did, and do to the world what that did.
"""

from __future__ import annotations

import functools
from contextlib import contextmanager
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar, overload

from perdure.testing.crash_report import CrashReport, CrashRun, Outcome
from perdure.testing.trials import Keep, Point, Trial, during

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Generator, Iterator, Sequence

__all__ = ["Exploration", "crash_everywhere", "explore"]

Test = TypeVar("Test", bound="Callable[..., Any]")


class Exploration:
    """The trials of one test, one after another; each is run by whoever asks for it."""

    def __init__(
        self, *, keep_handlers: Sequence[Keep] = ("off", "on"), points_max: int | None = None
    ) -> None:
        """Kill at ``points_max`` places at most for each way of keeping, evenly chosen."""
        self._keep_handlers = keep_handlers
        self._points_max = points_max
        self._runs: list[CrashRun] = []
        self._reference: Outcome | None = None

    def trials(self) -> Iterator[Trial]:
        """Yield one trial after another; each has to be run, in ``running``, before the next."""
        reference = Trial(keep="on")
        yield reference
        for keep in self._keep_handlers:
            calm = reference
            if keep != "on":
                calm = Trial(keep=keep)
                yield calm
            for point in self._chosen(calm.points):
                yield Trial(keep=keep, kill=point.kill)

    @contextmanager
    def running(self, trial: Trial) -> Generator[None]:
        """Run inside; what the test raises is noted, except in the first trial."""
        error: BaseException | None = None
        with during(trial):
            try:
                yield
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as raised:
                if self._reference is None:
                    raise
                error = raised
        self.note(trial, "" if error is None else f"{type(error).__name__}: {error}")

    def note(self, trial: Trial, failure: str = "") -> None:
        """Take in what came of a trial; ``failure``: why the test did not pass."""
        outcome = Outcome.of(trial, failure)
        trial.services.clear()
        if self._reference is None:
            self._reference = outcome
        else:
            self._runs.append(CrashRun(trial.keep or "off", trial.kill, trial.killed, outcome))

    def report(self) -> CrashReport:
        """Return what was found."""
        assert self._reference is not None, "the first trial is run first"
        return CrashReport(self._reference, tuple(self._runs))

    def _chosen(self, points: list[Point]) -> list[Point]:
        count = len(points)
        if self._points_max is None or count <= self._points_max:
            return list(points)
        return [points[index * count // self._points_max] for index in range(self._points_max)]


def explore(
    run_once: Callable[[], Any],
    *,
    keep_handlers: Sequence[Keep] = ("off", "on"),
    points_max: int | None = None,
) -> CrashReport:
    """Call ``run_once``, which makes its runners anew each time, for every place to kill at."""
    exploration = Exploration(keep_handlers=keep_handlers, points_max=points_max)
    for trial in exploration.trials():
        with exploration.running(trial):
            run_once()
    return exploration.report()


@overload
def crash_everywhere(function: Test) -> Test: ...
@overload
def crash_everywhere(
    function: None = None,
    *,
    keep_handlers: Sequence[Keep] = ("off", "on"),
    points_max: int | None = None,
    idempotent: Collection[str] | None = None,
) -> Callable[[Test], Test]: ...
def crash_everywhere(
    function: Any = None,
    *,
    keep_handlers: Sequence[Keep] = ("off", "on"),
    points_max: int | None = None,
    idempotent: Collection[str] | None = None,
) -> Any:
    """Make a test run for every place at which its handlers can die.

    It fails if a run ends otherwise than undisturbed, or has other effects. The test has to make
    its runners, and whatever it compares, itself: what it is given (fixtures) is made once. With
    pytest, ``--durable-crash-everywhere`` makes fixtures anew for every run.

    Args:
        function: the test.
        keep_handlers: whether suspended handlers are replayed, kept, or both one after the other.
        points_max: kill at so many places at most, evenly chosen.
        idempotent: names of the steps whose functions may run more than once; when given, the test
            fails if another one does.
    """
    if function is None:
        return functools.partial(
            crash_everywhere,
            keep_handlers=keep_handlers,
            points_max=points_max,
            idempotent=idempotent,
        )
    make = functools.partial(Exploration, keep_handlers=keep_handlers, points_max=points_max)
    if iscoroutinefunction(function):

        @functools.wraps(function)
        async def run_async(*args: Any, **kwargs: Any) -> None:
            exploration = make()
            for trial in exploration.trials():
                with exploration.running(trial):
                    await function(*args, **kwargs)
            exploration.report().assert_safe(idempotent)

        return run_async

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        exploration = make()
        for trial in exploration.trials():
            with exploration.running(trial):
                function(*args, **kwargs)
        exploration.report().assert_safe(idempotent)

    return run
