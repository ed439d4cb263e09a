"""What commands print."""

import json

import pytest

from perdure.cli.client import Timestamp
from perdure.cli.output import Output, cell, error_text, plain_json

HOSTILE = "\x1b]0;owned\x07\u202e[red]x[/red]:boom:"


def test_a_document_is_json_that_people_can_read(capsys: pytest.CaptureFixture[str]) -> None:
    Output(is_json=True).document(
        {"name": "太郎", "at": Timestamp(1.5), "data": b"ok\xff", "list": (1, None, True)}
    )

    out = capsys.readouterr().out
    assert "太郎" in out
    assert json.loads(out) == {
        "name": "太郎",
        "at": "1970-01-01T00:00:01.500Z",
        "data": "ok\\xff",
        "list": [1, None, True],
    }


def test_hostile_text_reaches_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(is_json=False)

    output.table(["COLUMN"], [[HOSTILE], [{"k": HOSTILE}]])
    output.members({"Member": HOSTILE})
    output.note(HOSTILE)
    output.payload(json.dumps(HOSTILE, ensure_ascii=False).encode())
    output.document({HOSTILE: HOSTILE})

    captured = capsys.readouterr()
    for text in (captured.out, captured.err):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
        assert "[red]x[/red]:boom:" in text


def test_a_payload_keeps_its_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    Output(is_json=False).payload('{"a":1.10,  "名":"太郎"}'.encode())

    assert capsys.readouterr().out == '{"a":1.10,  "名":"太郎"}\n'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (True, "yes"),
        (False, "no"),
        (5, "5"),
        ("a\tb", r"a\tb"),
        (Timestamp(0), "1970-01-01T00:00:00.000Z"),
        ({"at": Timestamp(0)}, '{"at": "1970-01-01T00:00:00.000Z"}'),
        ([1], "[1]"),
    ],
)
def test_a_cell_is_one_line(value: object, text: str) -> None:
    assert cell(value) == text


def test_members_that_are_not_there_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    Output(is_json=False).members({"A": None, "B": ""})

    assert capsys.readouterr().out.split() == ["B"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (None, "no error was given"),
        ({}, "no error was given"),
        ({"ErrorType": "E"}, "E"),
        ({"ErrorType": "E", "ErrorMessage": "m\n"}, r"E: m\n"),
        ({"ErrorData": "d"}, "an empty error"),
    ],
)
def test_an_error_is_one_line(error: dict[str, object] | None, text: str) -> None:
    assert error_text(error) == text


def test_other_values_stay_as_they_are() -> None:
    assert plain_json([1, "a", None]) == [1, "a", None]
