"""``perdure deploy``: create functions from their sources, or update them."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypedDict, Unpack, cast

import click

from perdure.cli.archive import zip_code
from perdure.cli.client import Client
from perdure.cli.discovery import discover, runtime_of
from perdure.cli.errors import CommandError, Conflict, NotFound
from perdure.cli.options import Caller, client_command
from perdure.cli.sources import (
    DURABLE_DEFAULT,
    ROLE,
    FunctionSource,
    function_name,
    request_of,
)
from perdure.protocol.configurations import DurableConfig
from perdure.protocol.setting_words import PackageType
from perdure.protocol.wire import encode

__all__ = ["deploy", "deploy_source", "pairs"]

_WAIT_SECONDS: Final = 60
_POLL_SECONDS: Final = 0.1


class _Place(click.ParamType[Path | str]):
    """What there is to deploy: something on disk, or the URL of an endpoint."""

    name = "path"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path | str:
        """Return a URL as it is, and anything else as the path of what is there."""
        if isinstance(value, str) and value.startswith(("http://", "https://")):
            return value
        return click.Path(exists=True, path_type=Path).convert(str(value), param, ctx)


class _Options(TypedDict):
    path: Path | str
    name: str | None
    runtime: str | None
    handler: str | None
    timeout: int | None
    memory: int | None
    runs_per_worker: int | None
    env: tuple[str, ...]
    parameter: tuple[str, ...]
    durable: bool | None
    execution_timeout: int | None
    retention_days: int | None
    node_modules: bool
    publish: bool
    alias: str | None


@click.command()
@click.argument("path", type=_Place())
@click.option("--name", help="The function's name; of several in PATH, the one to deploy.")
@click.option("--runtime", help="Such as python3.13 or nodejs24.x. Default: by the source.")
@click.option("--handler", help="Such as app.handler. Default: the one in the source.")
@click.option("--timeout", type=int, metavar="SECONDS", help="Of one invocation.")
@click.option("--memory", type=int, metavar="MB", help="What a worker may use.")
@click.option(
    "--runs-per-worker",
    type=int,
    metavar="N",
    help="How many invocations may share a process. Default: 1.",
)
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="A variable. Repeatable.")
@click.option(
    "--parameter", multiple=True, metavar="NAME=VALUE", help="Of a SAM template. Repeatable."
)
@click.option(
    "--durable/--plain", default=None, help="Whether it is durable. Default: by the source."
)
@click.option("--execution-timeout", type=int, metavar="SECONDS", help="Of a whole execution.")
@click.option("--retention-days", type=int, metavar="DAYS", help="How long executions are kept.")
@click.option("--node-modules", is_flag=True, help="Put node_modules into the zip.")
@click.option("--publish", is_flag=True, help="Make a version of it.")
@click.option("--alias", metavar="NAME", help="Make a version, and point this alias at it.")
@client_command
def deploy(caller: Caller, **options: Unpack[_Options]) -> None:
    """Create the functions in PATH, or update them.

    PATH is a Python or JavaScript file, a folder, a zip file, a SAM template, or
    the URL of an endpoint that serves the function (durable, unless --plain).
    Settings of an existing function that neither the source nor an option gives
    stay as they are.

    \b
    perdure deploy app.py
    perdure deploy ./src --name orders --handler app.handler --runtime python3.13
    perdure deploy app.mjs --env STAGE=test --alias live
    perdure deploy template.yaml --parameter Stage=test
    perdure deploy https://orders.example.org --name orders --timeout 60
    """
    if isinstance(options["path"], str):
        deployed = [_deploy_endpoint(caller.client, options["path"], options)]
    else:
        deployed = [
            deploy_source(
                caller.client,
                source,
                zip_code(source.file or source.folder, with_node_modules=options["node_modules"]),
                publish=options["publish"],
            )
            for source in (_changed(source, options) for source in _sources(options))
        ]
    if caller.output.is_json:
        caller.output.document({"Functions": deployed})
        return
    members = ("FunctionName", "Version", "Runtime", "Handler", "State", "CodeSha256")
    columns = ["FUNCTION", "VERSION", "RUNTIME", "HANDLER", "STATE", "CODE"]
    rows = [[configuration.get(member) for member in members] for configuration in deployed]
    caller.output.table(columns, rows)


def pairs(texts: Sequence[str], option: str) -> dict[str, str]:
    """Return what was given as NAME=VALUE.

    Raises:
        click.UsageError: one of them has no ``=``, or no name.
    """
    found: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise click.UsageError(f"{option} {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def deploy_source(
    client: Client, source: FunctionSource, code: bytes, *, publish: bool = False
) -> Mapping[str, object]:
    """Create or update one function, wait until it is active, and return its configuration.

    Raises:
        CommandError: the server refused something, or the function does not become active.
    """
    request = encode(request_of(source))
    return _put(client, request, {"ZipFile": code}, alias=source.alias, publish=publish)


def _deploy_endpoint(client: Client, url: str, options: _Options) -> Mapping[str, object]:
    """Create or update the function that is served at ``url``."""
    if options["name"] is None:
        raise click.UsageError(f"{url} does not tell the function's name: say --name")
    for option in ("runtime", "handler", "runs_per_worker", "env", "parameter", "node_modules"):
        if options[option]:
            flag = option.replace("_", "-")
            raise click.UsageError(f"--{flag} is of code that is uploaded; {url} has its own")
    durable = _durable(DURABLE_DEFAULT, options)
    settings: dict[str, object] = {
        "FunctionName": options["name"],
        "Role": ROLE,
        "PackageType": PackageType.IMAGE.value,
        "Timeout": options["timeout"],
        "MemorySize": options["memory"],
        "DurableConfig": None if durable is None else encode(durable),
    }
    request = {member: value for member, value in settings.items() if value is not None}
    code = {"ImageUri": url}
    return _put(client, request, code, alias=options["alias"], publish=options["publish"])


def _put(
    client: Client,
    request: Mapping[str, object],
    code: Mapping[str, object],
    *,
    alias: str | None,
    publish: bool,
) -> Mapping[str, object]:
    name = cast("str", request["FunctionName"])
    try:
        client.call("create_function", **{**request, "Code": code})
    except Conflict:
        _update(client, request, code)
    configuration = _wait_active(client, name)
    if publish or alias:
        configuration = client.call("publish_version", FunctionName=name)
    if alias:
        _point(client, name, alias, str(configuration["Version"]))
    return configuration


def _sources(options: _Options) -> Sequence[FunctionSource]:
    """Return the functions to deploy: what is found in the path, or what the options say."""
    path, name, handler = _path(options), options["name"], options["handler"]
    if handler is not None and path.suffix not in (".yaml", ".yml", ".json"):
        return [_said(options, handler)]
    if path.suffix == ".zip":
        raise click.UsageError(f"{path} is a zip file: say --handler and --runtime")
    found = discover(path, pairs(options["parameter"], "--parameter"))
    if len(found) == 1 or name is None:
        return found
    chosen = [source for source in found if source.name == name]
    if not chosen:
        names = ", ".join(source.name for source in found)
        raise NotFound(f"{path} has several functions, and none is called {name}: {names}")
    return chosen


def _said(options: _Options, handler: str) -> FunctionSource:
    """Return the function that the options describe, whatever is in the path."""
    path = _path(options)
    runtime = options["runtime"] or runtime_of(path)
    if runtime is None:
        raise click.UsageError(f"{path} does not tell its runtime: say --runtime")
    return FunctionSource(
        name=function_name(options["name"] or path.resolve().stem, path),
        folder=path if path.is_dir() else path.parent,
        file=None if path.is_dir() else path,
        origin=path,
        handler=handler,
        runtime=runtime,
    )


def _path(options: _Options) -> Path:
    path = options["path"]
    assert isinstance(path, Path), "an endpoint is no source"
    return path


def _changed(source: FunctionSource, options: _Options) -> FunctionSource:
    """Return ``source`` with all that the options say of it."""
    single = options["name"] or source.name
    return replace(
        source,
        name=single,
        runtime=options["runtime"] or source.runtime,
        durable=_durable(source.durable, options),
        timeout_seconds=options["timeout"] or source.timeout_seconds,
        memory_mb=options["memory"] or source.memory_mb,
        runs_per_worker=options["runs_per_worker"] or source.runs_per_worker,
        environment={**source.environment, **pairs(options["env"], "--env")},
        alias=options["alias"] or source.alias,
    )


def _durable(given: DurableConfig | None, options: _Options) -> DurableConfig | None:
    timeout, days = options["execution_timeout"], options["retention_days"]
    if options["durable"] is False:
        if timeout or days:
            raise click.UsageError("--execution-timeout and --retention-days are of durable ones")
        return None
    if given is None and not (options["durable"] or timeout or days):
        return None
    known = given or DURABLE_DEFAULT
    return replace(
        known,
        execution_timeout=timeout or known.execution_timeout,
        retention_period_in_days=days or known.retention_period_in_days,
    )


def _update(client: Client, request: Mapping[str, object], code: Mapping[str, object]) -> None:
    name = cast("str", request["FunctionName"])
    settings = {
        member: value
        for member, value in request.items()
        if member not in ("Code", "Role", "PackageType") and value != {"Variables": {}}
    }
    client.call("update_function_configuration", **settings)
    _wait_active(client, name)
    client.call("update_function_code", FunctionName=name, **code)


def _wait_active(client: Client, name: str) -> Mapping[str, object]:
    for _ in range(int(_WAIT_SECONDS / _POLL_SECONDS)):
        found = client.call("get_function_configuration", FunctionName=name)
        if "Failed" in (found.get("State"), found.get("LastUpdateStatus")):
            reason = found.get("StateReason") or found.get("LastUpdateStatusReason")
            raise CommandError(f"{name} is not active: {reason or 'the server gives no reason'}")
        if found.get("State") == "Active" and found.get("LastUpdateStatus") == "Successful":
            return found
        threading.Event().wait(_POLL_SECONDS)
    raise CommandError(f"{name} was not active after {_WAIT_SECONDS} s")


def _point(client: Client, name: str, alias: str, version: str) -> None:
    try:
        client.call("update_alias", FunctionName=name, Name=alias, FunctionVersion=version)
    except NotFound:
        client.call("create_alias", FunctionName=name, Name=alias, FunctionVersion=version)
