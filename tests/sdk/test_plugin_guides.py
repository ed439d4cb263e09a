"""The code in the guides to plugins and to logging runs, and does what they say."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sdk.service import Service

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "guide"


def blocks(guide: str) -> list[dict[str, Any]]:
    """Return the names that each block of Python in a guide defines."""
    found: list[dict[str, Any]] = []
    for source in re.findall(r"```python\n(.*?)```", (GUIDES / guide).read_text(), re.DOTALL):
        names: dict[str, Any] = {"__name__": f"guide_{len(found)}"}
        exec(compile(source, guide, "exec"), names)
        found.append(names)
    return found


@pytest.fixture(autouse=True)
def root_level() -> Iterator[None]:
    """Keep the root logger's level."""
    level = logging.getLogger().level
    yield
    logging.getLogger().setLevel(level)


def test_the_first_plugin_measures() -> None:
    names = blocks("plugins.md")[0]

    assert Service(names["handler"], {"name": "Ada"}).run().result == "Hello, Ada!"
    assert names["measured"] == ["greet SUCCEEDED"]


def test_the_tracing_plugin_makes_a_tree_of_spans() -> None:
    names = blocks("plugins.md")[1]

    result = Service(names["handler"], {}).run().result

    spans = [json.loads(span) for span in names["spans"]]
    assert [(span["name"], span["type"]) for span in spans] == [
        ("place", "STEP"),
        ("place", "STEP"),
        ("settle", "WAIT"),
        ("ship", "STEP"),
        ("ship", "STEP"),
    ]
    assert spans[3]["parent"] == spans[4]["id"]
    assert result == f"order 7 in {spans[3]['id']}"
    assert len({span["trace"] for span in spans}) == 1


def test_the_logging_guide_logs_each_line_once(caplog: pytest.LogCaptureFixture) -> None:
    first, second = blocks("logging.md")

    assert Service(first["handler"], {"name": "Ada"}).run().invocations == 2
    Service(second["handler"], {"name": "Ada"}).run()

    own = [record for record in caplog.records if "executionArn" in record.__dict__]
    assert [(record.name, record.getMessage()) for record in own] == [
        ("root", "an order of Ada"),
        ("root", "charging"),
        ("root", "settled: paid"),
        ("orders", "order of Ada"),
    ]
    assert own[1].__dict__["amount"] == 12


def test_the_guide_has_every_hook() -> None:
    from perdure.plugin import DurableInstrumentationPlugin

    guide = (GUIDES / "plugins.md").read_text()
    hooks = [name for name in vars(DurableInstrumentationPlugin) if not name.startswith("_")]

    assert [hook for hook in hooks if f"| `{hook}` |" not in guide] == []
