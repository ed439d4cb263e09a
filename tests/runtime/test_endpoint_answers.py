"""What an endpoint's answers say: the table of ``endpoint_answers``, row by row."""

import base64
import json

import pytest

from perdure.engine.invoker import Crashed, FailureKind, InvocationOutcome, Raised, Returned
from perdure.engine.verdicts import verdict_of
from perdure.protocol.words import InvocationStatus
from perdure.runtime.endpoint_answers import (
    is_there,
    log_tail_of,
    outcome_of,
    retry_after_ms,
)
from perdure.runtime.endpoint_exchange import Answer

DOCUMENT = b'{"errorMessage":"no","errorType":"ValueError","requestId":"r","stackTrace":["here"]}'
EXITED = b'{"errorType":"Runtime.ExitError","errorMessage":"RequestId: r Error: exit status 1"}'
SUCCEEDED = b'{"Status":"SUCCEEDED","Result":"1"}'


def an_answer(status: int = 200, body: bytes = b"null", **headers: str) -> Answer:
    """Return an answer; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=body)


def crashed(outcome: InvocationOutcome) -> tuple[FailureKind, str]:
    """Return the kind of a crash, and what it says."""
    assert isinstance(outcome, Crashed), outcome
    assert outcome.message.startswith("RequestId: r Error: ")
    assert outcome.error_type == outcome.kind.value
    return outcome.kind, outcome.message.removeprefix("RequestId: r Error: ")


@pytest.mark.parametrize("body", [b"null", b'"text"', b"[1]", SUCCEEDED, b'{"errorType":1}'])
def test_json_is_the_handlers_result(body: bytes) -> None:
    assert outcome_of(an_answer(body=body), "r") == Returned(payload=body)


@pytest.mark.parametrize("body", [DOCUMENT, b'{"errorType":"E","errorMessage":""}', b"no document"])
def test_a_function_error_is_what_the_handler_raised(body: bytes) -> None:
    outcome = outcome_of(an_answer(body=body, x_amz_function_error="Unhandled"), "r")
    assert isinstance(outcome, Raised)
    assert json.loads(outcome.payload)["errorMessage"] in ("no", "", "no document")


def test_the_emulators_error_document_is_what_the_handler_raised() -> None:
    outcome = outcome_of(an_answer(body=DOCUMENT), "r")
    assert outcome == Raised(payload=DOCUMENT, error_type="ValueError")


def test_a_result_that_looks_like_an_error_is_a_result_where_errors_are_marked() -> None:
    answer = an_answer(body=DOCUMENT, x_amz_executed_version="1")
    assert outcome_of(answer, "r") == Returned(payload=DOCUMENT)


def test_an_object_that_only_has_an_error_type_is_a_result() -> None:
    body = b'{"errorType":"E","errorMessage":"m","more":1}'
    assert outcome_of(an_answer(body=body), "r") == Returned(payload=body)


def test_the_emulators_timeout_is_one() -> None:
    answer = an_answer(body=b"Task timed out after 3.00 seconds")
    kind, words = crashed(outcome_of(answer, "r"))
    assert (kind, words) == (FailureKind.TIMED_OUT, "Task timed out after 3.00 seconds")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"\xff", b"[" * 100_000])
def test_what_no_runtime_answers_is_a_failure_of_the_function(body: bytes) -> None:
    kind, words = crashed(outcome_of(an_answer(body=body), "r"))
    assert kind is FailureKind.UNREADABLE
    assert words.startswith("the endpoint's answer is no JSON: b'")
    assert len(words) < 1_000


@pytest.mark.parametrize("status", [500, 502])
def test_a_runtime_that_died_is_a_failure_of_the_function(status: int) -> None:
    outcome = outcome_of(an_answer(status, EXITED), "r")
    assert outcome == Raised(payload=EXITED, error_type="Runtime.ExitError")
    assert verdict_of(outcome, is_durable=True).is_counted


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (301, b"", "a redirect, 301: redirects are not followed"),
        (302, b"", "a redirect, 302"),
        (307, b"", "a redirect, 307"),
        (308, b"", "a redirect, 308"),
        (400, b"", "answered 400"),
        (401, b"who?", "answered 401: who?"),
        (403, b"", "answered 403"),
        (404, DOCUMENT, "answered 404"),
        (413, b"", "answered 413"),
        (429, b"", "answered 429"),
        (500, b"", "answered 500"),
        (500, DOCUMENT, "answered 500"),
        (502, b"<html>bad gateway</html>", "answered 502: <html>bad gateway</html>"),
        (503, b"\xff", "answered 503"),
        (504, b"", "answered 504"),
        (599, b"x" * 10_000, "answered 599"),
    ],
)
def test_an_endpoint_that_is_not_there_for_us_is_nobodys_failure(
    status: int, body: bytes, words: str
) -> None:
    outcome = outcome_of(an_answer(status, body), "r")
    kind, said = crashed(outcome)
    assert kind is FailureKind.UNAVAILABLE
    assert words in said
    assert len(said) < 300
    assert not is_there(outcome)
    verdict = verdict_of(outcome, is_durable=True)
    assert (verdict.status, verdict.is_counted, verdict.is_final) == (None, False, False)


def test_an_answer_without_bounds_is_what_it_is_from_a_worker() -> None:
    answer = Answer(status=200, headers={}, body=b"", is_oversize=True)
    outcome = outcome_of(answer, "r")
    assert isinstance(outcome, Crashed)
    assert outcome.kind is FailureKind.RESPONSE_TOO_LARGE
    error = Answer(status=500, headers={}, body=b"", is_oversize=True)
    assert crashed(outcome_of(error, "r"))[0] is FailureKind.UNAVAILABLE


@pytest.mark.parametrize(
    ("body", "status", "is_final"),
    [
        (SUCCEEDED, InvocationStatus.SUCCEEDED, False),
        (b'{"Status":"PENDING"}', InvocationStatus.PENDING, False),
        (b'{"Status":"FAILED","Error":{"ErrorMessage":"m"}}', InvocationStatus.FAILED, False),
        (b'{"status":"ok"}', None, True),
        (b"[]", None, True),
    ],
)
def test_a_durable_handlers_answer_is_judged_as_a_workers(
    body: bytes, status: InvocationStatus | None, is_final: bool
) -> None:
    verdict = verdict_of(outcome_of(an_answer(body=body), "r"), is_durable=True)
    assert (verdict.status, verdict.is_final) == (status, is_final)


@pytest.mark.parametrize(
    ("text", "wait_ms"),
    [("7", 7_000), (" 7 ", 7_000), ("0", 0), ("-1", 0), ("", 0), ("soon", 0), ("9" * 99, 300_000)],
)
def test_how_long_an_endpoint_asks_to_be_left_alone(text: str, wait_ms: int) -> None:
    assert retry_after_ms(an_answer(429, retry_after=text)) == wait_ms


def test_the_log_that_comes_with_an_answer() -> None:
    encoded = base64.b64encode(b"one\ntwo\n").decode()
    assert log_tail_of(an_answer(x_amz_log_result=encoded)) == b"one\ntwo\n"
    assert log_tail_of(an_answer()) == b""
    assert log_tail_of(an_answer(x_amz_log_result="!")) == b""
    long = base64.b64encode(b"x" * 5_000).decode()
    assert len(log_tail_of(an_answer(x_amz_log_result=long))) == 4_096
