"""One execution, watched while it goes on."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.service.deployment import closed, deploy, start
from tests.serving import ServerProcess
from tests.web.browsing import HANDLERS, watched
from tests.web.places import flash, open_execution, row, tab


@pytest.fixture(scope="module", autouse=True)
def functions(api: Any) -> None:
    for name in ("approval", "flaky", "patient"):
        deploy(api, name, HANDLERS / f"{name}.py")


def test_an_execution_is_watched_live_through_wait_and_callback(api: Any, page: Page) -> None:
    arn = start(api, "approval", {"name": "Ada", "seconds": 12}, DurableExecutionName="watched")
    open_execution(page, arn)
    why = page.get_by_role("region", name="Why is it waiting?")
    expect(why).to_contain_text("let it settle")
    timeline = page.get_by_role("treegrid")
    expect(timeline.get_by_role("row", name="place order")).to_contain_text("place order")
    # It comes to its callback without a reload, and the sentence follows.
    expect(why).to_contain_text("approve order")
    why.get_by_role("button", name="Answer the callback").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Payload").fill('{"approved": true, "by": "太郎"}')
    dialog.get_by_role("button", name="Send success").click()
    flash(page, "Callback approve order is answered: success")
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    expect(why).to_have_count(0)
    tab(page, "Input and result")
    expect(page.get_by_role("region", name="Result")).to_contain_text("太郎")
    tab(page, "Logs")
    expect(page.get_by_role("heading", name="Invocation 1")).to_be_visible()
    tab(page, "Events")
    expect(row(page, "CallbackSucceeded")).to_be_visible()


def test_a_link_approves_without_an_account_and_only_once(
    api: Any, page: Page, browser: Browser, server: ServerProcess
) -> None:
    arn = start(api, "approval", {"seconds": 1}, DurableExecutionName="by-link")
    page.goto("/console/callbacks")
    expect(row(page, "by-link")).to_contain_text("ada@example.org")
    row(page, "by-link").get_by_role("button", name="More answers").click()
    page.get_by_role("menuitem", name="Create an approval link").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Question").fill("May order 7 be sent?")
    dialog.get_by_role("button", name="Create the link").click()
    link = dialog.get_by_text("/console/approve/").inner_text()
    with watched(browser, server.url, java_script_enabled=False) as (other, _):
        other.goto(link)
        expect(other.get_by_text("May order 7 be sent?")).to_be_visible()
        other.get_by_role("textbox").fill("fine with me")
        other.get_by_role("button", name="Approve").click()
        expect(other.get_by_role("heading").first).to_be_visible()
    execution = closed(api, arn, seconds=30)
    assert execution["Status"] == "SUCCEEDED"
    assert "fine with me" in execution["Result"]
    with watched(browser, server.url, java_script_enabled=False) as (other, watch):
        watch.expect("410")
        answer = other.goto(link)
        assert answer is not None
        assert answer.status == 410


def test_attempts_and_their_errors_are_seen(api: Any, page: Page) -> None:
    arn = start(api, "flaky", {}, DurableExecutionName="flaky")
    open_execution(page, arn)
    expect(page.get_by_text("Succeeded").first).to_be_visible(timeout=60_000)
    timeline = page.get_by_role("treegrid")
    charge = timeline.get_by_role("row", name="charge card")
    expect(charge).to_contain_text("3 attempts")
    expect(charge.locator(".bar-failed")).to_have_count(2)
    expect(charge.locator(".bar-retry")).to_have_count(2)
    expect(charge.locator(".bar-succeeded")).to_have_count(1)
    charge.click()
    attempts = page.get_by_role("table", name="Attempts")
    expect(attempts).to_contain_text("the bank does not answer")
    assert "operation=" in page.url


def test_the_timeline_is_worked_by_keyboard(api: Any, page: Page) -> None:
    arn = start(api, "flaky", {}, DurableExecutionName="by-keyboard")
    closed(api, arn)
    open_execution(page, arn)
    timeline = page.get_by_role("treegrid")
    expect(timeline.get_by_role("row", name="prepare")).to_be_visible()
    timeline.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(timeline.get_by_role("row", name="collect")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(timeline.get_by_role("row", name="collect")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="prepare")).to_be_visible()
    page.keyboard.press("+")
    expect(page.get_by_role("button", name="Show all of it")).to_be_enabled()
    timeline.focus()
    page.keyboard.press("0")
    expect(page.get_by_role("button", name="Show all of it")).to_be_disabled()


def test_an_execution_is_paused_resumed_stopped_and_deleted(api: Any, page: Page) -> None:
    arn = start(api, "patient", {}, DurableExecutionName="steered")
    open_execution(page, arn)
    expect(page.get_by_role("region", name="Why is it waiting?")).to_contain_text("a long wait")
    for verb, seen in (("Pause", "Paused"), ("Resume", "Running"), ("Stop", "Stopped")):
        page.get_by_role("button", name="Actions").click()
        page.get_by_role("menuitem", name=verb).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason (optional)").fill(f"{verb} for a test")
        dialog.get_by_role("button", name=verb, exact=True).click()
        expect(page.get_by_text(seen, exact=True).first).to_be_visible()
    assert api.get_durable_execution(DurableExecutionArn=arn)["Status"] == "STOPPED"
    page.get_by_role("button", name="Actions").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
    flash(page, "Execution steered is deleted")
    expect(page).to_have_url(f"{page.url.split('/console')[0]}/console/executions")


def test_the_line_is_taken_up_again_after_the_server_was_away(
    api: Any, server: ServerProcess, visit: Any
) -> None:
    page, watch = visit
    watch.expect("Failed to load resource")
    watch.expect("net::ERR")
    arn = start(api, "approval", {"seconds": 1}, DurableExecutionName="reconnected")
    open_execution(page, arn)
    why = page.get_by_role("region", name="Why is it waiting?")
    expect(why).to_contain_text("approve order")
    server.kill()
    expect(page.get_by_text("Connecting")).to_be_visible()
    server.start()
    expect(page.get_by_text("Live", exact=True)).to_be_visible(timeout=40_000)
    why.get_by_role("button", name="Answer the callback").click()
    page.get_by_role("dialog").get_by_role("button", name="Send success").click()
    expect(page.get_by_text("Succeeded").first).to_be_visible()
