"""The functions that the page offers to begin with; each is one file beside this module."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from perdure.console.exchanges import Reply, Request, Route, json_reply

__all__ = ["TEMPLATES", "TEMPLATE_FOLDER", "Template", "TemplateService"]

TEMPLATE_FOLDER: Final = Path(__file__).with_name("template_files")
_PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
_NODE: Final = "nodejs24.x"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A function to begin with: ``source`` is its text here, ``path`` in its code."""

    id: str
    title: str
    source: str
    path: str = "lambda_function.py"
    handler: str = "lambda_function.lambda_handler"
    runtime: str = _PYTHON
    is_durable: bool = True


TEMPLATES: Final = (
    Template(id="hello-python", title="Hello world", source="hello.py"),
    Template(
        id="hello-javascript",
        title="Hello world",
        source="hello.mjs",
        path="index.mjs",
        handler="index.handler",
        runtime=_NODE,
    ),
    Template(id="approval-python", title="Wait for an approval", source="approval.py"),
    Template(id="plain-python", title="Plain function", source="plain.py", is_durable=False),
)


class TemplateService:
    """Answers ``/console/api/templates``."""

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/templates", self._list),)

    async def _list(self, request: Request) -> Reply:
        views = await asyncio.to_thread(lambda: [_view(template) for template in TEMPLATES])
        return json_reply({"templates": views})


def _view(template: Template) -> dict[str, Any]:
    text = (TEMPLATE_FOLDER / template.source).read_text(encoding="utf-8")
    return {
        "id": template.id,
        "title": template.title,
        "runtime": template.runtime,
        "is_durable": template.is_durable,
        "handler": template.handler,
        "files": [{"path": template.path, "text": text}],
    }
