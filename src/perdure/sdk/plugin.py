"""What the author of an instrumentation plugin writes: a plugin, and the factory that makes it.

The rules that the hooks keep (threads, order, failures) are told to plugin authors in
``docs/guide/plugins.md`` and are kept by ``plugin_executor`` and by those who call it.

Source: ``aws_durable_execution_sdk_python.plugin``, 3.x.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from perdure.sdk.plugin_infos import (
        InvocationEndInfo,
        InvocationStartInfo,
        OperationChangeInfo,
        OperationEndInfo,
        OperationStartInfo,
        PropagationInput,
        PropagationMetadata,
        UserFunctionEndInfo,
        UserFunctionStartInfo,
    )

__all__ = ["DurableInstrumentationPlugin", "DurableInstrumentationPluginFactory"]


class DurableInstrumentationPlugin:
    """Watches one invocation of a durable function; override the hooks that you need.

    Every hook is an ordinary blocking call, and the thread it is made on waits for it: a slow hook
    delays that thread, and no checkpoint of another. What a hook raises is logged and ignored;
    only ``KeyboardInterrupt``, ``SystemExit`` and ``GeneratorExit``, which tell the thread itself
    to stop, go on.

    For one operation, on its thread: ``on_operation_start``, ``on_user_function_start``, the
    function, ``on_user_function_end``, the checkpoint, ``on_operation_end``, and only then does the
    operation return. Branches of a map or parallel call their hooks beside each other, so state
    that hooks share needs a lock. ``docs/guide/plugins.md`` has all the rules.
    """

    def provide_propagation_metadata(self, info: PropagationInput) -> PropagationMetadata | None:
        """Return what to send along with a chained invoke, or None.

        Called on the operation's thread before a chained invoke is first started, never on its
        replay; again, though, if that start was never stored.
        """
        return None

    def on_invocation_start(self, info: InvocationStartInfo) -> None:
        """Called on the handler's thread before the handler, and before anything is sent."""

    def on_invocation_end(self, info: InvocationEndInfo) -> None:
        """Called on the handler's thread, after every other hook of the invocation."""

    def on_operation_start(self, info: OperationStartInfo) -> None:
        """Called on the operation's thread before its start is recorded.

        Also, with ``is_replayed``, when an operation that was started by an earlier invocation and
        has not ended is met again, and when a step starts another attempt.
        """

    def on_operation_end(self, info: OperationEndInfo) -> None:
        """Called once an invocation for an operation that ended, before its result is acted on.

        The thread is the one that reads the result: the operation's own, or another that reads it
        first, while the rest wait. An ended operation whose result nobody reads in this invocation
        has its hook before ``on_invocation_end``, or before its ancestor's. One that ended in an
        earlier invocation is not told again. A context without a recorded end (a virtual one, or
        one whose body runs again because its checkpoint holds a summary) is told at every run.
        """

    def on_operation_change(self, info: OperationChangeInfo) -> None:
        """Called on a thread of its own after checkpoints have changed operations.

        One call may stand for several checkpoints. It is in no order with the end hooks.
        """

    def on_user_function_start(self, info: UserFunctionStartInfo) -> None:
        """Called on the thread that runs a user's function, before it."""

    def on_user_function_end(self, info: UserFunctionEndInfo) -> None:
        """Called on the thread that ran a user's function, after it, however it was left."""


class DurableInstrumentationPluginFactory(Protocol):
    """Makes a plugin for each invocation; ``durable_execution(plugins=[...])`` takes these.

    The factory lives as long as the process: exporters and configuration belong here. The plugin
    lives for one invocation: what it notes in its attributes is gone at the next.

    A factory's class that says ``__durable_registration_api__ = 1`` may also name an
    ``exclusive_group``, of which only one factory is accepted, and have a method
    ``on_registration_result(registered: bool)``, which is told whether the function was set up.
    """

    def create_plugin(self, info: InvocationStartInfo, /) -> DurableInstrumentationPlugin:
        """Return the plugin that watches the invocation ``info`` describes.

        Called once an invocation, before its first hook. What it raises is logged, and the
        invocation goes on without this plugin; so it does for what is not a plugin.
        """
        ...
