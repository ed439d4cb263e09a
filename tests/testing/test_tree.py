"""Drawings of executions."""

import datetime
from typing import Any

import pytest

from perdure import CallbackConfig, DurableContext, durable_execution
from perdure.testing import DurableFunctionTestRunner
from perdure.testing.tree import shortened, shown_span
from tests.testing.handlers import order_async

ORDER = """\
order-1  SUCCEEDED  3 invocations  {"items": ["r-a", "r-b"], "charge": "paid at attempt 2"}
├─ Map items                   SUCCEEDED  ['r-a', 'r-b']
│  ├─ MapIteration map-item-0  SUCCEEDED  'r-a'
│  │  └─ Step reserve          SUCCEEDED  'r-a'
│  └─ MapIteration map-item-1  SUCCEEDED  'r-b'
│     └─ Step reserve          SUCCEEDED  'r-b'
├─ Wait cooling-off            SUCCEEDED  1 h
└─ Step charge                 SUCCEEDED  2 attempts  30 s  'paid at attempt 2'"""


def test_an_order_is_drawn() -> None:
    with DurableFunctionTestRunner(order_async) as runner:
        result = runner.run({"items": ["a", "b"]}, execution_name="order-1")

    assert result.tree() == ORDER
    assert str(result) == result.tree()
    assert runner.trees() == [result.tree()]


def test_failures_and_what_is_open_are_drawn() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        callback = context.create_callback(
            name="approval", config=CallbackConfig(timeout=datetime.timedelta(days=2, seconds=5))
        )
        context.run_in_child_context(lambda _: (_ for _ in ()).throw(ValueError("no\nmore")), "x")
        return callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        drawn = runner.run().tree()

    assert drawn.splitlines()[0] == (
        "execution-name  FAILED  1 invocation"
        "  aws_durable_execution_sdk_python.exceptions.ChildContextError: no more"
    )
    assert "Callback approval" in drawn
    assert "STARTED" in drawn
    assert "ValueError: no more" in drawn


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        ({}, "0 s"),
        ({"milliseconds": 1500}, "1.5 s"),
        ({"seconds": 60}, "1 m"),
        ({"hours": 2, "minutes": 30}, "2 h 30 m"),
        ({"days": 3}, "3 d"),
        ({"days": 1, "seconds": 1}, "1 d 1 s"),
    ],
)
def test_spans_are_written_as_people_do(span: dict[str, int], shown: str) -> None:
    assert shown_span(datetime.timedelta(**span)) == shown


def test_long_text_is_cut() -> None:
    assert shortened("a  b\nc") == "a b c"
    assert shortened("x" * 100) == "x" * 57 + "..."
