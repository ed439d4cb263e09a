"""The numbers of AWS's quotas (Q1)."""

from perdure.core.quotas import (
    AWS_QUOTAS,
    CHAIN_DEPTH_MAX,
    CHAINED_PAYLOAD_BYTES_MAX,
    ERROR_BYTES_MAX,
    RELAXED_QUOTAS,
    REPLY_KEPT_MS,
    Quotas,
)


def test_awss_quotas_refuse_and_the_relaxed_ones_warn_of_the_same_numbers() -> None:
    numbers = {"operations_max": 3_000, "stored_bytes_max": 104_857_600}
    assert Quotas(**numbers, is_hard=True) == AWS_QUOTAS
    assert Quotas(**numbers, is_hard=False) == RELAXED_QUOTAS


def test_the_fixed_bounds_are_those_of_the_rules() -> None:
    bounds = (ERROR_BYTES_MAX, CHAINED_PAYLOAD_BYTES_MAX, CHAIN_DEPTH_MAX, REPLY_KEPT_MS)
    assert bounds == (32 * 1024, 1024 * 1024, 16, 15 * 60 * 1000)
