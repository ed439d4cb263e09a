"""Handlers that were written with AWS's SDK."""

from typing import Any

import aws_durable_execution_sdk_python as aws
from aws_durable_execution_sdk_python.config import Duration

from perdure.testing import DurableFunctionTestRunner, effects


@aws.durable_execution
def handler(event: Any, context: aws.DurableContext) -> Any:
    """Do some of everything."""

    def note(_: Any) -> str:
        effects.record("note", event["name"])
        return f"hello {event['name']}"

    first = context.step(note, name="note")
    context.wait(Duration.from_hours(5), name="rest")
    squares = context.map([1, 2, 3], lambda c, x, i, xs: c.step(lambda _: x * x), name="squares")
    answer = context.wait_for_callback(lambda _, __: None, name="answer")
    price = context.invoke("price", {"item": "a"}, name="price")
    return [first, squares.get_results(), answer, price]


def make() -> DurableFunctionTestRunner:
    """Return a runner with all that the handler needs."""
    runner = DurableFunctionTestRunner(handler, max_invocation_page_bytes=1_000)
    runner.register_function("price", lambda event, _: 5)
    return runner.on_callback("answer", lambda _: {"yes": True})


def test_they_run_as_they_are() -> None:
    with make() as runner:
        result = runner.run({"name": "Ada"})

    assert result.value == ["hello Ada", [1, 4, 9], '{"yes": true}', 5]
    assert result.get_wait("rest").status == "SUCCEEDED"
    assert len(result.get_context("squares").child_operations) == 3


def test_they_are_killed_everywhere() -> None:
    with make() as runner:
        report = runner.check_crash_safety({"name": "Ada"}, keep_handlers=("off",), points_max=8)

    assert report.divergences == []
    assert list(report.changed_effects) == [("note", "Ada")]
