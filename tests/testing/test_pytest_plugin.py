"""pytest's plugin: fixtures, options, drawings; shown by runs of pytest on tests of their own."""

import importlib.metadata
import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from perdure.testing import trials

pytestmark = pytest.mark.timeout(120)

HEAD = """
import itertools
import pytest
from perdure import durable_execution
from perdure.testing import DurableFunctionTestRunner, effects
from perdure.testing.trials import current_trial, default_keep

@durable_execution
def handler(event, context):
    first = context.step(lambda _: 1, name="first")
    context.wait(3600, name="hour")
    return first
"""


def run_pytest(folder: Path, source: str, *arguments: str) -> tuple[dict[str, int], str]:
    """Return how many tests passed and failed, and what pytest has printed."""
    (folder / "test_it.py").write_text(HEAD + source)
    known = {e.value for e in importlib.metadata.entry_points(group="pytest11")}
    plugin = "perdure.testing.pytest_plugin"
    loaded = () if plugin in known else ("-p", plugin)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, *loaded, *arguments, "test_it.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    words = done.stdout.rstrip().splitlines()[-1].replace(",", "").split()
    counts = {
        word: int(before)
        for before, word in itertools.pairwise(words)
        if word in ("passed", "failed", "error", "errors", "skipped")
    }
    return counts, done.stdout


def test_a_runner_is_made_and_closed(tmp_path: Path) -> None:
    counts, _ = run_pytest(
        tmp_path,
        """
made = []

def test_it(durable_runner):
    runner = durable_runner(handler, region="eu-west-1")
    made.append(runner)
    assert runner.run().value == 1

def test_it_is_closed():
    assert made[0]._service._is_closed
""",
    )
    assert counts == {"passed": 2}


def test_executions_are_drawn_where_a_test_fails(tmp_path: Path) -> None:
    counts, text = run_pytest(
        tmp_path,
        """
def test_it(durable_runner):
    assert durable_runner(handler).run(execution_name="order-7").value == 2

def test_by_hand():
    with DurableFunctionTestRunner(handler) as runner:
        runner.run(execution_name="order-8")
    raise ValueError

def test_that_passes(durable_runner):
    assert durable_runner(handler).run(execution_name="order-9").value == 1

def test_without():
    raise ValueError
""",
    )
    assert counts == {"failed": 3, "passed": 1}
    assert text.count("- durable executions -") == 2
    assert "order-7  SUCCEEDED  2 invocations  1" in text
    assert "├─ Step first  SUCCEEDED  1" in text
    assert "└─ Wait hour   SUCCEEDED  1 h" in text
    assert "order-8" in text
    assert "order-9" not in text


@pytest.mark.parametrize(
    ("option", "keep"), [((), "off"), (("on",), "on"), (("random",), "random")]
)
def test_handlers_are_kept_as_the_option_says(
    tmp_path: Path, option: tuple[str, ...], keep: str
) -> None:
    counts, text = run_pytest(
        tmp_path,
        f"""
def test_it(durable_runner):
    assert default_keep() == "{keep}"
    runner = durable_runner(handler)
    assert runner._service.rules.keep == "{keep}"
    assert durable_runner(handler, keep_handlers=True)._service.rules.keep == "on"
    assert runner.run().value == 1
""",
        *(("--durable-keep-handlers", *option) if option else ()),
    )
    assert counts == {"passed": 1}, text


SAFE = """
runs = []

@pytest.fixture
def state():
    return []

def test_safe(durable_runner, state):
    state.append(1)
    runs.append(current_trial())
    assert durable_runner(handler).run().value == 1
    assert state == [1]

def test_other(state):
    assert current_trial() is None

def test_how_often():
    assert len(runs) == {expected}
"""


def test_tests_are_run_everywhere_if_that_is_asked_for(tmp_path: Path) -> None:
    counts, text = run_pytest(tmp_path, SAFE.replace("{expected}", "1"))
    assert counts == {"passed": 3}, text
    # Two checkpoints, killed before and after, and two answers; replayed, and kept.
    expected = str(2 + 2 * (2 * 2 + 2))
    counts, text = run_pytest(
        tmp_path, SAFE.replace("{expected}", expected), "--durable-crash-everywhere"
    )
    assert counts == {"passed": 3}, text


def test_what_does_not_survive_fails_with_a_report(tmp_path: Path) -> None:
    counts, text = run_pytest(
        tmp_path,
        """
numbers = itertools.count()

@durable_execution
def unsteady(event, context):
    context.step(lambda _: 1, name=f"step-{next(numbers)}")

def test_it(durable_runner):
    assert durable_runner(unsteady).run().status == "SUCCEEDED"
""",
        "--durable-crash-everywhere",
    )
    assert counts == {"failed": 1}
    assert "crash safety: " in text
    assert "killed after checkpoint 1" in text
    assert "Non-deterministic operation identity" in text


def test_a_marker_does_the_same_with_options(tmp_path: Path) -> None:
    counts, text = run_pytest(
        tmp_path,
        """
@durable_execution
def writer(event, context):
    context.step(lambda _: effects.record("write"), name="write")

@pytest.mark.durable_crash_everywhere(keep_handlers=("off",), idempotent=["first"])
def test_safe():
    with DurableFunctionTestRunner(handler) as runner:
        runner.run()

@pytest.mark.durable_crash_everywhere(idempotent=[])
def test_repeats(durable_runner):
    durable_runner(handler).run()

@pytest.mark.durable_crash_everywhere
def test_writes_twice(durable_runner):
    durable_runner(writer).run()

@pytest.mark.durable_crash_everywhere
def test_fails(durable_runner):
    assert durable_runner(handler).run().value == 2

@pytest.mark.durable_crash_everywhere
def test_is_skipped(durable_runner):
    pytest.skip("not today")
""",
        "--strict-markers",
    )
    assert counts == {"failed": 3, "passed": 1, "skipped": 1}, text
    assert "not declared idempotent: first" in text
    assert "write, in step write: 2 times instead of 1" in text
    assert "assert 1 == 2" in text


def test_the_plugin_loads_no_runner() -> None:
    code = (
        "import sys, perdure.testing.pytest_plugin;"
        "print([m for m in sys.modules if m.startswith(('perdure.core', 'perdure.testing.'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "['perdure.testing.trials',",
        "'perdure.testing.pytest_plugin']",
    ]


def test_defaults_end_where_they_began() -> None:
    before = trials.default_keep()
    with trials.keeping("random"):
        assert trials.default_keep() == "random"
    assert trials.default_keep() == before
