"""Sends each run where its function's code is: to an endpoint, or to a worker of this machine."""

from perdure.engine.invoker import FunctionVersion, InvocationReport, InvocationRequest, Invoker

__all__ = ["RoutingInvoker"]


class RoutingInvoker:
    """An ``Invoker`` of two others."""

    def __init__(self, workers: Invoker, endpoints: Invoker) -> None:
        """Give to ``endpoints`` the functions that have a URL, and all others to ``workers``."""
        self._workers = workers
        self._endpoints = endpoints

    async def invoke(self, request: InvocationRequest) -> InvocationReport:
        """Run the function once and return what happened."""
        return await self._invoker(request.function).invoke(request)

    async def retire(self, function_arn: str, *, version: str | None = None) -> None:
        """Retire the function's workers, wherever they are: its versions may be of both kinds."""
        await self._workers.retire(function_arn, version=version)
        await self._endpoints.retire(function_arn, version=version)

    def _invoker(self, function: FunctionVersion) -> Invoker:
        return self._workers if function.endpoint_url is None else self._endpoints
