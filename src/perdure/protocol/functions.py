"""The calls that keep functions and their versions.

Source: botocore, ``lambda/2015-03-31``.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from perdure.protocol.configurations import (
    AcceleratorConfig,
    Architectures,
    CapacityProviderConfig,
    DeadLetterConfig,
    DurableConfig,
    Environment,
    EphemeralStorage,
    FileSystemConfig,
    FunctionConfiguration,
    FunctionRuntimeConfig,
    Handler,
    ImageConfig,
    LoggingConfig,
    MemoryMb,
    SettingError,
    SnapStart,
    TenancyConfig,
    TimeoutSeconds,
    TracingConfig,
    VpcConfig,
)
from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.identifiers import (
    CodeSigningConfigArn,
    Description,
    FunctionIdentifier,
    FunctionName,
    KmsKeyArn,
    LayerVersionArn,
    Qualifier,
    RoleArn,
)
from perdure.protocol.runtimes import Runtime
from perdure.protocol.setting_words import PackageType
from perdure.protocol.tags import Tags
from perdure.protocol.wire import IN_QUERY, IN_URI, Location, bound, wire_name

__all__ = [
    "Concurrency",
    "CreateFunctionRequest",
    "DeleteFunctionRequest",
    "DeleteFunctionResponse",
    "FunctionCode",
    "FunctionCodeLocation",
    "FunctionVersionLatestPublished",
    "GetFunctionConfigurationRequest",
    "GetFunctionRequest",
    "GetFunctionResponse",
    "ListFunctionsRequest",
    "ListFunctionsResponse",
    "ListVersionsByFunctionRequest",
    "ListVersionsByFunctionResponse",
    "ListedVersions",
    "MasterRegion",
    "PageSize",
    "PublishVersionRequest",
    "ResolvedS3Object",
    "S3Bucket",
    "S3Key",
    "S3ObjectStorageMode",
    "TagsError",
    "UpdateFunctionCodeRequest",
    "UpdateFunctionConfigurationRequest",
]

PageSize = Annotated[int, Number(1, 10_000)]
S3Bucket = Annotated[str, Text(3, 63, r"[0-9A-Za-z\.\-_]*(?<!\.)")]
S3Key = Annotated[str, Text(1, 1024, r".*")]
MasterRegion = Annotated[
    str, Text(1, 50, r"ALL|(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}")
]


class FunctionVersionLatestPublished(StrEnum):
    """Where else a version is published."""

    LATEST_PUBLISHED = "LATEST_PUBLISHED"


class S3ObjectStorageMode(StrEnum):
    """Whether code is copied."""

    COPY = "COPY"
    REFERENCE = "REFERENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCode:
    """Code, as it is uploaded."""

    zip_file: bytes | None = None
    s3_bucket: S3Bucket | None = None
    s3_key: S3Key | None = None
    s3_object_version: S3Key | None = None
    s3_object_storage_mode: S3ObjectStorageMode | None = None
    image_uri: str | None = None
    source_kms_key_arn: KmsKeyArn | None = field(
        default=None, metadata=wire_name("SourceKMSKeyArn")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedS3Object:
    """The object that code was taken from."""

    s3_bucket: S3Bucket | None = None
    s3_key: S3Key | None = None
    s3_object_version: S3Key | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionCodeLocation:
    """Where code can be downloaded."""

    repository_type: str | None = None
    location: Annotated[str, Text(0, 10_000)] | None = None
    image_uri: str | None = None
    resolved_image_uri: str | None = None
    resolved_s3_object: ResolvedS3Object | None = None
    source_kms_key_arn: KmsKeyArn | None = field(
        default=None, metadata=wire_name("SourceKMSKeyArn")
    )
    error: SettingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsError:
    """Why the tags cannot be shown."""

    error_code: Annotated[str, Text(10, 21, r"[A-Za-z]+Exception")]
    message: Annotated[str, Text(84, 1_000, r".*")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """The concurrency kept for a function."""

    reserved_concurrent_executions: Annotated[int, Number(0)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateFunctionRequest:
    """Creates a function."""

    function_name: FunctionName
    role: RoleArn
    code: FunctionCode
    runtime: Runtime | None = None
    handler: Handler | None = None
    description: Description | None = None
    timeout: TimeoutSeconds | None = None
    memory_size: MemoryMb | None = None
    publish: bool | None = None
    publish_to: FunctionVersionLatestPublished | None = None
    vpc_config: VpcConfig | None = None
    package_type: PackageType | None = None
    dead_letter_config: DeadLetterConfig | None = None
    environment: Environment | None = None
    kms_key_arn: KmsKeyArn | None = field(default=None, metadata=wire_name("KMSKeyArn"))
    tracing_config: TracingConfig | None = None
    tags: Tags | None = None
    layers: tuple[LayerVersionArn, ...] | None = None
    file_system_configs: Annotated[tuple[FileSystemConfig, ...], Items(0, 1)] | None = None
    code_signing_config_arn: CodeSigningConfigArn | None = None
    image_config: ImageConfig | None = None
    architectures: Architectures | None = None
    ephemeral_storage: EphemeralStorage | None = None
    snap_start: SnapStart | None = None
    logging_config: LoggingConfig | None = None
    tenancy_config: TenancyConfig | None = None
    capacity_provider_config: CapacityProviderConfig | None = None
    durable_config: DurableConfig | None = None
    runtime_config: FunctionRuntimeConfig | None = None
    accelerator_config: AcceleratorConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionRequest:
    """Asks for a function and its code."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionResponse:
    """A function, where its code is, its tags."""

    configuration: FunctionConfiguration | None = None
    code: FunctionCodeLocation | None = None
    tags: Tags | None = None
    tags_error: TagsError | None = None
    concurrency: Concurrency | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GetFunctionConfigurationRequest:
    """Asks for a function."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionCodeRequest:
    """Replaces a function's code."""

    function_name: FunctionName = field(metadata=IN_URI)
    zip_file: bytes | None = None
    s3_bucket: S3Bucket | None = None
    s3_key: S3Key | None = None
    s3_object_version: S3Key | None = None
    s3_object_storage_mode: S3ObjectStorageMode | None = None
    image_uri: str | None = None
    architectures: Architectures | None = None
    publish: bool | None = None
    publish_to: FunctionVersionLatestPublished | None = None
    dry_run: bool | None = None
    revision_id: str | None = None
    source_kms_key_arn: KmsKeyArn | None = field(
        default=None, metadata=wire_name("SourceKMSKeyArn")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateFunctionConfigurationRequest:
    """Changes a function's settings; what is absent stays."""

    function_name: FunctionName = field(metadata=IN_URI)
    role: RoleArn | None = None
    handler: Handler | None = None
    description: Description | None = None
    timeout: TimeoutSeconds | None = None
    memory_size: MemoryMb | None = None
    vpc_config: VpcConfig | None = None
    environment: Environment | None = None
    runtime: Runtime | None = None
    dead_letter_config: DeadLetterConfig | None = None
    kms_key_arn: KmsKeyArn | None = field(default=None, metadata=wire_name("KMSKeyArn"))
    tracing_config: TracingConfig | None = None
    revision_id: str | None = None
    layers: tuple[LayerVersionArn, ...] | None = None
    file_system_configs: Annotated[tuple[FileSystemConfig, ...], Items(0, 1)] | None = None
    image_config: ImageConfig | None = None
    ephemeral_storage: EphemeralStorage | None = None
    snap_start: SnapStart | None = None
    logging_config: LoggingConfig | None = None
    capacity_provider_config: CapacityProviderConfig | None = None
    durable_config: DurableConfig | None = None
    runtime_config: FunctionRuntimeConfig | None = None
    accelerator_config: AcceleratorConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunctionRequest:
    """Removes a function, or one of its versions."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    qualifier: Qualifier | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFunctionResponse:
    """It was removed."""

    status_code: int | None = field(default=None, metadata=bound(Location.STATUS))


class ListedVersions(StrEnum):
    """Which versions are listed."""

    ALL = "ALL"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFunctionsRequest:
    """Asks for a page of functions."""

    master_region: MasterRegion | None = field(default=None, metadata=IN_QUERY)
    function_version: ListedVersions | None = field(default=None, metadata=IN_QUERY)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFunctionsResponse:
    """A page of functions."""

    next_marker: str | None = None
    functions: tuple[FunctionConfiguration, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishVersionRequest:
    """Makes a version of the code and settings as they are."""

    function_name: FunctionName = field(metadata=IN_URI)
    code_sha256: str | None = None
    description: Description | None = None
    revision_id: str | None = None
    publish_to: FunctionVersionLatestPublished | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersionsByFunctionRequest:
    """Asks for a page of a function's versions."""

    function_name: FunctionIdentifier = field(metadata=IN_URI)
    marker: str | None = field(default=None, metadata=IN_QUERY)
    max_items: PageSize | None = field(default=None, metadata=IN_QUERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListVersionsByFunctionResponse:
    """A page of versions."""

    next_marker: str | None = None
    versions: tuple[FunctionConfiguration, ...] | None = None
