"""Gives commands, in this process and in others, and looks at what they print."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from perdure.cli.main import main
from tests.serving import eventually

__all__ = ["FUNCTIONS", "Perdure", "Running", "running"]

FUNCTIONS = Path(__file__).parent / "functions"
_SILENCE_SECONDS = 20


class Perdure:
    """Gives client commands to one server."""

    def __init__(self, url: str, **environment: str) -> None:
        """Name the server."""
        self._environment = {"PERDURE_ENDPOINT": url, **environment}

    def run(self, *arguments: str, stdin: bytes | str | None = None) -> Result:
        """Return how a command ended, whatever its exit code."""
        return CliRunner().invoke(main, arguments, input=stdin, env=self._environment)

    def text(self, *arguments: str, stdin: bytes | str | None = None) -> str:
        """Return what a command prints that ends well."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str) -> Any:
        """Return the one document that a command prints that ends well."""
        return json.loads(self.text(*arguments, "--json"))


class Running:
    """A command in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Read its output from now on."""
        self.process = process
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def text(self) -> str:
        """What it has printed so far."""
        return "".join(self.lines)

    def line(self, part: str) -> str:
        """Return the first line with ``part`` in it, as soon as there is one."""

        def look() -> str | None:
            found = next((line for line in list(self.lines) if part in line), None)
            assert found or self.process.poll() is None or part in self.text, self.text
            return found

        return eventually(look, seconds=_SILENCE_SECONDS, what=f"a line with {part!r}")

    def url(self) -> str:
        """Return where it listens, as soon as it does."""
        return self.line(" ready at ").split(" ready at ")[1].split()[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """Return the exit code."""
        return self.process.wait(_SILENCE_SECONDS)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)


@contextlib.contextmanager
def running(
    *arguments: str, folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Run a command in ``folder`` until the block ends; standard error goes to its output."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("PERDURE_")}
    with subprocess.Popen(
        [sys.executable, "-m", "perdure.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=folder,
        env={**known, "NO_COLOR": "1", **(environment or {})},
    ) as process:
        try:
            yield Running(process)
        finally:
            process.kill()
