"""The examples are what they say they are."""

import ast
import json
import re
from pathlib import Path

import pytest

from perdure.cli.demo import is_greeting, is_registration, localized
from perdure.cli.discovery import discover
from perdure.cli.stand_in import NEVER, StandIn

from .article import EVENT, HELLO, REGISTRATION, RESULT, TIMED_OUT

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = sorted(
    path
    for path in EXAMPLES.rglob("*")
    if path.suffix in (".py", ".mjs") and not path.name.startswith("test_")
)
LINK = re.compile(r"\]\(([^)]+)\)")


@pytest.mark.parametrize(("name", "code"), [("hello", HELLO), ("user_registration", REGISTRATION)])
def test_the_javascript_is_the_articles_to_the_last_character(name: str, code: str) -> None:
    file = EXAMPLES / name / "javascript" / f"{name}.mjs"

    assert file.read_bytes() == f"{code}\n".encode()


def test_the_event_is_the_articles() -> None:
    assert json.loads((EXAMPLES / "user_registration" / "event.json").read_bytes()) == EVENT


def test_the_article_times_out_with_this_message() -> None:
    assert TIMED_OUT.replace("50", "${maxAttempts * pollIntervalSeconds}") in REGISTRATION


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_every_example_is_one_durable_function(file: Path) -> None:
    (source,) = discover(file)

    assert source.durable is not None
    assert source.name == file.stem
    assert source.handler in [other.handler for other in discover(file.parent)]


@pytest.mark.parametrize(
    "file", [file for file in FILES if file.suffix == ".py"], ids=lambda file: file.stem
)
def test_an_example_says_what_it_shows(file: Path) -> None:
    assert ast.get_docstring(ast.parse(file.read_text()))


def test_the_index_names_every_example_and_nothing_else() -> None:
    linked = {EXAMPLES / target for target in LINK.findall((EXAMPLES / "README.md").read_text())}

    files = {path for path in linked if not path.name.startswith("test_")}
    assert {path for path in files if path.suffix in (".py", ".mjs")} == set(FILES)


def test_there_are_more_than_twenty_five_examples() -> None:
    assert len({file.relative_to(EXAMPLES).parts[0] for file in FILES}) >= 25


def test_only_the_outside_url_is_changed(tmp_path: Path) -> None:
    file = EXAMPLES / "user_registration" / "javascript" / "user_registration.mjs"

    source = localized(file, "registration", "http://127.0.0.1:1/x", tmp_path)

    copy = (source.folder / file.name).read_text()
    assert copy.count("http://127.0.0.1:1/x/") == 2
    assert copy.replace("http://127.0.0.1:1/x", "https://kameda.requestcatcher.com") == (
        file.read_text()
    )


def test_the_articles_result_is_right_and_others_are_not() -> None:
    assert is_registration(RESULT)
    assert not is_registration(RESULT | {"username": "次郎"})
    assert not is_registration(RESULT | {"more": 1})
    assert not is_registration({**RESULT, "jobResult": {"data": {"processedAt": "soon"}}})
    assert not is_registration(None)
    assert is_greeting({"statusCode": 200, "body": '"Hello from Durable Lambda!"'})
    assert not is_greeting({"statusCode": 200, "body": "Hello from Durable Lambda!"})


def test_the_stand_in_is_done_after_as_many_looks_as_it_was_told() -> None:
    with StandIn() as stand_in:
        look = ("GET", "/a/2/check-status/job-1", b"")
        assert [stand_in.answer(*look) for _ in range(4)] == [503, 503, 200, 200]
        assert stand_in.answer("GET", f"/b/{NEVER}/check-status/job-1", b"") == 503
        assert stand_in.answer("POST", "/a/2/start-job", b'{"n": 1}') == 200
        assert stand_in.answer("GET", "/nonsense", b"") == 404
        assert (stand_in.looks("a"), stand_in.looks("b"), stand_in.looks("c")) == (4, 1, 0)
        assert [order.data for order in stand_in.orders("a")] == [{"n": 1}]
