"""``perdure functions``: look at functions, delete them, and tell an endpoint its key."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, cast

import click

from perdure.cli.endpoint import DATA_FOLDER
from perdure.cli.errors import CommandError
from perdure.cli.options import Caller, client_command
from perdure.protocol.endpoint_signatures import function_key

__all__ = ["functions"]

_COLUMNS: Final = ("FUNCTION", "VERSION", "RUNTIME", "HANDLER", "DURABLE", "STATE", "MODIFIED")


class _ListedByDefault(click.Group):
    """Lists where no command is given, with the options that follow."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what is left to parse, with ``list`` before options that are not the group's."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ListedByDefault)
def functions() -> None:
    """Look at functions, delete them, and get the keys of those at endpoints; without a
    command, list them.
    """


@functions.command("list")
@client_command
def list_functions(caller: Caller) -> None:
    """List all functions.

    \b
    perdure functions list --json
    """
    _print_all(caller, "list_functions", "Functions")


@functions.command("versions")
@click.argument("name")
@client_command
def list_versions(caller: Caller, name: str) -> None:
    """List the versions of the function NAME.

    \b
    perdure functions versions hello
    """
    _print_all(caller, "list_versions_by_function", "Versions", FunctionName=name)


@functions.command("get")
@click.argument("name")
@click.option("--qualifier", metavar="VERSION", help="A version or an alias.")
@client_command
def get_function(caller: Caller, name: str, qualifier: str | None) -> None:
    """Show the function NAME: how it runs, where its code is, its tags.

    \b
    perdure functions get hello --qualifier 3
    """
    answer = caller.client.call("get_function", FunctionName=name, Qualifier=qualifier)
    if caller.output.is_json:
        caller.output.document(answer)
        return
    configuration = cast("Mapping[str, object]", answer.get("Configuration", {}))
    caller.output.members({**configuration, "Tags": answer.get("Tags")})


@functions.command("key")
@click.argument("name")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    envvar="PERDURE_KEY_FILE",
    help="The service's own key. Default: the one in PERDURE_DATA, or .perdure.",
)
def function_key_of(name: str, key_file: Path | None) -> None:
    """Print the key with which invocations of the function NAME at an endpoint are
    signed: what the endpoint is given, as PERDURE_ENDPOINT_KEY, to verify them.

    It is made from the service's key alone; no server is asked.

    \b
    perdure functions key orders --key-file /run/secrets/perdure.key
    """
    if key_file is None and (secret := os.environ.get("PERDURE_SECRET_KEY")):
        click.echo(function_key(bytes.fromhex(secret), name))
        return
    file = key_file or Path(os.environ.get("PERDURE_DATA") or DATA_FOLDER) / "secret.key"
    try:
        key = file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}; say --key-file") from error
    click.echo(function_key(key, name))


@functions.command("delete")
@click.argument("name")
@click.option("--qualifier", metavar="VERSION", help="Only this version.")
@client_command
def delete_function(caller: Caller, name: str, qualifier: str | None) -> None:
    """Delete the function NAME with all its versions, or one of them.

    \b
    perdure functions delete hello
    """
    caller.client.call("delete_function", FunctionName=name, Qualifier=qualifier)
    if caller.output.is_json:
        caller.output.document({"FunctionName": name})
    else:
        caller.output.note(f"{name} was deleted")


def _print_all(caller: Caller, operation: str, member: str, **parameters: object) -> None:
    found: list[Mapping[str, object]] = []
    for page in caller.client.pages(operation, **parameters):
        found.extend(cast("list[Mapping[str, object]]", page.get(member, [])))
    if caller.output.is_json:
        caller.output.document({member: found})
    else:
        caller.output.table(_COLUMNS, [_row(configuration) for configuration in found])


def _row(configuration: Mapping[str, object]) -> Sequence[object]:
    members = ("FunctionName", "Version", "Runtime", "Handler")
    return [
        *(configuration.get(member) for member in members),
        "DurableConfig" in configuration,
        configuration.get("State"),
        configuration.get("LastModified"),
    ]
