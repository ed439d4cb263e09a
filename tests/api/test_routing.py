"""A path leads to its call, whatever its labels hold."""

from urllib.parse import quote

import pytest

from perdure.api.routing import Match, Router
from perdure.core.errors import InvalidParameterValue
from perdure.protocol.calls import CALLS, Call

from .fakes import CALLBACK_ID, EXECUTION_ARN, FUNCTION_ARN

LABELS = {
    "DurableExecutionArn": EXECUTION_ARN,
    "CallbackId": CALLBACK_ID,
    "FunctionName": FUNCTION_ARN,
    "Resource": FUNCTION_ARN,
    "Name": "ünï/code",
}


@pytest.fixture(scope="module")
def router() -> Router[str]:
    router: Router[str] = Router()
    for call in CALLS:
        router.add(call.method, call.uri, call.name)
    return router


def _path(call: Call, *, safe: str) -> str:
    labels = {name: quote(value, safe=safe) for name, value in LABELS.items()}
    return call.uri.format(**labels)


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_every_call_is_found(router: Router[str], call: Call) -> None:
    expected = {name: value for name, value in LABELS.items() if f"{{{name}}}" in call.uri}
    path = _path(call, safe="").encode()
    assert router.find(call.method, path) == Match(call.name, expected)
    assert router.find(call.method, path + b"/") == Match(call.name, expected)


@pytest.mark.parametrize(
    "call", [call for call in CALLS if "2025-12-01/durable" in call.uri], ids=lambda call: call.name
)
def test_slashes_in_an_execution_may_stay_as_they_are(router: Router[str], call: Call) -> None:
    match = router.find(call.method, _path(call, safe="/:$+=").encode())
    assert match is not None
    assert match.target == call.name
    assert set(match.labels.values()) <= {EXECUTION_ARN, CALLBACK_ID}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", b"/"),
        ("GET", b""),
        ("GET", b"*"),
        ("GET", b"/2015-03-31"),
        ("GET", b"/2015-03-31/functions/f/nothing"),
        ("PATCH", b"/2015-03-31/functions/f"),
        ("GET", b"//2015-03-31/functions/f"),
        ("GET", b"/2015-03-31/functions/../functions/f/x/y/z"),
        ("POST", b"/2025-12-01/durable-executions/checkpoint"),
    ],
)
def test_other_paths_lead_nowhere(router: Router[str], method: str, path: bytes) -> None:
    assert router.find(method, path) is None


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (b"/2015-03-31/functions/%66", "f"),
        (b"/2015-03-31/functions/a+b", "a+b"),
        (b"/2015-03-31/functions/%00", "\0"),
        (b"/2015-03-31/functions/%zz", "%zz"),
        (b"/2015-03-31/functions/..", ".."),
        (b"/2015-03-31/functions/%2e%2e%2f", "../"),
    ],
)
def test_a_label_is_decoded_once(router: Router[str], path: bytes, name: str) -> None:
    assert router.find("GET", path) == Match("GetFunction", {"FunctionName": name})


@pytest.mark.parametrize("path", [b"/2015-03-31/functions/%ff", b"/2015-03-31/functions/\xff"])
def test_a_label_is_utf8(router: Router[str], path: bytes) -> None:
    with pytest.raises(InvalidParameterValue, match="not UTF-8"):
        router.find("GET", path)
