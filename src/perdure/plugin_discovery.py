"""Which plugins a function has: the door to ``perdure.sdk``, under AWS's name."""

from perdure.sdk.exceptions import PluginLoadError
from perdure.sdk.plugin import DurableInstrumentationPluginFactory
from perdure.sdk.plugin_discovery import (
    PERDURE_PLUGIN_ENTRY_POINT_GROUP,
    PERDURE_PLUGIN_ENVIRONMENT_VARIABLE,
    PLUGIN_ENTRY_POINT_GROUP,
    PLUGIN_ENVIRONMENT_VARIABLE,
    load_configured_plugins,
)

__all__ = [
    "PERDURE_PLUGIN_ENTRY_POINT_GROUP",
    "PERDURE_PLUGIN_ENVIRONMENT_VARIABLE",
    "PLUGIN_ENTRY_POINT_GROUP",
    "PLUGIN_ENVIRONMENT_VARIABLE",
    "DurableInstrumentationPluginFactory",
    "PluginLoadError",
    "load_configured_plugins",
]
