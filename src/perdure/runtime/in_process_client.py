"""The two calls of a handler that runs beside the engine: shapes are passed as they are, no text is
made of them and nothing crosses a socket.

What the wire's codec would refuse is refused here too, so that a handler that runs in process also
runs elsewhere.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, get_args

from perdure.core.errors import InvalidParameterValue, Refusal, TooManyRequests, Unavailable
from perdure.engine.executions import Executions
from perdure.protocol.constraints import Text
from perdure.protocol.executions import GetDurableExecutionStateRequest
from perdure.protocol.operations import OperationName, OperationUpdate
from perdure.protocol.wire import WireError, decode, encode, members
from perdure.runtime.crossing import ClosedError, Crossing
from perdure.sdk.client import Progress, ServiceError

__all__ = ["LoopClient", "ThreadClient"]

_NAME: Final[Text] = get_args(OperationName)[1]
_OPTIONS: Final = tuple(
    member for member in members(OperationUpdate) if member.attribute.endswith("_options")
)


class LoopClient:
    """The service, for handlers on the engine's own loop. Implements ``AsyncServiceClient``."""

    def __init__(self, executions: Executions) -> None:
        """Ask ``executions``."""
        self._executions = executions

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """Store updates; return when they are stored.

        Raises:
            ServiceError: the engine refuses them.
        """
        _ = client_token  # a call in process is answered, or its process is gone: none comes twice
        try:
            for update in updates:
                _check(update)
            next_token, operations = await self._executions.checkpoint(
                arn.rpartition("/")[2], token, tuple(updates)
            )
        except Refusal as refusal:
            raise _error(refusal) from None
        return Progress(next_token, operations, None)

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Return one page of the recorded operations.

        Raises:
            ServiceError: the token is not the current one.
        """
        try:
            answer = await self._executions.get_durable_execution_state(
                GetDurableExecutionStateRequest(
                    durable_execution_arn=arn, checkpoint_token=token, marker=marker
                )
            )
        except Refusal as refusal:
            raise _error(refusal) from None
        return Progress(token, answer.operations, answer.next_marker)


class ThreadClient:
    """The service, for handlers in threads. Implements ``ServiceClient``."""

    def __init__(self, client: LoopClient, crossing: Crossing) -> None:
        """Have ``client`` asked on the other side of ``crossing``."""
        self._client = client
        self._crossing = crossing

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """Store updates; return when they are stored.

        Raises:
            ServiceError: the engine refuses them, or is closed.
        """
        return self._call(
            self._crossing.visit, self._client.checkpoint, arn, token, updates, client_token
        )

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Return one page of the recorded operations.

        Raises:
            ServiceError: the token is not the current one, or the engine is closed.
        """
        return self._call(self._crossing.call, self._client.read_state, arn, token, marker)

    def _call(self, cross: Callable[..., Progress], *arguments: Any) -> Progress:
        try:
            return cross(*arguments)
        except ClosedError as error:
            raise ServiceError(str(error), code=Unavailable.code, status=503) from None


class _Form(NamedTuple):
    """Which HTTP status stands for a refusal: 4xx fails the execution, the others are for now."""

    kind: type[Refusal]
    status: int


_FORMS: Final = (_Form(Unavailable, 503), _Form(TooManyRequests, 429), _Form(Refusal, 400))


def _error(refusal: Refusal) -> ServiceError:
    status = next(form.status for form in _FORMS if isinstance(refusal, form.kind))
    return ServiceError(refusal.message, code=refusal.code, status=status)


def _check(update: OperationUpdate) -> None:
    problem = None if update.name is None else _name_problem(update.name)
    if problem is not None:
        raise InvalidParameterValue(f"the name {update.name!r:.80} of an operation {problem}")
    if (
        update.step_options is None
        and update.wait_options is None
        and update.callback_options is None
        and update.chained_invoke_options is None
    ):
        return
    for member in _OPTIONS:
        options: Any = getattr(update, member.attribute)
        if options is not None:
            try:
                decode(member.type, encode(options), path=member.wire)
            except WireError as error:
                raise InvalidParameterValue(str(error)) from None


@lru_cache(maxsize=1_024)
def _name_problem(name: str) -> str | None:
    return _NAME.problem(name)
