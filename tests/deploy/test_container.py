"""The Dockerfile, its lock, the compose file and the load balancer's configuration."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import click
import crossplane
import pytest
import yaml

from perdure.cli.serve import serve

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def known_variables() -> set[str]:
    """Return the variables that ``perdure serve`` reads."""
    options = [one for one in serve.params if isinstance(one, click.Option)]
    return {str(option.envvar) for option in options if option.envvar}


def set_variables(text: str) -> set[str]:
    """Return the variables that a file sets or speaks of."""
    return set(re.findall(r"\bPERDURE_[A-Z_]+\b", text))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Return how a tool of the environment ended."""
    return subprocess.run(
        [str(BIN / arguments[0]), *arguments[1:]],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file."""
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def test_the_dockerfile_passes_its_linter() -> None:
    checked = run("hadolint", "--failure-threshold", "style", str(DEPLOY / "Dockerfile"))
    assert (checked.returncode, checked.stdout) == (0, "")


def test_the_linter_finds_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text("FROM debian\nRUN apt-get install curl\n")
    checked = run("hadolint", str(file))
    assert checked.returncode == 1
    assert "DL3006" in checked.stdout


def test_the_image_runs_as_nobody_and_says_how_it_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    last = text[text.rindex("\nFROM ") :]
    assert "\nUSER 10001:10001\n" in last
    assert "\nHEALTHCHECK " in last
    assert "/healthz" in last
    assert "PERDURE_INSECURE=1" not in re.sub(r"#.*", "", text)


def test_the_image_gets_only_what_is_locked() -> None:
    """Names and hashes of all that the server needs, and no address."""
    lock = (DEPLOY / "requirements.lock").read_text()
    assert "://" not in lock
    entries = re.findall(r"^([a-z0-9][a-z0-9._-]*)==\S+ \\$", lock, re.M)
    assert len(entries) == len(re.findall(r"^\S+==", lock, re.M))
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"][
        "optional-dependencies"
    ]
    needed = {
        re.split(r"[>=<]", requirement)[0].lower().replace("_", "-")
        for requirement in (*extras["server"], *extras["postgres"], *extras["endpoint"])
    }
    assert needed | {"setuptools"} <= set(entries)


def test_what_is_copied_is_not_ignored() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    for line in (DEPLOY / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert f"!{source}" in ignored
                assert (ROOT / source).exists()


def test_the_compose_file_fits_its_schema() -> None:
    arguments = ("--builtin-schema", "vendor.compose-spec")
    checked = run("check-jsonschema", *arguments, str(DEPLOY / "compose.yaml"))
    assert checked.returncode == 0, checked.stdout


def test_the_schema_finds_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "compose.yaml"
    text = (DEPLOY / "compose.yaml").read_text()
    file.write_text(text.replace("    healthcheck:", "    healthchecks:"))
    checked = run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(file))
    assert checked.returncode == 1


def test_three_equal_nodes_that_differ_in_their_address(compose: dict[str, Any]) -> None:
    services = compose["services"]
    nodes = {name: one for name, one in services.items() if name.startswith("node-")}
    assert len(nodes) == 3
    addresses = {
        name: one["environment"].pop("PERDURE_NODE_ADDRESS") for name, one in nodes.items()
    }
    assert addresses == {name: f"http://{name}:9070" for name in nodes}
    first, *others = nodes.values()
    assert all(other == first for other in others)
    assert "ports" not in first
    assert first["read_only"]
    assert first["cap_drop"] == ["ALL"]
    assert int(first["stop_grace_period"].rstrip("s")) > int(
        first["environment"]["PERDURE_SHUTDOWN_SECONDS"]
    )


def test_only_the_load_balancer_is_reached_and_only_from_this_machine(
    compose: dict[str, Any],
) -> None:
    published = {name: one.get("ports") for name, one in compose["services"].items()}
    assert {name: ports for name, ports in published.items() if ports} == {
        "load-balancer": ["127.0.0.1:9070:9070"]
    }
    assert compose["networks"]["inside"]["internal"] is True
    for name, one in compose["services"].items():
        assert one["networks"] == (["inside", "outside"] if name == "load-balancer" else ["inside"])


def test_the_database_is_told_to_keep_what_it_commits(compose: dict[str, Any]) -> None:
    command = compose["services"]["postgres"]["command"]
    for setting in ("fsync=on", "full_page_writes=on", "synchronous_commit=on"):
        assert setting in command


def test_no_password_is_in_the_file() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    assert set(re.findall(r"POSTGRES_PASSWORD: (.*)", text)) == {
        "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}"
    }


@pytest.mark.parametrize(
    "path",
    ["Dockerfile", "compose.yaml", "helm/perdure/templates/deployment.yaml"],
)
def test_every_variable_is_one_that_the_service_reads(path: str) -> None:
    unknown = set_variables((DEPLOY / path).read_text()) - known_variables()
    assert unknown == set()


def test_the_load_balancers_configuration_is_one(compose: dict[str, Any]) -> None:
    parsed = crossplane.parse(str(DEPLOY / "nginx.conf"), strict=True, single=True)
    assert parsed["status"] == "ok", parsed["errors"]
    (http,) = [one for one in parsed["config"][0]["parsed"] if one["directive"] == "http"]
    (upstream,) = [one for one in http["block"] if one["directive"] == "upstream"]
    servers = [one["args"][0] for one in upstream["block"] if one["directive"] == "server"]
    assert servers == [f"node-{number}:9070" for number in (1, 2, 3)]
    assert {server.partition(":")[0] for server in servers} <= set(compose["services"])


def test_the_parser_finds_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "nginx.conf"
    file.write_text((DEPLOY / "nginx.conf").read_text().replace("proxy_pass", "proxy_past"))
    assert crossplane.parse(str(file), strict=True, single=True)["status"] == "failed"
