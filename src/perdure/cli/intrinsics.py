"""CloudFormation's intrinsic functions, resolved as far as one machine can know their values.

Parameters, conditions, mappings and pseudo parameters are known. Of a resource only its name and,
for a function, its ARN are: anything else must be given as a parameter (``Table.Arn=...``).
"""

import base64
import enum
import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from perdure.protocol.arns import function_arn

__all__ = ["NO_VALUE", "IntrinsicError", "Scope", "Value"]

_FUNCTION_TYPES: Final = ("AWS::Serverless::Function", "AWS::Lambda::Function")
_NAME_PROPERTIES: Final = (
    "FunctionName",
    "TableName",
    "BucketName",
    "QueueName",
    "TopicName",
    "Name",
)
_PLACEHOLDER: Final = re.compile(r"\$\{(!?)([^{}]*)\}")
_DEPTH_MAX: Final = 50


class NoValue(enum.Enum):
    """What ``AWS::NoValue`` stands for: the property is not there."""

    NO_VALUE = "AWS::NoValue"


NO_VALUE: Final = NoValue.NO_VALUE

#: What a template is made of.
Value: TypeAlias = "str | int | float | bool | NoValue | list[Value] | dict[str, Value] | None"


class IntrinsicError(Exception):
    """A value cannot be known here; the message says which."""


class Scope:
    """What the expressions of one template can refer to."""

    def __init__(
        self,
        template: Mapping[str, Value],
        parameters: Mapping[str, str],
        *,
        region: str,
        account_id: str,
    ) -> None:
        """Take values from ``parameters`` before the template's defaults."""
        self._template = template
        self._given = parameters
        self._region = region
        self._account_id = account_id
        self._pseudo: dict[str, Value] = {
            "AWS::Region": region,
            "AWS::AccountId": account_id,
            "AWS::Partition": "aws",
            "AWS::URLSuffix": "amazonaws.com",
            "AWS::StackName": "perdure",
            "AWS::StackId": f"arn:aws:cloudformation:{region}:{account_id}:stack/perdure/0",
            "AWS::NotificationARNs": [],
            "AWS::NoValue": NO_VALUE,
        }

    def resolve(self, value: Value, depth: int = 0) -> Value:
        """Return ``value`` with every intrinsic function in it replaced by what it stands for.

        Raises:
            IntrinsicError: one of them stands for something that is not known here.
        """
        if depth > _DEPTH_MAX:
            raise IntrinsicError(f"expressions are nested more than {_DEPTH_MAX} deep")
        if isinstance(value, list):
            items = [self.resolve(item, depth + 1) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        members = value
        if len(members) == 1:
            ((name, argument),) = members.items()
            if function := _FUNCTIONS.get(name):
                return function(self, argument, depth + 1)
            if name.startswith("Fn::"):
                raise IntrinsicError(f"{name} is not supported")
        resolved = {name: self.resolve(item, depth + 1) for name, item in members.items()}
        return {name: item for name, item in resolved.items() if item is not NO_VALUE}

    def reference(self, name: Value) -> Value:
        """Return what ``Ref`` gives: a parameter, a pseudo parameter, or a resource's name."""
        match name:
            case str() if name in self._given:
                return self._given[name]
            case str() if name in self._pseudo:
                return self._pseudo[name]
            case str() if name in self._section("Parameters"):
                return self._default(name)
            case str() if name in self._section("Resources"):
                return self._resource_name(name)
            case _:
                raise IntrinsicError(f"!Ref {name}: the template has nothing of that name")

    def attribute(self, argument: Value) -> Value:
        """Return what ``Fn::GetAtt`` gives: a function's ARN, or what was given as a parameter."""
        parts = argument.split(".", 1) if isinstance(argument, str) else argument
        match parts:
            case [str() as name, str() as attribute]:
                path = f"{name}.{attribute}"
            case _:
                raise IntrinsicError("!GetAtt needs RESOURCE.ATTRIBUTE")
        if path in self._given:
            return self._given[path]
        resource = _members(self._section("Resources").get(name))
        if not resource:
            raise IntrinsicError(f"!GetAtt {path}: the template has no resource {name}")
        if attribute == "Arn" and resource.get("Type") in _FUNCTION_TYPES:
            return function_arn(self._region, self._account_id, str(self._resource_name(name)))
        raise IntrinsicError(
            f"!GetAtt {path} is not known on this machine; give it with --parameter {path}=VALUE"
        )

    def substitute(self, argument: Value, depth: int) -> str:
        """Return what ``Fn::Sub`` gives."""
        match argument:
            case str() as text:
                own: Mapping[str, Value] = {}
            case [str() as text, dict() as own]:
                pass
            case _:
                raise IntrinsicError("!Sub needs a string, or a list of a string and a map")

        def value(match: re.Match[str]) -> str:
            is_literal, name = bool(match[1]), match[2].strip()
            if is_literal:
                return f"${{{name}}}"
            if name in own:
                return _string(self.resolve(own[name], depth), name)
            found = self.attribute(name) if "." in name else self.reference(name)
            return _string(found, name)

        return _PLACEHOLDER.sub(value, text)

    def join(self, argument: Value, depth: int) -> str:
        """Return what ``Fn::Join`` gives."""
        match self.resolve(argument, depth):
            case [str() as separator, list() as parts]:
                return separator.join(_string(part, "!Join") for part in parts)
            case _:
                raise IntrinsicError("!Join needs a separator and a list")

    def select(self, argument: Value, depth: int) -> Value:
        """Return what ``Fn::Select`` gives."""
        match self.resolve(argument, depth):
            case [int() | str() as index, list() as items] if str(index).isdigit():
                known = items
                if int(index) < len(known):
                    return known[int(index)]
                raise IntrinsicError(f"!Select {index}: the list has {len(known)} items")
            case _:
                raise IntrinsicError("!Select needs an index and a list")

    def split(self, argument: Value, depth: int) -> Value:
        """Return what ``Fn::Split`` gives."""
        match self.resolve(argument, depth):
            case [str() as separator, str() as text] if separator:
                return [*text.split(separator)]
            case _:
                raise IntrinsicError("!Split needs a separator and a string")

    def find_in_map(self, argument: Value, depth: int) -> Value:
        """Return what ``Fn::FindInMap`` gives."""
        match self.resolve(argument, depth):
            case [str() as name, first, second]:
                found = self._section("Mappings").get(name)
                for key in (first, second):
                    found = _members(found).get(str(key))
                if found is not None:
                    return found
                raise IntrinsicError(f"!FindInMap {name}: it has no {first}, {second}")
            case _:
                raise IntrinsicError("!FindInMap needs a map and two keys")

    def choose(self, argument: Value, depth: int) -> Value:
        """Return what ``Fn::If`` gives."""
        match argument:
            case [str() as name, then, otherwise]:
                return self.resolve(then if self._holds(name, depth) else otherwise, depth)
            case _:
                raise IntrinsicError("!If needs a condition and two values")

    def encode(self, argument: Value, depth: int) -> str:
        """Return what ``Fn::Base64`` gives."""
        text = _string(self.resolve(argument, depth), "!Base64")
        return base64.b64encode(text.encode()).decode()

    def _holds(self, name: str, depth: int) -> bool:
        conditions = self._section("Conditions")
        if name not in conditions:
            raise IntrinsicError(f"!If {name}: the template has no condition of that name")
        return self._is_true(conditions[name], depth + 1)

    def _is_true(self, condition: Value, depth: int) -> bool:
        if depth > _DEPTH_MAX:
            raise IntrinsicError(f"conditions are nested more than {_DEPTH_MAX} deep")
        match condition:
            case {"Condition": str() as name}:
                return self._holds(name, depth)
            case {"Fn::Equals": [first, second]}:
                return self._text(first, depth) == self._text(second, depth)
            case {"Fn::Not": [other]}:
                return not self._is_true(other, depth + 1)
            case {"Fn::And": list() as others}:
                return all(self._is_true(one, depth + 1) for one in others)
            case {"Fn::Or": list() as others}:
                return any(self._is_true(one, depth + 1) for one in others)
            case _:
                raise IntrinsicError(f"{condition!r} is not a condition")

    def _text(self, value: Value, depth: int) -> str:
        return _string(self.resolve(value, depth), "!Equals")

    def _default(self, name: str) -> Value:
        parameter = _members(self._section("Parameters")[name])
        if "Default" not in parameter:
            raise IntrinsicError(
                f"parameter {name} has no default; give it with --parameter {name}=VALUE"
            )
        return parameter["Default"]

    def _resource_name(self, name: str) -> Value:
        resource = _members(self._section("Resources")[name])
        properties = _members(resource.get("Properties"))
        for member in _NAME_PROPERTIES:
            if member in properties:
                return self.resolve(properties[member], 1)
        return name

    def _section(self, name: str) -> Mapping[str, Value]:
        return _members(self._template.get(name))


def _members(value: Value) -> Mapping[str, Value]:
    return value if isinstance(value, dict) else {}


def _string(value: Value, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise IntrinsicError(f"{where} stands for {type(value).__name__}, where a string is needed")


_Function = Callable[[Scope, Value, int], Value]
_FUNCTIONS: Final[Mapping[str, _Function]] = {
    "Ref": lambda scope, argument, _: scope.reference(argument),
    "Fn::GetAtt": lambda scope, argument, _: scope.attribute(argument),
    "Fn::Sub": Scope.substitute,
    "Fn::Join": Scope.join,
    "Fn::Select": Scope.select,
    "Fn::Split": Scope.split,
    "Fn::FindInMap": Scope.find_in_map,
    "Fn::If": Scope.choose,
    "Fn::Base64": Scope.encode,
}
