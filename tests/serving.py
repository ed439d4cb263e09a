"""A real server in a process of its own, for tests: started, asked, killed, started again on the
same data.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.config import Config

__all__ = ["ServerProcess", "client", "eventually", "get_json", "serving"]

T = TypeVar("T")
READY_SECONDS = 20


class ServerProcess:
    """One server process on a data folder; the port stays the same when it is started again."""

    #: What Python is to run; it takes the port, the folder and the arguments.
    command: tuple[str, ...] = ("-m", "perdure.cli.main", "serve")
    #: What runs Python, if it is not to run as any other process.
    prefix: tuple[str, ...] = ()
    host = "127.0.0.1"

    def __init__(self, data: Path, *arguments: str) -> None:
        """Name the folder; ``start`` begins."""
        self.data = data
        self.arguments = arguments
        self.port = 0
        self._stderr = data.parent / f"{data.name}.stderr"
        self.process: subprocess.Popen[str] | None = None
        self.ready_seconds = 0.0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.host}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether it was started, and has not ended."""
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self) -> int:
        """Its process."""
        assert self.process is not None, "start comes first"
        return self.process.pid

    @property
    def stderr(self) -> str:
        """What it has written to standard error, over all its starts."""
        return self._stderr.read_text()

    def start(self) -> None:
        """Start it, and wait for its ready line."""
        began = time.monotonic()
        with self._stderr.open("a") as stderr:
            self.process = subprocess.Popen(
                [
                    *(*self.prefix, sys.executable, *self.command),
                    *("--port", str(self.port), "--data", str(self.data), *self.arguments),
                ],
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
                env={**os.environ, "AWS_EC2_METADATA_DISABLED": "true"},
            )
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], READY_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if "ready at " not in line:
            self.kill()
            raise AssertionError(f"the server said {line!r}; on stderr: {self.stderr[-2000:]}")
        self.port = int(line.split("ready at ")[1].split()[0].rpartition(":")[2])
        self.ready_seconds = time.monotonic() - began

    def kill(self) -> None:
        """Kill it as a power cut would."""
        assert self.process is not None, "start comes first"
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ask it to end; return its exit status."""
        assert self.process is not None, "start comes first"
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    def _reap(self) -> int:
        assert self.process is not None, "start comes first"
        assert self.process.stdout is not None, "it was started with a pipe"
        status = self.process.wait(timeout=30)
        self.process.stdout.close()
        return status

    def memory_kb(self) -> int:
        """Return its resident memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0])


@contextmanager
def serving(data: Path, *arguments: str) -> Iterator[ServerProcess]:
    """Run a server on ``data``; kill it at the end."""
    server = ServerProcess(data, *arguments)
    server.start()
    try:
        yield server
    finally:
        if server.is_running:
            server.kill()


def client(service: str, url: str, *, timeout: float = 70, retries: int = 0) -> Any:
    """Return boto3's client for ``service`` at ``url``."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(
            read_timeout=timeout,
            retries={"total_max_attempts": retries + 1},
            max_pool_connections=64,
        ),
    )


def eventually(look: Callable[[], T | None], *, seconds: float = 20, what: str = "it") -> T:
    """Return what ``look`` returns as soon as that is true; fail when the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {seconds} s")
        select.select([], [], [], 0.02)


def get_json(url: str) -> Any:
    """Return the JSON that ``url`` answers."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)
