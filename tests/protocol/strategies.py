"""Hypothesis strategies: values of any shape, and any JSON."""

import dataclasses
import enum
import typing
from typing import Any

from hypothesis import strategies as st

from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.wire import Instant, Member, members

__all__ = ["json_values", "member_values", "shapes", "texts"]

texts = st.text(st.characters(codec="utf-8"), max_size=20)

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
        least = constraint.min if isinstance(constraint, Items) else 0
        return st.lists(item, min_size=least, max_size=max(least, 3)).map(tuple)
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
        pattern = (constraint.pattern or r".*").replace(r"\p{L}\p{Z}\p{N}", "a-z ")
        return st.from_regex(rf"\A(?:{pattern})\Z").filter(
            lambda value: constraint.problem(value) is None
        )
    plain = {str: texts, bytes: st.binary(max_size=20), bool: st.booleans()}
    return plain.get(kind, st.integers(-(2**63), 2**63))
