"""The stories of the guide's embedded page run: its code blocks that have a title, one by one."""

import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

import perdure.embedded
from perdure.embedded import DurableService, EmbeddedError

PAGE: Final = (Path(__file__).parents[2] / "docs" / "guide" / "embedded.md").read_text("utf-8")
STORIES: Final = dict(re.findall(r"^```python (.+?)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("title", STORIES)
def test_a_story_runs(title: str, tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", STORIES[title]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert run.returncode == 0, run.stderr


def test_every_error_is_told() -> None:
    kinds = {
        name
        for name, kind in vars(perdure.embedded).items()
        if isinstance(kind, type) and issubclass(kind, EmbeddedError)
    }
    assert {name for name in kinds if f"`{name}`" not in PAGE} == set()


def test_every_setting_is_told() -> None:
    settings = list(inspect.signature(DurableService).parameters)[1:]
    table = PAGE.partition("## Settings and limits")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == settings
