"""Tokens of handlers in process: theirs alone, though nothing is signed."""

import pytest

from perdure.core.errors import InvalidCheckpointToken
from perdure.core.outcome import TokenState
from perdure.engine.seals import NONCE_BYTES, OpenSeals, Seals, hash_nonce

EXECUTION = "0" * 32
NONCE = bytes(range(NONCE_BYTES))


@pytest.mark.parametrize("kind", [Seals, OpenSeals])
def test_a_token_says_what_it_was_made_of(kind: type[Seals]) -> None:
    seals = kind(b"k" * 32)
    text = seals.seal_token(EXECUTION, TokenState(7, 300), NONCE)
    token, nonce = seals.open_token(EXECUTION, text)
    assert (token.epoch, token.sequence, token.nonce_sha256) == (7, 300, hash_nonce(NONCE))
    assert nonce == NONCE


@pytest.mark.parametrize("kind", [Seals, OpenSeals])
@pytest.mark.parametrize("text", ["", "zz", "00", "00" * 200])
def test_what_is_no_token_opens_nothing(kind: type[Seals], text: str) -> None:
    with pytest.raises(InvalidCheckpointToken):
        kind(b"k" * 32).open_token(EXECUTION, text)


def test_a_token_of_one_kind_is_none_of_the_other() -> None:
    signed, unsigned = Seals(b"k" * 32), OpenSeals(b"k" * 32)
    for maker, reader in ((signed, unsigned), (unsigned, signed)):
        with pytest.raises(InvalidCheckpointToken):
            reader.open_token(EXECUTION, maker.seal_token(EXECUTION, TokenState(1, 1), NONCE))
