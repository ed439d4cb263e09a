"""Outcomes of two commands that are committed as one change."""

from dataclasses import fields, replace
from typing import Any

from perdure.core.commands import AnswerCallback, BeginInvocation
from perdure.core.machine import apply
from perdure.core.outcome import Accepted, InvocationInput

from .builders import LEASE_MS, NONCE, NOW_MS, a_callback, a_suspended_story

BEGIN = BeginInvocation(owner="node", lease_ms=LEASE_MS, nonce_sha256=NONCE, request_id="again")


def test_two_outcomes_are_one_change_that_answers_the_first() -> None:
    base = a_suspended_story(a_callback()).execution
    operation_id = "callback"
    answered = apply(base, AnswerCallback(operation_id=operation_id, payload="yes"), NOW_MS)
    begun = apply(base.preview(answered), BEGIN, NOW_MS)
    both = answered.then(begun)
    assert both.reply == Accepted(at_ms=answered.progress.updated_at_ms)
    assert isinstance(begun.reply, InvocationInput)
    assert [change.id for change in begun.reply.changes] == [operation_id]
    assert (both.base_version, both.progress.version) == (
        base.progress.version,
        base.progress.version + 1,
    )
    assert both.progress.request_id == "again"
    assert list(both.operations) == [operation_id]
    assert both.events == answered.events
    assert both.is_delivery


def test_of_two_outcomes_every_member_is_handed_on() -> None:
    base = a_suspended_story(a_callback()).execution
    answered = apply(base, AnswerCallback(operation_id="callback", payload="yes"), NOW_MS)
    begun = apply(base.preview(answered), BEGIN, NOW_MS)
    marked: dict[str, Any] = {"events": (1,), "messages": (2,), "effects": (3,)}
    first = replace(answered, **marked)
    both = first.then(replace(begun, **dict.fromkeys(marked, (9,))))
    assert {name: getattr(both, name) for name in marked} == {
        "events": (1, 9),
        "messages": (2, 9),
        "effects": (3, 9),
    }
    assert both.sequel_reply == begun.reply
    assert {field.name for field in fields(both)} == {
        *("identity", "progress", "base_version", "reply", "operations", "is_delivery"),
        *("sequel_reply", *marked),
    }, "then() does not know of it"


def test_taking_over_both_at_once_equals_one_after_the_other() -> None:
    base = a_suspended_story(a_callback()).execution
    operation_id = "callback"
    answered = apply(base, AnswerCallback(operation_id=operation_id, payload="yes"), NOW_MS)
    begun = apply(base.preview(answered), BEGIN, NOW_MS)
    in_turn = base.after(answered).after(begun)
    at_once = base.after(answered.then(begun))
    version = at_once.progress.version
    assert (at_once.operations, at_once.pending, at_once.unseen) == (
        in_turn.operations,
        in_turn.pending,
        in_turn.unseen,
    )
    assert at_once.progress == in_turn.progress._replace(version=version)
