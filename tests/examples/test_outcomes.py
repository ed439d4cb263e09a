"""What the examples do when things go wrong: that is what most of them are about."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from perdure.protocol.words import ExecutionStatus, OperationStatus, OperationType
from perdure.testing import DurableFunctionTestRunner
from tests.sdk.service import Ended

from .stage import SILENT, CrashAt, event_of, load, play, refusal

Lines = Callable[[], list[str]]
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Return what reads the lines that were printed: what an example did to the world."""
    return lambda: capsys.readouterr().out.splitlines()


def run(name: str, changes: dict[str, Any] | None = None, **options: Any) -> Ended:
    """Run an example with changes to its event."""
    return play(load(name).handler, event_of(name) | (changes or {}), **options)


def duration_ms(ended: Ended) -> int:
    """Return how long an execution took, by the service's clock."""
    (start, *_) = ended.service.story.execution.operations.values()
    return ended.service.now_ms() - start.started_at_ms


# Orders and money.


def test_a_saga_undoes_what_it_did_last_first(lines: Lines) -> None:
    ended = run("order_saga", {"address": "the moon"})

    assert ended.result == {"status": "cancelled", "because": "no courier goes to the moon"}
    assert lines() == [
        "reserve ['lamp', 'bulb']",
        "charge 42 to visa-1881",
        "refund payment-of-17",
        "release ['lamp', 'bulb']",
    ]


def test_a_saga_that_is_killed_goes_on_undoing(lines: Lines) -> None:
    ended = run("order_saga", {"address": "the moon"}, crash=CrashAt(4, is_after=True))

    assert ended.invocations == 2
    assert lines()[-2:] == ["refund payment-of-17", "release ['lamp', 'bulb']"]
    assert lines() == []


def test_a_payment_that_was_cut_off_is_looked_up_and_not_made_again(lines: Lines) -> None:
    ended = run("payment_once", crash=CrashAt(1, is_after=False))

    assert ended.result == {"status": "paid", "known_from": "bank"}
    assert lines() == ["pay 100 to Ada", "ask the bank about rent-2026-05"]


def test_a_step_that_is_cut_off_after_its_work_runs_again_and_changes_nothing(lines: Lines) -> None:
    handler = load("webhook").handler
    ended = play(handler, event_of("webhook"), crash=CrashAt(0, is_after=False))

    assert (ended.invocations, ended.result) == (2, {"handled": True, "credited": 25})
    assert lines() == ["credit ada with 25", "thank ada"]


def test_other_deliveries_are_left_alone() -> None:
    assert run("webhook", {"type": "invoice.sent"}).result == {"handled": False}


def test_a_subscription_ends_at_the_third_refusal_in_a_row(lines: Lines) -> None:
    ended = run("subscription", {"refusals": {"2": 3}})

    assert ended.result == {"status": "cancelled", "receipts": ["receipt-1"]}
    assert lines() == ["charge 9 for cycle 1", "tell Ada: your subscription has ended"]
    assert duration_ms(ended) == (30 + 1 + 3) * DAY_MS


def test_reminders_end_when_they_are_of_no_use(lines: Lines) -> None:
    ended = run("invoice_reminders", {"paid_on_day": None})

    assert ended.result == {"paid": False, "by_day": 28}
    assert lines() == [
        "send Ada the invoice",
        "send Ada a friendly reminder",
        "send Ada a second reminder",
        "send Ada a last warning",
    ]
    assert duration_ms(ended) == 28 * DAY_MS


def test_a_hold_is_made_anew_with_each_attempt(lines: Lines) -> None:
    assert run("hotel_hold", {"valid_from_hold": 9}).result == {
        "booked": False,
        "because": "hold-3 has run out",
    }
    assert lines() == ["hold a room in the Ritz"] * 3


# Services that fail.


def test_what_will_never_pass_is_not_tried_again() -> None:
    ended = run("flaky_partner", {"answers": [404, "done"]})

    assert ended.result == {"ok": False, "said": "the partner answered 404"}
    assert duration_ms(ended) == 0


def test_a_partner_that_says_when_is_asked_then() -> None:
    assert duration_ms(run("flaky_partner", {"answers": [[503, 90], "done"]})) == 90_000


def test_an_open_circuit_is_left_alone_in_the_end(lines: Lines) -> None:
    ended = run("circuit_breaker", {"outage": [2, 99]})

    assert ended.result == {
        "sent": ["a"],
        "unsent": ["b", "c"],
        "calls": 10,
        "minutes_open": [5, 10, 20, 40, 80, 160],
    }
    assert duration_ms(ended) == 315 * 60_000
    assert lines() == ["sent a"]


def test_a_report_is_looked_at_less_and_less_often() -> None:
    assert duration_ms(run("export_polling")) == (10 + 20 + 40) * 1000


def test_a_mail_server_that_is_busy_costs_no_second_mail(lines: Lines) -> None:
    ended = run("data_export")

    assert [line.split()[0] for line in lines()] == ["pack", "mail", "remove"]
    assert duration_ms(ended) == 7 * DAY_MS + 3_000


# People who answer, or do not.


def test_an_expense_goes_up_and_is_off_when_nobody_answers(lines: Lines) -> None:
    ended = run("expense_approval", callbacks={"ask the lead": SILENT, "ask the director": SILENT})

    assert ended.result == {"approved": False, "by": None, "note": "nobody answered"}
    assert duration_ms(ended) == 7 * DAY_MS
    assert len(lines()) == 2


def test_a_lead_who_answers_is_the_last_to_be_asked(lines: Lines) -> None:
    ended = run("expense_approval", callbacks={"ask the lead": {"approved": False, "note": "no"}})

    assert ended.result == {"approved": False, "by": "lead", "note": "no"}
    assert lines() == ["mail the lead: may Ada spend 1200?"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [({"approved": False, "reason": "too much"}, "too much"), (SILENT, "nobody answered")],
    ids=["refused", "silent"],
)
def test_an_agent_does_not_use_a_tool_that_it_may_not(
    answer: Any, reason: str, lines: Lines
) -> None:
    ended = run("agent_approval", callbacks={"approval": answer})

    assert ended.result == f"I may not refund this: {reason}"
    assert "use refund" not in lines()


def test_a_model_is_paid_once_for_a_turn(lines: Lines) -> None:
    ended = run("agent_loop", crash=CrashAt(4, is_after=True))

    assert ended.invocations == 2
    assert lines() == [
        "model, with 1 messages",
        "weather(Bergen)",
        "model, with 3 messages",
        "distance(Bergen)",
        "model, with 5 messages",
    ]


def test_an_agent_has_other_answers() -> None:
    ended = run("agent_loop", {"question": "Shall I cycle to work in Seville?"})

    assert ended.result["answer"] == "Yes: 6 km, and it is dry."


def test_a_vote_is_over_when_it_cannot_be_won_any_more() -> None:
    votes = {"Ada": "no", "Grace": "no", "Hedy": SILENT, "Mary": "no", "Rosa": SILENT}
    ended = run("council_vote", callbacks={f"vote of {name}": vote for name, vote in votes.items()})

    assert ended.result == {"adopted": False, "for": []}
    assert duration_ms(ended) == 0


def test_silence_is_a_no() -> None:
    votes = {"Ada": "yes", "Grace": "yes", "Hedy": SILENT, "Mary": SILENT, "Rosa": SILENT}
    ended = run("council_vote", callbacks={f"vote of {name}": vote for name, vote in votes.items()})

    assert ended.result == {"adopted": False, "for": ["Ada", "Grace"]}
    assert duration_ms(ended) == 7 * DAY_MS


def test_who_is_on_call_is_paged_one_after_the_other(lines: Lines) -> None:
    ended = run(
        "incident_response",
        {"healthy_at_probe": 99},
        callbacks={"page Ada": SILENT, "page Grace": "Grace changed the disk"},
    )

    assert ended.result["outcome"] == "Grace changed the disk"
    assert lines()[:3] == [
        "restart search",
        "page Ada: search is down",
        "page Grace: search is down",
    ]
    assert duration_ms(ended) == (4 * 30 + 15 * 60) * 1000


@pytest.mark.parametrize(
    ("changes", "answer", "reason"),
    [
        ({"broken_tests": ["test_login"]}, SILENT, "test_login fails"),
        ({"error_rates": [0.0, 0.2]}, SILENT, "the canary died: 20% errors in minute 2"),
        ({}, refusal("not on a Friday"), "the owner said: not on a Friday"),
        ({}, SILENT, "nobody approved it in a day"),
    ],
    ids=["tests", "canary", "refused", "silent"],
)
def test_a_release_is_rolled_back(
    changes: dict[str, Any], answer: Any, reason: str, lines: Lines
) -> None:
    ended = run("deployment", changes, callbacks={"approval": answer})

    assert ended.result == {"released": False, "because": reason}
    assert lines()[-1:] == ([] if "broken_tests" in changes else ["100 % run 1.9"])


# Batches.


def test_a_run_of_invoices_ends_when_too_many_fail() -> None:
    customers = [{"name": name, "lines": []} for name in "abcdef"]
    ended = run("invoice_run", {"customers": customers})

    assert ended.result["reason"] == "FAILURE_TOLERANCE_EXCEEDED"
    assert len(ended.result["failed"]) >= 3
    assert ended.result["total"] == 0


def test_a_quorum_leaves_the_slow_ones_behind() -> None:
    ended = run("quorum_read")

    assert ended.result == {"version": 8, "answered": 3}
    assert duration_ms(ended) == 5_000


def test_a_quorum_that_cannot_be_reached_fails_at_once() -> None:
    replicas = [
        {"name": name, "version": 1, "seconds": number + 1, "is_down": True}
        for number, name in enumerate("abcde")
    ]
    ended = run("quorum_read", {"replicas": replicas})

    assert ended.status is ExecutionStatus.FAILED
    assert ended.error is not None
    assert ended.error.error_message == "only 0 of 5 replicas answered"
    assert duration_ms(ended) == 3_000


def test_a_flat_branch_is_no_operation() -> None:
    ended = run("price_comparison")

    assert [operation.type for operation in ended.operations].count(OperationType.CONTEXT) == 1
    assert len(ended.operations) == 4


def test_a_crawler_keeps_its_distance(lines: Lines) -> None:
    ended = run("crawler")

    assert duration_ms(ended) == (ended.result["rounds"] - 1) * 10_000
    fetched = lines()
    assert len(fetched) == len(set(fetched)) == 6


def test_a_function_that_fails_fails_the_invoke(lines: Lines) -> None:
    pricing = load("chained_invoke", "pricing").handler
    checkout = load("chained_invoke", "checkout").handler
    ended = play(checkout, {"items": ["sofa"]}, functions={"pricing:$LATEST": pricing})

    assert ended.result == {"ordered": False, "because": "nobody sells sofa"}
    assert lines() == ["no price: nobody sells sofa"]


# Contexts and values.


def test_a_stay_is_taken_back_as_a_whole(lines: Lines) -> None:
    run("trip_booking")

    assert lines()[-4:] == [
        "book train in Turin",
        "book room in Turin",
        "cancel room@Turin",
        "book tent in Turin",
    ]


def test_a_batch_that_is_done_is_not_done_again(lines: Lines) -> None:
    ended = run("data_pipeline", crash=CrashAt(6, is_after=True))

    assert ended.invocations == 2
    assert len(lines()) == 4


def test_large_values_are_in_files_and_a_preview_in_the_checkpoint(etl_folder: Path) -> None:
    ended = run("large_etl")

    files = sorted(etl_folder.rglob("*.json"))
    assert [file.stat().st_size > 300_000 for file in files] == [True, True]
    first = ended.operations[0].step_details
    assert first is not None
    assert first.result is not None
    assert '"preview": {"table": "letters", "owner": "***", "count": 6000}' in first.result
    assert len(first.result) < 1_000


# Async.


def test_steps_that_are_gathered_have_places_of_their_own() -> None:
    ended = run("async_dashboard")

    assert [operation.name for operation in ended.operations] == [
        "profile",
        "orders",
        "credit",
        "let caches settle",
    ]
    assert len(ended.service.batches) == 2, "the three steps go in one checkpoint"


def test_one_refusal_ends_the_whole_group() -> None:
    ended = run(
        "async_supplies",
        callbacks={
            "offer of north": SILENT,
            "offer of south": refusal("closed on Mondays"),
            "offer of east": SILENT,
        },
    )

    assert ended.result == {"best": None, "because": "closed on Mondays"}
    assert duration_ms(ended) == 0
    statuses = {o.name: o.status for o in ended.operations if o.type is OperationType.CALLBACK}
    assert statuses["offer of north"] is OperationStatus.STARTED, "nobody waits for it any more"


def test_a_machine_that_falls_silent_is_given_up_soon(lines: Lines) -> None:
    ended = run(
        "render_farm", callbacks={f"frames of {m}": SILENT for m in ("mars", "venus", "pluto")}
    )

    assert ended.error is not None
    assert ended.error.error_message == "no machine is left"
    assert duration_ms(ended) == 3 * 2 * 60_000
    assert len(lines()) == 3


def test_a_machine_that_says_it_is_at_work_is_waited_for() -> None:
    with DurableFunctionTestRunner(load("render_farm").handler) as runner:
        arn = runner.run_async(event_of("render_farm"))
        frames = runner.wait_for_callback(arn, name="frames of mars")
        runner.send_callback_heartbeat(frames)
        runner.send_callback_success(frames, {"frames": 12})
        result = runner.wait_for_result(arn)

    assert result.value == {"machine": "mars", "frames": 12}


def test_a_plugin_counts_attempts_by_how_they_end(lines: Lines) -> None:
    run("step_metrics")

    assert lines() == [
        '{"invocation": "PENDING", "attempts": {"fetch FAILED": 1}}',
        '{"invocation": "PENDING", "attempts": {"fetch SUCCEEDED": 1}}',
        '{"invocation": "SUCCEEDED", "attempts": {"publish SUCCEEDED": 1}}',
    ]
