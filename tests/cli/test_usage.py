"""Command lines that make no sense, and servers that are not there."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from perdure.cli.main import main
from tests.cli.commands import FUNCTIONS, Perdure

NOBODY = "http://127.0.0.1:9"
BIG = "x" * 6_291_457


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["invoke"], "Missing argument 'NAME'"),
        (["invoke", "f", "{}", "--async", "--wait"], "say --async or --wait"),
        (["invoke", "not a name", "{}"], "'not a name' is not a function's name"),
        (["invoke", "f", "{}", "--event", str(FUNCTIONS / "plain.mjs")], "given twice"),
        (["invoke", "f", BIG], "the payload is 6,291,457 bytes; the limit is 6,291,456"),
        (["invoke", "f", "--event", "gone.json"], "gone.json"),
        (["executions", "get", "nonsense"], "neither an execution's ARN nor FUNCTION/NAME"),
        (["executions", "get", "/x"], "neither an execution's ARN nor FUNCTION/NAME"),
        (["executions", "list", "f", "--status", "GONE"], "'GONE' is not one of"),
        (["executions", "list", "f", "--limit", "0"], "0 is not in the range"),
        (["callback", "succeed", "id", "x" * 1_048_577], "the limit is 1,048,576"),
        (["logs", "f", "--since", "soon"], "'soon' is no span of time"),
        (["deploy", "gone.py"], "'gone.py' does not exist"),
        (["deploy", str(FUNCTIONS), "--handler", "a.b"], "say --runtime"),
        (["deploy", str(FUNCTIONS / "probe.py"), "--env", "A"], "--env 'A' is not NAME=VALUE"),
        (
            ["deploy", str(FUNCTIONS / "probe.py"), "--plain", "--retention-days", "3"],
            "are of durable ones",
        ),
        (["dev"], "Missing argument 'PATH...'"),
        (["dev", "gone.py"], "'gone.py' does not exist"),
        (["dev", str(FUNCTIONS), "--parameter", "=x"], "--parameter '=x' is not NAME=VALUE"),
        (["serve", "--port", "70000"], "70000 is not in the range"),
        (["serve", "--port", "x"], "'x' is not a valid integer"),
        (["serve", "--account", "12"], "'12' is not 12 digits"),
        (["serve", "--region", "nowhere"], "'nowhere' is not a region's name"),
        (["serve", "--quotas", "none"], "'none' is not one of 'relaxed', 'aws'"),
        (["serve", "--host", "0.0.0.0"], "0.0.0.0 can be reached from other machines"),
        (["dev", str(FUNCTIONS), "--host", "192.168.1.2"], "192.168.1.2 can be reached"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_refused_with_2(arguments: list[str], message: str) -> None:
    result = Perdure(NOBODY).run(*arguments)

    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PERDURE_PORT", "x"),
        ("PERDURE_HOST", "0.0.0.0"),
        ("PERDURE_ACCOUNT", "1"),
        ("PERDURE_REGION", "x"),
        ("PERDURE_QUOTAS", "x"),
        ("PERDURE_CONCURRENCY", "0"),
        ("PERDURE_IDLE_SECONDS", "-1"),
        ("PERDURE_SHUTDOWN_SECONDS", "-1"),
        ("PERDURE_KEEP_HANDLERS", "-1"),
        ("PERDURE_INSECURE", "x"),
        ("PERDURE_DATA", __file__),
    ],
)
def test_a_servers_options_also_come_from_the_environment(variable: str, value: str) -> None:
    result = CliRunner().invoke(main, ["serve"], env={variable: value})

    assert result.exit_code == 2, result.output
    assert value in result.stderr


@pytest.mark.parametrize(
    "arguments", [["functions"], ["invoke", "f", "{}"], ["logs", "f"], ["executions", "list", "f"]]
)
def test_a_server_that_is_not_there_is_an_error(arguments: list[str]) -> None:
    result = Perdure(NOBODY).run(*arguments)

    assert result.exit_code == 1
    assert result.stderr == (
        f"perdure: no server answers at {NOBODY}; `perdure serve` or `perdure dev` starts one\n"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [("x = 1", "app.py has no handler"), ("def x(:", "app.py: line 1: ")],
)
def test_sources_that_cannot_be_understood_end_dev_before_it_starts(
    tmp_path: Path, text: str, message: str
) -> None:
    (tmp_path / "app.py").write_text(text)

    result = Perdure(NOBODY).run("dev", str(tmp_path / "app.py"), "--data", str(tmp_path / "data"))

    assert result.exit_code == 1
    assert message in result.stderr
    assert not (tmp_path / "data").exists()


def test_two_functions_of_one_name_cannot_be_developed_together(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "app.py").write_text("def handler(event, context): ...")

    result = Perdure(NOBODY).run("dev", *(str(tmp_path / name / "app.py") for name in "ab"))

    assert result.exit_code == 1
    assert "both have a function called app" in result.stderr


def test_every_command_has_help_with_an_example() -> None:
    def texts(*path: str) -> dict[tuple[str, ...], str]:
        result = CliRunner().invoke(main, [*path, "--help"])
        assert result.exit_code == 0, result.output
        _, _, listed = result.output.partition("\nCommands:\n")
        names = [line.split()[0] for line in listed.splitlines() if line.startswith("  ")]
        names = [name for name in names if not name.startswith("-") and name.islower()]
        found = {path: result.output}
        for name in names if listed else []:
            found |= texts(*path, name)
        return found

    found = texts()

    assert len(found) == 1 + 9 + 8 + 3 + 5
    for path, text in found.items():
        if path not in [("executions",), ("callback",), ("functions",)]:
            assert f"  perdure {' '.join(path)}".rstrip() in text, path
