"""Sends the outcome of an asynchronous start to where the function's settings say: another
function, or a file.

The document is that of AWS's destinations. A function is started with it, asynchronously; a file
(``file:`` and a name that the server's settings allow) gets it as one line of JSON.
"""

import asyncio
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from perdure.core.errors import Refusal, ResourceNotFound
from perdure.core.execution import Execution, Identity
from perdure.core.outcome import AnnounceEnd
from perdure.engine.directory import Functions
from perdure.engine.engine import Engine
from perdure.engine.entropy import Entropy
from perdure.engine.starting import Origin, Starter
from perdure.protocol.wire import encode
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Letter

__all__ = ["Announcer"]

_log = logging.getLogger(__name__)

_LAMBDA_PREFIX: Final = "arn:aws:lambda:"


class Announcer:
    """Sends outcomes to destinations."""

    def __init__(
        self,
        engine: Engine,
        starter: Starter,
        functions: Functions,
        entropy: Entropy,
        files: Mapping[str, str],
    ) -> None:
        """``files``: the destinations' ARNs that stand for a file, and its path."""
        self._engine = engine
        self._starter = starter
        self._functions = functions
        self._entropy = entropy
        self._files = files

    async def announce(self, letter: Letter) -> None:
        """Send the outcome; a destination that cannot take it is logged, and not tried again."""
        message = letter.message
        assert isinstance(message, AnnounceEnd), "only ends are announced"
        async with self._engine.reading(letter.sender_id) as execution:
            document = _document(execution, message.status)
            identity = execution.identity
        try:
            destination = await self._destination(identity, message.status)
            if destination is not None:
                await self._send(destination, document)
        except Refusal as refusal:
            _log.error("the outcome of %s is not announced: %s", identity.arn, refusal)

    async def _destination(self, identity: Identity, status: ExecutionStatus) -> str | None:
        qualifier = identity.invoked_arn.removeprefix(identity.function_arn).strip(":")
        settings = await self._functions.async_settings(
            identity.function_arn, qualifier or "$LATEST"
        )
        is_success = status is ExecutionStatus.SUCCEEDED
        return settings.on_success if is_success else settings.on_failure

    async def _send(self, destination: str, document: dict[str, Any]) -> None:
        path = self._files.get(destination)
        if path is not None:
            await asyncio.to_thread(_append, Path(path), msgspec.json.encode(document) + b"\n")
        elif destination.startswith(_LAMBDA_PREFIX):
            function = await self._functions.resolve(destination, None, draw=self._entropy.fraction)
            start = self._starter.start(
                function,
                msgspec.json.encode(document).decode(),
                Origin(invoked_arn=destination, retries_max=2),
                now_ms=self._engine.clock.now_ms(),
            )
            await self._engine.start(start, is_named=False)
        else:
            raise ResourceNotFound(f"no destination is set up for {destination}")


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())


def _document(execution: Execution, status: ExecutionStatus) -> dict[str, Any]:
    """Return AWS's destination record: request and response context, and both payloads."""
    identity, progress = execution.identity, execution.progress
    root = execution.operations[identity.id]
    is_success = status is ExecutionStatus.SUCCEEDED
    return {
        "version": "1.0",
        "timestamp": progress.ended_at_ms,
        "requestContext": {
            "requestId": identity.id,
            "functionArn": identity.invoked_arn,
            "condition": "Success" if is_success else "RetriesExhausted",
            "approximateInvokeCount": progress.epoch,
        },
        "requestPayload": _json(root.input),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": identity.version,
            "functionError": None if is_success else "Unhandled",
            "durableExecutionArn": identity.arn,
            "durableExecutionStatus": status,
        },
        "responsePayload": _json(root.payload) if root.error is None else encode(root.error),
    }


def _json(text: str | None) -> Any:
    try:
        return None if text is None else msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
