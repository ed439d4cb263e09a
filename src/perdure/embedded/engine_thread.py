"""The engine's thread, with its event loop; and how everybody else asks for something to be done
there.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from perdure.core.errors import Refusal
from perdure.embedded.errors import ServiceClosed, translated
from perdure.runtime.crossing import ClosedError, Crossing
from perdure.runtime.visited_loop import VisitedLoop

__all__ = ["EngineThread"]

_log = logging.getLogger(__name__)

T = TypeVar("T")


class EngineThread:
    """One thread that runs one loop, on which the engine and async handlers live."""

    def __init__(self) -> None:
        """Begin."""
        self.loop = VisitedLoop()
        self.crossing = Crossing(self.loop)
        self._is_ending = False
        self._ending = threading.Lock()  #: what is handed over is before the end, or refused
        self._thread = threading.Thread(target=self._run, name="perdure-engine", daemon=True)
        self._thread.start()

    @property
    def is_here(self) -> bool:
        """Whether the caller is on the engine's thread."""
        return threading.current_thread() is self._thread

    def call(
        self,
        function: Callable[..., Coroutine[Any, Any, T]],
        *arguments: Any,
        timeout: float | None = None,
    ) -> T:
        """Have ``function`` run on the loop; block until its result is there.

        Raises:
            EmbeddedError: the engine refuses, in the words of this package.
            TimeoutError: the result is not there in time.
            RuntimeError: it was called on the loop itself, which would wait for itself.
        """
        if self.is_here:
            raise RuntimeError(
                "this call would block the loop that is to answer it; an async handler uses the"
                " service's async side: `await service.asynchronous.start(...)`"
            )
        try:
            return self.crossing.call(function, *arguments, timeout=timeout)
        except Refusal as refusal:
            raise translated(refusal) from None
        except ClosedError as error:
            raise ServiceClosed(str(error)) from None

    async def hop(self, function: Callable[..., Coroutine[Any, Any, T]], *arguments: Any) -> T:
        """Have ``function`` run on the loop, and await its result on whichever loop one is.

        Raises:
            EmbeddedError: the engine refuses, in the words of this package.
        """
        try:
            if self.is_here:
                return await function(*arguments)
            with self._ending:
                if self._is_ending:
                    raise ServiceClosed("the service is closed")
                future = asyncio.run_coroutine_threadsafe(function(*arguments), self.loop)
            return await asyncio.wrap_future(future)
        except Refusal as refusal:
            raise translated(refusal) from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if self._is_ending and task is not None and not task.cancelling():
                raise ServiceClosed("the service was closed meanwhile") from None
            raise

    def end(self) -> None:
        """Let go of whoever waits, cancel what still runs on the loop, and end the thread."""
        with self._ending:
            self._is_ending = True
        self.loop.call_soon_threadsafe(self.loop.stop)
        if not self.is_here:
            self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        while not self._is_ending:
            try:
                self.loop.run_forever()
            except BaseException:  # noqa: BLE001 - a task of a handler has raised, say, SystemExit
                _log.exception("something on the engine's loop tried to end it; it goes on")
        try:
            self._leave()
        finally:
            asyncio.set_event_loop(None)
            self.loop.close()

    def _leave(self) -> None:
        self.crossing.close()
        self.loop.run_until_complete(asyncio.sleep(0))  # what was handed over becomes tasks
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        if tasks:
            self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
