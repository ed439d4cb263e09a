"""Chance is even, and differs from one caller to the next."""

from perdure.sdk.chance import client_tokens, fraction


def test_a_fraction_is_below_one() -> None:
    drawn = [fraction() for _ in range(1000)]
    assert all(0 <= value < 1 for value in drawn)
    assert len(set(drawn)) == 1000


def test_fractions_are_spread() -> None:
    halves = sum(fraction() < 0.5 for _ in range(10_000))
    assert 4_500 < halves < 5_500  # ten standard deviations


def test_tokens_never_repeat() -> None:
    one, other = client_tokens(), client_tokens()
    tokens = [next(one), next(one), next(other), next(other)]
    assert len(set(tokens)) == 4
