"""What the end of an invocation says about its execution."""

import pytest

from perdure.engine.invoker import Returned
from perdure.engine.verdicts import verdict_of
from perdure.protocol.words import InvocationStatus


@pytest.mark.parametrize("status", list(InvocationStatus))
def test_an_answer_says_its_status(status: InvocationStatus) -> None:
    verdict = verdict_of(Returned(payload=b'{"Status":"%b"}' % status.encode()), is_durable=True)
    assert verdict.status is status


@pytest.mark.parametrize("status", ['"READY"', "[]", "{}", "null", "1"])
def test_a_status_that_is_none_ends_the_execution(status: str) -> None:
    answer = Returned(payload=b'{"Status":%b}' % status.encode())
    verdict = verdict_of(answer, is_durable=True)
    assert verdict.status is None
    assert verdict.is_final
    assert verdict.error is not None
    assert str(verdict.error.error_message).startswith("Unexpected invocation status: ")
