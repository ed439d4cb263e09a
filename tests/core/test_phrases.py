"""The words of explanations."""

import pytest

from perdure.core import phrases
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationType

from .builders import an_operation


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([OperationType.WAIT], "wait 'n'"),
        ([OperationType.CALLBACK], "callback 'n'"),
        ([OperationType.WAIT, OperationType.WAIT], "2 waits"),
        ([OperationType.CALLBACK, OperationType.WAIT], "1 wait and 1 callback"),
        (
            [OperationType.CALLBACK, OperationType.WAIT, OperationType.CHAINED_INVOKE],
            "1 wait, 1 callback and 1 chained invoke",
        ),
    ],
)
def test_few_words_say_what_a_list_shows(kinds: list[OperationType], said: str) -> None:
    assert phrases.few_words([an_operation(kind, name="n") for kind in kinds]) == said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (None, ""),
        (ErrorObject(), ""),
        (ErrorObject(error_type="T"), "T"),
        (ErrorObject(error_message="m"), "m"),
        (ErrorObject(error_type="T", error_message="m"), "T: m"),
        (ErrorObject(error_message="x" * 300), "x" * 197 + "..."),
    ],
)
def test_an_error_is_one_line(error: ErrorObject | None, said: str) -> None:
    assert phrases.error_text(error) == said


def test_an_instant_is_cut_to_the_second() -> None:
    assert phrases.instant(1_700_000_000_999) == "2023-11-14T22:13:20Z"


def test_a_sentence_has_one_full_stop() -> None:
    assert phrases.sentence("it ended.") == "It ended."
    assert phrases.sentence(phrases.joined("a", "", "b")) == "A; b."
