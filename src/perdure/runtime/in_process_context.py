"""What a handler in process is given beside the event: Lambda's context, as far as there is any."""

import sys

from perdure.clock import Clock
from perdure.engine.invoker import InvocationRequest

__all__ = ["InProcessContext"]


class InProcessContext:
    """One invocation, as its handler sees it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html.
    """

    def __init__(self, request: InvocationRequest, clock: Clock) -> None:
        """Show what the request says; time is that of ``clock``."""
        function = request.function
        self.aws_request_id = request.request_id
        self.invoked_function_arn: str | None = request.invoked_arn
        self.function_name: str | None = function.function_name
        self.function_version: str | None = function.version
        self.memory_limit_in_mb: str | None = str(function.memory_mb)
        self.log_group_name: str | None = None
        self.log_stream_name: str | None = None
        self.tenant_id = request.tenant_id
        self.client_context = None
        self.identity = None
        self._clock = clock
        self._ends_at_ms = clock.now_ms() + function.timeout_seconds * 1000

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the invocation may still take: in process, as long as the execution."""
        return max(0, self._ends_at_ms - self._clock.now_ms())

    def log(self, msg: object) -> None:
        """Write a line to standard output, where Lambda's log is made of."""
        sys.stdout.write(f"{msg}\n")
