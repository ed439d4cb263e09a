"""What a handler needs of the service: two calls, as Protocols, and their one error.

``http`` speaks to an endpoint, ``boto`` to AWS, the in-process runtime to an engine beside it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from perdure.protocol.operations import Operation, OperationUpdate

__all__ = ["AsyncServiceClient", "Progress", "ServiceClient", "ServiceError"]


class Progress(NamedTuple):
    """What the service answered: the next token, and what has changed.

    No token means that this invocation may not checkpoint any more. ``marker`` leads to the next
    page of what has changed.
    """

    token: str | None
    operations: Sequence[Operation]
    marker: str | None


class ServiceClient(Protocol):
    """The service, for handlers that may block; safe to use from several threads."""

    def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """Store updates; return when they are stored.

        The same ``client_token`` with the same checkpoint token stores once, however often it is
        sent. Raises ``ServiceError`` when the service refuses, or cannot be reached.
        """
        ...

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Return one page of the recorded operations; the first one without a marker."""
        ...


class AsyncServiceClient(Protocol):
    """The service, for handlers on an event loop."""

    async def checkpoint(
        self, arn: str, token: str, updates: Sequence[OperationUpdate], client_token: str
    ) -> Progress:
        """As ``ServiceClient.checkpoint``."""
        ...

    async def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """As ``ServiceClient.read_state``."""
        ...


class ServiceError(Exception):
    """The service refused a call, or could not be reached.

    ``response`` has the members of botocore's ``ClientError.response`` that say why.
    """

    def __init__(self, message: str, *, code: str | None = None, status: int | None = None) -> None:
        """Say what happened; ``code`` is the service's word for it, ``status`` HTTP's."""
        super().__init__(message)
        self.response = {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        }
