"""Where the server is."""

import stat
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from perdure.cli.endpoint import Endpoint, announce, find_endpoint, is_loopback, withdraw


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a folder where no server runs."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "environment", "url"),
    [
        (None, {}, "http://127.0.0.1:9070"),
        (None, {"AWS_ENDPOINT_URL": "http://a:1"}, "http://a:1"),
        (
            None,
            {"AWS_ENDPOINT_URL": "http://a:1", "AWS_ENDPOINT_URL_LAMBDA": "http://b:1"},
            "http://b:1",
        ),
        (
            None,
            {"AWS_ENDPOINT_URL_LAMBDA": "http://b:1", "PERDURE_ENDPOINT": "http://c:1"},
            "http://c:1",
        ),
        ("http://d:1", {"PERDURE_ENDPOINT": "http://c:1"}, "http://d:1"),
        (None, {"PERDURE_ENDPOINT": ""}, "http://127.0.0.1:9070"),
    ],
)
def test_the_nearest_word_decides(
    given: str | None, environment: Mapping[str, str], url: str
) -> None:
    assert find_endpoint(given, None, environment).url == url


def test_a_server_in_this_folder_is_found(tmp_path: Path) -> None:
    data = tmp_path / ".perdure"
    data.mkdir()
    announce(data, "http://127.0.0.1:1")

    assert find_endpoint(None, None, {}).url == "http://127.0.0.1:1"
    assert find_endpoint(None, None, {"AWS_ENDPOINT_URL": "http://a:1"}).url == "http://a:1"
    assert stat.S_IMODE((data / "endpoint").stat().st_mode) == 0o600


def test_a_server_in_the_data_folder_of_the_environment_is_found(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:2")

    assert find_endpoint(None, None, {"PERDURE_DATA": str(tmp_path)}).url == "http://127.0.0.1:2"


def test_a_server_takes_only_its_own_address_away(tmp_path: Path) -> None:
    announce(tmp_path, "http://127.0.0.1:2")

    withdraw(tmp_path, "http://127.0.0.1:1")
    assert (tmp_path / "endpoint").exists()
    withdraw(tmp_path, "http://127.0.0.1:2")
    assert not (tmp_path / "endpoint").exists()
    withdraw(tmp_path, "http://127.0.0.1:2")


@pytest.mark.parametrize("url", ["127.0.0.1:9070", "ftp://a", "http://", "nonsense"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(click.UsageError, match=r"from PERDURE_ENDPOINT is not an http"):
        find_endpoint(None, None, {"PERDURE_ENDPOINT": url})


def test_the_region_is_the_users() -> None:
    assert find_endpoint(None, "eu-west-1", {"AWS_REGION": "us-west-2"}).region == "eu-west-1"
    assert find_endpoint(None, None, {"AWS_REGION": "us-west-2"}).region == "us-west-2"
    assert find_endpoint(None, None, {}).region == "us-east-1"


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_known(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_an_endpoint_knows_its_host() -> None:
    assert Endpoint(url="http://[::1]:80", region="r", source="s").host == "::1"
