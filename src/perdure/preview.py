"""A few fields of a large value: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.preview import (
    FieldMatchMode,
    PreviewConfig,
    PreviewField,
    PreviewMode,
    build_preview,
)

__all__ = ["FieldMatchMode", "PreviewConfig", "PreviewField", "PreviewMode", "build_preview"]
