"""How a test is told that waits for what it tells of."""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

__all__ = ["told"]

Parameters = ParamSpec("Parameters")
_SECONDS = 30


def told(
    story: Callable[Parameters, Coroutine[Any, Any, None]],
) -> Callable[Parameters, None]:
    """Run a story on an event loop of its own."""

    @functools.wraps(story)
    def test(*arguments: Parameters.args, **settings: Parameters.kwargs) -> None:
        async def tell() -> None:
            async with asyncio.timeout(_SECONDS):
                await story(*arguments, **settings)

        asyncio.run(tell())

    return test
