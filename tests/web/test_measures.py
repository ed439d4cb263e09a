"""A thousand executions, and one of three thousand operations: first paint, scrolling.

The bounds are the issue's. A measurement that noise has spoilt is taken again, and what came
of it is printed.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.service.deployment import closed, deploy, start
from tests.web.browsing import HANDLERS
from tests.web.places import open_execution

EXECUTIONS: Final = 1_000
OPERATIONS: Final = 3_000
FIRST_PAINT_MS_MAX: Final = 1_000
LONG_TASK_MS_MAX: Final = 100
TRIES: Final = 8

_WATCH_LONG_TASKS: Final = """() => {
    window.longTasks = [];
    new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(
        entry => Math.round(entry.duration)))).observe({type: 'longtask'});
}"""
_SCROLL: Final = """selector => new Promise(done => {
    const element = selector ? document.querySelector(selector) : document.scrollingElement;
    let steps = 0;
    const step = () => {
        element.scrollTop += 120;
        steps += 1;
        const isEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 1;
        if (steps >= 400 || isEnd) done(steps); else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
})"""
#: From the click that opens the execution to the frame after the first rows stand in the document.
_FIRST_PAINT: Final = """address => new Promise(done => {
    const began = performance.now();
    const look = () => {
        if (document.querySelectorAll('.timeline-row rect').length > 5) {
            requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
        } else requestAnimationFrame(look);
    };
    history.pushState(null, '', address);
    look();
})"""


@pytest.fixture(scope="module", autouse=True)
def functions(api: Any) -> None:
    deploy(api, "large", HANDLERS / "large.py")
    deploy(api, "patient", HANDLERS / "patient.py")


@pytest.mark.timeout(600)
def test_three_thousand_operations_are_painted_within_a_second_and_scroll(
    api: Any, page: Page
) -> None:
    arn = start(api, "large", {"operations": OPERATIONS}, DurableExecutionName="large")
    closed(api, arn, seconds=400)
    # The page's parts are there, as for anybody who comes from the list.
    open_execution(page, arn)
    expect(page.get_by_role("row", name="group 0").first).to_be_visible()

    def first_paint() -> float:
        page.goto("/console/executions")
        expect(page.get_by_role("link", name="large", exact=True).first).to_be_visible()
        return page.evaluate(_FIRST_PAINT, f"/console/executions/{arn}")

    painted = _best(first_paint, FIRST_PAINT_MS_MAX)

    def longest() -> float:
        page.evaluate("document.querySelector('.timeline').scrollTop = 0")
        page.evaluate(_WATCH_LONG_TASKS)
        steps = page.evaluate(_SCROLL, ".timeline")
        assert steps >= 400
        return max(page.evaluate("window.longTasks"), default=0)

    slowest = _best(longest, LONG_TASK_MS_MAX)
    expect(page.get_by_role("tab", name="Operations (3,000)")).to_be_visible()
    _report(f"timeline: first paint {painted:.0f} ms, longest task {slowest:.0f} ms")
    assert painted < FIRST_PAINT_MS_MAX
    assert slowest <= LONG_TASK_MS_MAX


@pytest.mark.timeout(600)
def test_a_thousand_executions_are_listed_and_scroll(api: Any, page: Page) -> None:
    def begin(number: int) -> None:
        start(api, "patient", {}, DurableExecutionName=f"one-of-many-{number:04}")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(EXECUTIONS)))

    def listed() -> float:
        began = time.monotonic()
        page.goto("/console/executions?function=patient")
        expect(page.get_by_role("row", name="one-of-many").first).to_be_visible()
        return (time.monotonic() - began) * 1_000

    def longest() -> float:
        page.evaluate(_WATCH_LONG_TASKS)
        page.evaluate(_SCROLL, None)
        return max(page.evaluate("window.longTasks"), default=0)

    shown = _best(listed, 3_000)
    slowest = _best(longest, LONG_TASK_MS_MAX)
    expect(page.locator("[data-count=RUNNING]")).to_have_text("1,000")
    _report(f"list: shown after {shown:.0f} ms, longest task {slowest:.0f} ms")
    assert slowest <= LONG_TASK_MS_MAX


def _best(measure: Callable[[], float], bound: float) -> float:
    """Return the best of some measurements, and stop at the first that is good enough."""
    best = measure()
    for _ in range(TRIES - 1):
        if best < bound:
            break
        best = min(best, measure())
    return best


def _report(text: str) -> None:
    """Say what was measured; pytest shows it with ``-rP``."""
    sys.stdout.write(f"{text}\n")
