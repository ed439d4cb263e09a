"""The pages behind approval links: HTML made here, without a script, everything in it escaped."""

from html import escape
from typing import Final, NamedTuple

from perdure.core import phrases

__all__ = ["COMMENT_MAX", "POLICY", "Asked", "ask_page", "told_page"]

COMMENT_MAX: Final = 2_000
#: The strictest that lets the page have its style sheet and send its form. The referrer stays on
#: this origin, and is needed: without one, a browser hides where a form comes from.
POLICY: Final = (
    b"default-src 'none'; style-src 'self'; form-action 'self'; frame-ancestors 'none';"
    b" base-uri 'none'"
)
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex, nofollow">
<title>{title}</title>
<link rel="stylesheet" href="/console/approve.css">
</head>
<body>
<main>
<p class="brand">Perdure</p>
<h1>{title}</h1>
{body}
</main>
</body>
</html>
"""
_FACTS: Final = """<dl>
<dt>Callback</dt><dd>{callback}</dd>
<dt>Function</dt><dd>{function}</dd>
<dt>Execution</dt><dd>{execution}</dd>
<dt>Waiting since</dt><dd><time>{since}</time></dd>
<dt>This link expires</dt><dd><time>{expires}</time></dd>
</dl>
"""
_FORM: Final = """<form method="post">
<label for="comment">Comment <span>(optional; it is sent with the decision)</span></label>
<textarea id="comment" name="comment" rows="4" maxlength="{comment_max}"></textarea>
<p class="choice">
<button type="submit" name="decision" value="approve" class="primary">Approve</button>
<button type="submit" name="decision" value="reject">Reject</button>
</p>
</form>
<p class="note">Whoever has this link can decide. It decides once.</p>
"""


class Asked(NamedTuple):
    """What is to be decided."""

    question: str
    callback: str
    function: str
    execution: str
    since_ms: int
    expires_at_ms: int


def ask_page(asked: Asked) -> bytes:
    """Return the page that asks for a decision."""
    facts = _FACTS.format(
        callback=_shown(asked.callback),
        function=_shown(asked.function),
        execution=_shown(asked.execution),
        since=phrases.instant(asked.since_ms),
        expires=phrases.instant(asked.expires_at_ms),
    )
    question = f'<p class="question">{_shown(asked.question)}</p>\n' if asked.question else ""
    form = _FORM.format(comment_max=COMMENT_MAX)
    return _page("A decision is asked for", f"{question}{facts}{form}")


def told_page(title: str, text: str) -> bytes:
    """Return a page that says something and asks for nothing."""
    return _page(title, f'<p role="status">{_shown(text)}</p>')


def _page(title: str, body: str) -> bytes:
    return _PAGE.format(title=_shown(title), body=body).encode()


def _shown(text: str) -> str:
    """Return text that no browser takes for anything else, and that cannot turn its neighbours
    around.
    """
    return f"<bdi>{escape(text)}</bdi>" if not text.isascii() else escape(text)
