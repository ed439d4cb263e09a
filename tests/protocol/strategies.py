"""Hypothesis strategies: values of any shape, and any JSON."""

import dataclasses
import enum
import re
import typing
from typing import Any

from hypothesis import strategies as st

from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.wire import Instant, Member, members

__all__ = ["json_values", "member_values", "shapes", "texts"]

texts = st.text(st.characters(codec="utf-8"), max_size=20)

_DRAWN_CHARACTERS_MAX = 32
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:f"

#: At least one for each of the model's long patterns.
EXAMPLES = (
    "f",
    "f:live",
    "live",
    "$LATEST",
    "7",
    "key",
    "t\u00e4g @home",
    "bucket-1",
    "AccessDeniedException",
    "dG9rZW4=",
    "us-east-1",
    "/aws/lambda/f",
    _FUNCTION,
    f"{_FUNCTION}:1",
    f"{_FUNCTION}:$LATEST",
    f"{_FUNCTION}:1/durable-execution/name/{'0' * 32}",
    "arn:aws:iam::000000000000:role/r",
    "arn:aws:sqs:us-east-1:000000000000:queue",
    "arn:aws:lambda:us-east-1:000000000000:layer:l:1",
    "arn:aws:lambda:us-east-1:000000000000:capacity-provider:p",
    "arn:aws:lambda:us-east-1:000000000000:code-signing-config:csc-0123456789abcdef0",
    "arn:aws:lambda:us-east-1::runtime:0123456789abcdef",
    "arn:aws:lambda:us-east-1:000000000000:runtime/r/version/1",
    "arn:aws:elasticfilesystem:us-east-1:000000000000:access-point/fsap-0123456789abcdef0",
)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def shapes(shape: type) -> st.SearchStrategy[Any]:
    """Return values of ``shape``, each with some of its optional members."""
    required = {m.attribute: member_values(m) for m in members(shape) if m.is_required}
    optional = {m.attribute: member_values(m) for m in members(shape) if not m.is_required}
    return st.fixed_dictionaries(required, optional=optional).map(
        lambda arguments: shape(**arguments)
    )


def member_values(member: Member) -> st.SearchStrategy[Any]:
    """Return values that a member may have."""
    return _values(member.type, member.constraint)


def _values(kind: Any, constraint: Any) -> st.SearchStrategy[Any]:
    if typing.get_origin(kind) is tuple:
        item = _hinted(typing.get_args(kind)[0])
        bounds = constraint if isinstance(constraint, Items) else Items()
        most = 3 if bounds.max is None else min(bounds.max, 3)
        return st.lists(item, min_size=bounds.min, max_size=most).map(tuple)
    if typing.get_origin(kind) is dict:
        key, value = typing.get_args(kind)
        return st.dictionaries(_hinted(key), _hinted(value), max_size=3)
    if kind is Instant:
        return st.integers(0, 253_402_300_799_999)
    if dataclasses.is_dataclass(kind):
        return st.deferred(lambda: shapes(kind))
    if issubclass(kind, enum.Enum):
        return st.sampled_from(list(kind))
    return _scalars(kind, constraint)


def _hinted(hint: Any) -> st.SearchStrategy[Any]:
    if typing.get_origin(hint) is typing.Annotated:
        bare, constraint = typing.get_args(hint)
        return _values(bare, constraint)
    return _values(hint, None)


def _scalars(kind: type, constraint: Any) -> st.SearchStrategy[Any]:
    if isinstance(constraint, Number):
        least, most = constraint.min or 0, constraint.max or 10**9
        if kind is float:
            return st.floats(least, most)
        return st.integers(int(least), int(most))
    if isinstance(constraint, Text) and kind is str:
        return _matching(constraint)
    plain = {str: texts, bytes: st.binary(max_size=20), bool: st.booleans()}
    return plain.get(kind, st.integers(-(2**63), 2**63))


def _matching(constraint: Text) -> st.SearchStrategy[str]:
    """Return texts that a constraint allows: examples, if its pattern is not one to draw from."""
    fitting = [example for example in EXAMPLES if constraint.problem(example) is None]
    pattern = constraint.pattern or ""
    if len(pattern) > _DRAWN_CHARACTERS_MAX or r"\p" in pattern or "(?" in pattern:
        return st.sampled_from(fitting)
    if constraint.pattern is None:
        return st.text(
            st.characters(codec="utf-8"),
            min_size=constraint.min,
            max_size=min(constraint.max or 100, constraint.min + 100),
        )
    expression = re.compile(rf"(?:{pattern})\Z", re.ASCII)
    return st.from_regex(expression).filter(lambda value: constraint.problem(value) is None)
