"""Lambda's API as a test on a deployed function needs it: through boto3, which signs, or by HTTP to
an endpoint that asks for no signature.

Both take and answer the members of AWS's model under AWS's names; what is refused is raised as an
``AwsApiException``.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from perdure.protocol.calls import CALLS, Call
from perdure.protocol.wire import Location, Member, members
from perdure.testing.exceptions import api_exception

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BotoApi", "HttpApi", "LambdaApi", "is_awss"]

_TIMEOUT_SECONDS: Final = 16 * 60  #: an invocation that is waited for takes up to 15 minutes


class LambdaApi(Protocol):
    """Answers the calls of the model."""

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Return the answer to a call, whose payload, if it has one, is bytes."""
        ...


def is_awss(url: str | None) -> bool:
    """Tell whether a URL, or none, leads to AWS."""
    host = urllib.parse.urlsplit(url or "").hostname or ""
    return not url or host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


class BotoApi:
    """The API through a boto3 client for Lambda."""

    def __init__(self, client: Any) -> None:
        """Call through ``client``."""
        self.client = client

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Return the answer to a call."""
        method = "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
        try:
            answer = getattr(self.client, method)(
                **{name: value for name, value in given.items() if value is not None}
            )
        except Exception as error:
            response = cast("dict[str, Any]", getattr(error, "response", {}))
            if "Error" not in response:
                raise
            said = response["Error"]
            raise api_exception(said.get("Code") or "", str(error)) from error
        if hasattr(answer.get("Payload"), "read"):
            answer["Payload"] = answer["Payload"].read()
        return answer


class HttpApi:
    """The API at an endpoint, by HTTP."""

    def __init__(self, url: str) -> None:
        """Call ``url``; a proxy is not asked, since it may not know the same loopback."""
        self._url = url.rstrip("/")
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def call(self, operation: str, **given: Any) -> dict[str, Any]:
        """Return the answer to a call."""
        call = next(call for call in CALLS if call.name == operation)
        request = self._request(call, given)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return _answer(call, answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                body = _document(error.read())
            code = (error.headers.get("X-Amzn-ErrorType") or "").partition(":")[0]
            message = body.get("Message") or body.get("message") or str(error)
            raise api_exception(code, f"{code}: {message}") from None

    def _request(self, call: Call, given: Mapping[str, Any]) -> urllib.request.Request:
        uri, query, headers = call.uri, dict[str, str](), {"Content-Type": "application/json"}
        body: dict[str, Any] = {}
        data: bytes | None = None
        for member, value in _given(call.request, given):
            match member.location:
                case Location.URI:
                    uri = uri.replace(f"{{{member.wire}}}", urllib.parse.quote(value, safe=""))
                case Location.QUERY:
                    query[member.wire] = (
                        str(value).lower() if value in (True, False) else str(value)
                    )
                case Location.HEADER:
                    headers[member.wire] = str(value)
                case Location.PAYLOAD:
                    data = value if isinstance(value, bytes) else json.dumps(value).encode()
                case _:
                    body[member.wire] = value
        if data is None and call.method != "GET":
            data = json.dumps(body).encode() if body else b""
        text = f"?{urllib.parse.urlencode(query)}" if query else ""
        return urllib.request.Request(
            f"{self._url}{uri}{text}", data=data, headers=headers, method=call.method
        )


def _given(shape: type[object], given: Mapping[str, Any]) -> list[tuple[Member, Any]]:
    """Return the members that are given; where they travel in a header they have another name."""
    by_name = {_model_name(member): member for member in members(shape)}
    return [(by_name[name], value) for name, value in given.items() if value is not None]


def _model_name(member: Member) -> str:
    return "".join(part.capitalize() for part in member.attribute.split("_"))


def _answer(call: Call, status: int, headers: Any, body: bytes) -> dict[str, Any]:
    shape = call.response
    answer: dict[str, Any] = {}
    is_payload = False
    for member in members(shape) if shape is not None else ():
        name = _model_name(member)
        match member.location:
            case Location.HEADER if headers.get(member.wire) is not None:
                answer[name] = headers[member.wire]
            case Location.STATUS:
                answer[name] = status
            case Location.PAYLOAD:
                answer[name], is_payload = body, True
            case _:
                pass
    return answer if is_payload else answer | _document(body)


def _document(body: bytes) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(body) if body else {}
    except ValueError:
        return {}
    return document
