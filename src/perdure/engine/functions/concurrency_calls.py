"""The calls on concurrency and on the account it belongs to."""

from dataclasses import replace

from perdure.core.errors import InvalidParameterValue
from perdure.engine.functions.registry import Registry
from perdure.protocol import concurrency as shapes
from perdure.protocol.functions import Concurrency
from perdure.protocol.limits import (
    CODE_STORAGE_BYTES_MAX,
    CODE_UNZIPPED_BYTES_MAX,
    CODE_ZIPPED_BYTES_MAX,
    CONCURRENCY_UNRESERVED_MIN,
)

__all__ = ["ConcurrencyCalls"]


class ConcurrencyCalls:
    """Answers the calls on concurrency."""

    def __init__(self, registry: Registry) -> None:
        """Keep reservations with the functions in ``registry``."""
        self._registry = registry

    async def put_function_concurrency(
        self, request: shapes.PutFunctionConcurrencyRequest
    ) -> Concurrency:
        """Keep a part of the account's concurrency for a function; 0 stops it.

        Raises:
            InvalidParameterValue: too little would be left for the other functions.
        """
        registry, asked = self._registry, request.reserved_concurrent_executions
        name = registry.refer_whole(request.function_name)
        async with registry.lock:
            held = await registry.get(name)
            left = registry.account.concurrency_max - await self._reserved(but=name) - asked
            if left < CONCURRENCY_UNRESERVED_MIN:
                raise InvalidParameterValue(
                    "Specified ReservedConcurrentExecutions for function decreases account's"
                    " UnreservedConcurrentExecution below its minimum value of"
                    f" [{CONCURRENCY_UNRESERVED_MIN}]."
                )
            document = replace(held.document, reserved_concurrency=asked)
            await registry.write([registry.functions.replace(held, document)])
        registry.bound(name, asked)
        return Concurrency(reserved_concurrent_executions=asked)

    async def get_function_concurrency(
        self, request: shapes.GetFunctionConcurrencyRequest
    ) -> shapes.GetFunctionConcurrencyResponse:
        """Return what is kept for a function."""
        name = self._registry.refer_whole(request.function_name)
        document = (await self._registry.get(name)).document
        return shapes.GetFunctionConcurrencyResponse(
            reserved_concurrent_executions=document.reserved_concurrency
        )

    async def delete_function_concurrency(
        self, request: shapes.DeleteFunctionConcurrencyRequest
    ) -> None:
        """Give back what is kept for a function."""
        registry = self._registry
        name = registry.refer_whole(request.function_name)
        async with registry.lock:
            held = await registry.get(name)
            document = replace(held.document, reserved_concurrency=None)
            await registry.write([registry.functions.replace(held, document)])
        registry.bound(name, None)

    async def get_account_settings(
        self, _: shapes.GetAccountSettingsRequest
    ) -> shapes.GetAccountSettingsResponse:
        """Return what the account may have, and what it has."""
        registry, count, size = self._registry, 0, 0
        async for held in registry.functions.every():
            count += 1
            size += held.document.latest.configuration.code_size or 0
        async for held in registry.versions.every():
            size += held.document.configuration.code_size or 0
        concurrency_max = registry.account.concurrency_max
        return shapes.GetAccountSettingsResponse(
            account_limit=shapes.AccountLimit(
                total_code_size=CODE_STORAGE_BYTES_MAX,
                code_size_unzipped=CODE_UNZIPPED_BYTES_MAX,
                code_size_zipped=CODE_ZIPPED_BYTES_MAX,
                concurrent_executions=concurrency_max,
                unreserved_concurrent_executions=concurrency_max - await self._reserved(),
            ),
            account_usage=shapes.AccountUsage(total_code_size=size, function_count=count),
        )

    async def _reserved(self, *, but: str | None = None) -> int:
        return sum(
            [
                held.document.reserved_concurrency or 0
                async for held in self._registry.functions.every()
                if held.key != but
            ]
        )
