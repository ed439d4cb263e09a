"""Ids are AWS's, to the byte."""

from aws_durable_execution_sdk_python.identifier import OperationIdNamespace as AwsNamespace
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk.identifiers import OperationIdNamespace, operation_id


@given(st.none() | st.text(st.characters(codec="utf-8")), st.integers(0, 10**6))
def test_ids_are_awss(prefix: str | None, position: int) -> None:
    expected = AwsNamespace(prefix).create_id_for_step(position)
    assert operation_id(prefix, position) == expected
    assert OperationIdNamespace(prefix).create_id_for_step(position) == expected
    assert len(expected) == 64


def test_ids_nest() -> None:
    parent = operation_id(None, 1)
    assert operation_id(parent, 1) == AwsNamespace(parent).create_id_for_step(1)
