"""Names for classes: what a checkpoint records of a class, and how another process finds it.

A class goes by ``module:qualname``. Two things are in the way:

- a file that is run as a program is ``__main__`` there and has a name of its own everywhere else.
  Its classes are recorded by that name, and a process that runs the same file as a program finds
  them in its ``__main__``, so that ``isinstance`` holds;
- one file may have several names (``app`` from its own directory, ``handlers.app`` from above it).
  Where a module cannot be imported, a loaded one whose last name is the same will do, if there is
  only one.

To find a class may import its module. Nothing is called: who asks must look at what was found.
"""

import functools
import importlib
import os.path
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Final

from perdure.sdk.exceptions import SerDesError

__all__ = ["find_class", "name_of", "required_fields_error"]

_MAIN: Final = "__main__"
_MAIN_NAMES: Final = (_MAIN, "__mp_main__")
_LOCAL: Final = "<locals>"


def name_of(cls: type) -> str:
    """Return the name by which another process finds ``cls``.

    Raises:
        SerDesError: it would not find it: ``cls`` is local to a function, or its module has
            something else, or nothing, by its name.
    """
    written = f"{cls.__module__}.{cls.__qualname__}"
    if _LOCAL in cls.__qualname__:
        raise SerDesError(
            f"{written} is local to a function, where no other process finds it:"
            " define it at the top of a module, or give the operation a serdes of its own"
        )
    module = sys.modules.get(cls.__module__)
    found = None if module is None else _member(module, cls.__qualname__)
    if found is not cls and not _is_reloaded(found, cls):
        raise SerDesError(
            f"{written} is not to be found under that name:"
            f" {cls.__module__} has {'nothing' if found is None else 'another thing'} there"
        )
    name = _name_of_main() if cls.__module__ in _MAIN_NAMES else cls.__module__
    return f"{name}:{cls.__qualname__}"


def find_class(name: str) -> type:
    """Return the class that is called ``name`` in this process.

    Raises:
        SerDesError: there is none.
        ImportError: its module is there, and cannot be imported.
    """
    module_name, _colon, qualname = name.partition(":")
    if not module_name or not qualname or module_name.startswith("."):
        raise SerDesError(f"{name!r} does not name a class: the form is module:qualname")
    for module in _modules(module_name):
        found = _member(module, qualname)
        if found is not None:
            return found
    raise _not_found(module_name, qualname)


def required_fields_error(cls: type, missing: list[str]) -> SerDesError:
    """Return the error that a record of ``cls`` does not have the fields ``missing``."""
    return SerDesError(
        f"{cls.__module__}.{cls.__qualname__} requires {', '.join(missing)},"
        " which the recorded value does not have: give it a default"
    )


def _modules(name: str) -> Iterator[ModuleType]:
    """Yield the modules that ``name`` may stand for, the likeliest first."""
    main = sys.modules.get(_MAIN)
    if main is not None and name in (*_MAIN_NAMES, _name_of_main()):
        yield main
    if name not in _MAIN_NAMES:
        module = sys.modules.get(name) or _imported(name)
        if module is not None:
            yield module
        else:
            yield from _namesakes(name)


def _imported(name: str) -> ModuleType | None:
    """Return the module, or None if there is none of that name."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise  # It exists, and what it imports does not.
        return None


def _namesakes(name: str) -> list[ModuleType]:
    """Return the loaded module whose last name is that of ``name``, if there is only one."""
    last = name.rpartition(".")[2]
    found = [
        module
        for other, module in list(sys.modules.items())
        if other.rpartition(".")[2] == last and isinstance(module, ModuleType)  # pyright: ignore[reportUnnecessaryIsInstance]  some put other things there
    ]
    return found if len(found) == 1 else []


def _not_found(module_name: str, qualname: str) -> SerDesError:
    if module_name in _MAIN_NAMES:
        return SerDesError(
            f"no class {qualname} in this program; it was recorded by one that had no file"
        )
    return SerDesError(
        f"no class {qualname} in module {module_name}: if it was moved or renamed,"
        " leave its old name there until the executions that recorded it have ended"
    )


def _member(module: ModuleType, qualname: str) -> type | None:
    """Return the class in ``module``, or in a class in it; None if that is no class."""
    found: object = module
    for part in qualname.split("."):
        found = vars(found).get(part)
        if not isinstance(found, type):
            return None
    return found if isinstance(found, type) else None


def _is_reloaded(found: type | None, cls: type) -> bool:
    """Tell whether ``found`` is ``cls`` after its module was loaded anew."""
    return (
        found is not None
        and found.__module__ == cls.__module__
        and found.__qualname__ == cls.__qualname__
    )


def _name_of_main() -> str:
    """Return the name under which another process would import this one's program."""
    return _name_elsewhere(sys.modules.get(_MAIN))


@functools.lru_cache(maxsize=4)
def _name_elsewhere(main: ModuleType | None) -> str:
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return str(spec.name)
    stem = os.path.splitext(os.path.basename(getattr(main, "__file__", None) or ""))[0]
    return stem if stem.isidentifier() else _MAIN
