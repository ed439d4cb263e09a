"""The list of all executions: found by what they are, and changed by the dozen."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.deployment import deploy, start
from tests.web.browsing import HANDLERS, Watch
from tests.web.places import row, until

MANY = 60


@pytest.fixture(scope="module", autouse=True)
def executions(api: Any) -> None:
    deploy(api, "patient", HANDLERS / "patient.py")
    deploy(api, "broken", "def handler(event, context):\n    raise ValueError(event)\n")
    for number in range(MANY):
        note = "needle" if number == 3 else "hay"
        start(api, "patient", {"note": note}, DurableExecutionName=f"order-{number:03}")


def test_filters_stand_in_the_address_and_find(page: Page) -> None:
    page.goto("/console/executions?function=patient&name=order-01&status=RUNNING")
    expect(row(page, "order-017")).to_contain_text("Running")
    expect(page.get_by_role("row", name="order-02")).to_have_count(0)
    page.get_by_role("button", name="Clear filters").first.click()
    expect(row(page, "order-059")).to_be_visible()
    search = page.get_by_role("combobox", name="Find executions")
    search.fill("needle")
    search.press("Enter")
    expect(row(page, "order-003")).to_be_visible()
    expect(page.get_by_role("row", name="order-")).to_have_count(1)
    assert "text=needle" in page.url
    page.reload()
    expect(page.get_by_role("row", name="order-")).to_have_count(1)


def test_counts_and_list_follow_what_happens(api: Any, page: Page) -> None:
    page.goto("/console/executions?name=late")
    expect(page.get_by_text("No execution matches")).to_be_visible()
    running = page.locator("[data-count=RUNNING]")
    expect(running).not_to_have_text("-")
    before = int(running.inner_text().replace(",", ""))
    start(api, "patient", {}, DurableExecutionName="late-one")
    expect(running).to_have_text(str(before + 1))
    expect(row(page, "late-one")).to_be_visible()


def test_pages_are_turned(page: Page) -> None:
    page.goto("/console/executions?name=order&order=oldest")
    expect(row(page, "order-000")).to_be_visible()
    page.get_by_role("button", name="Next page").click()
    expect(row(page, "order-055")).to_be_visible()
    page.get_by_role("button", name="Previous page").click()
    expect(row(page, "order-000")).to_be_visible()


def test_the_selected_are_stopped_and_then_all_that_match(api: Any, page: Page) -> None:
    page.goto("/console/executions?name=order-00")
    for name in ("order-001", "order-002"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    _act(page, "Stop")
    expect(row(page, "order-001")).to_contain_text("Stopped")
    expect(row(page, "order-002")).to_contain_text("Stopped")
    expect(row(page, "order-003")).to_contain_text("Running")

    page.goto("/console/executions?name=order&status=RUNNING")
    expect(row(page, "order-059")).to_be_visible()
    _act(page, "Stop")
    expect(page.get_by_text(f"{MANY - 2} executions stopped")).to_be_visible()
    stopped = api.list_durable_executions_by_function(
        FunctionName="patient", Statuses=["STOPPED"], MaxItems=100
    )["DurableExecutions"]
    assert len(stopped) == MANY


def test_a_failure_of_one_is_shown_and_stops_no_other(api: Any, page: Page, watch: Watch) -> None:
    watch.expect("409 (Conflict)")
    first = start(api, "patient", {}, DurableExecutionName="both-1")
    start(api, "patient", {}, DurableExecutionName="both-2")
    page.goto("/console/executions?name=both")
    expect(row(page, "both-2")).to_be_visible()
    for name in ("both-1", "both-2"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    # Somebody else deletes one of them in the meantime: nobody can pause it any more.
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Pause").click()
    dialog = page.get_by_role("dialog")
    api.stop_durable_execution(DurableExecutionArn=first)
    dialog.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_text("1 execution paused, 1 not")).to_be_visible()
    expect(page.get_by_text("both-1: only a RUNNING execution")).to_be_visible()
    until(
        page,
        lambda: "Paused" in row(page, "both-2").inner_text(),
        "the pause of the other",
    )


def _act(page: Page, verb: str) -> None:
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name=verb).click()
    page.get_by_role("dialog").get_by_role("button", name=verb, exact=True).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
