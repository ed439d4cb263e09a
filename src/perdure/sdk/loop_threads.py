"""Work that blocks, for handlers on an event loop: done in a thread, awaited on the loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from functools import partial
from typing import TYPE_CHECKING, Any

from perdure.sdk.workers import WORKERS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perdure.protocol.operations import OperationUpdate
    from perdure.sdk.client import Progress, ServiceClient

__all__ = ["ClientInThread", "in_thread"]


class ClientInThread:
    """A blocking client, for a loop: each call in a thread."""

    def __init__(self, client: ServiceClient) -> None:
        """Pass on to ``client``."""
        self._client = client

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """As the client's."""
        return await in_thread(partial(self._client.checkpoint, arn, token, updates, client_token))

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """As the client's."""
        return await in_thread(partial(self._client.read_state, arn, token, marker))


async def in_thread(work: Callable[[], Any]) -> Any:
    """Return what ``work`` returns; it runs in a thread, with the caller's context."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def run() -> None:
        result, error = None, None
        try:
            result = context.run(work)
        except BaseException as raised:  # noqa: BLE001 - raised again where it is awaited
            error = raised
        # The loop may be gone, if nobody waits any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_finish, future, result, error)

    WORKERS.run(run)
    return await future


def _finish(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
