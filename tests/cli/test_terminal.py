"""What a person at a terminal sees of an execution while it runs."""

import errno
import os
import pty
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

from tests.cli.commands import FUNCTIONS, Perdure

pytestmark = pytest.mark.service

COLOUR = re.compile(r"\x1b\[[0-9;]*3\d[0-9;]*m")


@pytest.fixture(scope="module")
def perdure(perdure_endpoint: str) -> Perdure:
    """The command, told where the shared server is."""
    perdure = Perdure(perdure_endpoint)
    perdure.text("deploy", str(FUNCTIONS / "probe.py"), "--name", "terminal-probe")
    return perdure


def seen(url: str, *arguments: str, environment: Mapping[str, str]) -> tuple[str, str, int]:
    """Return standard output, what a terminal on standard error shows, and the exit code."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "perdure.cli.main", *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "PERDURE_ENDPOINT": url, "TERM": "xterm", **environment},
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while data := os.read(ours, 4096):
                shown += data
        except OSError as error:  # the end of a terminal
            if error.errno != errno.EIO:
                raise
        finally:
            os.close(ours)
        assert process.stdout is not None
        return process.stdout.read(), shown.decode(), process.wait()


@pytest.mark.parametrize("colour", [True, False], ids=["colour", "no-colour"])
def test_the_timeline_grows_while_the_execution_runs(
    perdure: Perdure, perdure_endpoint: str, *, colour: bool
) -> None:
    assert perdure.json("functions")["Functions"]
    out, shown, code = seen(
        perdure_endpoint,
        *("invoke", "terminal-probe", '{"wait": 1}'),
        environment={} if colour else {"NO_COLOR": "1"},
    )

    assert (out, code) == ('{"event": {"wait": 1}}\n', 0)
    assert shown.index("RUNNING") < shown.rindex("SUCCEEDED")
    assert "long" in shown
    assert "answer" in shown
    assert bool(COLOUR.search(shown)) is colour


def test_hostile_names_do_not_reach_the_terminal(perdure_endpoint: str, perdure: Perdure) -> None:
    _, shown, code = seen(
        perdure_endpoint,
        *("invoke", "terminal-probe", '{"fail": "\\u001b]0;owned\\u0007"}'),
        environment={"NO_COLOR": "1"},
    )

    assert code == 1
    assert r"ValueError: \x1b]0;owned\x07" in shown
    assert "\x1b]" not in shown
