"""Why an execution does not go on: every state, said in one sentence."""

from typing import Any

import pytest

from perdure.core.commands import AnswerCallback, Delete, Pause, Stop, Wake
from perdure.core.explanation import WAITS_MAX, Circumstances, Explanation, Kind, explain
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import ExecutionStatus, InvocationStatus, OperationAction

from .builders import (
    BOOM,
    NOW_MS,
    SECOND_MS,
    Story,
    a_callback,
    a_chained_invoke,
    a_context,
    a_progress,
    a_start,
    a_step,
    a_target,
    a_wait,
    an_execution,
)

CHILD_ARN = a_target().child_arn
DEADLINE = "the execution times out at 2023-11-14T23:13:20Z"
FREE = "a worker is available."


def explained(story: Story, **around: Any) -> Explanation:
    """Return why the story's execution does not go on."""
    around.setdefault("now_ms", story.now_ms)
    around.setdefault("callback_id", lambda operation_id: f"id of {operation_id}")
    return explain(story.execution, Circumstances(**around))


def suspended(*updates: Any) -> Story:
    """Return an execution whose handler has begun these operations, and suspended."""
    story = Story()
    story.checkpoint(*updates)
    story.finish()
    return story


def test_a_wait_ends_by_itself() -> None:
    found = explained(suspended(a_wait(10, name="cooling off")))

    assert found.kind is Kind.WAITING
    assert found.sentence == (
        "It has waited since 2023-11-14T22:13:20Z for 'cooling off', which ends at"
        f" 2023-11-14T22:13:30Z by itself; {DEADLINE}; {FREE}"
    )
    (wait,) = found.waits
    assert (wait.operation.id, wait.path, wait.until_ms) == ("wait", (), NOW_MS + 10 * SECOND_MS)
    assert (wait.unblocks, wait.callback_id, found.wait_count) == ("time alone", None, 1)
    assert found.worker.is_available


def test_a_deadline_that_comes_first_is_said_to() -> None:
    sentence = explained(suspended(a_wait(7_200))).sentence
    assert "; but the execution times out before, at 2023-11-14T23:13:20Z; " in sentence


def test_an_execution_without_a_deadline_has_none_to_tell() -> None:
    story = suspended(a_wait())
    story.execution.progress = story.progress._replace(timeout_at_ms=None)
    assert "times out" not in explained(story).sentence


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({}, ": a success or failure"),
        ({"timeout_seconds": 60}, ", until 2023-11-14T22:14:20Z at the latest: a"),
        (
            {"timeout_seconds": 60, "heartbeat_seconds": 30},
            ", until 2023-11-14T22:14:20Z at the latest, with a heartbeat due by"
            " 2023-11-14T22:13:50Z: a",
        ),
    ],
    ids=["no time-out", "time-out", "heartbeat"],
)
def test_a_callback_says_who_unblocks_it(times: dict[str, int], said: str) -> None:
    found = explained(suspended(a_callback(name="approve", **times)))

    assert found.kind is Kind.WAITING
    assert f"for an answer to callback 'approve'{said}" in found.sentence
    assert found.waits[0].callback_id == "id of callback"
    assert found.waits[0].unblocks == "a callback success or failure with its id"


def test_a_callback_is_known_by_the_wait_for_callback_around_it() -> None:
    story = suspended(
        a_context(operation_id="outer", name="order"),
        a_context(
            operation_id="asking", name="manager", parent_id="outer", sub_type="WaitForCallback"
        ),
        a_callback(name="manager create callback id", parent_id="asking"),
    )
    found = explained(story)

    assert "callback 'manager' in order: a success" in found.sentence
    assert (found.waits[0].operation.name, found.waits[0].path) == ("manager", ("order",))


def test_a_callback_in_a_plain_context_keeps_its_name() -> None:
    story = suspended(a_context(name="order"), a_callback(name="c", parent_id="context"))
    assert explained(story).waits[0].path == ("order",)
    assert "callback 'c' in order" in explained(story).sentence


def test_a_step_says_how_its_last_attempt_failed() -> None:
    found = explained(suspended(a_step(OperationAction.RETRY, name="charge", error=BOOM)))

    assert found.kind is Kind.RETRYING
    assert found.sentence == (
        "Step 'charge' is tried again at 2023-11-14T22:13:25Z, after 1 attempt (the last one"
        f" failed with Boom: it broke); {DEADLINE}; {FREE}"
    )
    assert found.waits[0].operation.attempt == 1
    assert found.waits[0].unblocks == "its next attempt"


def test_a_step_without_an_error_is_only_tried_again() -> None:
    sentence = explained(suspended(a_step(OperationAction.RETRY))).sentence
    assert sentence.startswith(
        "Step 'STEP' is tried again at 2023-11-14T22:13:25Z, after 1 attempt; "
    )


def test_a_chained_invoke_tells_its_child() -> None:
    story = suspended(a_chained_invoke(name="price"))

    found = explained(story, children={CHILD_ARN: "PAUSED"})
    assert f"for 'price', an invocation of g:1, which is PAUSED ({CHILD_ARN}): " in found.sentence
    assert found.waits[0].unblocks == "the end of the invoked function"
    assert "for 'price', an invocation of g:1: the end of that" in explained(story).sentence


def test_many_open_operations_are_counted_by_kind() -> None:
    story = suspended(
        *(a_wait(20 + number, f"w{number}") for number in range(3)),
        a_callback(),
        a_step(OperationAction.RETRY),
        a_chained_invoke(),
    )
    found = explained(story)

    assert found.kind is Kind.WAITING
    assert found.sentence == (
        "It has waited since 2023-11-14T22:13:20Z for 3 waits, 1 step to be tried again, 1 callback"
        " and 1 chained invoke, of which time moves the next at 2023-11-14T22:13:25Z: it goes on"
        f" with the first that comes about; {DEADLINE}; {FREE}"
    )
    assert [wait.operation.id for wait in found.waits] == [
        *("step", "w0", "w1", "w2"),
        *("callback", "invoke"),
    ]


def test_callbacks_without_time_outs_have_no_next_instant() -> None:
    sentence = explained(suspended(a_callback("a"), a_callback("b"))).sentence
    assert sentence.startswith(
        "It has waited since 2023-11-14T22:13:20Z for 2 callbacks: it goes on with the first"
    )


def test_a_thousand_branches_are_summarised() -> None:
    story = suspended(*(a_wait(10 + number, f"w{number}") for number in range(1_000)))
    found = explained(story)

    assert "for 1,000 waits, of which" in found.sentence
    assert (len(found.waits), found.wait_count) == (WAITS_MAX, 1_000)
    assert found.waits[0].operation.id == "w0"


def test_retries_alone_are_retrying() -> None:
    story = suspended(
        a_step(OperationAction.RETRY, "a"), a_step(OperationAction.RETRY, "b", delay_seconds=9)
    )
    assert explained(story).kind is Kind.RETRYING


def test_a_running_handler_says_where_and_what_it_does() -> None:
    story = Story()
    found = explained(story)
    assert (found.kind, found.worker.text) == (Kind.RUNNING, "a worker runs it")
    assert found.sentence == (
        "Its handler has run since 2023-11-14T22:13:20Z (invocation 1, on node server-1)."
    )

    story.checkpoint(a_step(name="one"), a_wait())
    assert explained(story).sentence.endswith(
        "; step 'one' (attempt 1) under way; 1 operation waits meanwhile."
    )
    story.checkpoint(*(a_step(operation_id=f"s{n}", name=f"s{n}") for n in range(4)), a_callback())
    assert explained(story).sentence.endswith(
        "; steps 'one' (attempt 1), 's0' (attempt 1), 's1' (attempt 1) and 2 more under way;"
        " 2 operations wait meanwhile."
    )


def test_an_invocation_without_a_worker_is_not_running() -> None:
    story = Story()
    found = explained(story, is_without_worker=True, node_max=2, node_running=2)
    assert (found.kind, found.worker.is_available) == (Kind.READY, False)
    assert found.sentence == (
        f"Invocation 1 has waited for a worker since 2023-11-14T22:13:20Z; {DEADLINE}; no worker is"
        " free: this node runs as many handlers as it may (2)."
    )
    found = explained(story, is_without_worker=True, concurrency_max=0)
    assert (found.kind, found.worker.is_available) == (Kind.BLOCKED, False)
    assert found.sentence == (
        "It has wanted a worker since 2023-11-14T22:13:20Z, but the reserved concurrency of its"
        " function is 0; raise or remove it."
    )


def test_a_ready_execution_says_how_many_come_first() -> None:
    story = Story(is_begun=False)
    assert explained(story).kind is Kind.READY
    assert explained(story).sentence == (
        "It has been ready to go on since 2023-11-14T22:13:20Z and waits to be taken up;"
        f" {DEADLINE}; {FREE}"
    )
    turns = {0: "as the next one", 1: "behind 1 other", 2_000: "behind 2,000 others"}
    for before, said in turns.items():
        sentence = explained(story, queued_before=before).sentence
        assert f"and waits for its turn, {said}; " in sentence


@pytest.mark.parametrize(
    ("around", "said"),
    [
        ({"is_draining": True}, "this node is shutting down and starts nothing"),
        (
            {"concurrency_max": 2, "function_running": 2},
            "its function runs as often as its reserved concurrency allows (2)",
        ),
        (
            {"node_max": 64, "node_running": 64},
            "no worker is free: this node runs as many handlers as it may (64)",
        ),
    ],
    ids=["draining", "function", "node"],
)
def test_why_no_worker_is_free(around: dict[str, Any], said: str) -> None:
    found = explained(Story(is_begun=False), **around)
    assert found.kind is Kind.READY
    assert (found.worker.is_available, found.worker.text) == (False, said)
    assert found.sentence.endswith(f"; {said}.")


@pytest.mark.parametrize(
    ("around", "said"),
    [
        (
            {"function_gone": "Function not found: f:1"},
            "its function version cannot be had (Function not found: f:1); deploy it again, or"
            " stop this",
        ),
        (
            {"concurrency_max": 0},
            "the reserved concurrency of its function is 0; raise or remove it",
        ),
        ({"runtime_missing": "nothing here runs x"}, "nothing here runs x"),
    ],
    ids=["gone", "reserved concurrency 0", "no runtime"],
)
def test_what_somebody_has_to_mend_blocks(around: dict[str, Any], said: str) -> None:
    found = explained(Story(is_begun=False), **around)
    assert (found.kind, found.worker.is_available) == (Kind.BLOCKED, False)
    assert found.sentence == f"It wants an invocation from 2023-11-14T22:13:20Z on, but {said}."

    # One that waits for something else first waits: but no worker would be there.
    waiting = explained(suspended(a_wait()), **around)
    assert waiting.kind is Kind.WAITING
    assert waiting.sentence.endswith(f"; no worker can run it: {said}.")


def test_failed_invocations_are_tried_again() -> None:
    story = Story()
    story.finish(None, error=BOOM)
    found = explained(story, now_ms=NOW_MS - 1, last_failure=BOOM)
    assert found.kind is Kind.RETRYING

    for _ in range(2):
        story.now_ms = max(story.now_ms, story.progress.ready_at_ms or 0)
        story.begin()
        story.finish(None, error=BOOM)
    found = explained(story, last_failure=BOOM)
    assert found.kind is Kind.RETRYING
    assert found.sentence.startswith(
        "3 invocations in a row failed (the last one with Boom: it broke); the next invocation"
        " begins at "
    )
    gone = explained(story, function_gone="it is gone")
    assert gone.sentence.startswith("It will want an invocation from ")
    assert gone.sentence.endswith("; 3 invocations in a row failed.")


def test_one_failure_is_not_a_row() -> None:
    story = Story()
    story.execution.progress = a_progress(
        lease_until_ms=None, ready_at_ms=NOW_MS + 5_000, failures=1
    )
    error = ErrorObject(error_data="only data")
    sentence = explained(story, last_failure=error).sentence
    assert sentence.startswith("1 invocation failed; the next invocation begins at ")


def test_a_pause_says_how_it_ends() -> None:
    story = suspended(a_callback(name="approve"))
    story.tell(Pause(reason="the shop\nis closed"))
    found = explained(story)
    assert found.kind is Kind.PAUSED
    assert found.sentence == (
        "It has been paused (since 2023-11-14T22:13:20Z: the shop is closed), and goes on when it"
        " is resumed; its timeout stands still meanwhile."
    )
    story.tell(AnswerCallback(operation_id="callback"))
    assert explained(story).sentence.endswith("; an invocation follows at once.")


def test_a_pause_waits_for_the_running_invocation() -> None:
    story = Story()
    story.tell(Pause(is_timeout_paused=False))
    assert explained(story).sentence == (
        "It is paused as soon as its running invocation ends (asked for at 2023-11-14T22:13:20Z),"
        " and goes on when it is resumed; its timeout goes on meanwhile."
    )


def test_a_quarantined_execution_is_left_alone() -> None:
    found = explain(
        an_execution(quarantine="E4 violated", lease_until_ms=None),
        Circumstances(now_ms=NOW_MS, callback_id=str),
    )
    assert found.kind is Kind.BLOCKED
    assert found.sentence.startswith(
        "The service leaves it alone because its records broke a rule (E4 viol"
    )


def test_nothing_open_is_said_to_be_nothing() -> None:
    found = explain(
        an_execution(lease_until_ms=None), Circumstances(now_ms=NOW_MS, callback_id=str)
    )
    assert found.kind is Kind.BLOCKED
    assert found.sentence.startswith("Nothing that is open would move it")


@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [
        (
            InvocationStatus.SUCCEEDED,
            {"result": '"fine"'},
            "It succeeded at 2023-11-14T22:13:20Z after 1 invocation.",
        ),
        (
            InvocationStatus.FAILED,
            {"error": BOOM},
            "It failed at 2023-11-14T22:13:20Z after 1 invocation: Boom: it broke.",
        ),
    ],
    ids=["succeeded", "failed"],
)
def test_an_ended_execution_says_how(
    status: InvocationStatus, verdict: dict[str, Any], said: str
) -> None:
    story = Story()
    story.finish(status, **verdict)
    found = explained(story)
    assert (found.kind, found.sentence, found.waits, found.wait_count) == (Kind.ENDED, said, (), 0)
    assert (found.worker.is_available, found.worker.text) == (False, "none is needed")


def test_other_ends_say_how_too() -> None:
    stopped = suspended(a_wait())
    stopped.tell(Stop(error=ErrorObject(error_message="not\nneeded")))
    assert explained(stopped).sentence.startswith("It was stopped at ")
    assert explained(stopped).sentence.endswith(": not needed.")

    timed_out = suspended(a_wait(7_200)).pass_ms(3_600 * SECOND_MS)
    timed_out.tell(Wake())
    assert explained(timed_out).sentence.startswith("It timed out at 2023-11-14T23:13:20Z after 1")

    timed_out.tell(Delete())
    assert timed_out.progress.status is ExecutionStatus.DELETING
    assert explained(timed_out).sentence == "It has ended and is being removed."


def test_long_and_hostile_names_are_cut_and_kept_as_text() -> None:
    name = "<script>alert(1)</script>\n" + "x" * 80
    sentence = explained(suspended(a_wait(name=name))).sentence
    assert "'<script>alert(1)</script> xxx" in sentence
    assert f"{'x' * 40}...'" in sentence
    assert "\n" not in sentence


def test_a_parent_that_is_not_there_ends_the_path() -> None:
    story = suspended(a_wait())
    operations = story.execution.operations
    operations["wait"] = operations["wait"]._replace(parent_id="gone")
    assert explained(story).waits[0].path == ()
    operations["wait"] = operations["wait"]._replace(parent_id=story.execution.identity.id)
    assert explained(story).waits[0].path == ()


def test_a_start_is_explained_as_it_stands() -> None:
    story = Story(a_start(payload=None), is_begun=False)
    assert explained(story).wait_count == 0
