"""Calling one hook of every plugin, and keeping what plugins raise away from the execution.

Rules: plugins are called in the order of their factories, on the calling thread; what they raise is
logged and ignored; only what tells the thread itself to stop goes on. A plugin hears no hook before
its ``on_invocation_start``. It knows nothing of when a hook is due.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, cast

from perdure.sdk.plugin import DurableInstrumentationPlugin

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from perdure.sdk.plugin import DurableInstrumentationPluginFactory
    from perdure.sdk.plugin_infos import InvocationStartInfo

__all__ = ["PluginDispatch", "type_name", "uncontained"]

_logger = logging.getLogger(__name__)

#: These are no reports of a plugin's defect: they tell the running thread to stop.
_THREAD_CONTROL: Final = (KeyboardInterrupt, SystemExit, GeneratorExit)
#: Read from ``type`` itself, past whatever a metaclass has put there.
_QUALNAME: Final[Any] = type.__dict__["__qualname__"]


def uncontained(error: BaseException, message: str, *arguments: object) -> BaseException | None:
    """Log what plugin code raised, and return the part of it that the caller must raise on.

    A group is split: a task group inside a plugin wraps an interrupt in one.
    """
    control: BaseException | None = None
    rest: BaseException | None = error
    if isinstance(error, BaseExceptionGroup):
        control, rest = cast("BaseExceptionGroup[BaseException]", error).split(_THREAD_CONTROL)
    elif isinstance(error, _THREAD_CONTROL):
        control, rest = error, None
    if rest is not None:
        _logger.error(message, *arguments, exc_info=rest)
    return control


def type_name(value: object) -> str:
    """Return the name of a value's class for a log line, running none of the value's own code."""
    kind = type(value)
    named = value if issubclass(kind, type) else kind
    return _QUALNAME.__get__(named)


class PluginDispatch:
    """The plugins of one invocation."""

    def __init__(self, factories: Sequence[DurableInstrumentationPluginFactory]) -> None:
        """Begin without plugins; ``create`` makes them."""
        self._factories = tuple(factories)
        self._plugins: tuple[DurableInstrumentationPlugin, ...] = ()
        self._started: list[DurableInstrumentationPlugin] = []
        self._depth = threading.local()

    def create(self, info: InvocationStartInfo) -> None:
        """Make this invocation's plugins; a factory that cannot make one is logged and left out."""
        made = (self._made_by(factory, info) for factory in self._factories)
        self._plugins = tuple(plugin for plugin in made if plugin is not None)

    def start(self, info: InvocationStartInfo) -> None:
        """Call ``on_invocation_start`` of every plugin.

        One whose hook fails counts as started: it may hold what its end hook lets go.
        """
        with self.hook_scope():
            for plugin in self._plugins:
                self._started.append(plugin)
                self._call_one(plugin, "on_invocation_start", info)

    def call(self, hook: str, info: Any) -> None:
        """Call ``hook`` of every started plugin; stop at the first that stops the thread."""
        with self.hook_scope():
            for plugin in self._started:
                self._call_one(plugin, hook, info)

    def call_all(self, hook: str, info: Any) -> None:
        """Call ``hook`` of every started plugin, and only then raise the first that must go on."""
        held: BaseException | None = None
        with self.hook_scope():
            for plugin in self._started:
                try:
                    self._call_one(plugin, hook, info)
                except BaseException as control:  # noqa: BLE001 - raised below
                    held = held or control
        if held is not None:
            raise held

    def plugins(self) -> tuple[DurableInstrumentationPlugin, ...]:
        """Return this invocation's plugins, started or not."""
        return self._plugins

    def has_listener(self, hook: str) -> bool:
        """Tell whether a started plugin has a ``hook`` of its own."""
        default = getattr(DurableInstrumentationPlugin, hook)
        for plugin in self._started:
            try:
                found = getattr(getattr(plugin, hook), "__func__", None)
            except BaseException:  # noqa: BLE001 - the call itself will say so
                return True
            if found is not default:
                return True
        return False

    def clear(self) -> None:
        """Let go of the plugins."""
        self._plugins = ()
        self._started = []

    def is_in_hook(self) -> bool:
        """Tell whether the calling thread is inside a hook."""
        return getattr(self._depth, "value", 0) > 0

    @contextmanager
    def hook_scope(self) -> Generator[None]:
        """Mark the calling thread as being inside a hook."""
        self._depth.value = getattr(self._depth, "value", 0) + 1
        try:
            yield
        finally:
            self._depth.value -= 1

    @staticmethod
    def _made_by(
        factory: DurableInstrumentationPluginFactory, info: InvocationStartInfo
    ) -> DurableInstrumentationPlugin | None:
        try:
            plugin = cast("object", factory.create_plugin(info))
            # A proxy's own code answers isinstance: it belongs inside.
            if isinstance(plugin, DurableInstrumentationPlugin):
                return plugin
        except BaseException as error:  # noqa: BLE001 - plugin code must not fail the execution
            control = uncontained(
                error, "the plugin factory %s failed; it is left out", type_name(factory)
            )
            if control is not None:
                raise control from None
            return None
        _logger.error(
            "the plugin factory %s made %s, which is no DurableInstrumentationPlugin; "
            "it is left out",
            type_name(factory),
            type_name(plugin),
        )
        return None

    @staticmethod
    def _call_one(plugin: DurableInstrumentationPlugin, hook: str, info: Any) -> None:
        try:
            getattr(plugin, hook)(info)
        except BaseException as error:  # noqa: BLE001 - plugin code must not fail the execution
            control = uncontained(
                error, "%s of the plugin %s failed; it is ignored", hook, type_name(plugin)
            )
            if control is not None:
                raise control from None
