"""Where things are in the console, as a person finds them."""

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

__all__ = ["choose", "flash", "open_execution", "replace_code", "row", "tab", "until"]


def tab(page: Page, name: str) -> None:
    """Open a tab of the page."""
    page.get_by_role("tab", name=name).click()


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a select."""
    page.get_by_role("button", name=label).first.click()
    page.get_by_role("option", name=option).first.click()


def flash(page: Page, text: str) -> None:
    """Wait for a message on top of the page."""
    expect(page.get_by_role("region", name="Messages").get_by_text(text).first).to_be_visible()


def row(page: Page, text: str) -> Locator:
    """Return the row of a table that holds ``text``."""
    return page.get_by_role("row").filter(has_text=text).first


def open_execution(page: Page, arn: str, query: str = "") -> None:
    """Open the page of an execution."""
    page.goto(f"/console/executions/{arn}{query}")


def replace_code(page: Page, label: str, text: str) -> None:
    """Replace what is in an editor, as somebody who selects all and pastes."""
    editor = page.get_by_label(label)
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(text)


def until(page: Page, look: Callable[[], bool], what: str, *, seconds: float = 30) -> None:
    """Look again and again until it is so; the page goes on in the meantime."""
    for _ in range(int(seconds * 10)):
        if look():
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{what} did not come about within {seconds} s")
