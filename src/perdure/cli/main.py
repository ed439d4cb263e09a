"""The ``perdure`` command: which subcommands there are, and where each is.

A subcommand's module is imported when it is asked for, so that a client command does not load the
server, nor ``serve`` boto3.
"""

import importlib
import io
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple

import click

__all__ = ["main"]


class _Place(NamedTuple):
    module: str
    attribute: str
    summary: str


_COMMANDS: Final[Mapping[str, _Place]] = {
    "serve": _Place("serve", "serve", "Run the service."),
    "dev": _Place("dev", "dev", "Run functions from their sources, reloaded on change."),
    "deploy": _Place("deploy", "deploy", "Create functions, or update them."),
    "invoke": _Place("invoke", "invoke", "Invoke a function."),
    "executions": _Place("executions", "executions", "Look at executions and steer them."),
    "callback": _Place("callbacks", "callback", "Answer a callback."),
    "functions": _Place("functions", "functions", "Look at functions and delete them."),
    "nodes": _Place("nodes", "nodes", "List the nodes that share a database."),
    "logs": _Place("logs", "logs", "Print a function's log."),
}


class _Commands(click.Group):
    """Finds subcommands by the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names, as help lists them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the subcommand, or None."""
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        command = getattr(importlib.import_module(f"perdure.cli.{place.module}"), place.attribute)
        assert isinstance(command, click.Command), f"{place} is no command"
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in _COMMANDS.items()])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="perdure", prog_name="perdure")
def main() -> None:
    """Durable functions on your own machine, with the API of AWS Lambda.

    \b
    perdure dev app.py                         run the functions in app.py
    perdure invoke app '{"name": "Ada"}'       invoke one, and watch it
    perdure executions list app                see how its executions ended

    \b
    Client commands find the server by --endpoint, PERDURE_ENDPOINT,
    AWS_ENDPOINT_URL_LAMBDA, AWS_ENDPOINT_URL, a server that runs in this folder
    (.perdure/endpoint, or the one in PERDURE_DATA), or at http://127.0.0.1:9070.

    \b
    Exit codes: 0 success; 1 the function or the command failed; 2 usage;
    3 the data cannot be opened or written; 4 not found; 5 stopped or timed out.

    \b
    Completion, for bash (also zsh and fish):
    eval "$(_PERDURE_COMPLETE=bash_source perdure)"
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    main(prog_name="perdure")
