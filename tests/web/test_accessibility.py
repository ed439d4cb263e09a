"""axe finds nothing serious on any page, light or dark."""

from typing import Any, Final

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.deployment import deploy, start
from tests.serving import ServerProcess, eventually
from tests.web.browsing import HANDLERS, ROOT, watched

AXE: Final = ROOT / "web/node_modules/axe-core/axe.min.js"
_AT_REST: Final = """() => document.getAnimations().every(one =>
    one.playState !== 'running' || one.effect.getComputedTiming().iterations === Infinity)"""
FUNCTION_TABS: Final = ("code", "test", "configuration", "versions", "aliases", "tags")
EXECUTION_TABS: Final = ("timeline", "operations", "events", "data", "logs")


@pytest.fixture(scope="module")
def execution(api: Any) -> str:
    deploy(api, "approval", HANDLERS / "approval.py")
    arn = start(api, "approval", {"seconds": 1}, DurableExecutionName="order-7")

    def waits_for_its_callback() -> bool:
        events = api.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        return any(event["EventType"] == "CallbackStarted" for event in events)

    eventually(waits_for_its_callback, what="the callback")
    return arn


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_axe_finds_nothing_serious(
    browser: Browser, server: ServerProcess, execution: str, mode: str
) -> None:
    places = [
        "/functions",
        "/functions/create",
        *(f"/functions/approval/{tab}" for tab in FUNCTION_TABS),
        "/functions/approval/executions",
        "/executions",
        *(f"/executions/{execution}?tab={tab}" for tab in EXECUTION_TABS),
        "/callbacks",
        "/operations",
    ]
    found: list[str] = []
    preferences = {"mode": mode, "density": "comfortable"}
    # axe is put into the page as a script: that alone is what the policy is lifted for here.
    with watched(browser, server.url, preferences=preferences, bypass_csp=True) as (page, _):
        for place in places:
            page.goto(f"/console{place}")
            expect(page.get_by_role("heading").first).to_be_visible()
            page.wait_for_load_state("load")
            expect(page.locator("body")).not_to_contain_text("Loading")
            # What is still fading in has less contrast than it will have.
            page.wait_for_function(_AT_REST)
            found += [f"{place}: {problem}" for problem in _problems(page)]
    assert not found, "\n".join(found)


def test_pages_are_usable_on_a_narrow_screen(
    browser: Browser, server: ServerProcess, execution: str
) -> None:
    viewport = {"width": 360, "height": 740}
    with watched(browser, server.url, viewport=viewport) as (page, _):
        for place in ("/functions", "/executions", f"/executions/{execution}", "/callbacks"):
            page.goto(f"/console{place}")
            expect(page.get_by_role("heading").first).to_be_visible()
            spare = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert spare <= 1, f"{place} is {spare} px too wide"


def _problems(page: Page) -> list[str]:
    """Return what axe calls serious or critical."""
    page.add_script_tag(path=AXE)
    result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:200]} {node['failureSummary']}"
        for violation in result["violations"]
        if violation["impact"] in {"serious", "critical"}
        for node in violation["nodes"][:3]
    ]
