"""The calls on how asynchronous invocations are handled: retries, age, destinations."""

from dataclasses import replace

from perdure.core.errors import InvalidParameterValue, ResourceNotFound
from perdure.engine.functions.registry import LATEST, Registry, marker_key, marker_of
from perdure.protocol import event_invokes as shapes
from perdure.protocol.event_invokes import (
    DestinationConfig,
    FunctionEventInvokeConfig,
    OnFailure,
    OnSuccess,
)
from perdure.protocol.limits import LIST_PAGE_DEFAULT
from perdure.protocol.wire import Instant

__all__ = ["EventInvokeCalls"]

_Change = shapes.PutFunctionEventInvokeConfigRequest | shapes.UpdateFunctionEventInvokeConfigRequest


_NO_DESTINATIONS = DestinationConfig(on_success=OnSuccess(), on_failure=OnFailure())


class EventInvokeCalls:
    """Answers the calls on event invoke configurations: one a function, version or alias."""

    def __init__(self, registry: Registry) -> None:
        """Keep configurations in ``registry``."""
        self._registry = registry

    async def put_function_event_invoke_config(
        self, request: shapes.PutFunctionEventInvokeConfigRequest
    ) -> FunctionEventInvokeConfig:
        """Say how asynchronous invocations are handled."""
        return await self._change(request, keep=False)

    async def update_function_event_invoke_config(
        self, request: shapes.UpdateFunctionEventInvokeConfigRequest
    ) -> FunctionEventInvokeConfig:
        """Change how asynchronous invocations are handled; what is absent stays."""
        return await self._change(request, keep=True)

    async def get_function_event_invoke_config(
        self, request: shapes.GetFunctionEventInvokeConfigRequest
    ) -> FunctionEventInvokeConfig:
        """Return how asynchronous invocations are handled.

        Raises:
            ResourceNotFound: nobody has said so yet.
        """
        key, arn = await self._place(request.function_name, request.qualifier)
        held = await self._registry.event_invokes.read(key)
        if held is None:
            raise _missing(arn)
        return held.document

    async def delete_function_event_invoke_config(
        self, request: shapes.DeleteFunctionEventInvokeConfigRequest
    ) -> None:
        """Go back to the defaults.

        Raises:
            ResourceNotFound: nobody has said otherwise.
        """
        registry = self._registry
        async with registry.lock:
            key, arn = await self._place(request.function_name, request.qualifier)
            held = await registry.event_invokes.read(key)
            if held is None:
                raise _missing(arn)
            await registry.write([registry.event_invokes.remove(held)])

    async def list_function_event_invoke_configs(
        self, request: shapes.ListFunctionEventInvokeConfigsRequest
    ) -> shapes.ListFunctionEventInvokeConfigsResponse:
        """Return a page of a function's configurations."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        await registry.get(name)
        limit = request.max_items or LIST_PAGE_DEFAULT
        page = await registry.event_invokes.page(
            prefix=f"{name}:", after=marker_key(request.marker), limit=limit + 1
        )
        return shapes.ListFunctionEventInvokeConfigsResponse(
            function_event_invoke_configs=tuple(held.document for held in page[:limit]),
            next_marker=marker_of(page[limit - 1].key) if len(page) > limit else None,
        )

    async def _change(self, request: _Change, *, keep: bool) -> FunctionEventInvokeConfig:
        asked = FunctionEventInvokeConfig(
            maximum_retry_attempts=request.maximum_retry_attempts,
            maximum_event_age_in_seconds=request.maximum_event_age_in_seconds,
            destination_config=request.destination_config,
        )
        if asked == FunctionEventInvokeConfig():
            raise InvalidParameterValue(
                "You must specify at least one of error handling or destination setting."
            )
        registry = self._registry
        async with registry.lock:
            key, arn = await self._place(request.function_name, request.qualifier)
            _check_destinations(request.destination_config, arn)
            held = await registry.event_invokes.read(key)
            if keep and held is None:
                raise _missing(arn)
            if keep and held is not None:
                asked = _merged(held.document, asked)
            changed = replace(
                asked,
                function_arn=arn,
                last_modified=Instant(registry.now_ms()),
                destination_config=asked.destination_config or _NO_DESTINATIONS,
            )
            await registry.write([registry.event_invokes.put(key, changed)])
        return changed

    async def _place(self, identifier: str, qualifier: str | None) -> tuple[str, str]:
        """Return the key and the ARN of a function, version or alias that is there."""
        reference = self._registry.refer(identifier, qualifier)
        await self._registry.find(reference)
        qualifier = reference.qualifier or LATEST
        return f"{reference.name}:{qualifier}", self._registry.arn(reference.name, qualifier)


def _merged(
    current: FunctionEventInvokeConfig, asked: FunctionEventInvokeConfig
) -> FunctionEventInvokeConfig:
    given = {
        attribute: value
        for attribute in (
            "maximum_retry_attempts",
            "maximum_event_age_in_seconds",
            "destination_config",
        )
        if (value := getattr(asked, attribute)) is not None
    }
    return replace(current, **given)


def _check_destinations(asked: DestinationConfig | None, arn: str) -> None:
    for target in (asked and asked.on_success, asked and asked.on_failure):
        if target is not None and target.destination in (arn, arn.removesuffix(f":{LATEST}")):
            raise InvalidParameterValue(
                "You can't specify the function as a destination for itself."
            )


def _missing(arn: str) -> ResourceNotFound:
    return ResourceNotFound(f"The function {arn} doesn't have an EventInvokeConfig")
