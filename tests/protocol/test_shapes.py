"""Every shape is botocore's: both directions, every member, its name, place, type and bounds."""

import dataclasses
import enum
import typing
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest

from perdure.protocol.calls import CALLS, LOGS_CALLS, Call, LogsCall
from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.unsupported import UNSUPPORTED_CALLS
from perdure.protocol.wire import Instant, Location, Member, members

_SESSION = botocore.session.get_session()
LAMBDA: Any = _SESSION.get_service_model("lambda")
LOGS: Any = _SESSION.get_service_model("logs")

#: What we offer beyond AWS's.
OWN_MEMBERS = {("WaitOptions", "WaitMilliseconds")}

SCALARS = {
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": float,
    "float": float,
    "blob": bytes,
    "timestamp": Instant,
}


def _name(call: Call | LogsCall) -> str:
    return call.name


@pytest.mark.parametrize("call", CALLS, ids=_name)
def test_a_call_is_botocores(call: Call) -> None:
    model = LAMBDA.operation_model(call.name)
    assert (call.method, call.uri, call.status) == (
        model.http["method"],
        model.http["requestUri"],
        model.http["responseCode"],
    )
    assert call.errors <= {shape.name for shape in model.error_shapes}


@pytest.mark.parametrize("call", CALLS + LOGS_CALLS, ids=_name)
def test_a_calls_shapes_are_botocores(call: Call | LogsCall) -> None:
    service = LAMBDA if isinstance(call, Call) else LOGS
    model = service.operation_model(call.name)
    problems = list(_differences(call.request, model.input_shape, set()))
    if model.output_shape is None:
        assert call.response is None
    else:
        assert call.response is not None
        problems += _differences(call.response, model.output_shape, set())
    assert problems == []


def test_every_call_of_the_model_is_answered_or_refused_by_name() -> None:
    known = [call.name for call in CALLS] + [name for name, _, _ in UNSUPPORTED_CALLS]
    assert sorted(known) == sorted(LAMBDA.operation_names)


@pytest.mark.parametrize(("name", "method", "uri"), UNSUPPORTED_CALLS)
def test_a_refused_calls_place_is_botocores(name: str, method: str, uri: str) -> None:
    http = LAMBDA.operation_model(name).http
    assert (method, uri) == (http["method"], http["requestUri"].partition("?")[0])


def _differences(shape: Any, model: Any, seen: set[str]) -> Iterator[str]:
    """Say where ``shape`` is not botocore's ``model``, members of members included."""
    if model.name in seen:
        return
    seen.add(model.name)
    ours = {_model_name(member, model): member for member in members(shape)}
    ours = {name: ours[name] for name in ours if (shape.__name__, name) not in OWN_MEMBERS}
    if set(ours) != set(model.members):
        yield f"{shape.__name__}: members differ: {set(ours) ^ set(model.members)}"
        return
    for name, theirs in model.members.items():
        member = ours[name]
        where = f"{shape.__name__}.{member.attribute}"
        if member.is_required != (name in model.required_members):
            yield f"{where}: required is {member.is_required}"
        if member.location != _location(model, name):
            yield f"{where}: travels in {member.location}"
        yield from _type_differences(where, (member.type, member.constraint), theirs, seen)


def _model_name(member: Member, model: Any) -> str:
    """Return botocore's key for a member: in headers and queries the wire's name is another."""
    for name, shape in model.members.items():
        if shape.serialization.get("name", name) == member.wire:
            return name
    return member.wire


def _location(model: Any, name: str) -> Location:
    serialization = model.members[name].serialization
    if model.serialization.get("payload") == name:
        return Location.PAYLOAD
    return Location(serialization.get("location", "body"))


def _type_differences(
    where: str, ours: tuple[Any, Any], theirs: Any, seen: set[str]
) -> Iterator[str]:
    hint, constraint = ours
    if constraint != _constraint(theirs):
        yield f"{where}: {constraint} is not {_constraint(theirs)}"
    match theirs.type_name:
        case "structure":
            if not dataclasses.is_dataclass(hint):
                yield f"{where}: {hint} is no shape"
            else:
                yield from _differences(hint, theirs, seen)
        case "list":
            yield from _type_differences(
                f"{where}[]", _parts(typing.get_args(hint)[0]), theirs.member, seen
            )
        case "map":
            key, value = typing.get_args(hint)
            yield from _type_differences(f"{where} key", _parts(key), theirs.key, seen)
            yield from _type_differences(f"{where} value", _parts(value), theirs.value, seen)
        case "string" if theirs.metadata.get("enum"):
            if not issubclass(hint, enum.StrEnum) or set(hint) != set(theirs.metadata["enum"]):
                yield f"{where}: {hint} is another enum"
        case kind if hint is not SCALARS[kind]:
            yield f"{where}: {hint} is no {kind}"


def _parts(hint: Any) -> tuple[Any, Any]:
    if typing.get_origin(hint) is typing.Annotated:
        bare, constraint = typing.get_args(hint)
        return bare, constraint
    return hint, None


def _constraint(model: Any) -> Text | Number | Items | None:
    bounds = {key: model.metadata[key] for key in ("min", "max") if key in model.metadata}
    pattern = model.metadata.get("pattern")
    if not bounds and pattern is None:
        return None
    match model.type_name:
        case "string" | "blob":
            return Text(bounds.get("min", 0), bounds.get("max"), pattern)
        case "list" | "map":
            return Items(bounds.get("min", 0), bounds.get("max"))
        case _:
            return Number(bounds.get("min"), bounds.get("max"))
