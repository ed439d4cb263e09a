"""What the page is told first: the token, and where it is."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from perdure.clock import Clock
from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.tokens import PageTokens

__all__ = ["SessionService"]


class SessionService:
    """Answers ``/console/api/session``."""

    def __init__(
        self,
        tokens: PageTokens,
        clock: Clock,
        facts: Mapping[str, Any],
        runtimes: Callable[[], Coroutine[Any, Any, Sequence[str]]],
    ) -> None:
        """``facts``: what holds as long as the server runs; ``runtimes``: what it can run."""
        self._tokens = tokens
        self._clock = clock
        self._facts = facts
        self._runtimes = runtimes
        self._looking: asyncio.Task[Sequence[str]] | None = None

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the one route."""
        return (("GET", "/console/api/session", self._session),)

    def look(self) -> None:
        """Look for runtimes: the first time that takes a second, in which the page loads."""
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._runtimes())

    async def _session(self, request: Request) -> Reply:
        return json_reply(
            {
                "token": self._tokens.current(),
                **self._facts,
                "runtimes": await self._found(),
                "now_ms": self._clock.now_ms(),
                "login": None,
            }
        )

    async def _found(self) -> Sequence[str]:
        self.look()
        assert self._looking is not None, "it has just begun"
        try:
            return await asyncio.shield(self._looking)
        except BaseException:
            if self._looking.done():
                self._looking = None  # the next one looks again
            raise
