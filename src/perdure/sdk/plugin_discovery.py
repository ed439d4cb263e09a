"""Which plugins a function has: those given to it, then those that the environment names.

A name is an entry point of an installed distribution. Anything wrong is an error while the function
is set up, so that telemetry is not silently missing. The entry points are read only when a name is
given, and the code that serves plugins is imported only when there is one: both are slow.

Source: ``aws_durable_execution_sdk_python.plugin_discovery``, 3.x; ``PERDURE_PLUGINS`` and its
group are ours.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final, cast

from perdure.sdk.exceptions import PluginLoadError
from perdure.sdk.plugin_factories import description_of, is_plugin_factory
from perdure.sdk.plugin_registration import check_exclusive_groups, tell_registered

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from importlib.metadata import EntryPoint

    from perdure.sdk.plugin import DurableInstrumentationPluginFactory
    from perdure.sdk.plugin_executor import PluginExecutor

__all__ = [
    "PERDURE_PLUGIN_ENTRY_POINT_GROUP",
    "PERDURE_PLUGIN_ENVIRONMENT_VARIABLE",
    "PLUGIN_ENTRY_POINT_GROUP",
    "PLUGIN_ENVIRONMENT_VARIABLE",
    "load_configured_plugins",
    "open_hooks",
]

_logger = logging.getLogger(__name__)

PLUGIN_ENTRY_POINT_GROUP: Final = "aws_durable_execution.plugins"
PLUGIN_ENVIRONMENT_VARIABLE: Final = "DURABLE_EXECUTION_PLUGINS"
PERDURE_PLUGIN_ENTRY_POINT_GROUP: Final = "perdure.plugins"  #: asked first
PERDURE_PLUGIN_ENVIRONMENT_VARIABLE: Final = "PERDURE_PLUGINS"  #: stands in place of AWS's, if set


def open_hooks(
    factories: Sequence[DurableInstrumentationPluginFactory],
) -> PluginExecutor | None:
    """Return what serves the plugins of one invocation; None if there are no factories."""
    if not factories:
        return None
    from perdure.sdk.plugin_executor import PluginExecutor  # slow, and needed by few

    return PluginExecutor(factories)


def load_configured_plugins(
    explicit_plugins: Sequence[DurableInstrumentationPluginFactory] | None,
    *,
    environment: Mapping[str, str] | None = None,
) -> list[DurableInstrumentationPluginFactory]:
    """Return the factories a function has: ``explicit_plugins``, then those that are configured.

    Each in its order; a configured one that was also given counts once. ``environment`` is the
    process's by default. Raises ``PluginLoadError`` when a factory is none, cannot be found or
    loaded, is found twice, or excludes another.
    """
    candidates: list[object] = list(explicit_plugins or ())
    try:
        factories = _resolved(candidates, os.environ if environment is None else environment)
    except Exception:
        tell_registered(candidates, registered=False)
        raise
    tell_registered(factories, registered=True)
    return factories


def _resolved(
    candidates: list[object], environment: Mapping[str, str]
) -> list[DurableInstrumentationPluginFactory]:
    """Return the factories; whatever is loaded is added to ``candidates``, of use or not."""
    factories = [_checked(each, f"plugins[{place}]") for place, each in enumerate(candidates)]
    names = _configured_names(environment)
    installed = _installed() if names else {}
    for name in names:
        loaded = _loaded(name, installed)
        candidates.append(loaded)
        factory = _checked(loaded, f"the entry point '{name}'")
        if any(factory is each for each in factories):
            _logger.warning("the plugin factory '%s' is also given in code; it counts once", name)
        else:
            factories.append(factory)
    check_exclusive_groups(factories)
    return factories


def _checked(factory: object, place: str) -> DurableInstrumentationPluginFactory:
    if not is_plugin_factory(factory):
        raise PluginLoadError(
            f"{place} must be a plugin factory, an object whose create_plugin(info) returns a "
            f"DurableInstrumentationPlugin, but is {description_of(factory)}; give an instance of "
            "a factory, not its class, nor a plugin, nor a function"
        )
    return cast("DurableInstrumentationPluginFactory", factory)


def _configured_names(environment: Mapping[str, str]) -> list[str]:
    for variable in (PERDURE_PLUGIN_ENVIRONMENT_VARIABLE, PLUGIN_ENVIRONMENT_VARIABLE):
        listed = environment.get(variable, "")
        if listed.strip():
            return _names(variable, listed)
    return []


def _names(variable: str, listed: str) -> list[str]:
    names = [name.strip() for name in listed.split(",")]
    if "" in names:
        raise PluginLoadError(
            f"{variable} must list non-empty names between its commas: {listed!r}"
        )
    for place, name in enumerate(names):
        if name in names[:place]:
            raise PluginLoadError(f"{variable} names the plugin '{name}' twice")
    return names


_Installed = dict[str, dict[str, list["EntryPoint"]]]


def _installed() -> _Installed:
    """Return the installed entry points of each group, by name; our group comes first."""
    from importlib import metadata  # slow, and needed by few

    found: _Installed = {}
    for group in (PERDURE_PLUGIN_ENTRY_POINT_GROUP, PLUGIN_ENTRY_POINT_GROUP):
        try:
            entry_points = list(metadata.entry_points(group=group))
        except Exception as error:
            raise PluginLoadError(
                f"the installed plugins of entry-point group '{group}' cannot be listed: {error}"
            ) from error
        found[group] = {}
        for entry_point in entry_points:
            found[group].setdefault(entry_point.name, []).append(entry_point)
    return found


def _loaded(name: str, installed: _Installed) -> object:
    group = next((each for each, found in installed.items() if name in found), None)
    entry_points = [] if group is None else installed[group][name]
    if not entry_points:
        known = (
            ", ".join(sorted({each for found in installed.values() for each in found})) or "none"
        )
        raise PluginLoadError(
            f"no plugin named '{name}' is installed in the entry-point groups "
            f"{' and '.join(installed)}; those installed: {known}. Its package must be in the "
            "function's code or in one of its layers"
        )
    if len(entry_points) > 1:
        distributions = ", ".join(_distribution(each) for each in entry_points)
        raise PluginLoadError(
            f"the plugin named '{name}' is installed more than once in the entry-point group "
            f"'{group}', by {distributions}; keep one of them"
        )
    (entry_point,) = entry_points
    try:
        return entry_point.load()
    except Exception as error:
        raise PluginLoadError(
            f"the plugin factory '{name}' cannot be loaded from '{entry_point.value}' "
            f"({_distribution(entry_point)}): {error}"
        ) from error


def _distribution(entry_point: EntryPoint) -> str:
    distribution = entry_point.dist
    return "unknown distribution" if distribution is None else distribution.name
