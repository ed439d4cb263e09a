"""``perdure dev``: functions from their sources, again on every change."""

import json
from pathlib import Path

import pytest

from tests.cli.commands import Perdure, running
from tests.serving import eventually

pytestmark = [pytest.mark.service, pytest.mark.timeout(120)]

DURABLE = """
from aws_durable_execution_sdk_python import durable_execution

@durable_execution
def handler(event, context):
    context.logger.info("told %s", "{word}")
    return context.step(lambda _: "{word}", name="say")
"""
PLAIN = "def {name}(event, context):\n    return '{word}'\n"
KEEPING = """
import os

def handler(event, context):
    return os.environ.get("PERDURE_KEEP_HANDLERS", "none")
"""
JAVASCRIPT = """
import { withDurableExecution } from '@aws/durable-execution-sdk-js';
export const one = withDurableExecution(async (event, context) =>
  context.step('say', async () => 'one'));
export const two = withDurableExecution(async () => { throw new Error('two \\x1b[31m'); });
"""
TEMPLATE = """
Parameters: {Stage: {Type: String, Default: none}}
Resources:
  Said:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "said-${Stage}"
      CodeUri: src
      Handler: app.handler
      Runtime: python3.11
      Timeout: 20
      AutoPublishAlias: live
      DurableConfig: {ExecutionTimeout: 60}
"""


def says(perdure: Perdure, function: str, word: str) -> None:
    """Wait until a function returns ``word``."""
    eventually(
        lambda: perdure.run("invoke", function, "{}", "--no-wait").stdout == f'"{word}"\n',
        what=f"{function} to say {word}",
    )


def test_a_file_is_run_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(DURABLE.format(word="first"))
    with running("dev", "app.py", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        assert "durable" in dev.line("app.handler in app.py")
        assert "perdure invoke app" in dev.line("Invoke one with")

        says(perdure, "app", "first")
        dev.line("INFO told first")
        dev.line(" SUCCEEDED after ")
        file.write_text(DURABLE.format(word="second"))
        dev.line("changed: app.py")
        dev.line("app  updated")
        says(perdure, "app", "second")
        dev.line("INFO told second")
        assert dev.stop() == 0
    assert not (tmp_path / ".perdure" / "endpoint").exists()


def test_a_change_that_cannot_be_understood_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "app.py"
    file.write_text(PLAIN.format(name="handler", word="first"))
    with running("dev", "app.py", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        dev.line("Invoke one with")
        file.write_text("def handler(:")
        dev.line("app.py: line 1: ")
        assert perdure.json("functions", "get", "app")["Configuration"]["State"] == "Active"
        file.write_text(PLAIN.format(name="handler", word="second"))
        dev.line("app  updated")
        says(perdure, "app", "second")


@pytest.mark.parametrize(
    ("options", "told"), [((), "none"), (("--keep-handlers", "3"), "3")], ids=["default", "asked"]
)
def test_every_resume_replays_unless_handlers_are_to_be_kept(
    tmp_path: Path, options: tuple[str, ...], told: str
) -> None:
    (tmp_path / "app.py").write_text(KEEPING)
    with running("dev", "app.py", "--port", "0", *options, folder=tmp_path) as dev:
        says(Perdure(dev.url()), "app", told)


def test_functions_come_and_go_with_a_folders_files(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text(PLAIN.format(name="handler", word="a"))
    with running("dev", "code", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        dev.line("Invoke one with")
        (code / "b.py").write_text(PLAIN.format(name="lambda_handler", word="b"))
        dev.line("b  added")
        says(perdure, "b", "b")
        (code / "a.py").unlink()
        dev.line("a  removed")
        assert perdure.run("functions", "get", "a").exit_code == 4


def test_javascript_with_several_handlers_gives_several_functions(tmp_path: Path) -> None:
    (tmp_path / "app.mjs").write_text(JAVASCRIPT)
    with running("dev", "app.mjs", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        says(perdure, "one", "one")
        result = perdure.run("invoke", "two", "{}", "--no-wait")
        assert result.exit_code == 1
        assert json.loads(result.stdout)["errorMessage"] == "two \x1b[31m"
        dev.line(r" FAILED after ")
        dev.line(r"two \x1b[31m")
        assert "\x1b" not in dev.text


def test_a_template_gives_its_functions(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").write_text(DURABLE.format(word="first"))
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    arguments = ["dev", "template.yaml", "--parameter", "Stage=test", "--port", "0"]
    with running(*arguments, folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        says(perdure, "said-test:live", "first")
        configuration = perdure.json("functions", "get", "said-test")["Configuration"]
        assert configuration["Timeout"] == 20
        assert configuration["DurableConfig"]["ExecutionTimeout"] == 60

        (tmp_path / "src" / "app.py").write_text(DURABLE.format(word="second"))
        says(perdure, "said-test:live", "second")
        (tmp_path / "template.yaml").write_text(TEMPLATE.replace("Timeout: 20", "Timeout: 21"))
        eventually(
            lambda: perdure.json("functions", "get", "said-test")["Configuration"]["Timeout"] == 21,
            what="the template's change",
        )


def test_what_it_prints_into_a_watched_folder_is_no_change(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(PLAIN.format(name="handler", word="a"))
    with running("dev", "app.py", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        dev.line("Invoke one with")
        (tmp_path / "__pycache__").mkdir()
        (tmp_path / "__pycache__" / "app.pyc").write_text("")
        (tmp_path / ".perdure" / "note").write_text("")
        (tmp_path / "app.py~").write_text("")
        (tmp_path / "data.json").write_text("{}")
        dev.line("changed: data.json\n")
        says(perdure, "app", "a")
        assert dev.text.count("changed: ") == 1


def test_executions_of_an_earlier_day_go_on(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        DURABLE.format(word="done").replace(
            "    return", "    context.create_callback(name='gate').result()\n    return"
        )
    )
    with running("dev", "app.py", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        arn = perdure.text("invoke", "app", "{}", "--async", "--name", "long").strip()

        def look() -> str | None:
            events = perdure.json("executions", "history", arn)["Events"]
            details = [event.get("CallbackStartedDetails") for event in events]
            return next((detail["CallbackId"] for detail in details if detail), None)

        callback_id = eventually(look, what="the callback")
        assert dev.stop() == 0
    with running("dev", "app.py", "--port", "0", folder=tmp_path) as dev:
        perdure = Perdure(dev.url())
        perdure.text("callback", "succeed", callback_id, "1")
        assert perdure.text("invoke", "app", "{}", "--name", "long", "--wait") == '"done"\n'
        dev.line("execution long SUCCEEDED after")
