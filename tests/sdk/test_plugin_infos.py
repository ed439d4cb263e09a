"""What hooks are told: values with AWS's fields, defaults and comparisons."""

import dataclasses
import pickle
from datetime import UTC, datetime, timedelta
from typing import Any

import aws_durable_execution_sdk_python.plugin as aws_plugin
import pytest

import perdure.plugin
from perdure.protocol.invocations import InvocationAnswer
from perdure.protocol.words import InvocationStatus
from perdure.sdk.plugin_infos import instant
from tests.sdk.plugin_worlds import EXECUTION, an_operation, ours

INFOS = [
    "InvocationEndInfo",
    "InvocationInfo",
    "InvocationStartInfo",
    "OperationChangeInfo",
    "OperationEndInfo",
    "OperationInfo",
    "OperationStartInfo",
    "PropagationInput",
    "PropagationMetadata",
    "UserFunctionEndInfo",
    "UserFunctionStartInfo",
]


@pytest.mark.parametrize("name", INFOS)
def test_fields_are_awss(name: str) -> None:
    def fields(kind: Any) -> list[Any]:
        return [
            (f.name, f.kw_only, f.repr, f.compare, f.hash, f.default, f.default_factory is dict)
            for f in dataclasses.fields(kind)
        ]

    found, wanted = (fields(getattr(m, name)) for m in (perdure.plugin, aws_plugin))
    # A default factory of ours is typed; what matters is whether there is one.
    assert [f[:6] for f in found] == [f[:6] for f in wanted]


def test_infos_can_be_taken_apart_and_pickled() -> None:
    operation = an_operation(
        "s", "FAILED", StepDetails={"Attempt": 1, "Error": {"ErrorMessage": "m"}}
    )
    info = perdure.plugin.OperationInfo.from_operation(ours(operation), is_replayed=True)

    assert pickle.loads(pickle.dumps(info)) == info
    assert dataclasses.asdict(info)["error"]["message"] == "m"
    assert info.is_replayed


def test_payloads_stay_out_of_logs_and_comparisons() -> None:
    def start(event: object) -> Any:
        return perdure.plugin.InvocationStartInfo("r", "arn", True, execution_input=event)

    assert "secret" not in repr(start({"secret": 1}))
    assert start([1]) == start([2])
    assert hash(start([1])) == hash(start([2]))


def test_the_end_of_an_invocation_has_what_its_start_had() -> None:
    operations = {"e-1": perdure.plugin.OperationInfo.from_operation(ours(EXECUTION))}
    start = perdure.plugin.InvocationStartInfo("r", "arn", True, operations=operations)
    answer = InvocationAnswer(status=InvocationStatus.PENDING)

    end = perdure.plugin.InvocationEndInfo.from_durable_execution_invocation_output(start, answer)

    assert (end.status, end.operations) == (perdure.plugin.InvocationStatus.PENDING, operations)


def test_the_end_of_a_function_is_now_unless_told() -> None:
    start = perdure.plugin.UserFunctionStartInfo(
        "s",
        perdure.plugin.OperationType.STEP,
        None,
        None,
        None,
        None,
        False,
        perdure.plugin.OperationStatus.STARTED,
    )
    error = perdure.plugin.ErrorObject.from_message("no")

    end = perdure.plugin.UserFunctionEndInfo.from_start_info(start, error)

    assert end.outcome is perdure.plugin.UserFunctionOutcome.FAILED
    assert end.end_time is not None
    assert end.end_time.tzinfo is UTC


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (None, None),
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1_700_000_000_123, datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)),
        (-1, datetime(1970, 1, 1, tzinfo=UTC) - timedelta(milliseconds=1)),
        (10**18, None),
        (10**30, None),
    ],
)
def test_instants_are_exact(at_ms: int | None, expected: datetime | None) -> None:
    assert instant(at_ms) == expected


def test_the_base_class_overrides_nothing() -> None:
    plugin: Any = perdure.plugin.DurableInstrumentationPlugin()
    hooks = [name for name in dir(plugin) if not name.startswith("_")]

    assert {getattr(plugin, name)(None) for name in hooks} == {None}
    assert len(hooks) == 8
