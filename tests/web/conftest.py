"""A real server with real functions, and a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serving import ServerProcess, client, serving
from tests.web.browsing import CHROMIUM, PAGE, WAIT_MS, Watch, launch, watched


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("service")
            item.add_marker(pytest.mark.timeout(240))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "these tests need Debian's chromium package"
    assert (PAGE / "index.html").exists(), "the page is not built: make web"
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serving(tmp_path_factory.mktemp("console") / "data") as found:
        yield found


@pytest.fixture(scope="module")
def api(server: ServerProcess) -> Any:
    return client("lambda", server.url)


@pytest.fixture
def visit(browser: Browser, server: ServerProcess) -> Iterator[tuple[Page, Watch]]:
    with watched(browser, server.url) as found:
        yield found


@pytest.fixture
def page(visit: tuple[Page, Watch]) -> Page:
    return visit[0]


@pytest.fixture
def watch(visit: tuple[Page, Watch]) -> Watch:
    return visit[1]
