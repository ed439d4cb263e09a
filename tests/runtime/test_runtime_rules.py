"""The rules of Lambda's Python runtime, by themselves."""

import logging
import time

import pytest

from perdure.runtime.bootstrap.runtime_rules import line_formatter


@pytest.mark.parametrize(
    ("is_json", "begins"),
    [
        (False, "[INFO]\t2026-11-27T12:00:00.250Z\tr1\tword"),
        (True, '{"timestamp": "2026-11-27T12:00:00Z"'),
    ],
    ids=["text", "JSON"],
)
def test_log_lines_tell_the_time_of_utc_wherever_they_are_written(
    is_json: bool, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        record = logging.makeLogRecord(
            {"msg": "word", "levelname": "INFO", "created": 1_795_780_800.25, "msecs": 250.0}
            | {"aws_request_id": "r1"}
        )
        assert line_formatter(is_json=is_json).format(record).startswith(begins)
    finally:
        monkeypatch.undo()
        time.tzset()
