"""AWS's conformance requirements hold, one test each, as the suite itself judges them.

A requirement spends its time waiting: for timers, for callbacks, for logs. So all the chosen ones
run side by side, each in a thread, and a test only collects its own judgement. Under xdist, where
each worker has a server of its own and a share of the tests, a test runs its requirement itself.
"""

import importlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from aws_durable_execution_conformance_tests.validate import DescriptionResult

from .conftest import KEPT
from .driver import SDK, Stack, requirement_files
from .registry import REQUIREMENTS, TARGETS

Judge = Callable[[str], DescriptionResult]

#: Each first use of a function starts a process; more at once, and timers of seconds slip.
CONCURRENCY = int(os.environ.get("PERDURE_CONFORMANCE_CONCURRENCY", "8"))


@pytest.fixture(scope="session")
def judge(
    request: pytest.FixtureRequest, endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Judge]:
    """Deploy the handlers of the chosen requirements and yield what judges one of them."""
    chosen = [
        str(item.callspec.params["requirement"])
        for item in request.session.items
        if isinstance(item, pytest.Function) and "judge" in item.fixturenames
    ]
    stack = Stack(endpoint, tmp_path_factory.mktemp("conformance"))
    stack.deploy(chosen)
    with ThreadPoolExecutor(max_workers=CONCURRENCY) as pool:
        if "PYTEST_XDIST_WORKER" in os.environ:
            yield stack.judge
        else:
            judgements = {
                requirement: pool.submit(stack.judge, requirement) for requirement in chosen
            }
            yield lambda requirement: judgements[requirement].result()
            pool.shutdown(cancel_futures=True)
    stack.delete()


#: These count how often a handler's lines are logged, to see that it is replayed: a handler that is
#: kept is not. Everything else about them is as it should be.
OF_REPLAYS = {"3-11"}


def requirements() -> Iterator[Any]:
    """Yield each requirement; with handlers kept, those that ask for a replay are not to hold."""
    for key in requirement_files():
        is_unmet = SDK == "perdure" and KEPT != "0" and key in OF_REPLAYS
        reason = "asks for a replay, which a kept handler does without"
        yield pytest.param(key, marks=pytest.mark.xfail(reason=reason) if is_unmet else ())


@pytest.mark.conformance
@pytest.mark.timeout(600)
@pytest.mark.parametrize("requirement", list(requirements()))
def test_requirement_holds(requirement: str, judge: Judge) -> None:
    result = judge(requirement)
    assert result.passed, "\n".join(result.errors)


def test_every_requirement_has_a_handler() -> None:
    assert set(REQUIREMENTS) == set(requirement_files())


@pytest.mark.parametrize("handler", sorted({*REQUIREMENTS.values(), *TARGETS.values()}))
def test_every_handler_exists(handler: str) -> None:
    module, _, function = handler.partition(".")
    assert callable(getattr(importlib.import_module(f"{__package__}.handlers.{module}"), function))
