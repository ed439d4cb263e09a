"""Callbacks: answered once, by whoever comes first, at any time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.service.deployment import deploy, event_types, history, refusal
from tests.service.stage import Stage
from tests.serving import ServerProcess, client, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

RACERS = 20
GONE = ("ResourceNotFoundException", 404)
LATE = ("CallbackTimeoutException", 400)
OTHERWISE = ("InvalidParameterValueException", 400)


def succeed(stage: Stage, callback_id: str, result: bytes = b"answer") -> Any:
    """Answer a callback with a result."""
    send = stage.api.send_durable_execution_callback_success
    return send(CallbackId=callback_id, Result=result)


def refused(call: Any, **arguments: Any) -> tuple[str, int]:
    """Return the error's code and status."""
    return refusal(call, **arguments)[:2]


@pytest.mark.parametrize("result", ["", "text", '{"json": true}', '太郎 \U0001f600 \\ " \n\t'])
def test_the_handler_is_given_what_was_sent(stage: Stage, result: str) -> None:
    arn = stage.start(["callback", "c"])
    succeed(stage, stage.callback_id("c"), result.encode())

    assert stage.result(arn) == [result or None]
    assert event_types(stage.api, arn).count("CallbackSucceeded") == 1


def test_a_failure_is_raised_in_the_handler(stage: Stage) -> None:
    arn = stage.start(["callback", "c"])
    error = {"ErrorType": "Refused", "ErrorMessage": "not today", "ErrorData": "x"}

    stage.api.send_durable_execution_callback_failure(
        CallbackId=stage.callback_id("c"), Error=error
    )

    (answer,) = stage.result(arn)
    assert answer.endswith(": not today")
    (failed,) = [e for e in history(stage.api, arn) if e["EventType"] == "CallbackFailed"]
    assert failed["CallbackFailedDetails"]["Error"]["Payload"] == error


def test_a_callback_times_out_and_is_answered_no_more(stage: Stage) -> None:
    arn = stage.start(["callback", "c", 1], ["callback", "open"])
    asked = stage.callback_id("c")
    stage.callback_id("open")

    api = stage.api
    assert refused(api.send_durable_execution_callback_success, CallbackId=asked) == LATE
    assert refused(api.send_durable_execution_callback_failure, CallbackId=asked) == LATE
    assert refused(api.send_durable_execution_callback_heartbeat, CallbackId=asked) == LATE
    succeed(stage, stage.callback_id("open"))
    answers = stage.result(arn)
    assert answers[0].startswith("CallbackTimeoutError: ")
    assert event_types(api, arn).count("CallbackTimedOut") == 1


def test_heartbeats_keep_a_callback_open(stage: Stage) -> None:
    arn = stage.start(["callback", "c", 0, 2], ["callback", "silent", 0, 1])
    asked = stage.callback_id("c")
    pulse = threading.Event()
    for _ in range(12):  # a quarter of a second each: longer in all than it may be silent
        stage.api.send_durable_execution_callback_heartbeat(CallbackId=asked)
        pulse.wait(0.25)
    succeed(stage, asked)

    first, second = stage.result(arn)
    assert first == "answer"
    assert second.startswith("CallbackTimeoutError: ")
    assert "heartbeat" in second
    late = stage.callback_id("silent")
    send = stage.api.send_durable_execution_callback_heartbeat
    assert refused(send, CallbackId=late) == LATE
    assert refused(send, CallbackId=asked) == GONE


def test_of_racing_senders_one_wins_and_may_repeat_itself(
    stage: Stage, shared_server: ServerProcess
) -> None:
    arn = stage.start(["callback", "c"])
    asked = stage.callback_id("c")
    line = threading.Barrier(RACERS)
    api = client("lambda", shared_server.url)

    def send(number: int) -> None:
        if number % 2:
            error = {"ErrorMessage": f"by {number}"}
            api.send_durable_execution_callback_failure(CallbackId=asked, Error=error)
        else:
            result = f"by {number}".encode()
            api.send_durable_execution_callback_success(CallbackId=asked, Result=result)

    def race(number: int) -> bool:
        line.wait()
        try:
            send(number)
        except api.exceptions.InvalidParameterValueException:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        wins = list(pool.map(race, range(RACERS)))

    assert wins.count(True) == 1
    winner = wins.index(True)
    (answer,) = stage.result(arn)
    assert answer.endswith(f"by {winner}")
    ends = [one for one in event_types(api, arn) if one in ("CallbackSucceeded", "CallbackFailed")]
    assert len(ends) == 1
    send(winner)
    other = refusal(
        api.send_durable_execution_callback_success, CallbackId=asked, Result=b"another"
    )
    assert other[:2] == OTHERWISE


def test_forged_ids_are_nobodys(stage: Stage) -> None:
    arn, other = stage.start(["callback", "c"]), stage.start(["callback", "d"])
    asked, foreign = stage.callback_id("c"), stage.callback_id("d")
    flipped = f"{asked[:40]}{'0' if asked[40] != '0' else '1'}{asked[41:]}"
    forged = [
        flipped,
        asked[:-2],
        asked[:64],
        asked[:2],
        f"{asked}00",
        asked[:32] + foreign[32:],
        foreign[:32] + asked[32:],
        arn.rpartition("/")[2],
        "0" * 128,
        "YQ==",
        "a/b+c===",
    ]
    api = stage.api
    for call in (
        api.send_durable_execution_callback_success,
        api.send_durable_execution_callback_failure,
        api.send_durable_execution_callback_heartbeat,
    ):
        for callback_id in forged:
            code, status = refused(call, CallbackId=callback_id)
            assert (code, status) in (GONE, OTHERWISE), callback_id
    for one in (arn, other):
        stage.suspended(one)
        assert event_types(api, one) == [
            "ExecutionStarted",
            "CallbackStarted",
            "InvocationCompleted",
        ]
        api.stop_durable_execution(DurableExecutionArn=one)


def test_an_answer_before_the_handler_suspends_is_not_lost(stage: Stage) -> None:
    arn = stage.start(["callback", "c", 0, 0, "g"])
    stage.entered("g")
    succeed(stage, stage.callback_id("c"))
    stage.open("g")

    assert stage.result(arn) == ["answer"]


def test_answers_outlive_a_kill_right_after_them(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "actor", "actor")
        stage = Stage(api, tmp_path, "actor")
        before = stage.start(["callback", "before"])
        during = stage.start(["callback", "during", 0, 0, "g"])
        stage.suspended(before)
        stage.entered("g")
        succeed(stage, stage.callback_id("before"), b"sent before")
        succeed(stage, stage.callback_id("during"), b"sent during")

        server.kill()
        stage.open("g")
        server.start()

        assert stage.result(before) == ["sent before"]
        assert stage.result(during) == ["sent during"]
        # The same again is the same answer: whoever sent it may never have heard.
        succeed(stage, stage.callback_id("during"), b"sent during")
        assert event_types(api, during).count("CallbackSucceeded") == 1
