"""What factories may ask for when a function is set up: to be the only one, and to hear of it.

Opt-in, by ``__durable_registration_api__ = 1`` in a factory's class; a class derived from such a
one belongs to its group as well, but its own attributes mean nothing unless it opts in again.
Classes are read past their metaclasses and descriptors: setting up runs no code it need not run.

Source: ``aws_durable_execution_sdk_python.plugin_discovery``, 3.x.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from perdure.sdk.exceptions import PluginLoadError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["check_exclusive_groups", "tell_registered"]

_logger = logging.getLogger(__name__)

_MARKER: Final = "__durable_registration_api__"
_CALLBACK: Final = "on_registration_result"
_MRO: Final[Any] = type.__dict__["__mro__"]
_NAMESPACE: Final[Any] = type.__dict__["__dict__"]


def check_exclusive_groups(factories: Sequence[object]) -> None:
    """Raise ``PluginLoadError`` if two of ``factories`` belong to one exclusive group."""
    members: dict[str, type[Any]] = {}
    for factory in factories:
        kind = _class_of(factory)
        if _contract_of(kind) is None:
            continue
        for group in _groups(kind):
            other = members.get(group)
            if other is kind:
                raise PluginLoadError(
                    f"the plugin factory {_name(kind)} is given more than once, and its exclusive "
                    f"group '{group}' takes one"
                )
            if other is not None:
                raise PluginLoadError(
                    f"the plugin factories {_name(other)} and {_name(kind)} are mutually "
                    f"exclusive (group '{group}'); keep one of them"
                )
            members[group] = kind


def tell_registered(factories: Sequence[object], *, registered: bool) -> None:
    """Call ``on_registration_result`` of each factory that has opted in, once; log what fails."""
    told: set[int] = set()
    for factory in factories:
        if id(factory) in told:
            continue
        told.add(id(factory))
        try:
            callback = _callback_of(factory)
            if callable(callback):
                callback(registered)
        except Exception:
            _logger.exception("on_registration_result of a plugin factory failed; it is ignored")


def _class_of(factory: object) -> type[Any]:
    """Return the class whose contract holds: a class that serves as a factory is its own."""
    kind = type(factory)
    is_class = issubclass(kind, type)  # isinstance would ask a proxy
    return factory if is_class else kind  # type: ignore[return-value] - told by issubclass


def _contract_of(kind: type[Any]) -> type[Any] | None:
    """Return the class by which ``kind`` has opted in; the first marker decides."""
    for owner, namespace in _bases(kind):
        if _MARKER in namespace:
            return owner if _is_marked(namespace) else None
    return None


def _groups(kind: type[Any]) -> list[str]:
    groups: list[str] = []
    for owner, namespace in _bases(kind):
        if not _is_marked(namespace):
            continue
        try:
            group: object = getattr(owner, "exclusive_group", None)
        except Exception as error:
            raise PluginLoadError(f"cannot read exclusive_group of {_name(kind)}") from error
        if group is None:
            continue
        if type(group) is not str or not group.strip():
            raise PluginLoadError(
                f"exclusive_group of {_name(kind)} must be None or a non-empty str"
            )
        if group not in groups:
            groups.append(group)
    return groups


def _callback_of(factory: object) -> Any:
    kind = _class_of(factory)
    contract = _contract_of(kind)
    if contract is None:
        return None
    if contract is kind:
        return getattr(factory, _CALLBACK, None)
    for _, namespace in _bases(contract):
        if _CALLBACK in namespace:
            found = namespace[_CALLBACK]
            bind = getattr(found, "__get__", None)
            return found if bind is None else bind(factory, kind)
    return None


def _bases(kind: type[Any]) -> Iterator[tuple[type[Any], Mapping[str, Any]]]:
    for owner in _MRO.__get__(kind):
        yield owner, _NAMESPACE.__get__(owner)


def _is_marked(namespace: Mapping[str, Any]) -> bool:
    version = namespace.get(_MARKER)
    return type(version) is int and version == 1


def _name(kind: type[Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
