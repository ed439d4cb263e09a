"""Which factories a function gets, and which are refused: as AWS's SDK decides; our names."""

import functools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aws_durable_execution_sdk_python.plugin_discovery as aws_discovery
import pytest
from aws_durable_execution_sdk_python.exceptions import PluginLoadError as AwsPluginLoadError

import perdure.plugin_discovery as our_discovery
from perdure.exceptions import PluginLoadError
from perdure.sdk.plugin_discovery import open_hooks
from perdure.sdk.plugin_executor import PluginExecutor
from perdure.sdk.plugin_factories import description_of, is_plugin_factory

LOADERS = [our_discovery.load_configured_plugins, aws_discovery.load_configured_plugins]
REFUSALS = (PluginLoadError, AwsPluginLoadError)
BOTH = pytest.mark.parametrize("load", LOADERS, ids=["ours", "AWS's"])


class Sound:
    def create_plugin(self, info: object) -> object:
        return None


class Told:
    """Hears whether it was registered."""

    __durable_registration_api__ = 1

    def __init__(self) -> None:
        self.heard: list[bool] = []

    def create_plugin(self, info: object) -> object:
        return None

    def on_registration_result(self, registered: bool) -> None:
        self.heard.append(registered)


class ByClass:
    @classmethod
    def create_plugin(cls, info: object) -> object:
        return None


class ByStatic:
    @staticmethod
    def create_plugin(info: object) -> object:
        return None


class ByAttribute:
    create_plugin = functools.partial(Sound.create_plugin, None)


class WithDefault:
    def create_plugin(self, info: object = None) -> object:
        return None


class WithAny:
    def create_plugin(self, *args: object) -> object:
        return None


class WithTwo:
    def create_plugin(self, info: object, more: object) -> object:
        return None


class WithNone:
    def create_plugin(self) -> object:
        return None


class WithKeyword:
    def create_plugin(self, *, info: object) -> object:
        return None


class NotCallable:
    create_plugin = "create"


class BuiltIn:
    create_plugin = staticmethod(max)


class Meta(type):
    def create_plugin(cls, info: object) -> object:
        return None


class OfMeta(metaclass=Meta): ...


class Missing(type):
    """Answers for a member that no class of it has."""

    def __getattr__(cls, name: str) -> Any:
        if name == "create_plugin":
            return lambda info: None
        raise AttributeError(name)


class Answered(metaclass=Missing): ...


CANDIDATES = [
    Sound(),
    Sound,
    ByClass,
    ByClass(),
    ByStatic,
    ByStatic(),
    ByAttribute,
    ByAttribute(),
    WithDefault(),
    WithDefault,
    WithAny(),
    WithAny,
    WithTwo(),
    WithNone(),
    WithKeyword(),
    NotCallable(),
    BuiltIn(),
    OfMeta,
    Answered,
    lambda info: None,
    None,
    object(),
    len,
]


@pytest.mark.parametrize("value", CANDIDATES, ids=lambda v: description_of(v)[:60])
def test_a_factory_is_what_aws_takes_for_one(value: object) -> None:
    try:
        aws_discovery.load_configured_plugins([value], environment={})  # type: ignore[list-item]
    except AwsPluginLoadError:
        assert not is_plugin_factory(value)
        with pytest.raises(PluginLoadError, match=r"plugins\[1\]"):
            our_discovery.load_configured_plugins([Sound(), value], environment={})  # type: ignore[list-item]
    else:
        assert is_plugin_factory(value)


def test_what_is_refused_is_named() -> None:
    assert description_of(Sound) == f"the class {__name__}.Sound"
    assert description_of(Sound()) == f"an instance of {__name__}.Sound"
    assert description_of(len) == "the function builtins.len"
    assert description_of(Nameless()) == "an instance of unknown module.Nameless"


class Nameless:
    __module__ = ""


@BOTH
def test_without_names_only_those_given_in_code_count(load: Callable[..., Any]) -> None:
    given = [Sound(), Sound()]

    assert load(None, environment={}) == []
    assert load(given, environment={aws_discovery.PLUGIN_ENVIRONMENT_VARIABLE: "  "}) == given


def test_the_process_s_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DURABLE_EXECUTION_PLUGINS", raising=False)
    monkeypatch.setenv("PERDURE_PLUGINS", "nowhere")

    with pytest.raises(PluginLoadError, match="nowhere"):
        our_discovery.load_configured_plugins(None)


@BOTH
@pytest.mark.parametrize("listed", [",", "a,,b", "a,", "a, a", "nowhere"])
def test_a_list_that_makes_no_sense_is_refused(load: Callable[..., Any], listed: str) -> None:
    told = Told()

    with pytest.raises(REFUSALS):
        load([told], environment={aws_discovery.PLUGIN_ENVIRONMENT_VARIABLE: listed})

    assert told.heard == [False]


SOURCE = """
class Factory:
    __durable_registration_api__ = 1
    heard = []
    def create_plugin(self, info): ...
    def on_registration_result(self, registered): self.heard.append(registered)

one, two, three = Factory(), Factory(), Factory()
not_one = object()
"""
CODE_NAME = "plugins_of_this_test"


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Two installed distributions with plugins in both groups; returns their module."""
    (tmp_path / f"{CODE_NAME}.py").write_text(SOURCE)
    for name, entry_points in {
        "alpha": f"""
            [aws_durable_execution.plugins]
            one = {CODE_NAME}:one
            shared = {CODE_NAME}:one
            twice = {CODE_NAME}:two
            bad = {CODE_NAME}:not_one
            gone = {CODE_NAME}:gone
            [perdure.plugins]
            shared = {CODE_NAME}:three
            ours = {CODE_NAME}:three
            """,
        "beta": f"""
            [aws_durable_execution.plugins]
            two = {CODE_NAME}:two
            twice = {CODE_NAME}:two
            """,
    }.items():
        folder = tmp_path / f"{name}-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        lines = (line.strip() for line in entry_points.splitlines())
        (folder / "entry_points.txt").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, CODE_NAME, raising=False)
    return __import__(CODE_NAME)


@BOTH
def test_named_plugins_follow_those_given_in_code(load: Callable[..., Any], installed: Any) -> None:
    given = Sound()

    found = load([given], environment={"DURABLE_EXECUTION_PLUGINS": " two , one "})

    assert found == [given, installed.two, installed.one]
    assert installed.Factory.heard == [True, True]


@BOTH
def test_one_that_is_also_given_in_code_counts_once(
    load: Callable[..., Any], installed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    found = load([installed.two], environment={"DURABLE_EXECUTION_PLUGINS": "two,one"})

    assert found == [installed.two, installed.one]
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


@BOTH
@pytest.mark.parametrize("name", ["twice", "bad", "gone", "unknown"])
def test_what_cannot_be_loaded_is_refused_and_all_are_told(
    load: Callable[..., Any], installed: Any, name: str
) -> None:
    with pytest.raises(REFUSALS, match=name):
        load(None, environment={"DURABLE_EXECUTION_PLUGINS": f"one,{name}"})

    assert installed.Factory.heard == [False]


def test_our_variable_stands_in_place_of_awss(installed: Any) -> None:
    both = {"PERDURE_PLUGINS": "two", "DURABLE_EXECUTION_PLUGINS": "one"}

    assert our_discovery.load_configured_plugins(None, environment=both) == [installed.two]


def test_our_group_is_asked_first(installed: Any) -> None:
    names = {"DURABLE_EXECUTION_PLUGINS": "shared,one"}

    found = our_discovery.load_configured_plugins(None, environment=names)

    assert found == [installed.three, installed.one]


def test_a_broken_installation_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def fail(*, group: str) -> Any:
        raise OSError("no such disk")

    monkeypatch.setattr(metadata, "entry_points", fail)

    with pytest.raises(PluginLoadError, match=r"perdure\.plugins.*no such disk"):
        our_discovery.load_configured_plugins(None, environment={"PERDURE_PLUGINS": "a"})


def test_an_entry_point_of_no_distribution_can_fail_too(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    group = our_discovery.PERDURE_PLUGIN_ENTRY_POINT_GROUP
    lone = metadata.EntryPoint("a", "no_such_module:x", group)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [lone])

    with pytest.raises(PluginLoadError, match=r"no_such_module:x.*unknown distribution"):
        our_discovery.load_configured_plugins(None, environment={"PERDURE_PLUGINS": "a"})


class Exclusive(Sound):
    __durable_registration_api__ = 1
    exclusive_group = "tracing"


class AlsoExclusive(Sound):
    __durable_registration_api__ = 1
    exclusive_group = "tracing"


class Derived(Exclusive):
    """In its base's group, though its own word means nothing."""

    exclusive_group = 7


class OptedAgain(Exclusive):
    __durable_registration_api__ = 1
    exclusive_group = "metrics"


class OptedOut(Exclusive):
    __durable_registration_api__ = 2


class Unmarked(Sound):
    exclusive_group = "tracing"


class Free(Sound):
    __durable_registration_api__ = 1


class Repeating(Exclusive):
    __durable_registration_api__ = 1


class Numbered(Sound):
    __durable_registration_api__ = 1
    exclusive_group = 7


class Blank(Sound):
    __durable_registration_api__ = 1
    exclusive_group = " "


class Metrics(Sound):
    __durable_registration_api__ = 1
    exclusive_group = "metrics"


class ClassAsFactory(Exclusive):
    @classmethod
    def create_plugin(cls, info: object) -> object:  # type: ignore[override]
        return None


class _Failing(type):
    @property
    def exclusive_group(cls) -> str:
        raise LookupError("no group")


class FailingGroup(Sound, metaclass=_Failing):
    __durable_registration_api__ = 1


TOGETHER = [
    [Exclusive(), AlsoExclusive()],
    [Exclusive(), Exclusive()],
    [Exclusive(), Derived()],
    [Derived()],
    [Exclusive(), OptedAgain()],
    [Metrics(), OptedAgain()],
    [Exclusive(), Metrics()],
    [Exclusive(), OptedOut(), Unmarked()],
    [Free(), Free()],
    [Repeating()],
    [Exclusive(), Repeating()],
    [Numbered()],
    [Blank()],
    [ClassAsFactory, Exclusive()],
    [ClassAsFactory, ClassAsFactory],
    [FailingGroup()],
]


def name_of(factories: list[Any]) -> str:
    return "+".join(getattr(f, "__name__", type(f).__name__) for f in factories)


@pytest.mark.parametrize("factories", TOGETHER, ids=name_of)
def test_exclusive_factories_are_refused_as_by_aws(factories: list[Any]) -> None:
    try:
        aws_discovery.load_configured_plugins(factories, environment={})
    except AwsPluginLoadError:
        with pytest.raises(PluginLoadError):
            our_discovery.load_configured_plugins(factories, environment={})
    else:
        assert our_discovery.load_configured_plugins(factories, environment={}) == factories


def told(load: Callable[..., Any], make: Callable[[list[Any]], list[Any]]) -> list[Any]:
    """Return what the factories of ``make`` heard."""
    heard: list[Any] = []
    try:
        load(make(heard), environment={})
    except REFUSALS:
        heard.append("refused")
    return heard


class Hearing(Sound):
    __durable_registration_api__ = 1

    def __init__(self, heard: list[Any]) -> None:
        self.heard = heard

    def on_registration_result(self, registered: bool) -> None:
        self.heard.append(registered)


class DerivedHearing(Hearing):
    """Is told by its base's method, not by its own."""

    def on_registration_result(self, registered: bool) -> None:
        raise AssertionError("not opted in")


class DerivedFurther(DerivedHearing): ...


class FailingHearing(Hearing):
    __durable_registration_api__ = 1

    def on_registration_result(self, registered: bool) -> None:
        self.heard.append("failed")
        raise RuntimeError("it fails")


class WithoutMethod(Sound):
    __durable_registration_api__ = 1

    def __init__(self, heard: list[Any]) -> None: ...


class DerivedWithout(WithoutMethod): ...


class WithValue(Sound):
    __durable_registration_api__ = 1
    on_registration_result = None

    def __init__(self, heard: list[Any]) -> None: ...


class DerivedWithValue(WithValue): ...


HEARERS = [Hearing, DerivedHearing, DerivedFurther, FailingHearing, WithoutMethod]
HEARERS += [DerivedWithout, WithValue, DerivedWithValue]


@pytest.mark.parametrize("kind", HEARERS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("is_refused", [False, True])
def test_factories_are_told_as_by_aws(kind: Any, is_refused: bool) -> None:
    def make(heard: list[Any]) -> list[Any]:
        one = kind(heard)
        return [one, one, kind(heard), *([object()] if is_refused else [])]

    ours, awss = (told(load, make) for load in LOADERS)

    assert ours == awss


def test_hooks_are_opened_only_for_factories() -> None:
    assert open_hooks([]) is None
    assert isinstance(open_hooks([Sound()]), PluginExecutor)  # type: ignore[list-item]
