"""Bounds are held at their edges; patterns match the whole value."""

import pytest

from perdure.protocol.constraints import Constraint, Items, Number, Text
from perdure.protocol.tags import TagKey

_TAG_KEY: Text = TagKey.__metadata__[0]


@pytest.mark.parametrize(
    ("constraint", "value", "problem"),
    [
        (Text(), "", None),
        (Text(2), "a", "is 1 characters long; the least is 2"),
        (Text(2, 3), "aaa", None),
        (Text(2, 3), "aaaa", "is 4 characters long; the limit is 3"),
        (Text(0, 1), b"ab", "is 2 bytes long; the limit is 1"),
        (Text(pattern="a|b"), "b", None),
        (Text(pattern="a|b"), "bc", "does not match a|b"),
        (Text(pattern=r"\d"), "٣", r"does not match \d"),
        (Text(0, 9, "a"), b"xyz", None),
        (Number(), 10**30, None),
        (Number(1), 0, "is below the least, 1"),
        (Number(1), 1, None),
        (Number(None, 1_000), 1_000, None),
        (Number(None, 1_000), 1_001, "is above the limit, 1,000"),
        (Items(1), [], "has 0 entries; the least is 1"),
        (Items(0, 1), {"a": 1}, None),
        (Items(0, 1), [1, 2], "has 2 entries; the limit is 1"),
        (Items(), [1], None),
        (_TAG_KEY, "größe: 1 @home", None),
        (_TAG_KEY, "tab\t", "does not match"),
    ],
)
def test_a_value_out_of_bounds_is_told_the_bound(
    constraint: Constraint, value: object, problem: str | None
) -> None:
    found = constraint.problem(value)  # type: ignore[arg-type]
    assert (found or "").startswith(problem or "")
    assert (found is None) == (problem is None)
