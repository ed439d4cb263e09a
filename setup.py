"""Builds the console's page into a wheel where it has not been built before.

Everything else is in ``pyproject.toml``. An editable installation builds nothing: there it is
``make web``.
"""

import subprocess
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "src/perdure/console/page/index.html"


class BuildWithPage(build_py):
    """Builds the page first."""

    def run(self) -> None:
        """Build the page if it is missing, then all the rest."""
        if not self.editable_mode and not PAGE.exists():
            subprocess.check_call([sys.executable, str(ROOT / "tools/web.py")])
        super().run()


setup(cmdclass={"build_py": BuildWithPage})
