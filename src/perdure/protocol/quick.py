"""Frozen values that are made in a fraction of the time.

The ``__init__`` that ``dataclasses`` writes for a frozen class goes through ``object.__setattr__``
for every member, which finds the member's slot each time: most of what a checkpoint's shapes cost.
This one has the slots at hand. Everything else of the class stays as it is.
"""

import dataclasses
from typing import Any, TypeVar

__all__ = ["quick"]

Kind = TypeVar("Kind", bound=type)


def quick(kind: Kind) -> Kind:
    """Return ``kind``, a dataclass that is frozen, slotted and takes its members by name."""
    scope: dict[str, Any] = {}
    parameters: list[str] = []
    lines: list[str] = []
    for field in dataclasses.fields(kind):
        name = field.name
        scope[f"set_{name}"] = getattr(kind, name).__set__
        if field.default_factory is not dataclasses.MISSING:
            scope[f"new_{name}"] = field.default_factory
            parameters.append(f"{name}=None")
            lines.append(f" set_{name}(self, new_{name}() if {name} is None else {name})")
            continue
        if field.default is dataclasses.MISSING:
            parameters.append(name)
        else:
            scope[f"default_{name}"] = field.default
            parameters.append(f"{name}=default_{name}")
        lines.append(f" set_{name}(self, {name})")
    text = f"def __init__(self, *, {', '.join(parameters)}):\n" + "\n".join(lines)
    exec(text, scope)  # as ``dataclasses`` itself does, of names that are written in the class
    made: Any = kind
    initialize: Any = scope["__init__"]
    initialize.__qualname__ = f"{kind.__qualname__}.__init__"
    initialize.__annotations__ = made.__init__.__annotations__
    initialize.__module__ = kind.__module__
    made.__init__ = initialize
    return kind
