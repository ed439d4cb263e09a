"""Text of users, made safe to print (SR-19)."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.cli.neutral import json_text, neutral, neutral_json

HOSTILE = [
    pytest.param("\x1b[2J", r"\x1b[2J", id="escape-sequence"),
    pytest.param("\x9b31m", r"\x9b31m", id="8-bit-escape"),
    pytest.param("\x07\x08\x00", r"\x07\x08\x00", id="controls"),
    pytest.param("a\rb", r"a\rb", id="carriage-return"),
    pytest.param("\x7f", r"\x7f", id="delete"),
    pytest.param("‮txt.exe", r"\u202etxt.exe", id="right-to-left-override"),
    pytest.param("⁦x⁩", r"\u2066x\u2069", id="isolates"),
    pytest.param("a​b﻿", r"a\u200bb\ufeff", id="invisible"),
    pytest.param("a\u2028b", r"a\u2028b", id="line-separator"),
    pytest.param("\ud800", r"\ud800", id="lone-surrogate"),
    pytest.param("\U000e0041", r"\U000e0041", id="tag"),
]


@pytest.mark.parametrize(("text", "shown"), HOSTILE)
def test_dangerous_characters_become_visible(text: str, shown: str) -> None:
    assert neutral(text) == shown


def test_a_line_has_no_newline_and_no_tab() -> None:
    assert neutral("a\n\tb") == r"a\n\tb"
    assert neutral("a\n\tb\x1b", is_line=False) == "a\n\tb\\x1b"


@pytest.mark.parametrize("text", ["太郎", "Ünïcödé", "👩‍👩‍👧", "می‌خواهم", "[red]x[/red]"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text


@given(st.text())
def test_json_keeps_its_meaning(text: str) -> None:
    shown = json_text({"text": text})

    assert json.loads(shown) == {"text": text}
    assert neutral_json(shown) == shown
    assert neutral(shown, is_line=False) == shown


@given(st.text(st.characters(), max_size=50))
def test_nothing_dangerous_is_left(text: str) -> None:
    assert neutral(neutral(text)) == neutral(text)
    assert not any(
        ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in neutral(text)
    )
