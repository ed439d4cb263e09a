"""The article's walk, from "Create function" to its result panel, by clicking and typing alone."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from perdure.cli.demo import OUTSIDE_URL
from perdure.cli.stand_in import StandIn
from tests.web.places import flash, replace_code, tab

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
EVENT = {
    "username": "太郎",
    "email": "taro@example.com",
    "callback_id": "abc123-def456-ghi789",
    "message": "このcallback_idを使って承認してください",
}
LANGUAGES = (
    ("Python", "registration.py", EXAMPLES / "user_registration/python/user_registration.py"),
    ("JavaScript", "index.mjs", EXAMPLES / "user_registration/javascript/user_registration.mjs"),
)


@pytest.mark.parametrize(
    ("language", "file", "example"), LANGUAGES, ids=[language for language, _, _ in LANGUAGES]
)
def test_the_articles_flow_from_create_function_to_the_result_panel(
    page: Page, language: str, file: str, example: Path
) -> None:
    name = f"hello-{language.lower()}"
    page.goto("/console")
    page.get_by_role("button", name="Create function").first.click()
    page.get_by_label("Function name").fill(name)
    page.get_by_role("radio", name=f"Hello world in {language}").check()
    page.get_by_role("button", name="Create function").click()
    flash(page, f"Function {name} is created")

    # Hello world, as it comes.
    expect(page.get_by_label("Code of")).to_contain_text("Step #1")
    _test(page)
    result = page.get_by_role("region", name="Result of the test")
    expect(result).to_contain_text("Executing function: Succeeded", timeout=120_000)
    expect(result).to_contain_text("Test Event Name:test")
    expect(result.locator("[data-part=response]")).to_contain_text("Hello from Durable Lambda!")
    expect(result.locator("[data-part=response]")).to_contain_text("statusCode: 200")
    expect(result).to_contain_text("billed")
    expect(result.locator("[data-part=log]")).to_contain_text("REPORT RequestId")

    # The article's registration, with its test event.
    with StandIn() as outside:
        code = example.read_text().replace(OUTSIDE_URL, outside.url(name, pending=0))
        # The function was made with the handler that Lambda's console writes for Python.
        code = code.replace("def handler(", "def lambda_handler(")
        tab(page, "Code")
        replace_code(page, "Code of", code)
        page.get_by_role("button", name="Deploy").click()
        flash(page, f"{name} is deployed as $LATEST")
        _test(page, json.dumps(EVENT, ensure_ascii=False))
        expect(result).to_contain_text("Executing function: Succeeded", timeout=120_000)
    response = result.locator("[data-part=response]")
    expect(response).to_contain_text('status: "completed"')
    expect(response).to_contain_text(
        "ようこそ、太郎さん!外部システムの処理が完了し、登録が完了しました。"
    )
    expect(response).to_contain_text('totalWaitTime: "約5秒"')

    # From the result to the execution that it came of.
    result.get_by_role("link", name="Open the execution").click()
    expect(page.get_by_role("heading", name="test-")).to_be_visible()
    tab(page, "Input and result")
    expect(page.get_by_role("region", name="Result")).to_contain_text("約5秒")


def _test(page: Page, event: str | None = None) -> None:
    """Go to the Test tab, put the event there, save it under the name test, and run it."""
    tab(page, "Test")
    if event is not None:
        replace_code(page, "Event JSON", event)
    page.get_by_role("button", name="Save", exact=True).click()
    flash(page, "Test event test is saved")
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("region", name="Result of the test")).to_be_visible()
