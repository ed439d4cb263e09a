"""``perdure dev``: a server for functions that are being written."""

from pathlib import Path
from typing import Unpack

import click

from perdure.cli.deploy import pairs
from perdure.cli.development import Development
from perdure.cli.serve import (
    ServeOptions,
    keeping_option,
    run_server,
    server_options,
    settings_of,
)

__all__ = ["dev"]


class _Options(ServeOptions):
    paths: tuple[Path, ...]
    parameter: tuple[str, ...]


@click.command(context_settings={"show_default": True})
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(exists=True, path_type=Path),
)
@click.option(
    "--parameter", multiple=True, metavar="NAME=VALUE", help="Of a SAM template. Repeatable."
)
@server_options
@keeping_option(
    0,
    "With 0, every resume replays, so that a handler that does not replay the same way shows here"
    " and not in production.",
)
def dev(**options: Unpack[_Options]) -> None:
    """Run the functions in PATH, and again whenever their sources change.

    PATH is a Python or JavaScript file, a folder with some, or a SAM template. A
    function is durable if the source makes it so: durable_execution in Python,
    withDurableExecution in JavaScript, DurableConfig in a template. Its name is
    the file's, or its own where a file has several.

    \b
    perdure dev app.py
    perdure dev hello.mjs orders/
    perdure dev template.yaml --parameter Stage=test

    Shows their logs and how their executions go, until interrupted.
    """
    settings = settings_of(options, is_development=True)
    parameters = pairs(options["parameter"], "--parameter")
    run_server(settings, Development(options["paths"], parameters))
