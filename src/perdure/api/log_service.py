"""The logs API on the wire: AWS's JSON 1.1. A header names the call, and all is in the body."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec

from perdure.api.documents import read_document
from perdure.api.endpoints import Method, find_method
from perdure.api.errors import ApiError
from perdure.api.exchange import Exchange
from perdure.core.errors import Refusal, Unavailable
from perdure.protocol.calls import LOGS_CALLS, LOGS_TARGET_PREFIX, LogsCall
from perdure.protocol.limits import JSON_BODY_BYTES_MAX
from perdure.protocol.wire import WireError, decode, encode

__all__ = ["LogsService"]

_log = logging.getLogger(__name__)

_JSON_1_1: Final = b"application/x-amz-json-1.1"
_INVALID: Final = "InvalidParameterException"


class LogsService:
    """Answers the calls of the logs API."""

    def __init__(self, handlers: Sequence[object]) -> None:
        """Answer with the methods of ``handlers``.

        Raises:
            LookupError: no handler has a method for one of the calls.
        """
        self._calls: dict[str, tuple[LogsCall, Method]] = {
            call.name: (call, find_method(handlers, call.name)) for call in LOGS_CALLS
        }

    async def serve(self, exchange: Exchange) -> bool:
        """Answer a request whose target header names a call; return whether it did."""
        if exchange.path != b"/" or b"x-amz-target" not in exchange.headers:
            return False
        try:
            body = await self._answer(exchange)
        except WireError as error:
            await _refuse(exchange, 400, _INVALID, str(error))
        except ApiError as refusal:
            await _refuse(exchange, 400, _INVALID, refusal.message)
        except Unavailable as refusal:
            await _refuse(exchange, 503, "ServiceUnavailableException", refusal.message)
        except Refusal as refusal:
            await _refuse(exchange, 400, refusal.code, refusal.message)
        except Exception:  # noqa: BLE001 - the edge: logged once, with its id
            _log.exception("request %s", exchange.request_id)
            await _refuse(exchange, 500, "ServiceUnavailableException", "An error occurred.")
        else:
            await exchange.answer(200, body, content_type=_JSON_1_1)
        return True

    async def _answer(self, exchange: Exchange) -> bytes:
        target = exchange.headers[b"x-amz-target"].decode("latin-1")
        name = target.removeprefix(LOGS_TARGET_PREFIX)
        if exchange.method != "POST" or name == target:
            raise _Unknown(f"there is no operation {target[:80]}")
        if name not in self._calls:
            raise _Unknown(f"{name[:80]} is not supported by Perdure")
        call, method = self._calls[name]
        body = await exchange.body(JSON_BODY_BYTES_MAX)
        request = decode(call.request, read_document(body or b"{}"))
        return msgspec.json.encode(encode(await method(request)))


class _Unknown(Refusal):
    """There is no such call."""

    code = "UnknownOperationException"


async def _refuse(exchange: Exchange, status: int, code: str, message: str) -> None:
    body = msgspec.json.encode({"__type": code, "message": message})
    await exchange.answer(
        status, body, content_type=_JSON_1_1, headers=((b"x-amzn-errortype", code.encode()),)
    )
