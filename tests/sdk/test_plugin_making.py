"""Making the plugins of an invocation; both worlds leave out the same factories."""

import logging
from typing import Any

import aws_durable_execution_sdk_python.plugin as aws_plugin
import pytest

import perdure.plugin
from perdure.sdk.plugin_dispatch import type_name
from perdure.sdk.plugin_executor import PluginExecutor
from tests.sdk.plugin_worlds import ARN, Factory

OURS = perdure.plugin.DurableInstrumentationPlugin


def fail() -> Any:
    raise LookupError("no configuration")


def cancel() -> Any:
    import asyncio

    raise asyncio.CancelledError


def interrupt() -> Any:
    raise KeyboardInterrupt


class Pretender:
    """Answers isinstance with an error."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("no class")

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


@pytest.mark.parametrize("base", [OURS, aws_plugin.DurableInstrumentationPlugin])
@pytest.mark.parametrize(
    "make", [fail, cancel, lambda: None, object, Pretender, lambda: OURS], ids=range(6)
)
def test_what_makes_no_plugin_is_logged_and_left_out(
    base: type, make: Any, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[object] = []
    sound = type("Sound", (base,), {"on_invocation_start": lambda self, info: heard.append(info)})
    factories: list[Any] = [Factory(make), Factory(sound)]

    start(base, factories)

    assert len(heard) == 1
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


@pytest.mark.parametrize("base", [OURS, aws_plugin.DurableInstrumentationPlugin])
def test_a_factory_that_stops_the_thread_does(base: type) -> None:
    with pytest.raises(KeyboardInterrupt):
        start(base, [Factory(interrupt)])


def test_the_factory_is_given_what_the_first_hook_is_given() -> None:
    seen: list[object] = []

    class Plugin(OURS):
        def on_invocation_start(self, info: object) -> None:
            seen.append(info)

    class Making:
        def create_plugin(self, info: object, /) -> Plugin:
            seen.append(info)
            return Plugin()

    start(OURS, [Making()])

    assert seen[0] is seen[1]


def start(base: type, factories: list[Any]) -> None:
    if base is OURS:
        PluginExecutor(factories).on_invocation_start(
            execution_arn=ARN, request_id=None, is_first_invocation=True
        )
    else:
        aws_plugin.PluginExecutor(factories).on_invocation_start(ARN, True, None, None)


def test_names_for_the_log_run_none_of_the_value_s_code() -> None:
    class Meta(type):
        def __getattribute__(cls, name: str) -> Any:
            raise AssertionError("read")

    class Named(metaclass=Meta):
        def __getattribute__(self, name: str) -> Any:
            raise AssertionError("read")

    assert type_name(Named()).endswith("Named")
    assert type_name(Named).endswith("Named")
