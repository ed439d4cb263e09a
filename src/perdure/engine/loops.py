"""The one way a part of the engine runs on its own: ``run_once`` again and again, hurried by
``nudge``.

An error in one round is logged once, and the next round comes after a pause: a loop never ends by
itself.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from perdure.store.protocol import StoreUnavailableError, StoreUnknownError

__all__ = ["Loop"]

_log = logging.getLogger(__name__)
_AFTER_ERROR_SECONDS: Final = 1.0


class Loop:
    """Runs a duty until stopped. ``run_once`` returns after how many seconds it wants to run again
    at the latest.
    """

    def __init__(self, name: str, run_once: Callable[[], Awaitable[float]]) -> None:
        """Name the duty, for the log."""
        self._name = name
        self._run_once = run_once
        self._nudged = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.create_task(self._run(), name=f"perdure-{self._name}")

    def nudge(self) -> None:
        """Have the next round come at once."""
        self._nudged.set()

    async def stop(self) -> None:
        """End; a round that is under way is cancelled."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._nudged.clear()
            try:
                seconds = await self._run_once()
            except (StoreUnavailableError, StoreUnknownError) as error:
                _log.warning("%s: the store cannot be reached: %s", self._name, error)
                seconds = _AFTER_ERROR_SECONDS
            except Exception:  # noqa: BLE001 - the edge of a round: logged, and tried again
                _log.exception("%s: this round failed; the next one follows", self._name)
                seconds = _AFTER_ERROR_SECONDS
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._nudged.wait()
