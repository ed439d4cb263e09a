"""The calls that keep aliases: names for a version, or for a weighted choice of two.

Source: botocore, ``lambda/2015-03-31``.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Number, Text
from perdure.protocol.identifiers import (
    AliasName,
    Description,
    FunctionArn,
    FunctionName,
    FunctionVersionNumber,
    PublishedVersion,
)
from perdure.protocol.wire import IN_QUERY, IN_URI

__all__ = [
    "AliasConfiguration",
    "AliasRoutingConfiguration",
    "CreateAliasRequest",
    "DeleteAliasRequest",
    "GetAliasRequest",
    "ListAliasesRequest",
    "ListAliasesResponse",
    "PageSize",
    "UpdateAliasRequest",
    "VersionWeights",
]

PageSize = Annotated[int, Number(1, 10_000)]
VersionWeights = dict[Annotated[str, Text(1, 1024, r"[0-9]+")], Annotated[float, Number(0.0, 1.0)]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasRoutingConfiguration:
    """Which other versions get a part of an alias's invocations."""

    additional_version_weights: VersionWeights | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasConfiguration:
    """An alias, as it is."""

    alias_arn: FunctionArn | None = None
    name: AliasName | None = None
    function_version: FunctionVersionNumber | None = None
    description: Description | None = None
    routing_config: AliasRoutingConfiguration | None = None
    revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateAliasRequest:
    """Creates an alias."""

    function_name: FunctionName = field(metadata=IN_URI)
    name: AliasName
    function_version: PublishedVersion
    description: Description | None = None
    routing_config: AliasRoutingConfiguration | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetAliasRequest:
    """Asks for an alias."""

    function_name: FunctionName = field(metadata=IN_URI)
    name: AliasName = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAliasRequest:
    """Changes an alias; what is absent stays."""

    function_name: FunctionName = field(metadata=IN_URI)
    name: AliasName = field(metadata=IN_URI)
    function_version: PublishedVersion | None = None
    description: Description | None = None
    routing_config: AliasRoutingConfiguration | None = None
    revision_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteAliasRequest:
    """Removes an alias."""

    function_name: FunctionName = field(metadata=IN_URI)
    name: AliasName = field(metadata=IN_URI)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAliasesRequest:
    """Asks for a page of a function's aliases."""

    function_name: FunctionName = field(metadata=IN_URI)
    function_version: PublishedVersion | None = field(default=None, metadata=IN_QUERY)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAliasesResponse:
    """A page of aliases."""

    next_marker: str | None = None
    aliases: tuple[AliasConfiguration, ...] | None = None
