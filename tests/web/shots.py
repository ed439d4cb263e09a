"""Takes a picture of every page of the console, light and dark: ``make shots``.

A real server with executions in every state; the pictures go to ``docs/shots``.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Page, expect, sync_playwright

from tests.service.deployment import closed, deploy, start
from tests.serving import client, eventually, serving
from tests.web.browsing import HANDLERS, ROOT, WAIT_MS, launch, watched
from tests.web.places import row

SHOTS: Final = ROOT / "docs/shots"
_SIZE: Final = {"width": 1440, "height": 900}
_MODES: Final = ("light", "dark")

Action = Callable[[Page], None]


def main() -> int:
    """Take the pictures; return the exit status."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=WAIT_MS)
    with (
        tempfile.TemporaryDirectory(prefix="perdure-shots-") as folder,
        serving(Path(folder) / "data") as server,
        sync_playwright() as playwright,
    ):
        pages = _pages(_populate(client("lambda", server.url)))
        browser = launch(playwright)
        for mode in _MODES:
            preferences = {"mode": mode, "density": "comfortable"}
            with watched(browser, server.url, preferences=preferences, viewport=_SIZE) as (page, _):
                for name, place, action in pages:
                    _take(page, place, action, SHOTS / f"{name}-{mode}.png")
        browser.close()
    sys.stdout.write(f"{len(pages) * len(_MODES)} pictures are in {SHOTS}\n")
    return 0


def _take(page: Page, place: str, action: Action, file: Path) -> None:
    page.goto(f"/console{place}")
    expect(page.get_by_role("heading").first).to_be_visible()
    action(page)
    page.wait_for_timeout(400)  # what moves has come to rest
    page.screenshot(path=file, animations="disabled")


def _populate(api: Any) -> dict[str, str]:
    """Make functions and executions; return the ARNs of those that have a picture."""
    for name, source in (
        ("order-approval", "approval"),
        ("send-order", "flaky"),
        ("nightly-export", "large"),
        ("reminders", "patient"),
    ):
        deploy(api, name, HANDLERS / f"{source}.py", Description=f"The {name} of the shop")
    deploy(api, "thumbnails", "def handler(event, context):\n    return 7\n", is_durable=False)
    deploy(
        api,
        "legacy-import",
        "from perdure import durable_execution\n\n\n"
        "@durable_execution\ndef handler(event, context):\n"
        "    context.wait(1)\n    raise ValueError('row 17 has no id')\n",
    )
    deploy(
        api,
        "greeting",
        "from perdure import durable_execution\n\n\n"
        "@durable_execution\ndef handler(event, context):\n"
        "    print('Hello from step #1')\n"
        "    name = context.step(lambda _: event.get('key1'), name='Step #1')\n"
        "    context.wait(1)\n"
        "    return {'statusCode': 200, 'body': f'Hello {name} from Durable Lambda!'}\n",
    )
    failed = [
        start(api, "legacy-import", {"file": f"{day}.csv"}, DurableExecutionName=f"import-{day}")
        for day in ("monday", "tuesday")
    ]
    sent = [
        start(api, "send-order", {"order": number}, DurableExecutionName=f"send-{number}")
        for number in range(1001, 1013)
    ]
    large = start(api, "nightly-export", {"operations": 600}, DurableExecutionName="export-2026-11")
    for number in range(4):
        start(api, "reminders", {"user": number}, DurableExecutionName=f"remind-{number}")
    waiting = [
        start(
            api,
            "order-approval",
            {"name": name, "seconds": 2, "note": f"order of {name}"},
            DurableExecutionName=f"order-{name.lower()}",
        )
        for name in ("Ada", "Grace", "Katherine")
    ]
    for arn in (*failed, *sent, large):
        closed(api, arn)
    api.stop_durable_execution(DurableExecutionArn=_named(api, "reminders", "remind-3"))
    api.pause_durable_execution(DurableExecutionArn=_named(api, "reminders", "remind-2"))

    def all_wait() -> bool:
        return all(
            any(
                event["EventType"] == "CallbackStarted"
                for event in api.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            )
            for arn in waiting
        )

    eventually(all_wait, seconds=60, what="the callbacks")
    return {"waiting": waiting[0], "sent": sent[0], "failed": failed[0], "large": large}


def _named(api: Any, function: str, name: str) -> str:
    found = api.list_durable_executions_by_function(
        FunctionName=function, DurableExecutionName=name
    )["DurableExecutions"]
    return found[0]["DurableExecutionArn"]


def _pages(arns: dict[str, str]) -> list[tuple[str, str, Action]]:
    """Return each picture's name, its place, and what is done there before it is taken."""
    waiting, sent, failed = (f"/executions/{arns[name]}" for name in ("waiting", "sent", "failed"))
    function = "/functions/order-approval"
    return [
        ("functions", "/functions", _seen("order-approval")),
        ("create-function", "/functions/create", _seen("Hello world in Python")),
        ("function-code", function, _seen("place order")),
        ("function-test", "/functions/greeting/test", _run_test),
        ("function-configuration", f"{function}/configuration", _seen("Memory in MB")),
        ("function-versions", f"{function}/versions", _seen("$LATEST")),
        ("function-aliases", f"{function}/aliases", _seen("Create alias")),
        ("executions", "/executions", _seen("send-1012")),
        ("executions-filtered", "/executions?status=FAILED", _seen("import-monday")),
        ("execution-waiting", waiting, _seen("approve order")),
        ("execution-timeline", f"{sent}?time=busy", _open_step("charge card")),
        ("execution-large", f"/executions/{arns['large']}", _seen("group 0")),
        ("execution-events", f"{sent}?tab=events", _seen("StepFailed")),
        ("execution-data", f"{failed}?tab=data", _seen("row 17 has no id")),
        ("execution-logs", f"{waiting}?tab=logs", _seen("is placed")),
        ("callbacks", "/callbacks", _seen("order-grace")),
        ("callback-answer", "/callbacks", _answer),
        ("operations", "/operations", _seen("Throughput")),
    ]


def _seen(text: str) -> Action:
    def look(page: Page) -> None:
        expect(page.get_by_text(text).first).to_be_visible()

    return look


def _open_step(name: str) -> Action:
    def act(page: Page) -> None:
        page.get_by_role("treegrid").get_by_role("row", name=name).click()
        expect(page.get_by_role("table", name="Attempts")).to_be_visible()

    return act


def _run_test(page: Page) -> None:
    expect(page.get_by_label("Event JSON")).to_be_visible()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.get_by_role("region", name="Result of the test")).to_contain_text("Succeeded")


def _answer(page: Page) -> None:
    row(page, "order-ada").get_by_role("button", name="Send success").click()
    expect(page.get_by_role("dialog")).to_be_visible()


if __name__ == "__main__":
    sys.exit(main())
