"""The page's files: types, caching, a nonce for each answer, and no way out of the folder."""

import asyncio
import gzip
import re
from pathlib import Path
from urllib.parse import quote

import pytest

from perdure.console.app import Console
from perdure.console.page import PAGE_FOLDER, PageService

from .rig import Answer, Rig

HTML = '<script nonce="__CSP_NONCE__"></script><meta name="nonce" content="__CSP_NONCE__">'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page as the build leaves it, and a secret beside it."""
    (tmp_path / "secret.key").write_text("secret")
    page = tmp_path / "page"
    assets = page / "assets"
    assets.mkdir(parents=True)
    (page / "index.html").write_text(HTML)
    (assets / "index-abc.js").write_text("script")
    (assets / "index-abc.js.gz").write_bytes(gzip.compress(b"script", mtime=0))
    (assets / "index-abc.js.br").write_bytes(b"brotli")
    (assets / "plain-abc.js").write_text("plain")
    for suffix in ("css", "svg", "woff2", "png", "html"):
        (assets / f"a-1.{suffix}").write_text(suffix)
    (assets / ".hidden.js").write_text("secret")
    (assets / "folder.js").mkdir()
    return page


def ask(folder: Path, path: str, method: str = "GET", **headers: str) -> Answer:
    """Return what the page's service answers."""
    loaded: list[int] = []
    console = Console([PageService(folder, on_load=lambda: loaded.append(1))], node="n")
    rig = Rig.__new__(Rig)
    rig.console = console
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(rig.ask(method, path, headers=named))


def test_every_answer_has_a_nonce_of_its_own(folder: Path) -> None:
    first, second = ask(folder, "/console"), ask(folder, "/console")
    nonces: list[str] = []
    for answer in (first, second):
        found = set(re.findall(r'(?:nonce|content)="([\w-]{22})"', answer.text))
        (nonce,) = found
        nonces.append(nonce)
        policy = answer.headers["content-security-policy"]
        assert f"style-src 'self' 'nonce-{nonce}';" in policy
        assert "script-src 'self';" in policy
        assert policy.startswith("default-src 'none'; ")
        assert "unsafe" not in policy
        for part in ("frame-ancestors", "base-uri"):
            assert f"{part} 'none'" in policy
        assert "form-action 'self'; require-trusted-types-for 'script'" in policy
        assert answer.headers["cache-control"] == "no-store"
    assert nonces[0] != nonces[1]


@pytest.mark.parametrize(
    "path", ["/console", "/console/", "/console/functions", "/console/a/b/c%2Fd/e", "/console/.."]
)
def test_every_address_of_the_page_is_the_page(folder: Path, path: str) -> None:
    answer = ask(folder, path)
    assert (answer.status, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "__CSP_NONCE__" not in answer.text


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("plain-abc.js", "text/javascript; charset=utf-8"),
        ("a-1.css", "text/css; charset=utf-8"),
        ("a-1.svg", "image/svg+xml"),
        ("a-1.woff2", "font/woff2"),
        ("a-1.png", "image/png"),
    ],
)
def test_files_are_what_they_are_for_ever(folder: Path, name: str, content_type: str) -> None:
    answer = ask(folder, f"/console/assets/{name}")
    assert answer.status == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("accepted", "encoding", "body"),
    [
        ("gzip, deflate, br", "br", b"brotli"),
        ("gzip;q=1.0", "gzip", gzip.compress(b"script", mtime=0)),
        ("identity", None, b"script"),
        ("", None, b"script"),
    ],
)
def test_a_file_is_sent_as_small_as_the_client_takes_it(
    folder: Path, accepted: str, encoding: str | None, body: bytes
) -> None:
    answer = ask(folder, "/console/assets/index-abc.js", accept_encoding=accepted)
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "accept-encoding"
    assert answer.body[10:] == body[10:] if encoding == "gzip" else answer.body == body
    assert ask(folder, "/console/assets/plain-abc.js", accept_encoding="br, gzip").body == b"plain"


@pytest.mark.parametrize(
    "name",
    [
        *("../index.html", "../../secret.key", "..%2f..%2fsecret.key", "%2e%2e/secret.key"),
        *("..", ".hidden.js", "a-1.html", "folder.js", "none.js", "none", "x" * 300 + ".js"),
        *("a-1.css%00.js", "index-abc.js%2f..", "/etc/passwd", "index-abc.js.gz"),
    ],
)
def test_nothing_else_is_served(folder: Path, name: str) -> None:
    for path in (f"/console/assets/{name}", f"/console/assets/{quote(name, safe='')}"):
        answer = ask(folder, path)
        assert answer.status == 404, path
        assert answer.json["type"] == "ResourceNotFoundException"


def test_a_page_that_was_not_built_says_how(tmp_path: Path) -> None:
    answer = ask(tmp_path / "<none>", "/console")
    assert (answer.status, "make web" in answer.text) == (503, True)
    assert "<none>" not in answer.text
    assert PAGE_FOLDER.name == "page"


def test_the_root_leads_to_the_page(folder: Path) -> None:
    answer = ask(folder, "/")
    assert (answer.status, answer.headers["location"]) == (302, "/console")
    assert ask(folder, "/favicon.ico").status == 204


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_page_takes_nothing(folder: Path, method: str) -> None:
    answer = ask(folder, "/console", method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET")
    assert ask(folder, "/console", "HEAD").status == 200
