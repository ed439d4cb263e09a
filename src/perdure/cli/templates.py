"""The functions of a SAM template: ``AWS::Serverless::Function`` with code in a local folder.

Source: AWS SAM's specification, ``AWS::Serverless::Function`` and ``Globals``.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar, cast

import yaml

from perdure.cli.endpoint import DEFAULT_REGION
from perdure.cli.errors import CommandError, reading
from perdure.cli.intrinsics import NO_VALUE, IntrinsicError, Scope, Value
from perdure.cli.sources import DURABLE_DEFAULT, FunctionSource
from perdure.protocol.configurations import DurableConfig, LoggingConfig
from perdure.protocol.wire import WireError, decode
from perdure.settings import ServerSettings

__all__ = ["read_template"]

Shape = TypeVar("Shape")

_FUNCTION: Final = "AWS::Serverless::Function"
_ACCOUNT_ID: Final = ServerSettings(data_folder=Path()).account_id
_ABBREVIATED: Final = frozenset({"Ref", "Condition"})  # the rest is called ``Fn::``


def read_template(path: Path, parameters: Mapping[str, str]) -> Sequence[FunctionSource]:
    """Return the functions of the template at ``path``, in its order.

    Raises:
        CommandError: it is no template, has no function, or one of them cannot run here.
    """
    template = _load(path)
    scope = Scope(template, parameters, region=DEFAULT_REGION, account_id=_ACCOUNT_ID)
    defaults = _mapping(_mapping(template.get("Globals")).get("Function"))
    found: list[FunctionSource] = []
    for name, value in _mapping(template.get("Resources")).items():
        resource = _mapping(value)
        if resource.get("Type") == _FUNCTION:
            found.append(_Reading(path, name, scope).source(resource, defaults))
    if not found:
        raise CommandError(f"{path} has no resource of type {_FUNCTION}")
    return found


class _Reading:
    """Reads one function of a template."""

    def __init__(self, path: Path, name: str, scope: Scope) -> None:
        self._path = path
        self._name = name
        self._scope = scope

    def source(self, resource: Mapping[str, Value], defaults: dict[str, Value]) -> FunctionSource:
        """Return the function, with what ``Globals`` gives all of them."""
        self._check_build(resource)
        properties = _merge(defaults, _mapping(resource.get("Properties")))
        if properties.get("PackageType") == "Image":
            raise self._error("PackageType Image is not supported; its code must be in a folder")
        handler = self._text(properties, "Handler")
        runtime = self._text(properties, "Runtime")
        if handler is None or runtime is None:
            raise self._error("Handler and Runtime are required")
        return FunctionSource(
            name=self._text(properties, "FunctionName") or self._name,
            folder=self._folder(properties),
            origin=self._path,
            handler=handler,
            runtime=runtime,
            durable=self._durable(properties),
            logging=self._shape(LoggingConfig, properties, "LoggingConfig"),
            timeout_seconds=self._number(properties, "Timeout"),
            memory_mb=self._number(properties, "MemorySize"),
            runs_per_worker=self._runs_per_worker(properties),
            environment=self._environment(properties),
            alias=self._text(properties, "AutoPublishAlias"),
        )

    def _check_build(self, resource: Mapping[str, Value]) -> None:
        method = _mapping(resource.get("Metadata")).get("BuildMethod")
        if method is not None:
            raise self._error(
                f"its code is built ({method}); run `sam build` and give "
                ".aws-sam/build/template.yaml instead"
            )

    def _folder(self, properties: Mapping[str, Value]) -> Path:
        if "InlineCode" in properties:
            raise self._error("InlineCode is not supported; put the code in a folder")
        uri = self._text(properties, "CodeUri")
        if uri is None:
            uri = "."
        folder = (self._path.parent / uri).resolve()
        if not folder.is_dir():
            raise self._error(f"CodeUri {uri} is no folder on this machine")
        return folder

    def _environment(self, properties: Mapping[str, Value]) -> dict[str, str]:
        environment = self._map(properties, "Environment") or {}
        variables = _mapping(environment.get("Variables"))
        return {name: self._variable(name, value) for name, value in variables.items()}

    def _variable(self, name: str, value: Value) -> str:
        match value:
            case bool():
                return "true" if value else "false"
            case str() | int() | float():
                return str(value)
            case _:
                raise self._error(f"Environment.Variables.{name} is no string")

    def _runs_per_worker(self, properties: Mapping[str, Value]) -> int | None:
        """Return the one member of its capacity provider that counts here; the rest is of AWS."""
        provider = _mapping(properties.get("CapacityProviderConfig"))
        return self._number(provider, "PerExecutionEnvironmentMaxConcurrency")

    def _durable(self, properties: Mapping[str, Value]) -> DurableConfig | None:
        asked = self._shape(DurableConfig, properties, "DurableConfig")
        if asked is None:
            return None
        return DurableConfig(
            execution_timeout=asked.execution_timeout or DURABLE_DEFAULT.execution_timeout,
            retention_period_in_days=asked.retention_period_in_days
            or DURABLE_DEFAULT.retention_period_in_days,
        )

    def _shape(
        self, shape: type[Shape], properties: Mapping[str, Value], name: str
    ) -> Shape | None:
        config = self._map(properties, name)
        if config is None:
            return None
        try:
            return decode(shape, config)
        except WireError as error:
            raise self._error(f"{name}.{error}") from error

    def _text(self, properties: Mapping[str, Value], name: str) -> str | None:
        value = self._resolved(properties, name)
        if value is None or isinstance(value, str):
            return value
        raise self._error(f"{name} must be a string (value: {value!r})")

    def _number(self, properties: Mapping[str, Value], name: str) -> int | None:
        match self._resolved(properties, name):
            case None:
                return None
            case int() as number if not isinstance(number, bool):
                return number
            case str() as text if text.isdecimal():
                return int(text)
            case value:
                raise self._error(f"{name} must be a whole number (value: {value!r})")

    def _map(self, properties: Mapping[str, Value], name: str) -> dict[str, Value] | None:
        value = self._resolved(properties, name)
        if value is None or isinstance(value, dict):
            return value
        raise self._error(f"{name} must be a map (value: {value!r})")

    def _resolved(self, properties: Mapping[str, Value], name: str) -> Value:
        """Return a property with its expressions resolved, or None if it is not there."""
        try:
            value = self._scope.resolve(properties.get(name))
        except IntrinsicError as error:
            raise self._error(f"{name}: {error}") from error
        return None if value is NO_VALUE else value

    def _error(self, problem: str) -> CommandError:
        return CommandError(f"{self._path}: function {self._name}: {problem}")


def _merge(defaults: Value, own: Value) -> dict[str, Value]:
    """Return a function's properties over those of ``Globals``, maps member by member.

    Source: SAM specification, "Globals", overridable properties. An expression is one value.
    """
    merged = dict(_mapping(defaults))
    for name, value in _mapping(own).items():
        known = merged.get(name)
        if _is_plain_map(known) and _is_plain_map(value):
            merged[name] = _merge(known, value)
        else:
            merged[name] = value
    return merged


def _is_plain_map(value: Value) -> bool:
    members = _mapping(value)
    return bool(members) and not any(name == "Ref" or "::" in name for name in members)


def _mapping(value: Value) -> dict[str, Value]:
    return value if isinstance(value, dict) else {}


class _Loader(yaml.SafeLoader):
    """Reads YAML with CloudFormation's short forms: ``!Ref x`` is ``{"Ref": "x"}``."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Value]:
    match node:
        case yaml.ScalarNode():
            value = cast("Value", loader.construct_scalar(node))
        case yaml.SequenceNode():
            value = cast("Value", loader.construct_sequence(node, deep=True))
        case yaml.MappingNode():
            value = cast("Value", loader.construct_mapping(node, deep=True))
        case _:
            raise yaml.constructor.ConstructorError(None, None, f"!{suffix} of nothing", None)
    return {suffix if suffix in _ABBREVIATED else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)  # pyright: ignore[reportUnknownMemberType]  # types-PyYAML leaves the constructor open


def _load(path: Path) -> Mapping[str, Value]:
    with reading(path):
        text = path.read_text(encoding="utf-8")
    try:
        template = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise CommandError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(template, dict):
        raise CommandError(f"{path} is no template: it must be a map")
    return cast("Mapping[str, Value]", template)
