"""Lines of logs, as ``dev`` shows them."""

import pytest

from perdure.cli.log_text import log_text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain\x1b[2J\n", r"plain\x1b[2J"),
        ("two\nlines\n", "two\nlines"),
        ('{"level": "INFO", "message": "hello"}', "INFO hello"),
        ('{"level": "ERROR", "message": {"a": 1}}', 'ERROR {"a": 1}'),
        ('{"a": 1}', '{"a": 1}'),
        ("[1]", "[1]"),
        ('{"type": "platform.start", "record": {}}', None),
        (
            '{"type": "platform.report", "record": {"status": "success", "metrics":'
            ' {"durationMs": 1234.5, "maxMemoryUsedMB": 50, "initDurationMs": 99.6}}}',
            "invocation success after 1,234 ms, worker started in 100 ms, 50 MB",
        ),
        ("[" * 100_000, "[" * 100_000),
    ],
    ids=range(9),
)
def test_a_line_is_read(line: str, shown: str | None) -> None:
    text = log_text(line)

    assert (None if text is None else text.plain) == shown
