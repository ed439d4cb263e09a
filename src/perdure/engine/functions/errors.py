"""Refusals that only the catalog knows.

Refusal
├── PreconditionFailed     the RevisionId is not the current one
└── CodeStorageExceeded    there is no room for more code
"""

from perdure.core.errors import Refusal

__all__ = ["CodeStorageExceeded", "PreconditionFailed"]


class PreconditionFailed(Refusal):
    """The RevisionId is not the current one."""

    code = "PreconditionFailedException"

    def __init__(self) -> None:
        """Say what to do, in AWS's words."""
        super().__init__(
            "The Revision Id provided does not match the latest Revision Id. Call the"
            " GetFunction/GetAlias API to retrieve the latest Revision Id"
        )


class CodeStorageExceeded(Refusal):
    """There is no room for more code."""

    code = "CodeStorageExceededException"
