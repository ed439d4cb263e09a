"""The examples that are more than a function: a program of its own, and a test."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perdure.embedded import DurableService

from .stage import EXAMPLES, load


def test_a_signup_survives_the_end_of_its_program(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = load("embedded_signup"), load("embedded_signup")
    links: list[str] = []

    def until_the_mail_is_sent() -> Iterator[str]:
        yield "signup ada ada@example.com"
        links.append(first.mails.get(timeout=20))

    def after_the_restart() -> Iterator[str]:
        yield "signup ada ada@example.com"
        yield f"confirm {links[0]}"
        yield "result ada"
        yield "confirm nonsense"
        yield "list"

    with DurableService(tmp_path / "signups.db") as service:
        first.serve(service, until_the_mail_is_sent())
    with DurableService(tmp_path / "signups.db") as service:
        second.serve(service, after_the_restart())

    created, mailed, result, refused, listed = capsys.readouterr().out.splitlines()
    assert created == "create the account ada"
    assert mailed == f"mail to ada@example.com: confirm {links[0]}"
    assert result == "ada {'active': True, 'number': 3}"
    assert refused.startswith("that link is of no use: ")
    assert listed == "ada SUCCEEDED"


def test_the_test_beside_a_function_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", "0"]
    ended = subprocess.run(
        [*command, "examples/stock_transfer"],
        cwd=EXAMPLES.parent,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout
    assert "3 passed" in ended.stdout
