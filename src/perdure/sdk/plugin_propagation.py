"""What plugins send along with a chained invoke: the first that has something decides."""

from __future__ import annotations

import logging
from types import CoroutineType
from typing import TYPE_CHECKING, Any, cast

from perdure.sdk.plugin_dispatch import type_name
from perdure.sdk.plugin_infos import PropagationMetadata

if TYPE_CHECKING:
    from perdure.sdk.plugin import DurableInstrumentationPlugin
    from perdure.sdk.plugin_dispatch import PluginDispatch
    from perdure.sdk.plugin_infos import PropagationInput

__all__ = ["propagation_of"]

_logger = logging.getLogger(__name__)


def propagation_of(dispatch: PluginDispatch, info: PropagationInput) -> PropagationMetadata:
    """Ask every plugin in turn; the first trace id that is not blank is kept, others are logged.

    A plugin that fails, or answers something else, is logged and passed over.
    """
    kept: str | None = None
    owner = ""
    for plugin in dispatch.plugins():
        found = _trace_id_of(dispatch, plugin, info)
        if found is None or not found.strip():
            continue
        if kept is None:
            kept, owner = found, type_name(plugin)
        elif found != kept:
            _logger.warning(
                "the plugins %s and %s give different trace ids for a chained invoke; "
                "the first is kept",
                owner,
                type_name(plugin),
            )
    return PropagationMetadata(x_amzn_trace_id=kept)


def _trace_id_of(
    dispatch: PluginDispatch, plugin: DurableInstrumentationPlugin, info: PropagationInput
) -> str | None:
    try:
        with dispatch.hook_scope():
            answer: object = plugin.provide_propagation_metadata(info)
        return _checked(answer)
    except Exception:
        _logger.exception(
            "provide_propagation_metadata of the plugin %s failed; it is ignored",
            type_name(plugin),
        )
        return None


def _checked(answer: object) -> str | None:
    if answer is None:
        return None
    if isinstance(answer, CoroutineType):
        cast("CoroutineType[Any, Any, Any]", answer).close()
        raise TypeError("the hook must not be a coroutine function")
    if not isinstance(answer, PropagationMetadata):
        raise TypeError(f"PropagationMetadata or None expected, not {type_name(answer)}")
    trace_id = cast("object", answer.x_amzn_trace_id)
    if trace_id is None:
        return None
    if not isinstance(trace_id, str):
        raise TypeError(f"x_amzn_trace_id must be a str or None, not {type_name(trace_id)}")
    # A subclass's own methods are none of ours.
    return str.__str__(trace_id)
