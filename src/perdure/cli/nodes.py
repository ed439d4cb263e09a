"""``perdure nodes``: which nodes share a database, as the one that is asked sees them."""

import json
import urllib.error
import urllib.request
from typing import Any, Final

import click

from perdure.cli.client import Timestamp
from perdure.cli.errors import CommandError
from perdure.cli.options import Caller, client_command

__all__ = ["nodes"]

_COLUMNS: Final = ("NODE", "ADDRESS", "STATE", "RUNNING", "CAPACITY", "VERSION", "STARTED", "SEEN")
_SECONDS: Final = 10


@click.command()
@client_command
def nodes(caller: Caller) -> None:
    """List the nodes that share a database; none for a server that is alone on its data.

    \b
    perdure nodes --endpoint http://10.0.0.7:9070
    """
    url = f"{caller.endpoint.url.rstrip('/')}/healthz/nodes"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            found: list[dict[str, Any]] = json.load(answer)["nodes"]
    except (OSError, ValueError, KeyError, urllib.error.URLError) as error:
        raise CommandError(f"{url} cannot be asked: {error}") from error
    if caller.output.is_json:
        caller.output.document(found)
        return
    caller.output.table(_COLUMNS, [_row(node) for node in found])


def _row(node: dict[str, Any]) -> tuple[object, ...]:
    state = "draining" if node["is_draining"] else "alive"
    return (
        node["node_id"],
        node["address"],
        state if node["is_alive"] else "gone",
        node["running"],
        node["capacity"],
        node["version"],
        str(Timestamp(node["started_at_ms"] / 1000)),
        str(Timestamp(node["seen_at_ms"] / 1000)),
    )
