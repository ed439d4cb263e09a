"""Functions that invoke functions, all in this process."""

from typing import Any

import pytest

from perdure import DurableContext, durable_execution
from perdure.embedded import DurableService, ExecutionFailed
from tests.embedded.handlers import double, quote, ship
from tests.embedded.stages import opened


def test_a_handler_invokes_other_functions() -> None:
    with opened(":memory:", ship=ship, quote=quote, double=double) as service:
        handle = service.start("ship", {"weight": 5})
        assert handle.result() == 30
        started = [e for e in handle.history() if e.event_type == "ChainedInvokeStarted"]
        children = [
            event.chained_invoke_started_details.durable_execution_arn
            for event in started
            if event.chained_invoke_started_details is not None
        ]
        assert [service.get(child).result() for child in children if child] == [15, 30]


def test_a_childs_failure_reaches_its_parent() -> None:
    with (
        opened(":memory:", ship=ship, quote=quote, double=double) as service,
        pytest.raises(ExecutionFailed, match="nothing weighs less"),
    ):
        service.call("ship", {"weight": -5})


def test_what_was_never_registered_is_no_function() -> None:
    with (
        opened(":memory:", ship=ship) as service,
        pytest.raises(ExecutionFailed, match=r"Function not found: .*:quote"),
    ):
        service.call("ship", {"weight": 5})


@pytest.mark.parametrize(
    "identifier",
    [
        "double",
        "double:$LATEST",
        "double:live",
        "double:3",
        "arn:aws:lambda:us-east-1:000000000000:function:double",
    ],
)
def test_a_qualifier_makes_no_difference(identifier: str) -> None:
    @durable_execution
    def ask(event: Any, context: DurableContext) -> Any:
        return context.invoke(identifier, event)

    with opened(":memory:", ask=ask, double=double) as service:
        assert service.call("ask", 2) == 4


def test_another_account_is_somewhere_else() -> None:
    @durable_execution
    def ask(event: Any, context: DurableContext) -> Any:
        return context.invoke("arn:aws:lambda:us-east-1:123456789012:function:double", event)

    with (
        opened(":memory:", ask=ask, double=double) as service,
        pytest.raises(ExecutionFailed, match="Function not found"),
    ):
        service.call("ask", 2)


def test_recursion_is_bounded() -> None:
    @durable_execution
    def deeper(event: Any, context: DurableContext) -> Any:
        return context.invoke("deeper", event + 1)

    with DurableService(":memory:") as service:
        service.register("deeper", deeper)
        with pytest.raises(ExecutionFailed, match="the limit is 16"):
            service.call("deeper", 0)
