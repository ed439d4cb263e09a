"""A chained invoke: another function's result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perdure.protocol.operations import ChainedInvokeOptions
from perdure.protocol.words import OperationAction
from perdure.sdk.exceptions import InvalidStateError, InvokeError
from perdure.sdk.failures import failure_of
from perdure.sdk.journal import Failed, Fresh, Replayed, Waiting
from perdure.sdk.operations.storing import dump, load, store, update_of
from perdure.sdk.requests import Settle
from perdure.sdk.serdes import DEFAULT_JSON_SERDES

if TYPE_CHECKING:
    from collections.abc import Generator

    from perdure.sdk.base_context import BaseContext
    from perdure.sdk.config import InvokeConfig
    from perdure.sdk.journal import Identity
    from perdure.sdk.requests import Request

__all__ = ["invoke"]


def invoke(
    context: BaseContext,
    identity: Identity,
    function_name: str,
    payload: Any,
    config: InvokeConfig[Any, Any],
) -> Generator[Request, Any, Any]:
    """Return what the function returned; raises ``InvokeError`` if it failed."""
    run = context.run
    while True:
        match run.look(identity):
            case Replayed(payload=result):
                return load(run, identity, config.serdes_result or DEFAULT_JSON_SERDES, result)
            case Failed(error=error):
                raise failure_of(error, InvokeError)
            case Waiting(operation=operation):
                yield Settle(operation, None, context.scope)
            case Fresh():
                text = dump(run, identity, config.serdes_payload or DEFAULT_JSON_SERDES, payload)
                options = ChainedInvokeOptions(
                    function_name=function_name,
                    tenant_id=config.tenant_id,
                    x_amzn_trace_id=_trace_id(context, identity, function_name),
                )
                start = update_of(
                    identity,
                    OperationAction.START,
                    payload=text,
                    chained_invoke_options=options,
                )
                yield from store(run, start, context.scope)
            case decision:
                raise InvalidStateError(f"a chained invoke cannot be {decision}")


def _trace_id(context: BaseContext, identity: Identity, function_name: str) -> str | None:
    hooks = context.run.hooks
    if hooks is None:
        return None
    from perdure.sdk.plugin_infos import PropagationInput

    metadata = hooks.provide_propagation_metadata(
        PropagationInput(
            execution_arn=context.run.durable_execution_arn,
            operation_id=identity.operation_id,
            parent_operation_id=identity.parent_id,
            target_function_name=function_name,
        )
    )
    return metadata.x_amzn_trace_id
