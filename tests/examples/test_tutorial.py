"""The ten minutes of the guide, with real servers and real workers."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import Perdure, running

from .guide import Page

pytestmark = [pytest.mark.service, pytest.mark.timeout(120)]


def test_the_tutorial_comes_to_what_it_says(tmp_path: Path) -> None:
    page = Page.read("README.md")
    code = page.passages()[0].code
    assert "wait(20" in code
    assert '\n"order 7 for Ada is on its way"\n' in page.text
    file = tmp_path / "hello.py"
    file.write_text(code.replace("wait(20", "wait(3"))

    with running("dev", "hello.py", "--port", "0", folder=tmp_path) as dev:
        client = Perdure(dev.url())
        result = client.text("invoke", "hello", '{"name": "Ada"}')
        client.text("invoke", "hello", '{"name": "Grace"}', "--name", "second", "--async")
        dev.line("placing an order")
        dev.stop()
    file.write_text(file.read_text().replace("is on its way", "has left"))
    with running("dev", "hello.py", "--port", "0", folder=tmp_path) as dev:
        client = Perdure(dev.url())
        dev.line("SUCCEEDED")
        second = client.json("executions", "get", "hello/second")

    assert json.loads(result) == "order 7 for Ada is on its way"
    assert (second["Status"], second["Result"]) == ("SUCCEEDED", '"order 7 for Grace has left"')
