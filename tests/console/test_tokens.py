"""The token of pages: of the key, the purpose and the day."""

import pytest

from perdure.console.tokens import PageTokens
from perdure.engine.seals import Seals
from tests.service.in_process import Clock

DAY_MS = 86_400_000
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2


def test_it_is_taken_today_and_tomorrow_and_no_longer() -> None:
    clock = Clock(NOON_MS)
    tokens = PageTokens(Seals(b"k" * 32), clock)
    token = tokens.current().encode()
    assert len(token) == 64

    for days, is_taken in ((0, True), (1, True), (2, False), (-1, False), (365, False)):
        clock.at_ms = NOON_MS + days * DAY_MS
        assert tokens.is_token(token) is is_taken, days


def test_every_node_with_the_key_takes_it() -> None:
    clock = Clock(NOON_MS)
    token = PageTokens(Seals(b"k" * 32), clock).current().encode()
    assert PageTokens(Seals(b"k" * 32), clock).is_token(token)
    assert not PageTokens(Seals(b"x" * 32), clock).is_token(token)


@pytest.mark.parametrize("given", [b"", b"0" * 64, b"\xff" * 64])
def test_anything_else_is_none(given: bytes) -> None:
    tokens = PageTokens(Seals(b"k" * 32), Clock(NOON_MS))
    assert not tokens.is_token(given)
    assert not tokens.is_token(tokens.current().upper().encode())
    assert not tokens.is_token(tokens.current()[:-1].encode())


def test_what_is_derived_is_of_its_purpose_alone() -> None:
    seals = Seals(b"k" * 32)
    assert seals.derive("a", "b") == seals.derive("a", "b")
    assert len({seals.derive("a", "b"), seals.derive("b", "a"), seals.derive("a", "c")}) == 3
