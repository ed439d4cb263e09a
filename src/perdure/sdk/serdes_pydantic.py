"""Values of pydantic models, of version 2 and of version 1, taken apart and put together again.

What is recorded is the model's state: its fields by name, its extra fields, and which fields were
set. It is not what ``model_dump`` gives, so that aliases, serializers, validators and excluded
fields do not stand between a value and itself, and a field that holds a model of a subclass keeps
it. Private attributes are not recorded: pydantic makes them anew, by their defaults and by
``model_post_init``.

A model with a field that we cannot write is recorded in pydantic's own JSON instead, and validated
when it is read.

Pydantic is never imported here; models are known by the base class of a loaded pydantic.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, Final

from perdure.sdk.serdes_classes import required_fields_error

__all__ = [
    "dump_model",
    "dump_model_v1",
    "is_model",
    "is_model_v1",
    "load_model",
    "load_model_v1",
    "make_model",
    "make_model_v1",
    "recorded_class",
    "take_model",
    "take_model_v1",
]

_MODULES: Final = ("pydantic.main", "pydantic.v1.main")

Sections = dict[str, Any]


def is_model(cls: type) -> bool:
    """Tell whether ``cls`` is a model of pydantic 2."""
    return _has_base(cls) and hasattr(cls, "model_fields")


def is_model_v1(cls: type) -> bool:
    """Tell whether ``cls`` is a model of pydantic 1, or of the one that pydantic 2 brings along."""
    return _has_base(cls) and not hasattr(cls, "model_fields")


def recorded_class(cls: type) -> type:
    """Return the class by which a model is recorded: ``Box`` for ``Box[int]``."""
    generic: dict[str, Any] = getattr(cls, "__pydantic_generic_metadata__", {})
    return generic.get("origin") or cls


def take_model(model: Any) -> Sections:
    """Return the sections of a model's record: ``fields``, and if there are any ``extra``, ``set``.

    ``set`` says which fields were set; without it, all were.
    """
    held = _held(model)
    fields = {name: held[name] for name in _names(model, "model_fields") if name in held}
    extra: Sections = getattr(model, "__pydantic_extra__", None) or {}
    return _sections(fields, extra, model.__pydantic_fields_set__)


def take_model_v1(model: Any) -> Sections:
    """Return the sections of a model's record, as ``take_model`` does."""
    held = _held(model)
    names = _names(model, "__fields__")
    fields = {name: held[name] for name in names if name in held}
    extra = {name: held[name] for name in held if name not in names}
    return _sections(fields, extra, model.__fields_set__)


def make_model(cls: Any, sections: Sections) -> Any:
    """Return the model of ``cls`` whose record is ``sections``, without validating it again.

    Raises:
        SerDesError: a required field was not recorded.
    """
    fields, extra = _split(cls, sections, cls.model_fields, lambda field: field.is_required())
    model = cls.model_construct(**fields)
    _held(model).update(fields)  # model_construct takes an alias for a field of that name.
    if cls.model_config.get("extra") == "allow":
        object.__setattr__(model, "__pydantic_extra__", extra)
    else:
        extra = {}
    object.__setattr__(model, "__pydantic_fields_set__", _names_set(sections, extra, fields))
    return model


def make_model_v1(cls: Any, sections: Sections) -> Any:
    """Return the model of ``cls`` whose record is ``sections``, as ``make_model`` does.

    Raises:
        SerDesError: a required field was not recorded.
    """
    fields, extra = _split(cls, sections, cls.__fields__, lambda field: field.required)
    if cls.__config__.extra != "allow":
        extra = {}
    model = cls.construct(_names_set(sections, extra, fields), **fields, **extra)
    _held(model).update(fields)  # construct takes an alias for a field of that name.
    return model


def dump_model(model: Any) -> object:
    """Return what pydantic would write of ``model`` as JSON."""
    return model.model_dump(mode="json", by_alias=True, round_trip=True, warnings=False)


def dump_model_v1(model: Any) -> object:
    """Return what pydantic would write of ``model`` as JSON."""
    return json.loads(model.json(by_alias=True))


def load_model(cls: Any, dumped: object) -> Any:
    """Return the model that ``dump_model`` wrote, validated."""
    return cls.model_validate_json(json.dumps(dumped))


def load_model_v1(cls: Any, dumped: object) -> Any:
    """Return the model that ``dump_model_v1`` wrote, validated."""
    return cls.parse_obj(dumped)


def _has_base(cls: type) -> bool:
    loaded = (sys.modules.get(name) for name in _MODULES)
    return any(issubclass(cls, getattr(module, "BaseModel", ())) for module in loaded)


def _held(model: object) -> Sections:
    return vars(model)


def _names(model: object, where: str) -> list[str]:
    return list(getattr(type(model), where))


def _sections(fields: Sections, extra: Sections, names_set: set[str]) -> Sections:
    sections: Sections = {"fields": fields}
    if extra:
        sections["extra"] = extra
    if names_set != {*fields, *extra}:
        sections["set"] = sorted(names_set)
    return sections


def _split(
    cls: type, sections: Sections, known: dict[str, Any], is_required: Callable[[Any], bool]
) -> tuple[Sections, Sections]:
    """Return what was recorded of the fields that ``cls`` has now, and the rest."""
    recorded: Sections = {**sections.get("extra", {}), **sections["fields"]}
    missing = [name for name in known if name not in recorded and is_required(known[name])]
    if missing:
        raise required_fields_error(cls, missing)
    fields = {name: recorded[name] for name in known if name in recorded}
    return fields, {name: recorded[name] for name in recorded if name not in known}


def _names_set(sections: Sections, extra: Sections, fields: Sections) -> set[str]:
    """Return which of the recorded fields were set; unless said otherwise, all."""
    names = {*fields, *extra}
    return names.intersection(sections.get("set", names))
