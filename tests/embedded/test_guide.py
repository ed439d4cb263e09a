"""The guide's page on the embedded mode is true: its program prints what the page says."""

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "embedded.md"


def test_the_program_prints_what_the_page_says(tmp_path: Path) -> None:
    text = PAGE.read_text()
    (program,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    said = re.search(r"It prints `(.*)`", text)
    assert said is not None
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=50
    )
    assert (done.stdout, done.returncode) == (f"{said[1]}\n", 0), done.stderr
