"""pytest's plugin: fixtures, options, and executions drawn where a test fails.

    durable_runner(handler, **options)   a runner, closed when the test ends
    --durable-keep-handlers              whether suspended handlers are kept where tests do not say
    --durable-crash-everywhere           every test with ``durable_runner``, or with the marker
                                         ``durable_crash_everywhere``, runs for every place at which
                                         its handlers can die, its fixtures made anew each time

Nothing of the runners is imported before a test uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from perdure.testing.trials import Trees, during, keeping, watching

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from perdure.testing.crash_report import CrashReport
    from perdure.testing.runner import DurableFunctionTestRunner

__all__ = ["durable_runner"]

_MARK: Final = "durable_crash_everywhere"
_SEEN: Final = pytest.StashKey[list["Trees"]]()
_KEEPING: Final = pytest.StashKey[Any]()
_TITLE: Final = "durable executions"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("durable functions")
    group.addoption(
        "--durable-keep-handlers",
        choices=["off", "on", "random"],
        default="off",
        help="whether suspended handlers go on from where they stand, where tests do not say",
    )
    group.addoption(
        "--durable-crash-everywhere",
        action="store_true",
        help="run each test with durable_runner for every place at which its handlers can die",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker, and begin to keep handlers as the option says."""
    config.addinivalue_line(
        "markers",
        f"{_MARK}(keep_handlers, points_max, idempotent): run the test for every place at which its"
        " handlers can die",
    )
    keep: Any = config.getoption("--durable-keep-handlers")
    kept = config.stash[_KEEPING] = keeping(keep)
    kept.__enter__()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Keep handlers as before."""
    config.stash[_KEEPING].__exit__(None, None, None)


@pytest.fixture
def durable_runner() -> Iterator[Callable[..., DurableFunctionTestRunner]]:
    """Make runners: ``durable_runner(handler, **options)``; they are closed when the test ends."""
    from perdure.testing.runner import DurableFunctionTestRunner

    runners: list[DurableFunctionTestRunner] = []

    def make(handler: Callable[..., Any], **options: Any) -> DurableFunctionTestRunner:
        runner = DurableFunctionTestRunner(handler, **options)
        runners.append(runner)
        return runner

    yield make
    for runner in runners:
        runner.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Watch the executions that a test starts."""
    with watching() as seen:
        item.stash[_SEEN] = seen
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Draw the executions of a test that has failed."""
    report = yield
    if call.when == "call" and report.failed:
        drawings = [drawing for trees in item.stash[_SEEN] for drawing in trees()]
        if drawings:
            report.sections.append((_TITLE, "\n\n".join(drawings)))
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test for every place at which its handlers can die, if it is to be."""
    mark = item.get_closest_marker(_MARK)
    is_asked = item.config.getoption("--durable-crash-everywhere")
    is_durable = "durable_runner" in getattr(item, "fixturenames", ())
    if mark is None and not (is_asked and is_durable):
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for report in _explored(item, nextitem, dict(mark.kwargs) if mark else {}):
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _explored(
    item: pytest.Item, nextitem: pytest.Item | None, options: dict[str, Any]
) -> list[pytest.TestReport]:
    """Return the reports of the undisturbed run, with what all others have shown."""
    from _pytest.runner import runtestprotocol

    from perdure.testing.crashes import Exploration

    idempotent = options.pop("idempotent", None)
    exploration = Exploration(**options)
    first: list[pytest.TestReport] = []
    for trial in exploration.trials():
        with during(trial):
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
        failed = next((report for report in reports if report.outcome != "passed"), None)
        exploration.note(trial, "" if failed is None else failed.longreprtext)
        first = first or reports
        if reports is first and failed is not None:
            return first
    _judge(first, exploration.report(), idempotent)
    return first


def _judge(reports: list[pytest.TestReport], found: CrashReport, idempotent: Any) -> None:
    call = next(report for report in reports if report.when == "call")
    try:
        found.assert_safe(idempotent)
    except AssertionError as error:
        call.outcome = "failed"
        call.longrepr = str(error)
    call.sections.append(("crash safety", str(found)))
