"""A hundred texts that would be scripts, in every field that a user controls: none of them runs."""

import json
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.service.deployment import closed, deploy, start
from tests.web.browsing import HANDLERS, Watch
from tests.web.places import open_execution, tab

_MARK: Final = "window.__ran=1"
_PATTERNS: Final = (
    "<script>{mark}</script>",
    "<img src=x onerror={mark}>",
    "<svg onload={mark}>",
    '"><script>{mark}</script>',
    "'><img src=x onerror='{mark}'>",
    "javascript:{mark}",
    '<a href="javascript:{mark}">x</a>',
    "<iframe srcdoc='<script>parent.{mark}</script>'>",
    "<body onload={mark}>",
    "<details open ontoggle={mark}>",
    "<input autofocus onfocus={mark}>",
    "<video><source onerror={mark}></video>",
    "<math><mi xlink:href='javascript:{mark}'>x</mi></math>",
    "<style>@import 'javascript:{mark}'</style>",
    "<base href='javascript:{mark}//'>",
    "{{{{constructor.constructor('{mark}')()}}}}",
    "${{{mark}}}",
    "<template><script>{mark}</script></template>",
    "<object data='javascript:{mark}'></object>",
    "</textarea><script>{mark}</script>",
    "</title><script>{mark}</script>",
    "</style><script>{mark}</script>",
    "<!--><script>{mark}</script>",
    "<x contenteditable onblur={mark}>lose focus</x>",
    "\u202e<script>{mark}</script>",
)
_WRAPPERS: Final = ("{text}", '{{"a": "{text}', "%3C{text}", "<!--{text}--!>{text}")
TEXTS: Final = tuple(
    wrapper.format(text=pattern.format(mark=_MARK))
    for wrapper in _WRAPPERS
    for pattern in _PATTERNS
)


@pytest.fixture(scope="module", autouse=True)
def functions(api: Any) -> None:
    assert len(set(TEXTS)) == 100
    arn = deploy(
        api,
        "hostile",
        HANDLERS / "hostile.py",
        Description=TEXTS[0],
        environment={"STAGE": "".join(TEXTS[:3])},
    )
    api.tag_resource(Resource=arn, Tags={"note": "a b"})


def test_hostile_texts_stay_texts_on_every_page(api: Any, page: Page, watch: Watch) -> None:
    arns = [
        start(
            api,
            "hostile",
            {"text": text, "type": "Bad", "fails": number % 2 == 1, "waits": number % 10 == 9},
            DurableExecutionName=f"hostile-{number}",
        )
        for number, text in enumerate(TEXTS)
    ]
    for number, arn in enumerate(arns):
        if number % 10 != 9:
            closed(api, arn)
    for text in TEXTS[:6]:
        page.goto("/console/functions/hostile/test")
        editor = page.get_by_label("Event JSON")
        editor.click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(json.dumps({"text": text}))
        expect(editor).to_contain_text("text")
    for place in (
        "/console/functions",
        "/console/functions/hostile",
        "/console/functions/hostile/configuration",
        "/console/functions/hostile/tags",
        "/console/executions",
        "/console/callbacks",
        "/console/operations",
    ):
        page.goto(place)
        expect(page.get_by_role("heading").first).to_be_visible()
    page.goto("/console/callbacks")
    expect(page.get_by_text(TEXTS[9]).first).to_be_visible()
    for number in range(0, 100, 5):
        _look_at(page, arns[number], TEXTS[number])
    assert page.evaluate("window.__ran") is None
    assert not any("dialog" in problem for problem in watch.problems)


def test_hostile_addresses_run_nothing(page: Page) -> None:
    for text in TEXTS[:25]:
        page.goto("/console/executions")
        page.evaluate(
            "text => history.replaceState(null, '', '?' + new URLSearchParams("
            "{text, name: text, function: text, order: text, status: text}))",
            text,
        )
        page.reload()
        expect(page.get_by_role("heading", name="Executions", exact=True)).to_be_visible()
        assert page.evaluate("window.__ran") is None


def _look_at(page: Page, arn: str, text: str) -> None:
    """Look at all that an execution's page shows."""
    open_execution(page, arn)
    timeline = page.get_by_role("treegrid")
    expect(timeline.get_by_role("row").nth(1)).to_be_visible()
    timeline.get_by_role("row").nth(0).click()
    for name in ("Operations", "Events", "Input and", "Logs"):
        tab(page, name)
        expect(page.get_by_role("tabpanel")).to_be_visible()
    expect(page.get_by_role("region", name="Log of request").first).to_contain_text(
        text.splitlines()[0][:20]
    )
    assert page.evaluate("window.__ran") is None
