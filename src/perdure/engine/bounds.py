"""How many invocations of a function may run on this node: its reserved concurrency, or this node's
share of it where nodes share the store.
"""

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from perdure.core.errors import Refusal
from perdure.engine.directory import Functions
from perdure.engine.invoker import FunctionVersion

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Bounds"]


class Bounds:
    """What is known of the functions' concurrency; None: only the node's bound holds."""

    def __init__(self, functions: Functions) -> None:
        """Know nothing yet, and look it up in ``functions``."""
        #: Returns which part of a function's reserved concurrency is this node's.
        self.share: Callable[[int], int] = lambda concurrency_max: concurrency_max
        self._functions = functions
        self._bounds: dict[str, int | None] = {}

    def note(self, function_arn: str, concurrency_max: int | None) -> None:
        """Take over what a function's concurrency is by now."""
        self._bounds[function_arn] = concurrency_max

    def is_unbounded(self, function_arn: str) -> bool:
        """Tell whether a function is known to have no reserved concurrency."""
        return self._bounds.get(function_arn, 0) is None

    def allows(self, function_arn: str, running: int) -> bool:
        """Tell whether so many may run here."""
        bound = self._bounds.get(function_arn)
        return bound is None or running <= self.share(bound)

    def is_for_others(self, function_arn: str) -> bool:
        """Tell whether only other nodes have a share of the function's concurrency."""
        bound = self._bounds.get(function_arn)
        return bool(bound) and self.share(bound or 0) == 0

    def shared(self, function: FunctionVersion) -> FunctionVersion:
        """Return the function with this node's part of its concurrency, at least one."""
        bound = self._bounds[function.function_arn] = function.concurrency_max
        mine = max(1, self.share(bound)) if bound else bound
        return function if mine == bound else replace(function, concurrency_max=mine)

    async def learn(self, function_arn: str) -> None:
        """Look up what a function's concurrency is by now; it may have been changed elsewhere."""
        with contextlib.suppress(Refusal):
            function = await self._functions.resolve(function_arn, None, draw=lambda: 1.0)
            self._bounds[function_arn] = function.concurrency_max

    async def learn_anew(self) -> None:
        """Look up the concurrency of every function that is known to have one."""
        for function_arn, bound in list(self._bounds.items()):
            if bound is not None:
                await self.learn(function_arn)
