"""Whether an object can serve as a plugin factory, told when the function is set up.

A wrong one would otherwise be found at each invocation, logged there, and passed over: telemetry
would be missing for as long as the function lives. No factory's code is run to find out.
"""

from __future__ import annotations

from typing import Any, Final, cast

__all__ = ["description_of", "is_plugin_factory"]

_PROBE: Final = object()


def is_plugin_factory(value: object) -> bool:
    """Tell whether ``value`` has a ``create_plugin`` that one argument can be given to.

    A factory's class has not, though its function could be called so: the argument would be taken
    for ``self``. It has when the method is a class method or a static one.
    """
    create_plugin = getattr(value, "create_plugin", None)
    if not callable(create_plugin):
        return False
    if isinstance(value, type) and _lacks_self(cast("type[Any]", value), create_plugin):
        return False
    return _takes_one_argument(create_plugin)


def description_of(value: object) -> str:
    """Return words for what was given in place of a factory."""
    import inspect  # slow to import, and needed by few

    if isinstance(value, type):
        return f"the class {_full_name(cast('object', value))}"
    if inspect.isroutine(value):
        return f"the function {_full_name(value)}"
    return f"an instance of {_full_name(cast('object', type(value)))}"


def _lacks_self(owner: type[Any], create_plugin: object) -> bool:
    import inspect  # slow to import, and needed by few

    if getattr(create_plugin, "__self__", None) is not None:
        return False
    if not inspect.isfunction(create_plugin):
        return False
    declared = inspect.getattr_static(owner, "create_plugin", None)
    return declared is not None and not isinstance(declared, staticmethod)


def _takes_one_argument(create_plugin: Any) -> bool:
    import inspect  # slow to import, and needed by few

    try:
        signature = inspect.signature(create_plugin)
    except (TypeError, ValueError):
        return True  # written in C, say: it cannot be told, and may well be right
    try:
        signature.bind(_PROBE)
    except TypeError:
        return False
    return True


def _full_name(named: object) -> str:
    module = getattr(named, "__module__", None) or "unknown module"
    name = getattr(named, "__qualname__", None) or getattr(named, "__name__", None)
    return f"{module}.{name or '<unnamed>'}"
