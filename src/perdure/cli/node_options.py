"""The options that make a server one of many nodes on one database."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final, TypedDict, TypeVar

import click

from perdure.settings import ServerSettings

__all__ = ["NodeOptions", "node_options", "with_node_options"]

Command = TypeVar("Command", bound=Callable[..., object])

_CONNECTIONS_MAX: Final = ServerSettings(data_folder=Path()).connections_max

_NODE_OPTIONS: Final = (
    click.option(
        "--store",
        metavar="URL",
        default="",
        envvar="PERDURE_STORE",
        help="A PostgreSQL database to share with other nodes, as postgres://user@host/db;"
        " by default, SQLite in the data folder.",
    ),
    click.option(
        "--ha",
        is_flag=True,
        envvar="PERDURE_HA",
        help="Refuse a database without a synchronous standby.",
    ),
    click.option(
        "--allow-weak-durability",
        is_flag=True,
        envvar="PERDURE_ALLOW_WEAK_DURABILITY",
        help="Take a database that may lose what it acknowledged, and say so.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(min=2),
        default=_CONNECTIONS_MAX,
        envvar="PERDURE_CONNECTIONS",
        help="Connections to the database, at most; two more listen and keep logs.",
    ),
    click.option(
        "--key-file",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="PERDURE_KEY_FILE",
        help="The signing key, the same for all nodes; PERDURE_SECRET_KEY may hold it, too."
        "  [default: secret.key in the data folder]",
    ),
    click.option(
        "--node-address",
        metavar="URL",
        default="",
        envvar="PERDURE_NODE_ADDRESS",
        help="Where people find this node; by default, where it listens.",
    ),
)


class NodeOptions(TypedDict):
    """What makes a server one of many nodes."""

    store: str
    ha: bool
    allow_weak_durability: bool
    connections: int
    key_file: Path | None
    node_address: str


def node_options(command: Command) -> Command:
    """Give a command the options of one of many nodes."""
    for option in reversed(_NODE_OPTIONS):
        command = option(command)
    return command


def with_node_options(settings: ServerSettings, options: NodeOptions) -> ServerSettings:
    """Return the settings with what these options, and the environment's key, ask for."""
    return replace(
        settings,
        store_url=options["store"],
        is_ha=options["ha"],
        allows_weak_durability=options["allow_weak_durability"],
        connections_max=options["connections"],
        key_file=options["key_file"],
        secret_key=os.environ.get("PERDURE_SECRET_KEY", ""),
        node_address=options["node_address"],
    )
