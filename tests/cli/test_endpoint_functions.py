"""``deploy URL``, and the key of a function at an endpoint: with a real server."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from perdure.cli.main import main
from perdure.protocol.endpoint_signatures import function_key
from tests.serving import ServerProcess, serving

pytestmark = pytest.mark.service

URL = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that allows endpoints on one address."""
    folder = tmp_path_factory.mktemp("endpoint-functions")
    with serving(folder / "data", "--allow-endpoint", "10.0.0.0/8,127.0.0.1:1") as server:
        yield server


def run(server: ServerProcess | None, *arguments: str, **variables: str) -> Result:
    """Run a command."""
    options = () if server is None else ("--endpoint", server.url)
    return CliRunner().invoke(main, [*arguments, *options], env=dict(variables))


def told(result: Result) -> dict[str, object]:
    """Return the configuration that a deployment printed."""
    assert result.exit_code == 0, result.output
    (configuration,) = json.loads(result.output)["Functions"]
    return configuration


def test_a_url_is_deployed_and_moved(server: ServerProcess) -> None:
    first = told(
        run(server, "deploy", URL, "--name", "a", "--timeout", "60", "--alias", "live", "--json")
    )
    assert (first["PackageType"], first["Version"], first["Timeout"]) == ("Image", "1", 60)
    assert first["DurableConfig"] == {"ExecutionTimeout": 86_400, "RetentionPeriodInDays": 14}
    second = told(run(server, "deploy", "http://10.0.0.1/x", "--name", "a", "--publish", "--json"))
    assert (second["Version"], second["Timeout"]) == ("2", 60)
    assert first["CodeSha256"] != second["CodeSha256"]
    shown = json.loads(run(server, "functions", "get", "a", "--json").output)
    assert shown["Code"]["ImageUri"] == "http://10.0.0.1/x"
    at_alias = run(server, "functions", "get", "a", "--qualifier", "live", "--json")
    assert json.loads(at_alias.output)["Code"]["ImageUri"] == URL


def test_a_plain_one_is_no_durable_one(server: ServerProcess) -> None:
    plain = told(run(server, "deploy", URL, "--name", "b", "--plain", "--json"))
    assert "DurableConfig" not in plain


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        ((URL,), 2, "does not tell the function's name: say --name"),
        ((URL, "--name", "c", "--env", "A=1"), 2, "--env is of code that is uploaded"),
        ((URL, "--name", "c", "--node-modules"), 2, "--node-modules is of code"),
        ((URL, "--name", "c", "--handler", "a.b"), 2, "--handler is of code that is uploaded"),
        (("http://127.0.0.1:2", "--name", "c"), 1, "127.0.0.1:2 is not allowed"),
        (("none.py",), 2, "'none.py' does not exist"),
    ],
)
def test_what_cannot_be_deployed(
    server: ServerProcess, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    result = run(server, "deploy", *arguments)
    assert result.exit_code == exit_code
    assert message in " ".join(result.output.split())


def test_the_key_is_made_without_a_server(server: ServerProcess) -> None:
    file = server.data / "secret.key"
    expected = function_key(file.read_bytes(), "a")
    assert run(None, "functions", "key", "a", "--key-file", str(file)).output == f"{expected}\n"
    variables = {"PERDURE_DATA": str(server.data)}
    assert run(None, "functions", "key", "a", **variables).output == f"{expected}\n"
    variables = {"PERDURE_SECRET_KEY": file.read_bytes().hex()}
    assert run(None, "functions", "key", "a", **variables).output == f"{expected}\n"
    variables = {"PERDURE_KEY_FILE": str(file)}
    assert run(None, "functions", "key", "a", **variables).output == f"{expected}\n"


def test_without_a_key_there_is_none(tmp_path: Path) -> None:
    result = run(None, "functions", "key", "a", PERDURE_DATA=str(tmp_path))
    assert result.exit_code == 1
    assert "say --key-file" in result.output


@pytest.mark.parametrize("entry", ["a/b", "h:0", "http://h"])
def test_a_list_that_cannot_be_understood_is_refused(entry: str, tmp_path: Path) -> None:
    result = run(None, "serve", "--allow-endpoint", entry, "--data", str(tmp_path / "d"))
    assert result.exit_code == 2
    assert "--allow-endpoint" in result.output
    assert not (tmp_path / "d").exists()
