"""A function's settings: what can be asked for, and how they are shown.

Source: botocore, ``lambda/2015-03-31``: FunctionConfiguration and all that is in it. Every member
is stored and shown; which of them change how a function runs is decided elsewhere.
"""

from dataclasses import dataclass, field
from typing import Annotated

from perdure.protocol.constraints import Items, Number, Text
from perdure.protocol.function_states import (
    LastUpdateStatus,
    LastUpdateStatusReasonCode,
    State,
    StateReasonCode,
)
from perdure.protocol.identifiers import (
    AwsArn,
    Description,
    FunctionArn,
    FunctionIdentifier,
    FunctionVersionNumber,
    KmsKeyArn,
    LayerVersionArn,
    QualifiedFunctionArn,
    ResourceArn,
    RoleArn,
)
from perdure.protocol.runtimes import Runtime
from perdure.protocol.setting_words import (
    ApplicationLogLevel,
    Architecture,
    DirectS3Read,
    LogFormat,
    PackageType,
    SnapStartApplyOn,
    SnapStartOptimizationStatus,
    SystemLogLevel,
    TenantIsolationMode,
    TracingMode,
)
from perdure.protocol.wire import wire_name

__all__ = [
    "AcceleratorConfig",
    "Architectures",
    "CapacityProviderArn",
    "CapacityProviderConfig",
    "DeadLetterConfig",
    "DurableConfig",
    "Environment",
    "EnvironmentResponse",
    "EnvironmentVariables",
    "EphemeralStorage",
    "FileSystemArn",
    "FileSystemConfig",
    "FunctionConfiguration",
    "FunctionRuntimeArn",
    "FunctionRuntimeConfig",
    "Handler",
    "ImageConfig",
    "ImageConfigResponse",
    "LambdaManagedInstancesCapacityProviderConfig",
    "Layer",
    "LoggingConfig",
    "MemoryMb",
    "RuntimeVersionArn",
    "RuntimeVersionConfig",
    "S3FilesConfig",
    "SettingError",
    "SnapStart",
    "SnapStartResponse",
    "TenancyConfig",
    "TimeoutSeconds",
    "TracingConfig",
    "VpcConfig",
    "VpcConfigResponse",
]


EnvironmentVariables = dict[Annotated[str, Text(pattern=r"[a-zA-Z]([a-zA-Z0-9_])+")], str]
Handler = Annotated[str, Text(0, 128, r"[^\s]+")]
TimeoutSeconds = Annotated[int, Number(1, 5_400)]
MemoryMb = Annotated[int, Number(128, 32_768)]
Architectures = Annotated[tuple[Architecture, ...], Items(1, 1)]
CapacityProviderArn = Annotated[
    str,
    Text(
        1,
        140,
        r"arn:aws[a-zA-Z-]*:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}"
        r":capacity-provider:[a-zA-Z0-9-_]+",
    ),
]
FileSystemArn = Annotated[
    str,
    Text(
        0,
        256,
        r"arn:aws[a-zA-Z-]*:elasticfilesystem:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}"
        r":\d{12}:access-point/fsap-[a-f0-9]{17}$"
        r"|^arn:aws[-a-z]*:s3files:[0-9a-z-:]+:file-system/fs-[0-9a-f]{17,40}"
        r"/access-point/fsap-[0-9a-f]{17,40}",
    ),
]
RuntimeVersionArn = Annotated[
    str,
    Text(
        26,
        2048,
        r"((arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}::runtime:.+)"
        r"|(arn:(aws[a-zA-Z-]*):lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}"
        r":runtime/[A-Za-z0-9_.-]{1,128}/version/[A-Za-z0-9_.-]{1,128}))",
    ),
]
SubnetIds = Annotated[tuple[Annotated[str, Text(0, 1024, r"subnet-[0-9a-z]*")], ...], Items(0, 16)]
SecurityGroupIds = Annotated[
    tuple[Annotated[str, Text(0, 1024, r"sg-[0-9a-zA-Z]*")], ...], Items(0, 5)
]
FunctionRuntimeArn = Annotated[
    str, Text(48, 2048, r"arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:runtime/.+")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingError:
    """Why something cannot be shown; AWS has one such shape for each thing."""

    error_code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceleratorConfig:
    """The accelerator a function has."""

    accelerator_memory_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaManagedInstancesCapacityProviderConfig:
    """The instances a function runs on."""

    capacity_provider_arn: CapacityProviderArn
    per_execution_environment_max_concurrency: Annotated[int, Number(1, 1_600)] | None = None
    memory_gib_per_vcpu: Annotated[float, Number(2, 8)] | None = field(
        default=None, metadata=wire_name("ExecutionEnvironmentMemoryGiBPerVCpu")
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityProviderConfig:
    """The capacity a function runs on."""

    lambda_managed_instances_capacity_provider_config: LambdaManagedInstancesCapacityProviderConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterConfig:
    """Where events go that could not be handled."""

    target_arn: ResourceArn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableConfig:
    """What makes a function durable."""

    kms_key_arn: KmsKeyArn | None = field(default=None, metadata=wire_name("KMSKeyArn"))
    retention_period_in_days: Annotated[int, Number(1, 90)] | None = None
    execution_timeout: Annotated[int, Number(1, 31_622_400)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment variables."""

    variables: EnvironmentVariables | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentResponse:
    """The environment variables, as they are."""

    variables: EnvironmentVariables | None = None
    error: SettingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EphemeralStorage:
    """The space under ``/tmp``, in MB."""

    size: Annotated[int, Number(512, 32_768)]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3FilesConfig:
    """How a mounted bucket is read."""

    direct_s3_read: DirectS3Read | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSystemConfig:
    """A file system that is mounted."""

    arn: FileSystemArn
    local_mount_path: Annotated[str, Text(0, 160, r"/mnt/[a-zA-Z0-9-_.]+")]
    s3_files_config: S3FilesConfig | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionRuntimeConfig:
    """A runtime of one's own."""

    runtime_arn: FunctionRuntimeArn
    runtime_alias: Annotated[str, Text(1, 128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """What overrides a container image."""

    entry_point: Annotated[tuple[str, ...], Items(0, 1_500)] | None = None
    command: Annotated[tuple[str, ...], Items(0, 1_500)] | None = None
    working_directory: Annotated[str, Text(0, 1_000)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfigResponse:
    """What overrides the image, as it is."""

    image_config: ImageConfig | None = None
    error: SettingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """A layer, as it is."""

    arn: LayerVersionArn | None = None
    code_size: int | None = None
    signing_profile_version_arn: AwsArn | None = None
    signing_job_arn: AwsArn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggingConfig:
    """Where and how log lines are written."""

    log_format: LogFormat | None = None
    application_log_level: ApplicationLogLevel | None = None
    system_log_level: SystemLogLevel | None = None
    log_group: Annotated[str, Text(1, 512, r"[\.\-_/#A-Za-z0-9]+")] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeVersionConfig:
    """Which version of the runtime is used."""

    runtime_version_arn: RuntimeVersionArn | None = None
    error: SettingError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapStart:
    """Whether versions start from a snapshot."""

    apply_on: SnapStartApplyOn | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SnapStartResponse:
    """Whether versions start from a snapshot, as it is."""

    apply_on: SnapStartApplyOn | None = None
    optimization_status: SnapStartOptimizationStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenancyConfig:
    """Whether tenants share workers."""

    tenant_isolation_mode: TenantIsolationMode


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingConfig:
    """Whether invocations are traced."""

    mode: TracingMode | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcConfig:
    """The network a function is in."""

    subnet_ids: SubnetIds | None = None
    security_group_ids: SecurityGroupIds | None = None
    ipv6_allowed_for_dual_stack: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcConfigResponse:
    """The network a function is in, as it is."""

    subnet_ids: SubnetIds | None = None
    security_group_ids: SecurityGroupIds | None = None
    vpc_id: str | None = None
    ipv6_allowed_for_dual_stack: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionConfiguration:
    """A version of a function, as it is."""

    function_name: FunctionIdentifier | None = None
    function_arn: QualifiedFunctionArn | None = None
    runtime: Runtime | None = None
    role: RoleArn | None = None
    handler: Handler | None = None
    code_size: int | None = None
    description: Description | None = None
    timeout: TimeoutSeconds | None = None
    memory_size: MemoryMb | None = None
    last_modified: Annotated[str, Text(0, 100, r".*")] | None = None
    code_sha256: str | None = None
    version: FunctionVersionNumber | None = None
    vpc_config: VpcConfigResponse | None = None
    dead_letter_config: DeadLetterConfig | None = None
    environment: EnvironmentResponse | None = None
    kms_key_arn: KmsKeyArn | None = field(default=None, metadata=wire_name("KMSKeyArn"))
    tracing_config: TracingConfig | None = None
    master_arn: FunctionArn | None = None
    revision_id: str | None = None
    layers: tuple[Layer, ...] | None = None
    state: State | None = None
    state_reason: str | None = None
    state_reason_code: StateReasonCode | None = None
    last_update_status: LastUpdateStatus | None = None
    last_update_status_reason: str | None = None
    last_update_status_reason_code: LastUpdateStatusReasonCode | None = None
    file_system_configs: Annotated[tuple[FileSystemConfig, ...], Items(0, 1)] | None = None
    signing_profile_version_arn: AwsArn | None = None
    signing_job_arn: AwsArn | None = None
    package_type: PackageType | None = None
    image_config_response: ImageConfigResponse | None = None
    architectures: Architectures | None = None
    ephemeral_storage: EphemeralStorage | None = None
    snap_start: SnapStartResponse | None = None
    runtime_version_config: RuntimeVersionConfig | None = None
    logging_config: LoggingConfig | None = None
    tenancy_config: TenancyConfig | None = None
    capacity_provider_config: CapacityProviderConfig | None = None
    config_sha256: str | None = None
    durable_config: DurableConfig | None = None
    runtime_config: FunctionRuntimeConfig | None = None
    accelerator_config: AcceleratorConfig | None = None
