"""Where the server is: said by the user, by the environment, or by a server that runs here.

``serve`` and ``dev`` write their URL to the file ``endpoint`` in their data folder and take it away
when they end, so that a command given in the same folder finds them.
"""

import contextlib
import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import click

from perdure.settings import ServerSettings

__all__ = [
    "DATA_FOLDER",
    "DEFAULT_REGION",
    "Endpoint",
    "announce",
    "find_endpoint",
    "is_loopback",
    "withdraw",
]

DATA_FOLDER: Final = Path(".perdure")  #: of a server that is told nothing else
DEFAULT_REGION: Final = "us-east-1"
_DEFAULT_PORT: Final = ServerSettings(data_folder=DATA_FOLDER).port
_DEFAULT_URL: Final = f"http://127.0.0.1:{_DEFAULT_PORT}"
_VARIABLES: Final = ("PERDURE_ENDPOINT", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A server, as a client sees it."""

    url: str
    region: str
    source: str  #: who said so, for messages

    @property
    def host(self) -> str:
        """Return the host alone."""
        return urlsplit(self.url).hostname or ""


def find_endpoint(
    url: str | None, region: str | None, environment: Mapping[str, str] = os.environ
) -> Endpoint:
    """Return the server to call.

    The first of: what was asked for, the environment's variables, the file of a server in this
    folder, the default address.

    Raises:
        click.UsageError: what was given is no URL.
    """
    if url:
        found, source = url, "--endpoint"
    else:
        found, source = _from_environment(environment)
    parts = urlsplit(found)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise click.UsageError(f"{found!r} from {source} is not an http:// or https:// URL")
    chosen = (
        region
        or environment.get("AWS_REGION")
        or environment.get("AWS_DEFAULT_REGION")
        or DEFAULT_REGION
    )
    return Endpoint(url=found, region=chosen, source=source)


def _from_environment(environment: Mapping[str, str]) -> tuple[str, str]:
    for name in _VARIABLES:
        if value := environment.get(name):
            return value, name
    file = _file(Path(environment.get("PERDURE_DATA") or DATA_FOLDER))
    with contextlib.suppress(OSError, UnicodeDecodeError):
        if written := file.read_text(encoding="utf-8").strip():
            return written, str(file)
    return _DEFAULT_URL, "the default"


def is_loopback(host: str) -> bool:
    """Tell whether nobody but this machine can reach ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def announce(data_folder: Path, url: str) -> None:
    """Let commands given in this folder find the server at ``url``."""
    file = _file(data_folder)
    draft = file.with_suffix(".new")
    with open(draft, "w", encoding="utf-8", opener=_private) as stream:
        stream.write(f"{url}\n")
    draft.replace(file)


def withdraw(data_folder: Path, url: str) -> None:
    """Take the address away again, unless another server has written its own since."""
    file = _file(data_folder)
    with contextlib.suppress(OSError):
        if file.read_text(encoding="utf-8").strip() == url:
            file.unlink()


def _file(data_folder: Path) -> Path:
    return data_folder / "endpoint"


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
