"""An endpoint in a process of its own: started, asked, told to end, killed, started again."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

__all__ = ["EndpointProcess"]

_READY_SECONDS = 30


class EndpointProcess:
    """``python -m perdure.endpoint`` on a folder; the port stays when it is started again."""

    def __init__(self, folder: Path, handler: str, *arguments: str, **variables: str) -> None:
        """Name what is to be served; ``start`` begins."""
        self.folder = folder
        self.handler = handler
        self.arguments = arguments
        self.variables = variables
        self.port = 0
        self.process: subprocess.Popen[str] | None = None
        self._stderr = folder / f"endpoint-{id(self)}.stderr"
        self.output = ""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait for its ready line."""
        with self._stderr.open("a") as stderr:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "perdure.endpoint", self.handler),
                    *("--host", "127.0.0.1", "--port", str(self.port), *self.arguments),
                ],
                cwd=self.folder,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **self.variables},
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], _READY_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if "is ready at " not in line:
            self.kill()
            raise AssertionError(f"the endpoint said {line!r}; on stderr: {self.stderr[-2000:]}")
        self.port = int(line.rpartition(":")[2])

    @property
    def stderr(self) -> str:
        """What it has written to standard error."""
        return self._stderr.read_text()

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None, "start comes first"
        self.process.kill()
        self._reap()

    def ask_to_end(self) -> None:
        """Send SIGTERM."""
        assert self.process is not None, "start comes first"
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Return its exit status, once it has ended."""
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None, "start comes first"
        assert self.process.stdout is not None, "it was started with a pipe"
        self.output += self.process.stdout.read()
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def close(self) -> None:
        """Kill it if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
