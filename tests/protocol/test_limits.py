"""The numbers that botocore has too are botocore's."""

from typing import Any

import botocore.session
import pytest

from perdure.protocol import limits

MODEL: Any = botocore.session.get_session().get_service_model("lambda")


@pytest.mark.parametrize(
    ("shape", "bound", "limit"),
    [
        ("OperationPayload", "max", limits.PAYLOAD_BYTES_MAX),
        ("BinaryOperationPayload", "max", limits.CALLBACK_RESULT_BYTES_MAX),
        ("MemorySize", "min", limits.MEMORY_MB_DEFAULT),
        ("EphemeralStorageSize", "min", limits.EPHEMERAL_STORAGE_MB_DEFAULT),
        ("MaximumRetryAttempts", "max", limits.EVENT_RETRIES_DEFAULT),
        ("MaximumEventAgeInSeconds", "max", limits.EVENT_AGE_SECONDS_DEFAULT),
    ],
)
def test_a_limit_is_botocores(shape: str, bound: str, limit: int) -> None:
    assert MODEL.shape_for(shape).metadata[bound] == limit


@pytest.mark.parametrize(
    ("shape", "limit"),
    [
        ("Timeout", limits.TIMEOUT_SECONDS_MAX),
        ("Timeout", limits.TIMEOUT_SECONDS_DEFAULT),
        ("MemorySize", limits.MEMORY_MB_MAX),
        ("EphemeralStorageSize", limits.EPHEMERAL_STORAGE_MB_MAX),
        ("RetentionPeriodInDays", limits.RETENTION_DAYS_DEFAULT),
    ],
)
def test_a_limit_is_within_botocores(shape: str, limit: int) -> None:
    bounds = MODEL.shape_for(shape).metadata
    assert bounds["min"] <= limit <= bounds["max"]
