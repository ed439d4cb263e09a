"""What is stored of functions: documents, in the form of the wire's codec, each in a collection.

function      NAME                what belongs to the function as a whole, and ``$LATEST``
version       NAME:0000000001     a published version; never changes
snapshot      NAME:CODE_SHA256    ``$LATEST`` as it last was with that code: running executions
                                  may be pinned to it (V1)
alias         NAME:ALIAS
event-invoke  NAME:QUALIFIER
code          CODE_SHA256         the zip, as it was uploaded
code-use      CODE_SHA256:NAME:VERSION   who needs the zip; empty
"""

from dataclasses import dataclass, field

from perdure.protocol.configurations import FunctionConfiguration

__all__ = ["FunctionDocument", "StoredVersion"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVersion:
    """A version, or ``$LATEST``; its ARN is unqualified."""

    configuration: FunctionConfiguration
    code_folder: str | None = None  #: dev mode
    endpoint_url: str | None = None  #: where invocations of it are posted, instead of code
    replaced_at_ms: int | None = None  #: a snapshot: when ``$LATEST`` went on to other code


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDocument:
    """A function as a whole."""

    latest: StoredVersion
    last_version: int = 0  #: the highest number ever published; never given again
    reserved_concurrency: int | None = None
    tags: dict[str, str] = field(default_factory=dict[str, str])
