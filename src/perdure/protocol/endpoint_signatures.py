"""The signature on an invocation that is posted to an endpoint: who sent it, when, and what.

HMAC-SHA256 over six lines: ``v1``, the method, the path as it is in the request line, the instant
in seconds, the request id, and the SHA-256 of the body in hexadecimal digits. Each function has a
key of its own, made from the service's: who serves one function cannot sign for another. Pure:
whoever verifies says what time it is. Source: docs/decisions/0028.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = [
    "AGE_SECONDS_MAX",
    "FUNCTION_VERSION_HEADER",
    "REQUEST_ID_HEADER",
    "SIGNATURE_HEADER",
    "TIMESTAMP_HEADER",
    "SignatureError",
    "SignedRequest",
    "function_key",
    "sign",
    "verify",
]

SIGNATURE_HEADER: Final = "X-Perdure-Signature"
TIMESTAMP_HEADER: Final = "X-Perdure-Timestamp"
FUNCTION_VERSION_HEADER: Final = "X-Perdure-Function-Version"  #: told beside, not signed
REQUEST_ID_HEADER: Final = "Lambda-Runtime-Aws-Request-Id"
AGE_SECONDS_MAX: Final = 300  #: either way, as AWS's own signatures allow. Source: SR-4

_VERSION: Final = "v1"
_KEY_PURPOSE: Final = b"perdure endpoint function key v1\0"


class SignatureError(ValueError):
    """The request is not one that the service signed for this function, lately."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a signature covers."""

    method: str
    target: str  #: the path, with its query if there is one, byte for byte as it was sent
    timestamp: str  #: epoch seconds, in digits
    request_id: str
    body: bytes


def function_key(service_key: bytes, function_name: str) -> str:
    """Return a function's key, in hexadecimal digits: what its endpoint is given to verify with."""
    purpose = _KEY_PURPOSE + function_name.encode()
    return hmac.new(service_key, purpose, hashlib.sha256).hexdigest()


def sign(key: str, request: SignedRequest) -> str:
    """Return the value of the signature's header."""
    lines = (
        _VERSION,
        request.method,
        request.target,
        request.timestamp,
        request.request_id,
        hashlib.sha256(request.body).hexdigest(),
    )
    digest = hmac.new(key.encode(), "\n".join(lines).encode(), hashlib.sha256).hexdigest()
    return f"{_VERSION}={digest}"


def verify(
    keys: Iterable[str],
    *,
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    now_seconds: float,
) -> None:
    """Return if one of ``keys`` signed this request within the last five minutes.

    The names in ``headers`` are in lower case. Several keys: the old one is taken until every
    sender has the new one.

    Raises:
        SignatureError: it did not; the message says what is wrong, and nothing about the keys.
    """
    given = headers.get(SIGNATURE_HEADER.lower(), "")
    timestamp = headers.get(TIMESTAMP_HEADER.lower(), "")
    if not given or not timestamp:
        raise SignatureError("the request is not signed")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise SignatureError("the signature's timestamp is no number of seconds")
    if abs(now_seconds - int(timestamp)) > AGE_SECONDS_MAX:
        raise SignatureError(
            f"the signature is of {timestamp}, and here it is {now_seconds:.0f}; the limit is"
            f" {AGE_SECONDS_MAX} seconds apart"
        )
    request = SignedRequest(
        method=method,
        target=target,
        timestamp=timestamp,
        request_id=headers.get(REQUEST_ID_HEADER.lower(), ""),
        body=body,
    )
    # Every key is tried, whichever fits: how long it takes says nothing.
    fits = [hmac.compare_digest(sign(key, request).encode(), given.encode()) for key in keys]
    if not any(fits):
        raise SignatureError("the signature does not fit the request")
