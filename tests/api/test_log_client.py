"""boto3's logs client and ``aws logs tail`` read what workers have written."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .fakes import AT_MS, Behind

GROUP = "/aws/lambda/f"


@pytest.fixture(scope="module", autouse=True)
def _lines(behind: Behind) -> None:
    behind.write_lines(*(f"line {number}" for number in range(10)))
    behind.write_lines('{"level": "ERROR", "n": 1}', '{"level": "INFO"}', stream="t")
    # Two lines of one instant, and one that comes late with an earlier one.
    behind.write_lines("same 1", stream="u", at_ms=AT_MS + 100)
    behind.write_lines("same 2", stream="u", at_ms=AT_MS + 100)
    behind.write_lines("late", stream="u", at_ms=AT_MS + 50)


def test_groups_and_streams_are_described(logs: Any) -> None:
    groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda")["logGroups"]
    assert [group["logGroupName"] for group in groups] == [GROUP]
    assert groups[0]["arn"] == f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:*"
    assert logs.describe_log_groups(logGroupNamePattern="nothing")["logGroups"] == []
    pages = logs.get_paginator("describe_log_streams").paginate(
        logGroupName=GROUP, PaginationConfig={"PageSize": 1}
    )
    assert [s["logStreamName"] for page in pages for s in page["logStreams"]] == ["s", "t", "u"]
    streams = logs.describe_log_streams(
        logGroupIdentifier=groups[0]["logGroupArn"], orderBy="LastEventTime", descending=True
    )["logStreams"]
    assert [stream["logStreamName"] for stream in streams] == ["u", "s", "t"]
    assert streams[0]["firstEventTimestamp"] == AT_MS + 50


def test_a_stream_is_read_both_ways(logs: Any) -> None:
    place = {"logGroupName": GROUP, "logStreamName": "s"}

    def read(**arguments: Any) -> tuple[list[str], Any]:
        answer = logs.get_log_events(**place, limit=4, **arguments)
        return [event["message"] for event in answer["events"]], answer

    lines, answer = read()
    assert lines == [f"line {number}" for number in range(6, 10)]
    lines, before = read(nextToken=answer["nextBackwardToken"])
    assert lines == [f"line {number}" for number in range(2, 6)]
    lines, _ = read(nextToken=before["nextForwardToken"])
    assert lines == [f"line {number}" for number in range(6, 10)]
    lines, begin = read(startFromHead=True)
    assert lines == [f"line {number}" for number in range(4)]
    lines, nothing = read(nextToken=begin["nextBackwardToken"])
    assert (lines, nothing["nextBackwardToken"]) == ([], begin["nextBackwardToken"])
    lines, end = read(nextToken=answer["nextForwardToken"])
    assert (lines, end["nextForwardToken"]) == ([], answer["nextForwardToken"])


@pytest.mark.parametrize("page_size", [1, 2, 3, 100])
def test_lines_are_filtered_in_pages_none_lost_none_twice(logs: Any, page_size: int) -> None:
    pages = logs.get_paginator("filter_log_events").paginate(
        logGroupName=GROUP,
        logStreamNames=["s", "u"],
        startTime=AT_MS + 2,
        endTime=AT_MS + 101,
        PaginationConfig={"PageSize": page_size},
    )
    events = [event for page in pages for event in page["events"]]
    assert [event["message"] for event in events] == [
        *(f"line {number}" for number in range(2, 10)),
        "late",
        "same 1",
        "same 2",
    ]
    assert len({event["eventId"] for event in events}) == len(events)


@pytest.mark.parametrize(
    ("pattern", "count"),
    [("", 15), ("line", 10), ('{ $.level = "ERROR" }', 1), ("?same ?late", 3)],
)
def test_lines_are_filtered_by_pattern(logs: Any, pattern: str, count: int) -> None:
    answer = logs.filter_log_events(logGroupName=GROUP, filterPattern=pattern)
    assert len(answer["events"]) == count
    assert "nextToken" not in answer


def test_a_page_of_long_lines_holds_a_megabyte(behind: Behind, logs: Any) -> None:
    behind.write_lines(*("x" * 400_000 for _ in range(5)), group="long")
    answer = logs.filter_log_events(logGroupName="long")
    assert (len(answer["events"]), "nextToken" in answer) == (3, True)
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName="long")
    assert len([event for page in pages for event in page["events"]]) == 5
    answer = logs.get_log_events(logGroupName="long", logStreamName="s")
    assert len(answer["events"]) == 2


def test_streams_are_filtered_by_prefix(logs: Any) -> None:
    for prefix, count in (("t", 2), ("x", 0)):
        answer = logs.filter_log_events(logGroupName=GROUP, logStreamNamePrefix=prefix)
        assert len(answer["events"]) == count


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("filter_log_events", {"logGroupName": "none"}, "ResourceNotFoundException"),
        ("filter_log_events", {}, "InvalidParameterException"),
        (
            "filter_log_events",
            {"logGroupName": GROUP, "filterPattern": "{ $.a"},
            "InvalidParameterException",
        ),
        (
            "filter_log_events",
            {"logGroupName": GROUP, "nextToken": "x"},
            "InvalidParameterException",
        ),
        (
            "filter_log_events",
            {"logGroupName": GROUP, "logStreamNames": ["s"], "logStreamNamePrefix": "s"},
            "InvalidParameterException",
        ),
        (
            "get_log_events",
            {"logGroupName": GROUP, "logStreamName": "s", "nextToken": "x"},
            "InvalidParameterException",
        ),
        (
            "describe_log_streams",
            {"logGroupName": GROUP, "nextToken": "x"},
            "InvalidParameterException",
        ),
        (
            "describe_log_streams",
            {"logGroupName": GROUP, "orderBy": "LastEventTime", "logStreamNamePrefix": "s"},
            "InvalidParameterException",
        ),
        (
            "describe_log_groups",
            {"logGroupNamePrefix": "a", "logGroupNamePattern": "b"},
            "InvalidParameterException",
        ),
        ("describe_log_groups", {"limit": 51}, "InvalidParameterException"),
        ("describe_queries", {}, "UnknownOperationException"),
    ],
)
def test_errors_are_the_models(logs: Any, name: str, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as error:
        getattr(logs, name)(**arguments)
    assert error.value.response["Error"]["Code"] == code
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def _unchecked(client: Any) -> Any:
    """Return the client without its own validation: the server's is what is tested."""
    client._serializer._param_validator = None
    return client


def test_a_log_is_followed_as_the_command_line_does_it(behind: Behind, logs: Any) -> None:
    """``aws logs tail --follow`` asks again from the last instant, and drops what it has shown."""
    place: dict[str, Any] = {"group": "followed", "stream": "s"}
    behind.write_lines("line 0", "line 1", **place)
    query: dict[str, Any] = {"logGroupName": "followed", "interleaved": True, "startTime": AT_MS}
    shown: list[str] = []
    seen: set[str] = set()
    for number in range(2, 6):
        answer = logs.filter_log_events(**query)
        new = [event for event in answer["events"] if event["eventId"] not in seen]
        seen |= {event["eventId"] for event in new}
        shown += [event["message"] for event in new]
        query["startTime"] = max(event["timestamp"] for event in answer["events"])
        behind.write_lines(f"line {number}", **place, at_ms=AT_MS + number // 2)
    assert shown == [f"line {number}" for number in range(5)]


def test_the_command_line_reads_a_log(url: str) -> None:
    aws = Path(sys.executable).with_name("aws")
    environment = {
        **os.environ,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    found = subprocess.run(
        [
            *(aws, "--endpoint-url", url, "logs", "filter-log-events"),
            *("--log-group-name", GROUP, "--filter-pattern", "line"),
            *("--query", "events[].message", "--output", "text"),
        ],
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert found.stdout.split("\t")[0] == "line 0"
