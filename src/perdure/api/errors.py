"""How a refusal is answered: status, header and body, as Lambda's model has them.

Source: botocore, ``lambda/2015-03-31``: the error shapes, their ``httpStatusCode`` and whether they
say ``Message`` or ``message``. Three differ, or are not in the model: what cannot be done *now* is
503 (the model's ServiceException is 500, and so is a fault of ours), what a browser's page may not
send is 403, and a call or a path that nobody knows is 404.
"""

from typing import Final, NamedTuple

import msgspec

from perdure.core.errors import Refusal, Unavailable

__all__ = ["ERRORS", "ApiError", "ErrorForm", "error_body", "error_status"]


class ErrorForm(NamedTuple):
    """How an error looks on the wire."""

    status: int
    message_member: str


_CAPITAL: Final = "Message"
_SMALL: Final = "message"

ERRORS: Final = {
    "AccessDeniedException": ErrorForm(403, _CAPITAL),
    "CallbackTimeoutException": ErrorForm(400, _CAPITAL),
    "CodeStorageExceededException": ErrorForm(400, _SMALL),
    "DurableExecutionAlreadyStartedException": ErrorForm(409, _CAPITAL),
    "InvalidParameterValueException": ErrorForm(400, _SMALL),
    "InvalidRequestContentException": ErrorForm(400, _SMALL),
    "PreconditionFailedException": ErrorForm(412, _SMALL),
    "RecursiveInvocationException": ErrorForm(400, _CAPITAL),
    "RequestTooLargeException": ErrorForm(413, _SMALL),
    "ResourceConflictException": ErrorForm(409, _SMALL),
    "ResourceNotFoundException": ErrorForm(404, _CAPITAL),
    "ServiceException": ErrorForm(500, _CAPITAL),
    "TooManyRequestsException": ErrorForm(429, _SMALL),
    "UnknownOperationException": ErrorForm(404, _CAPITAL),
    "UnsupportedMediaTypeException": ErrorForm(415, _SMALL),
}


class ApiError(Refusal):
    """A refusal of the API's own: it says by itself what it is called on the wire."""

    def __init__(self, code: str, message: str, *, is_closing: bool = False) -> None:
        """Refuse with the error ``code``; ``is_closing``: the connection is of no more use."""
        super().__init__(message)
        self.code = code  # pyright: ignore[reportAttributeAccessIssue] - a class has one, we have many
        self.is_closing = is_closing


def error_status(refusal: Refusal) -> int:
    """Return the HTTP status of a refusal."""
    return 503 if isinstance(refusal, Unavailable) else ERRORS[refusal.code].status


def error_body(code: str, message: str) -> bytes:
    """Return the document of an error."""
    form = ERRORS[code]
    kind = "Service" if form.status >= 500 else "User"
    return msgspec.json.encode({"Type": kind, form.message_member: message})
