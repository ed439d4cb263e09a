"""What can be set on a function, and that the server has it afterwards."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.service.deployment import deploy
from tests.web.browsing import HANDLERS
from tests.web.places import choose, flash, replace_code, row, tab


@pytest.fixture(scope="module", autouse=True)
def function(api: Any) -> str:
    return deploy(api, "settings", HANDLERS / "patient.py")


def test_general_configuration_environment_and_concurrency_are_saved(api: Any, page: Page) -> None:
    page.goto("/console/functions/settings/configuration")
    page.get_by_label("Description").fill("what it is for")
    page.get_by_label("Memory in MB").fill("256")
    page.get_by_role("button", name="Save: General configuration").click()
    flash(page, "General configuration: saved")
    page.get_by_role("button", name="Add environment variable").click()
    page.get_by_label("Key 1").fill("STAGE")
    page.get_by_label("Value 1").fill("test")
    page.get_by_role("button", name="Save: Environment variables").click()
    flash(page, "Environment variables: saved")
    page.get_by_role("radio", name="Reserve concurrency").check()
    page.get_by_label("Reserved concurrency").fill("7")
    page.get_by_role("button", name="Save: Concurrency").click()
    flash(page, "Concurrency: saved")
    found = api.get_function(FunctionName="settings")
    configuration = found["Configuration"]
    assert configuration["Description"] == "what it is for"
    assert configuration["MemorySize"] == 256
    assert configuration["Environment"]["Variables"] == {"STAGE": "test"}
    assert found["Concurrency"] == {"ReservedConcurrentExecutions": 7}


def test_a_refused_setting_says_why_and_stays_to_be_mended(api: Any, page: Page) -> None:
    page.goto("/console/functions/settings/configuration")
    page.get_by_role("button", name="Add environment variable").click()
    page.get_by_label("Key").last.fill("1x")
    expect(page.get_by_text("1x: a variable's name starts with a letter")).to_be_visible()
    expect(page.get_by_role("button", name="Save: Environment variables")).to_be_disabled()


def test_versions_are_published_and_an_alias_shares_them_out(api: Any, page: Page) -> None:
    api.publish_version(FunctionName="settings")
    page.goto("/console/functions/settings")
    replace_code(page, "Code of", "def handler(event, context):\n    return 2\n")
    page.get_by_role("button", name="Deploy").click()
    flash(page, "settings is deployed as $LATEST")
    tab(page, "Versions")
    page.get_by_role("button", name="Publish new version").click()
    page.get_by_role("dialog").get_by_role("button", name="Publish").click()
    flash(page, "Version 2 is published")
    expect(row(page, "2")).to_be_visible()
    tab(page, "Aliases")
    page.get_by_role("button", name="Create alias").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("live")
    choose(page, "Second version", "1")
    dialog.get_by_label("Weight of the second version").fill("25")
    dialog.get_by_role("button", name="Save").click()
    expect(row(page, "live")).to_contain_text("2: 75 %, 1: 25 %")
    alias = api.get_alias(FunctionName="settings", Name="live")
    assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {"1": 0.25}


def test_tags_are_kept(api: Any, page: Page, function: str) -> None:
    page.goto("/console/functions/settings/tags")
    page.get_by_role("button", name="Add tag").click()
    page.get_by_label("Key 1").fill("team")
    page.get_by_label("Value 1").fill("注文")
    page.get_by_role("button", name="Save: Tags").click()
    flash(page, "Tags: saved")
    assert api.list_tags(Resource=function)["Tags"] == {"team": "注文"}


def test_unsaved_code_is_not_left_by_accident(page: Page) -> None:
    page.goto("/console/functions/settings")
    replace_code(page, "Code of", "# not deployed\n")
    expect(page.get_by_text("Changed, not deployed")).to_be_visible()
    page.get_by_role("link", name="Executions", exact=True).click()
    dialog = page.get_by_role("dialog", name="Leave with unsaved changes?")
    dialog.get_by_role("button", name="Stay").click()
    expect(page.get_by_label("Code of")).to_contain_text("# not deployed")
    page.get_by_role("link", name="Executions", exact=True).click()
    dialog.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="Executions", exact=True)).to_be_visible()
    # It is still there on the way back, until somebody discards it.
    page.go_back()
    expect(page.get_by_label("Code of")).to_contain_text("# not deployed")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("Changed, not deployed")).to_have_count(0)


def test_a_file_is_added_and_deployed(api: Any, page: Page) -> None:
    page.goto("/console/functions/settings")
    page.get_by_role("button", name="Add a file").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Path").fill("lib/prices.py")
    dialog.get_by_role("button", name="Add", exact=True).click()
    replace_code(page, "Code of lib/prices.py", "APPLE = 3\n")
    page.get_by_role("button", name="Deploy").click()
    flash(page, "settings is deployed as $LATEST")
    page.reload()
    page.get_by_role("button", name="lib/prices.py", exact=True).click()
    expect(page.get_by_label("Code of lib/prices.py")).to_contain_text("APPLE = 3")
