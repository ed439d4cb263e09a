"""Stop, pause, resume and delete, as Get, History and List show them."""

from typing import Any

import pytest

from tests.service.deployment import deploy, event_types, history, refusal, start
from tests.service.processes import workers
from tests.service.stage import Stage
from tests.serving import ServerProcess, eventually

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

LONG = 3600
LIFE_DAYS_MAX = 366


def listed(api: Any, arn: str, *statuses: str) -> dict[str, Any] | None:
    """Return what List shows of an execution, among those with one of these statuses."""
    _, _, rest = arn.partition(":function:")
    found = api.list_durable_executions_by_function(
        FunctionName=rest.partition(":")[0],
        DurableExecutionName=rest.split("/")[2],
        **({"Statuses": list(statuses)} if statuses else {}),
    )["DurableExecutions"]
    return found[0] if found else None


class TestStop:
    def test_a_suspended_execution_is_stopped(self, stage: Stage) -> None:
        api, arn = stage.api, stage.start(["callback", "c"], ["note", "never"])
        asked = stage.callback_id("c")
        stage.suspended(arn)
        error = {"ErrorType": "Cancelled", "ErrorMessage": "no longer wanted", "ErrorData": "1"}

        stopped_at = api.stop_durable_execution(DurableExecutionArn=arn, Error=error)

        execution = api.get_durable_execution(DurableExecutionArn=arn)
        assert (execution["Status"], execution["Error"]) == ("STOPPED", error)
        assert execution["EndTimestamp"] == stopped_at["StopTimestamp"]
        last = history(api, arn)[-1]
        assert last["EventType"] == "ExecutionStopped"
        assert last["ExecutionStoppedDetails"]["Error"]["Payload"] == error
        assert listed(api, arn, "STOPPED") is not None
        assert listed(api, arn, "RUNNING", "FAILED") is None
        assert (
            api.stop_durable_execution(DurableExecutionArn=arn)["StopTimestamp"]
            == stopped_at["StopTimestamp"]
        )
        send = api.send_durable_execution_callback_success
        assert refusal(send, CallbackId=asked, Result=b"1")[:2] == (
            "ResourceNotFoundException",
            404,
        )
        assert stage.notes == []

    def test_a_running_invocation_is_killed(
        self, stage: Stage, shared_server: ServerProcess
    ) -> None:
        deploy(stage.api, "stopped", "actor")
        stage.function = "stopped"
        arn = stage.start(["note", "before"], ["gate", "g"], ["note", "after"])
        stage.entered("g")

        stage.api.stop_durable_execution(DurableExecutionArn=arn)

        data = shared_server.data
        eventually(lambda: not workers(data, function="stopped"), what="the worker's end")
        assert stage.status(arn) == "STOPPED"
        assert event_types(stage.api, arn) == [
            "ExecutionStarted",
            "StepStarted",
            "StepSucceeded",
            "InvocationCompleted",
            "ExecutionStopped",
        ]
        assert stage.notes == ["before"]

    def test_what_is_not_there_cannot_be_stopped(self, stage: Stage) -> None:
        arn = f"{stage.start()[:-32]}{'0' * 32}"
        refused = refusal(stage.api.stop_durable_execution, DurableExecutionArn=arn)
        assert refused[:2] == ("ResourceNotFoundException", 404)


class TestPause:
    def test_completions_are_kept_and_told_after_the_pause(self, stage: Stage) -> None:
        api = stage.api
        arn = stage.start(["callback", "c"], ["note", "told"])
        asked = stage.callback_id("c")
        stage.suspended(arn)

        api.pause_durable_execution(DurableExecutionArn=arn, Reason="look", ClientToken="pause")

        paused = stage.become(arn, "PAUSED")
        assert paused["PauseDetails"]["Reason"] == "look"
        assert paused["PauseDetails"]["ExecutionTimeoutPaused"] is True
        left = paused["ExpectedExecutionTimeoutTimestamp"] - paused["StartTimestamp"]
        assert left.days == LIFE_DAYS_MAX
        assert listed(api, arn, "PAUSED") is not None
        api.pause_durable_execution(DurableExecutionArn=arn, Reason="look", ClientToken="pause")
        again = refusal(api.pause_durable_execution, DurableExecutionArn=arn)
        assert again[:2] == ("ResourceConflictException", 409)
        api.send_durable_execution_callback_success(CallbackId=asked, Result=b"answer")
        assert event_types(api, arn)[-2:] == ["ExecutionPaused", "CallbackSucceeded"]
        assert (stage.status(arn), stage.notes) == ("PAUSED", [])

        api.resume_durable_execution(DurableExecutionArn=arn, Reason="seen", ClientToken="go")

        assert stage.result(arn) == ["answer", "told"]
        events = history(api, arn)
        assert [event["EventType"] for event in events[3:]] == [
            "ExecutionPaused",
            "CallbackSucceeded",
            "ExecutionResumed",
            "StepStarted",
            "StepSucceeded",
            "InvocationCompleted",
            "ExecutionSucceeded",
        ]
        assert events[3]["ExecutionPausedDetails"]["Reason"]["Payload"] == "look"
        assert events[5]["ExecutionResumedDetails"]["Reason"]["Payload"] == "seen"
        after = refusal(api.resume_durable_execution, DurableExecutionArn=arn)
        assert after[:2] == ("ResourceConflictException", 409)

    def test_a_wait_ends_in_the_pause(self, stage: Stage) -> None:
        arn = stage.start(["wait", 1], ["note", "on"])
        stage.api.pause_durable_execution(DurableExecutionArn=arn)
        stage.become(arn, "PAUSED")
        if "WaitStarted" not in event_types(stage.api, arn):
            # The pause was there before the handler: it has not begun its wait.
            stage.api.resume_durable_execution(DurableExecutionArn=arn)
            assert stage.result(arn) == [None, "on"]
            return
        eventually(lambda: "WaitSucceeded" in event_types(stage.api, arn), what="the wait's end")
        assert (stage.status(arn), stage.notes) == ("PAUSED", [])

        stage.api.resume_durable_execution(DurableExecutionArn=arn)

        assert stage.result(arn) == [None, "on"]

    def test_nothing_is_owed_where_nothing_came(self, stage: Stage) -> None:
        arn = stage.start(["callback", "c"])
        asked = stage.callback_id("c")
        stage.suspended(arn)
        stage.api.pause_durable_execution(DurableExecutionArn=arn)
        stage.become(arn, "PAUSED")
        stage.api.resume_durable_execution(DurableExecutionArn=arn)
        assert stage.become(arn, "RUNNING").get("PauseDetails") is None
        stage.api.send_durable_execution_callback_success(CallbackId=asked, Result=b"answer")

        assert stage.result(arn) == ["answer"]
        assert event_types(stage.api, arn).count("InvocationCompleted") == 2

    def test_an_invocation_is_paused_at_its_next_checkpoint(self, stage: Stage) -> None:
        arn = stage.start(["note", "one"], ["gate", "g"], ["note", "two"], ["note", "three"])
        stage.entered("g")

        stage.api.pause_durable_execution(DurableExecutionArn=arn)

        assert stage.status(arn) == "PAUSING"
        stage.open("g")
        stage.become(arn, "PAUSED")
        assert "three" not in stage.notes
        stage.api.resume_durable_execution(DurableExecutionArn=arn)
        assert stage.result(arn) == ["one", None, "two", "three"]
        assert [name for name in stage.notes if name != "two"] == ["one", "three"]

    def test_a_resume_cancels_a_pause_that_has_not_come_about(self, stage: Stage) -> None:
        arn = stage.start(["gate", "g"], ["note", "on"])
        stage.entered("g")
        stage.api.pause_durable_execution(DurableExecutionArn=arn)
        stage.become(arn, "PAUSING")
        stage.api.resume_durable_execution(DurableExecutionArn=arn)
        stage.become(arn, "RUNNING")
        stage.open("g")

        assert stage.result(arn) == [None, "on"]
        assert event_types(stage.api, arn).count("InvocationCompleted") == 1

    def test_the_executions_timeout_is_paused_unless_asked_otherwise(
        self, api: Any, stage: Stage
    ) -> None:
        config = {"ExecutionTimeout": 4, "RetentionPeriodInDays": 1}
        deploy(api, "brief", "actor", DurableConfig=config)
        stage.function = "brief"
        paused = stage.start(["callback", "paused"])
        running = stage.start(["callback", "running"])
        api.pause_durable_execution(DurableExecutionArn=paused)
        api.pause_durable_execution(DurableExecutionArn=running, ExecutionTimeoutPaused=False)

        ended = stage.become(running, "TIMED_OUT")

        assert ended["EndTimestamp"] >= ended["StartTimestamp"]
        assert event_types(api, running)[-1] == "ExecutionTimedOut"
        assert stage.status(paused) in ("PAUSED", "PAUSING")
        api.resume_durable_execution(DurableExecutionArn=paused)
        # What was left of the four seconds when it was paused is left again.
        resumed = api.get_durable_execution(DurableExecutionArn=paused)
        end = resumed.get("ExpectedExecutionTimeoutTimestamp") or resumed["EndTimestamp"]
        assert end > ended["EndTimestamp"]


class TestDelete:
    def test_a_running_execution_is_not_deleted(self, stage: Stage) -> None:
        arn = stage.start(["wait", LONG])
        delete = stage.api.delete_durable_execution
        refused = refusal(delete, DurableExecutionArn=arn)
        assert refused[:2] == ("ResourceConflictException", 409)
        assert stage.status(arn) == "RUNNING"
        stage.api.pause_durable_execution(DurableExecutionArn=arn)
        assert refusal(delete, DurableExecutionArn=arn)[:2] == ("ResourceConflictException", 409)

    def test_a_closed_execution_is_gone_and_its_name_free(self, stage: Stage) -> None:
        api = stage.api
        arn = stage.start(["note", "first"], DurableExecutionName="reused")
        stage.become(arn, "SUCCEEDED")

        api.delete_durable_execution(DurableExecutionArn=arn)

        second = start(
            api, stage.function, stage.event(["note", "second"]), DurableExecutionName="reused"
        )
        assert second != arn
        assert stage.result(second) == ["second"]

        def is_gone() -> bool:
            try:
                return stage.status(arn) != "DELETING"
            except api.exceptions.ResourceNotFoundException:
                return True

        eventually(is_gone, seconds=30, what="the deletion")
        for call in (
            api.get_durable_execution,
            api.get_durable_execution_history,
            api.stop_durable_execution,
            api.delete_durable_execution,
        ):
            assert refusal(call, DurableExecutionArn=arn)[:2] == ("ResourceNotFoundException", 404)
        (found,) = api.list_durable_executions_by_function(
            FunctionName=stage.function, DurableExecutionName="reused"
        )["DurableExecutions"]
        assert found["DurableExecutionArn"] == second
