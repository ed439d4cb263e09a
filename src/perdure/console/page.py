"""The page itself: one HTML document, and the files it loads, from a folder that is built before.

What is below ``assets`` has its content's hash in its name and never changes. The document is given
a nonce with every answer, for the styles that its parts add as they run; scripts come from files
alone.
"""

import asyncio
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from perdure.console.exchanges import Reply, Request, Route
from perdure.core.errors import ResourceNotFound

__all__ = ["PAGE_FOLDER", "PageService"]

PAGE_FOLDER: Final = Path(__file__).with_name("page")
_NONCE_PLACE: Final = b"__CSP_NONCE__"
_FILE: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\Z", re.ASCII)
_FOREVER: Final = {b"cache-control": b"public, max-age=31536000, immutable"}
_TYPES: Final[Mapping[str, bytes]] = {
    ".css": b"text/css; charset=utf-8",
    ".ico": b"image/x-icon",
    ".js": b"text/javascript; charset=utf-8",
    ".json": b"application/json",
    ".map": b"application/json",
    ".png": b"image/png",
    ".svg": b"image/svg+xml",
    ".txt": b"text/plain; charset=utf-8",
    ".woff2": b"font/woff2",
}
_ENCODINGS: Final = ((b"br", ".br"), (b"gzip", ".gz"))  # the better one first
_HTML: Final = b"text/html; charset=utf-8"
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; connect-src 'self';"
    " img-src 'self' data:; font-src 'self' data:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'; require-trusted-types-for 'script'"
)
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Perdure</title></head><body>
<h1>The console is not built yet</h1>
<p>This is a checkout of Perdure. Run <code>make web</code> in its folder, then load this page
again; an installed Perdure has the console with it.</p>
<p>Looked in <code>{folder}</code>. All else works: <code>perdure --help</code>.</p>
</body></html>
"""


class PageService:
    """Serves the page."""

    def __init__(self, folder: Path = PAGE_FOLDER, *, on_load: Callable[[], None]) -> None:
        """Serve what is in ``folder`` at the time; ``on_load`` is called when a browser begins."""
        self._folder = folder
        self._on_load = on_load

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the page's routes: it reads its own address itself."""
        below = "/console/{a}"
        return (
            ("GET", "/", self._redirect),
            ("GET", "/favicon.ico", self._nothing),
            ("GET", "/console/assets/{file}", self._asset),
            ("GET", "/console", self._document),
            *(("GET", f"{below}{'/{b}' * depth}", self._document) for depth in range(6)),
        )

    async def _redirect(self, request: Request) -> Reply:
        return Reply(302, headers={b"location": b"/console"})

    async def _nothing(self, request: Request) -> Reply:
        return Reply(204)

    async def _document(self, request: Request) -> Reply:
        self._on_load()
        nonce = secrets.token_urlsafe(16)
        try:
            html = await asyncio.to_thread((self._folder / "index.html").read_bytes)
        except FileNotFoundError:
            body = _NOT_BUILT.format(folder=escape(str(self._folder))).encode()
            return Reply(503, body, _HTML)
        policy = _POLICY.format(nonce=nonce).encode()
        return Reply(
            200,
            html.replace(_NONCE_PLACE, nonce.encode()),
            _HTML,
            {b"content-security-policy": policy},
        )

    async def _asset(self, request: Request) -> Reply:
        name = request.labels["file"]
        content_type = _TYPES.get(Path(name).suffix)
        if content_type is None or not _FILE.match(name):
            raise ResourceNotFound("there is no such file")
        accepted = {
            part.partition(b";")[0].strip()
            for part in request.exchange.headers.get(b"accept-encoding", b"").split(b",")
        }
        headers = {**_FOREVER, b"vary": b"accept-encoding"}
        for encoding, suffix in _ENCODINGS:
            body = await self._read(name + suffix) if encoding in accepted else None
            if body is not None:
                return Reply(200, body, content_type, {**headers, b"content-encoding": encoding})
        body = await self._read(name)
        if body is None:
            raise ResourceNotFound("there is no such file")
        return Reply(200, body, content_type, headers)

    async def _read(self, name: str) -> bytes | None:
        try:
            return await asyncio.to_thread((self._folder / "assets" / name).read_bytes)
        except (FileNotFoundError, IsADirectoryError):
            return None
