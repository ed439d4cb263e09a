"""JSON is read as ``json.loads`` reads it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.sdk.json_text import read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
SPACE = st.text(alphabet=" \t\r\n", max_size=3)


@given(value=VALUES, before=SPACE, after=SPACE)
def test_a_value_is_read_with_space_around_it_or_without(
    value: object, before: str, after: str
) -> None:
    assert read_json(before + json.dumps(value) + after) == value


@pytest.mark.parametrize("text", ["", " ", "{", "1 2", "nothing", "\ufeff1", '{"a": 1}}'])
def test_what_is_no_json_is_refused_as_json_refuses_it(text: str) -> None:
    with pytest.raises(json.JSONDecodeError) as expected:
        json.loads(text)
    with pytest.raises(json.JSONDecodeError) as caught:
        read_json(text)

    assert str(caught.value) == str(expected.value)
