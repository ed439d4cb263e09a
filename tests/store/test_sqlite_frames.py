"""What travels to the writer process and back arrives whole, however the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.core.commands import Stop
from perdure.store.protocol import CommitResult, StoreFullError, StoreUnknownError
from perdure.store.records import RecordConflictError, RecordWrite
from perdure.store.rows import rows_of
from perdure.store.sqlite_commits import Answer, Discard, EraseSome, Work, WriteRecords
from perdure.store.sqlite_frames import (
    Frames,
    decode_answers,
    decode_works,
    encode_answers,
    encode_work,
    encode_works,
)
from tests.core.builders import Story, a_start

from .stores import a_change

WORKS: list[Work] = [
    rows_of(a_change(None, a_start(payload="\0 太郎"))),
    rows_of(a_change(Story(a_start(is_announced=True)).execution, Stop())),
    Discard(["a", "b"]),
    EraseSome(b"\x00\xff"),
    WriteRecords(
        [
            RecordWrite(collection="c", key="k", body=b"\x00\xff", expected_revision=0),
            RecordWrite(collection="c", key="gone", body=None),
        ]
    ),
]


def plain(value: object) -> object:
    """Return a value with its lists and tuples alike, as both are when bound to SQL."""
    return [plain(part) for part in value] if isinstance(value, list | tuple) else value


def test_works_arrive_as_they_were_sent() -> None:
    (frame,) = Frames().feed(encode_works([encode_work(work) for work in WORKS]))
    arrived = decode_works(frame)
    assert [type(work) for work in arrived] == [type(work) for work in WORKS]
    assert plain(arrived) == plain(WORKS)


@pytest.mark.parametrize(
    "answer", [*CommitResult, True, False, None], ids=lambda answer: str(answer)
)
def test_an_answer_arrives_as_it_was_given(answer: Answer) -> None:
    (frame,) = Frames().feed(encode_answers([answer, answer]))
    assert decode_answers(frame) == [answer, answer]


@pytest.mark.parametrize(
    "error", [StoreFullError("full"), StoreUnknownError("eh"), RecordConflictError("c/k is at 1")]
)
def test_an_error_arrives_as_it_was_raised(error: Exception) -> None:
    (frame,) = Frames().feed(encode_answers([error]))
    (answer,) = decode_answers(frame)
    assert (type(answer), str(answer)) == (type(error), str(error))


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.integers(1, 50), max_size=20))
def test_a_stream_cut_anywhere_gives_the_same_frames(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(len(body).to_bytes(8, "big") + body for body in bodies)
    frames, got = Frames(), []
    for cut in [*cuts, len(stream)]:
        piece, stream = stream[:cut], stream[cut:]
        got += frames.feed(piece)
    got += frames.feed(stream)
    assert got == bodies
