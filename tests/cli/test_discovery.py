"""From a path to functions."""

import sys
from pathlib import Path

import pytest

from perdure.cli.discovery import discover
from perdure.cli.errors import CommandError
from perdure.cli.sources import DURABLE_DEFAULT, FunctionSource, request_of

PYTHON = f"python{sys.version_info.major}.{sys.version_info.minor}"
DURABLE = "@durable_execution\ndef {name}(event, context): ...\n"


def write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def names(path: Path) -> dict[str, str]:
    return {source.name: source.handler for source in discover(path)}


def test_a_file_with_one_handler_gives_a_function_of_its_name(tmp_path: Path) -> None:
    file = write(tmp_path / "app.py", DURABLE.format(name="run"))

    assert discover(file) == [
        FunctionSource(
            name="app",
            folder=tmp_path,
            file=file,
            origin=file,
            handler="app.run",
            runtime=PYTHON,
            durable=DURABLE_DEFAULT,
            timeout_seconds=60,
            memory_mb=512,
        )
    ]


def test_several_handlers_give_functions_of_their_own_names(tmp_path: Path) -> None:
    file = write(tmp_path / "app.py", DURABLE.format(name="one") + DURABLE.format(name="two"))

    assert names(file) == {"one": "app.one", "two": "app.two"}


@pytest.mark.parametrize("suffix", ["mjs", "js", "cjs"])
def test_javascript_is_found_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    file = write(tmp_path / f"app.{suffix}", "exports.handler = withDurableExecution(f);")

    (source,) = discover(file)

    assert (source.runtime, source.handler, source.durable) == (
        "nodejs24.x",
        "app.handler",
        DURABLE_DEFAULT,
    )


def test_a_plain_handler_gives_a_plain_function(tmp_path: Path) -> None:
    (source,) = discover(write(tmp_path / "app.py", "def handler(event, context): ..."))

    assert source.durable is None


def test_a_folder_gives_the_functions_of_its_files(tmp_path: Path) -> None:
    write(tmp_path / "a.py", DURABLE.format(name="run"))
    write(tmp_path / "b.mjs", "export const handler = withDurableExecution(f);")
    write(tmp_path / "empty.py", "x = 1")
    write(tmp_path / "notes.txt", "")

    assert names(tmp_path) == {"a": "a.run", "b": "b.handler"}
    assert all(source.file is None for source in discover(tmp_path))


def test_functions_of_one_name_get_their_files_name_too(tmp_path: Path) -> None:
    for file in ("a.py", "b.py"):
        write(tmp_path / file, DURABLE.format(name="run") + DURABLE.format(name=file[0]))

    assert sorted(names(tmp_path)) == ["a", "a-run", "b", "b-run"]


def test_a_template_in_a_folder_comes_first(tmp_path: Path) -> None:
    write(tmp_path / "a.py", DURABLE.format(name="run"))
    write(
        tmp_path / "template.yaml",
        "Resources: {T: {Type: AWS::Serverless::Function,"
        " Properties: {Handler: a.run, Runtime: python3.13}}}",
    )

    assert names(tmp_path) == {"T": "a.run"}


def test_a_name_takes_what_names_can_have(tmp_path: Path) -> None:
    assert names(write(tmp_path / "my.good app.py", DURABLE.format(name="run"))) == {
        "my-good-app": "my.good app.run"
    }


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        pytest.param("app.py", "x = 1", "has no handler", id="no-handler"),
        pytest.param("app.py", "def x(:", "app.py: line 1: ", id="no-python"),
        pytest.param("app.rb", "", "'?.rb'? is not one of .cjs, .js, .mjs, .py", id="language"),
        pytest.param("太郎.py", "def handler(): ...", "no character", id="no-name"),
    ],
)
def test_what_cannot_be_understood_is_an_error(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        discover(write(tmp_path / name, text))


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="neither a template"):
        discover(tmp_path)


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"\xff")

    with pytest.raises(CommandError, match=r"app\.py is not UTF-8 text: byte 0"):
        discover(tmp_path / "app.py")


@pytest.mark.parametrize(
    ("runtime", "timeout", "problem"),
    [
        ("cobol1", 3, "function f: 'cobol1' is not a runtime"),
        (PYTHON, 9_999, "function f: Timeout"),
    ],
)
def test_a_setting_that_cannot_be_had_is_an_error(
    tmp_path: Path, runtime: str, timeout: int, problem: str
) -> None:
    source = FunctionSource(
        name="f",
        folder=tmp_path,
        origin=tmp_path / "app.py",
        handler="app.run",
        runtime=runtime,
        timeout_seconds=timeout,
    )

    with pytest.raises(CommandError, match=problem):
        request_of(source)
