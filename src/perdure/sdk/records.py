"""Values, declared as with ``dataclasses``, at a small part of the cost at import.

``dataclasses`` writes and compiles the source of five methods a class, and imports ``inspect`` to
do so: for the SDK's values that would be half of a handler's cold start. ``record`` gives the same
class from shared functions. What ``dataclasses`` itself knows of a class (``fields``, ``replace``,
``asdict``) is made when it is first asked for.

It adds what dataclasses lack: a converter, by which a member takes more types than it holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, dataclass_transform, overload

if TYPE_CHECKING:
    from collections.abc import Callable
    from inspect import Signature

__all__ = ["Member", "member", "open_record", "record"]

Held = TypeVar("Held")
Given = TypeVar("Given")
Kind = TypeVar("Kind")

_MISSING: Final[Any] = object()


class Member:
    """One member of a record: its name, its default, and how it takes a value."""

    __slots__ = ("converter", "default", "is_keyword", "name")

    def __init__(
        self, default: Any, converter: Callable[[Any], Any] | None, *, is_keyword: bool
    ) -> None:
        """Describe a member whose name is told later."""
        self.name = ""
        self.default = default
        self.converter = converter
        self.is_keyword = is_keyword


@overload
def member(*, default: Held, kw_only: bool = ...) -> Held: ...
@overload
def member(
    *, default: Given = ..., converter: Callable[[Given], Held], kw_only: bool = ...
) -> Held: ...
def member(
    *,
    default: Any = _MISSING,
    converter: Callable[[Any], Any] | None = None,
    kw_only: bool = False,
) -> Any:
    """Describe a member that a plain default does not: converted, or by keyword only."""
    return Member(default, converter, is_keyword=kw_only)


@dataclass_transform(frozen_default=True, field_specifiers=(member,))
def record(kind: type[Kind]) -> type[Kind]:
    """Make ``kind`` a value: compared and hashed by its annotated members, which never change."""
    made = cast("Any", _declare(kind))
    made.__setattr__ = _refuse_setting
    made.__delattr__ = _refuse_deleting
    made.__hash__ = _hash
    made.__record_frozen__ = True
    return kind


@dataclass_transform(field_specifiers=(member,))
def open_record(kind: type[Kind]) -> type[Kind]:
    """Make ``kind`` a value whose members may be set."""
    made = cast("Any", _declare(kind))
    made.__setattr__ = _set_converted
    made.__hash__ = None
    made.__record_frozen__ = False
    return kind


def _declare(kind: type[Kind]) -> type[Kind]:
    made = cast("Any", kind)
    members: dict[str, Member] = dict(getattr(kind, "__record_members__", {}))
    for name in kind.__annotations__:
        given = kind.__dict__.get(name, _MISSING)
        described = given if isinstance(given, Member) else Member(given, None, is_keyword=False)
        described.name = name
        members[name] = described
        if described is given:
            _put_default(made, described)
    made.__record_members__ = members
    made.__match_args__ = tuple(m.name for m in members.values() if not m.is_keyword)
    made.__init__ = _initializer(kind.__qualname__, tuple(members.values()))
    for name, method in _METHODS.items():
        if name not in kind.__dict__:
            setattr(kind, name, method)
    return kind


def _put_default(kind: Any, described: Member) -> None:
    if described.default is _MISSING:
        delattr(kind, described.name)
        return
    if described.converter is not None:
        described.default = described.converter(described.default)
    setattr(kind, described.name, described.default)


def _initializer(kind_name: str, members: tuple[Member, ...]) -> Callable[..., None]:
    """Return an ``__init__`` that takes ``members``, as a written one would."""
    positional = tuple(m.name for m in members if not m.is_keyword)
    defaults = {m.name: m.default for m in members if m.default is not _MISSING}
    order = tuple(m.name for m in members)
    converters = tuple((m.name, m.converter) for m in members if m.converter is not None)

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        # What is most often given: nothing, or everything by name, or everything by place.
        count = len(args) + len(kwargs)
        if not converters and (
            (count == 0 and is_all_default)
            or (not args and kwargs.keys() == known)
            or (not kwargs and count == len(order) == len(positional))
        ):
            self.__dict__.update(kwargs or zip(order, args, strict=True) if count else defaults)
        else:
            self.__dict__.update(sorted_out(args, kwargs))
        check = getattr(self, "__post_init__", None)
        if check is not None:
            check()

    def sorted_out(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if len(args) > len(positional):
            raise TypeError(
                f"{kind_name}.__init__() takes at most {len(positional)} positional "
                f"arguments ({len(args)} given)"
            )
        given = dict(zip(positional, args, strict=False))
        if not given.keys().isdisjoint(kwargs):
            name = next(name for name in given if name in kwargs)
            raise TypeError(f"{kind_name}.__init__() got multiple values for argument {name!r}")
        values = defaults | given | kwargs
        if values.keys() != known:
            raise TypeError(_arguments_problem(kind_name, order, values))
        for name, converter in converters:
            values[name] = converter(values[name])
        return {name: values[name] for name in order}

    known = frozenset(order)
    is_all_default = len(defaults) == len(order)
    __init__.__qualname__ = f"{kind_name}.__init__"
    return __init__


def _arguments_problem(kind_name: str, order: tuple[str, ...], values: dict[str, Any]) -> str:
    unknown = [name for name in values if name not in order]
    if unknown:
        return f"{kind_name}.__init__() got an unexpected keyword argument {unknown[0]!r}"
    missing = ", ".join(repr(name) for name in order if name not in values)
    return f"{kind_name}.__init__() missing required arguments: {missing}"


def _values(value: Any) -> tuple[Any, ...]:
    return tuple(getattr(value, name) for name in value.__record_members__)


def _eq(self: Any, other: object) -> bool:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return _values(self) == _values(other)


def _hash(self: Any) -> int:
    return hash(_values(self))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record_members__)
    return f"{type(self).__qualname__}({shown})"


def _replaced(self: Any, /, **changes: Any) -> Any:
    values = {name: getattr(self, name) for name in self.__record_members__}
    return type(self)(**(values | changes))


def _refuse_setting(self: Any, name: str, value: object) -> None:
    from dataclasses import FrozenInstanceError  # only where it is raised: see the module

    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: Any, name: str) -> None:
    from dataclasses import FrozenInstanceError  # only where it is raised: see the module

    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _set_converted(self: Any, name: str, value: object) -> None:
    described = self.__record_members__.get(name)
    if described is not None and described.converter is not None:
        value = described.converter(value)
    object.__setattr__(self, name, value)


class _OfTwin:
    """A class attribute of the dataclass that a record stands for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(_twin(owner), self._name)


class _SignatureOfTwin:
    """The signature of the class; its instances have none by it."""

    def __get__(self, instance: object, owner: type) -> Signature:
        if instance is not None:
            raise AttributeError("__signature__")
        from inspect import signature  # only where it is asked for: see the module

        return signature(_twin(owner))


_twins: dict[type, type] = {}


def _twin(kind: Any) -> type:
    """Return the dataclass with the members of the record ``kind``."""
    found = _twins.get(kind)
    if found is None:
        from dataclasses import field, make_dataclass  # only where it is asked for: see the module

        fields: list[Any] = []
        for described in kind.__record_members__.values():
            options: dict[str, Any] = {"kw_only": described.is_keyword}
            if described.default is not _MISSING:
                options["default"] = described.default
            annotation = _annotation(kind, described.name)
            fields.append((described.name, annotation, field(**options)))
        found = make_dataclass(kind.__name__, fields, frozen=kind.__record_frozen__)
        _twins[kind] = found
    return found


def _annotation(kind: type, name: str) -> Any:
    return next(base.__annotations__[name] for base in kind.__mro__ if name in base.__annotations__)


_METHODS: Final[dict[str, Any]] = {
    "__eq__": _eq,
    "__repr__": _repr,
    "__replace__": _replaced,
    "__dataclass_fields__": _OfTwin("__dataclass_fields__"),
    "__dataclass_params__": _OfTwin("__dataclass_params__"),
    "__signature__": _SignatureOfTwin(),
}
