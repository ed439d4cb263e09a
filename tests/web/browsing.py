"""A browser that notices what no page of ours may do: errors, refusals of the policy, requests that
leave the server.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Playwright,
)

__all__ = ["CHROMIUM", "HANDLERS", "PAGE", "ROOT", "WAIT_MS", "Watch", "launch", "watched"]

ROOT: Final = Path(__file__).resolve().parent.parent.parent
HANDLERS: Final = Path(__file__).parent / "handlers"
PAGE: Final = ROOT / "src/perdure/console/page"
CHROMIUM: Final = "/usr/bin/chromium"
LAUNCH_ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WAIT_MS: Final = 30_000
#: The machine's network changes while other tests make networks of their own; the page copes.
_OUTSIDE: Final = "ERR_NETWORK_CHANGED"


@dataclass
class Watch:
    """What a context's pages have done."""

    origin: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=lambda: [_OUTSIDE])

    def attach(self, context: BrowserContext) -> None:
        """Look at every page of ``context`` from now on."""
        context.on("console", self._on_console)
        context.on("weberror", lambda error: self.problems.append(f"error: {error.error}"))
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("dialog", self._on_dialog)
        context.add_init_script(
            "addEventListener('securitypolicyviolation', event =>"
            " console.error('policy: ' + event.violatedDirective + ' ' + event.blockedURI))"
        )

    def expect(self, text: str) -> None:
        """Take problems that hold ``text`` as what the test wants to see."""
        self.expected.append(text)

    def check(self) -> None:
        """Fail if anything happened that should not have."""
        unexpected = [
            problem
            for problem in self.problems
            if not any(text in problem for text in self.expected)
        ]
        assert not unexpected, unexpected
        strangers = [
            url
            for url in self.requests
            if not url.startswith((f"{self.origin}/", "data:", "blob:", "about:"))
        ]
        assert not strangers, strangers

    def _on_console(self, message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        # The page asks for the log of a function that has said nothing yet, by the Logs API, which
        # has an error for that; the browser notes it, the page does not show it.
        is_log_without_lines = url == f"{self.origin}/" and "status of 400 " in message.text
        if message.type == "error" and not is_log_without_lines:
            self.problems.append(f"console: {message.text} {url}")

    def _on_dialog(self, dialog: Dialog) -> None:
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def launch(playwright: Playwright) -> Browser:
    """Return Debian's Chromium, headless."""
    return playwright.chromium.launch(executable_path=CHROMIUM, args=list(LAUNCH_ARGUMENTS))


@contextmanager
def watched(
    browser: Browser, origin: str, *, preferences: dict[str, str] | None = None, **options: Any
) -> Iterator[tuple[Page, Watch]]:
    """Give a page in a context of its own; check at the end that it did nothing it may not."""
    settings = {"viewport": {"width": 1440, "height": 900}, **options}
    context = browser.new_context(base_url=origin, **settings)
    context.set_default_timeout(WAIT_MS)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=origin)
    if preferences:
        kept = json.dumps(json.dumps(preferences))
        # A document of the browser's own, such as one about a broken line, has no storage.
        context.add_init_script(
            "if (location.protocol === 'http:')"
            f" localStorage.setItem('perdure.console.preferences', {kept})"
        )
    watch = Watch(origin)
    watch.attach(context)
    try:
        yield context.new_page(), watch
        watch.check()
    finally:
        context.close()
