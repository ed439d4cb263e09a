"""What the built page weighs, and what it is made of."""

import gzip
import json

from playwright.sync_api import Page, expect

from tests.web.browsing import PAGE, ROOT

BYTES_MAX = 700_000
LOCK = ROOT / "web/package-lock.json"


def test_the_page_is_at_most_700_kb_compressed() -> None:
    files = [
        file for file in PAGE.rglob("*") if file.is_file() and file.suffix not in {".gz", ".br"}
    ]
    sizes = {file.name: len(gzip.compress(file.read_bytes(), 9)) for file in files}
    assert sum(sizes.values()) <= BYTES_MAX, sorted(sizes.items(), key=lambda item: -item[1])[:10]


def test_every_script_and_style_lies_there_compressed_and_is_sent_so(page: Page) -> None:
    for file in PAGE.glob("assets/*"):
        if file.suffix in {".js", ".css"}:
            assert gzip.decompress(file.with_name(f"{file.name}.gz").read_bytes()) == (
                file.read_bytes()
            )
    with page.expect_response(lambda answer: answer.url.endswith(".js")) as script:
        page.goto("/console")
    assert script.value.headers["content-encoding"] == "gzip"
    assert "immutable" in script.value.headers["cache-control"]


def test_an_empty_service_teaches_how_to_fill_it(page: Page) -> None:
    for place, text in (
        ("functions", "perdure deploy hello.py"),
        ("executions", "perdure invoke hello"),
        ("callbacks", "perdure callback succeed"),
    ):
        page.goto(f"/console/{place}")
        expect(page.get_by_text(text).first).to_be_visible()


def test_the_lock_holds_no_address_to_download_from() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    assert len(packages) > 50
    assert not [name for name, package in packages.items() if "resolved" in package]
