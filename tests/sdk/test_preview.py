"""Previews are AWS's, and show values of classes too."""

import dataclasses
import json
from datetime import date
from typing import Any

import pytest
from aws_durable_execution_sdk_python import preview as aws
from hypothesis import given
from hypothesis import strategies as st

from perdure import preview as door
from perdure.sdk import preview as ours
from perdure.sdk.preview import (
    FieldMatchMode,
    PreviewConfig,
    PreviewField,
    PreviewMode,
    build_preview,
)
from tests.sdk.serdes_samples import Club, Customer, Line, Point, stable_repr

NAMES = st.sampled_from(["a", "b", "c", "d.e", ""])
LEAVES = st.none() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3)
VALUES = st.recursive(
    LEAVES | st.tuples(LEAVES, LEAVES) | st.builds(Point, st.integers()),
    lambda values: (
        st.lists(values, max_size=3) | st.dictionaries(NAMES | st.integers(0, 2), values)
    ),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES | st.integers(0, 2), VALUES, max_size=4)
FIELDS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "0", "a.b", "b.a.c", "d.e"]),
        st.sampled_from([*FieldMatchMode]),
    ),
    max_size=3,
)


def _config(package: Any, mode: str, fields: list[list[tuple[str, str]]], size: int) -> Any:
    include, exclude, mask = (
        [package.PreviewField(name, package.FieldMatchMode(match)) for name, match in told]
        for told in fields
    )
    return package.PreviewConfig(
        package.PreviewMode(mode), include, exclude, mask, max_preview_bytes=size
    )


@given(
    OBJECTS | VALUES,
    st.sampled_from([*PreviewMode]),
    st.lists(FIELDS, min_size=3, max_size=3),
    st.sampled_from([0, 2, 10, 30, 60, 4096]),
)
def test_a_preview_is_awss(
    value: object, mode: PreviewMode, fields: list[list[tuple[str, str]]], size: int
) -> None:
    shown = build_preview(value, _config(ours, mode, fields, size))
    theirs = aws.build_preview(value, _config(aws, mode, fields, size))
    assert shown == theirs
    assert json.dumps(shown) == json.dumps(theirs)


@pytest.mark.parametrize(
    "value", [None, 5, "text", [{"a": 1}], (1,), Point(1), object()], ids=stable_repr
)
def test_what_has_no_fields_has_no_preview(value: object) -> None:
    assert build_preview(value, PreviewConfig(PreviewMode.INCLUDE_ALL)) is None


def test_values_of_classes_are_shown_by_their_fields() -> None:
    club = Club(members=[Customer(name="a", limits={1: 5})], founder=None)
    config = PreviewConfig(
        mode=PreviewMode.EXCLUDE_ALL,
        include=[PreviewField("limits"), PreviewField("founder")],
        mask=[PreviewField("members.name", FieldMatchMode.PATH)],
    )
    assert build_preview(club, config) == {
        "members": {"name": "***", "limits": {"1": "5"}},
        "founder": None,
    }
    line = build_preview({"line": Line("a", 1, 5)}, PreviewConfig(PreviewMode.INCLUDE_ALL))
    assert line == {"line": {"sku": "a", "quantity": 1, "price": 5, "tags": "set()"}}


def test_what_json_does_not_know_is_shown_as_text() -> None:
    value = {"day": date(2024, 2, 29), "days": (date(2024, 2, 29), 1)}
    assert build_preview(value, PreviewConfig(PreviewMode.INCLUDE_ALL)) == {
        "day": "2024-02-29",
        "days": ["2024-02-29", 1],
    }


def test_modes_may_be_given_as_text() -> None:
    config = PreviewConfig("INCLUDE_ALL", exclude=[PreviewField("a", "PATH")])  # type: ignore[arg-type]
    assert build_preview({"a": 1, "b": {"a": 2}}, config) == {"b": {"a": 2}}


def test_a_configuration_is_awss() -> None:
    theirs = aws.PreviewConfig(aws.PreviewMode.INCLUDE_ALL)
    assert dataclasses.asdict(PreviewConfig(PreviewMode.INCLUDE_ALL)) == dataclasses.asdict(theirs)
    assert dataclasses.asdict(PreviewField("a")) == dataclasses.asdict(aws.PreviewField("a"))


def test_the_door_has_all_names() -> None:
    assert set(door.__all__) == set(ours.__all__)
