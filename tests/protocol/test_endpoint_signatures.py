"""Signatures of invocations: what they cover, and what they refuse."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perdure.protocol.endpoint_signatures import (
    AGE_SECONDS_MAX,
    SignatureError,
    SignedRequest,
    function_key,
    sign,
    verify,
)

KEY = function_key(b"k" * 32, "orders")
NOW = 1_700_000_000
PATH = "/2015-03-31/functions/function/invocations"
BODY = b'{"CheckpointToken":"t"}'


def headers_of(key: str = KEY, **changes: object) -> dict[str, str]:
    """Return the headers of a request that ``key`` signed."""
    settings: dict[str, object] = {
        "method": "POST",
        "target": PATH,
        "timestamp": str(NOW),
        "request_id": "r-1",
        "body": BODY,
    }
    signed = SignedRequest(**(settings | changes))  # type: ignore[arg-type]
    return {
        "x-perdure-signature": sign(key, signed),
        "x-perdure-timestamp": signed.timestamp,
        "lambda-runtime-aws-request-id": signed.request_id,
    }


def check(headers: dict[str, str], *keys: str, **changes: object) -> None:
    """Verify the request, as it is or with changes on its way."""
    settings: dict[str, object] = {"method": "POST", "target": PATH, "body": BODY}
    verify(
        keys or (KEY,),
        headers=headers,
        now_seconds=float(changes.pop("now", NOW)),  # type: ignore[arg-type]
        **(settings | changes),  # type: ignore[arg-type]
    )


def test_what_was_signed_is_taken() -> None:
    check(headers_of())


def test_key_and_signature_are_what_openssl_makes_of_the_documented_lines() -> None:
    """Made with ``openssl dgst -sha256 -hmac``, as docs/guide/endpoints.md shows."""
    assert KEY == "9db4a43dcba2219e02379dea8d2f0d4cc660177b03c45f2dd90fe8efa45155a5"
    assert headers_of()["x-perdure-signature"] == (
        "v1=0d0641f34c0bc04feeabdbc017fc6bdb153b26deee094471ec418697eaf10384"
    )


@pytest.mark.parametrize("seconds", [-AGE_SECONDS_MAX, -1, 1, AGE_SECONDS_MAX])
def test_clocks_may_differ_by_five_minutes(seconds: int) -> None:
    check(headers_of(), now=NOW + seconds)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"now": NOW + AGE_SECONDS_MAX + 1}, "the limit is 300 seconds apart"),
        ({"now": NOW - AGE_SECONDS_MAX - 1}, "the limit is 300 seconds apart"),
        ({"method": "PUT"}, "does not fit"),
        ({"target": PATH + "/"}, "does not fit"),
        ({"target": PATH + "?x=1"}, "does not fit"),
        ({"body": BODY + b" "}, "does not fit"),
        ({"body": b""}, "does not fit"),
    ],
)
def test_what_was_changed_on_its_way_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(SignatureError, match=message):
        check(headers_of(), **changes)


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({}, "is not signed"),
        ({"x-perdure-timestamp": ""}, "is not signed"),
        ({"x-perdure-signature": ""}, "is not signed"),
        ({"x-perdure-timestamp": f"{NOW + 1}"}, "does not fit"),
        ({"x-perdure-timestamp": "soon"}, "no number of seconds"),
        ({"x-perdure-timestamp": "-1"}, "no number of seconds"),
        ({"x-perdure-timestamp": "1" * 13}, "no number of seconds"),
        ({"x-perdure-timestamp": "٣"}, "no number of seconds"),
        ({"lambda-runtime-aws-request-id": "r-2"}, "does not fit"),
        ({"x-perdure-signature": "v1="}, "does not fit"),
        ({"x-perdure-signature": "v0=" + "0" * 64}, "does not fit"),
        ({"x-perdure-signature": "ü"}, "does not fit"),
    ],
)
def test_headers_that_were_changed_are_refused(headers: dict[str, str], message: str) -> None:
    given_headers = headers_of() | headers if headers else {}
    with pytest.raises(SignatureError, match=message):
        check(given_headers)


def test_another_functions_key_signs_nothing_for_this_one() -> None:
    other = function_key(b"k" * 32, "payments")
    assert other != KEY
    with pytest.raises(SignatureError, match="does not fit"):
        check(headers_of(other))


def test_an_old_key_is_taken_beside_the_new_one() -> None:
    new = function_key(b"n" * 32, "orders")
    check(headers_of(KEY), new, KEY)
    check(headers_of(new), new, KEY)
    with pytest.raises(SignatureError):
        check(headers_of(KEY), new)


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_of_the_signature_passes(position: int, mask: int) -> None:
    headers = headers_of()
    raw = bytearray(headers["x-perdure-signature"].encode())
    raw[position % len(raw)] ^= mask
    headers["x-perdure-signature"] = raw.decode("latin-1")
    with pytest.raises(SignatureError):
        check(headers)
