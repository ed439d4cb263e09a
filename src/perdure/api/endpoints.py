"""The calls of the Lambda API as endpoints: handler's method, binding, bounds.

The table is made at the start: a call without a method to answer it is noticed then.
"""

import logging
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from perdure.api.binding import Answer, Binding
from perdure.api.deadlines import Deadlines
from perdure.api.errors import ApiError, error_status
from perdure.api.exchange import JSON, Exchange
from perdure.api.routing import Router
from perdure.core.errors import Refusal, Unavailable
from perdure.engine.prepared import Prepared
from perdure.protocol.calls import CALLS, Call
from perdure.protocol.limits import (
    CALLBACK_BODY_BYTES_MAX,
    CHECKPOINT_BODY_BYTES_MAX,
    CODE_BODY_BYTES_MAX,
    JSON_BODY_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
)
from perdure.protocol.unsupported import UNSUPPORTED_CALLS
from perdure.protocol.wire import WireError
from perdure.store.protocol import StoreUnavailableError, StoreUnknownError

__all__ = ["LambdaService", "Method", "find_method"]

_log = logging.getLogger(__name__)

Method = Callable[..., Awaitable[Any]]

_BODY_BYTES_MAX: Final = {
    "CheckpointDurableExecution": CHECKPOINT_BODY_BYTES_MAX,
    "CreateFunction": CODE_BODY_BYTES_MAX,
    "Invoke": PAYLOAD_BYTES_MAX,
    "SendDurableExecutionCallbackSuccess": CALLBACK_BODY_BYTES_MAX,
    "UpdateFunctionCode": CODE_BODY_BYTES_MAX,
}
#: A running handler waits for these: it must hear in time that it should try again.
_HURRIED: Final = frozenset({"CheckpointDurableExecution", "GetDurableExecutionState"})
#: Their methods also take who prepares the answer while what it tells is being committed.
_PREPARED: Final = frozenset({"CheckpointDurableExecution"})
#: The API's own refusals, which any call may meet.
_ANYWHERE: Final = frozenset({"RequestTooLargeException", "UnsupportedMediaTypeException"})
_NOT_JSON: Final = re.compile(rb"(?!application/(json|x-amz-json-1\.[01]|octet-stream)\b)[^;]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Endpoint:
    call: Call
    method: Method
    binding: Binding
    body_bytes_max: int
    is_hurried: bool
    is_prepared: bool


class LambdaService:
    """Answers the calls of the Lambda API."""

    def __init__(self, handlers: Sequence[object], *, hurried_seconds_max: float) -> None:
        """Answer with the methods of ``handlers``: ``GetFunction`` with ``get_function``.

        Raises:
            LookupError: no handler has a method for one of the calls.
        """
        self._router: Router[_Endpoint | str] = Router()
        self._deadlines = Deadlines(hurried_seconds_max)
        for call in CALLS:
            endpoint = _Endpoint(
                call=call,
                method=find_method(handlers, call.name),
                binding=Binding(call),
                body_bytes_max=_BODY_BYTES_MAX.get(call.name, JSON_BODY_BYTES_MAX),
                is_hurried=call.name in _HURRIED,
                is_prepared=call.name in _PREPARED,
            )
            self._router.add(call.method, call.uri, endpoint)
        for name, method, uri in UNSUPPORTED_CALLS:
            self._router.add(method, uri, name)

    async def serve(self, exchange: Exchange) -> bool:
        """Answer a request, whatever it is, if its path is one of the API's.

        Return whether it was.
        """
        endpoint: _Endpoint | str = ""
        try:
            match = self._router.find(exchange.method, exchange.path)
            if match is None:
                return False
            endpoint = match.target
            if isinstance(endpoint, str):
                raise _unsupported(endpoint)
            answer = await self._answer(endpoint, exchange, match.labels)
        except WireError as error:
            await exchange.refuse(400, "InvalidParameterValueException", str(error))
        except Refusal as refusal:
            await _refuse(exchange, endpoint, refusal)
        except (StoreUnavailableError, StoreUnknownError) as error:
            _log.warning("request %s %s: %s", exchange.request_id, exchange.method, error)
            await _refuse(exchange, endpoint, Unavailable("the store cannot tell now; try again"))
        except Exception:  # noqa: BLE001 - the edge: logged once, with its id
            _log.exception("request %s %s", exchange.request_id, exchange.method)
            is_hurried = isinstance(endpoint, _Endpoint) and endpoint.is_hurried
            status = 503 if is_hurried else 500
            await exchange.refuse(status, "ServiceException", "An error occurred. Try again.")
        else:
            await exchange.answer(answer.status, answer.body, headers=answer.headers)
        return True

    async def _answer(
        self, endpoint: _Endpoint, exchange: Exchange, labels: dict[str, str]
    ) -> Answer:
        body = b""
        if endpoint.binding.has_body:
            body = await exchange.body(endpoint.body_bytes_max)
            content_type = exchange.headers.get(b"content-type")
            if content_type != JSON and content_type and body and _NOT_JSON.match(content_type):
                raise _no_json(content_type)
        request = endpoint.binding.request(labels, exchange.query, exchange.headers, body)
        answer = Prepared(endpoint.binding.answer)
        more = (answer.foresee,) if endpoint.is_prepared else ()
        if not endpoint.is_hurried:
            return answer.of(await endpoint.method(request, *more))
        try:
            return answer.of(await self._deadlines.keep(endpoint.method(request, *more)))
        except TimeoutError:
            raise Unavailable("the service is too slow now; try again") from None


def find_method(handlers: Sequence[object], name: str) -> Method:
    """Return the method that answers the call ``name``.

    Raises:
        LookupError: none of the handlers has it.
    """
    attribute = re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
    for handler in handlers:
        method: Method | None = getattr(handler, attribute, None)
        if method is not None:
            return method
    raise LookupError(f"no handler has a method {attribute}")


async def _refuse(exchange: Exchange, endpoint: _Endpoint | str, refusal: Refusal) -> None:
    """Answer with the refusal, or with what the call's model has in its place."""
    status, code = error_status(refusal), refusal.code
    if isinstance(endpoint, _Endpoint) and code not in endpoint.call.errors | _ANYWHERE:
        status, code = 400, "InvalidParameterValueException"
    is_closing = isinstance(refusal, ApiError) and refusal.is_closing
    await exchange.refuse(status, code, refusal.message, is_closing=is_closing)


def _unsupported(name: str) -> ApiError:
    return ApiError("InvalidParameterValueException", f"{name} is not supported by Perdure")


def _no_json(content_type: bytes) -> ApiError:
    return ApiError(
        "UnsupportedMediaTypeException",
        f"Unsupported content type: {content_type.decode('latin-1')[:80]}",
    )
