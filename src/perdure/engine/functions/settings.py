"""From what a caller asks for to a function's configuration: defaults, changes, rules.

Source: the Lambda model's documentation of CreateFunction and UpdateFunctionConfiguration, and the
developer guide. What would change how code runs and cannot be had here is refused, never ignored.
"""

import base64
import hashlib
from dataclasses import replace
from typing import Final

import msgspec

from perdure.core.errors import InvalidParameterValue
from perdure.protocol.configurations import (
    CapacityProviderConfig,
    DurableConfig,
    Environment,
    EnvironmentResponse,
    EphemeralStorage,
    FunctionConfiguration,
    LoggingConfig,
    SnapStart,
    SnapStartResponse,
    TracingConfig,
    VpcConfig,
    VpcConfigResponse,
)
from perdure.protocol.function_states import LastUpdateStatus, State
from perdure.protocol.functions import CreateFunctionRequest, UpdateFunctionConfigurationRequest
from perdure.protocol.limits import (
    ENVIRONMENT_BYTES_MAX,
    EPHEMERAL_STORAGE_MB_DEFAULT,
    EPHEMERAL_STORAGE_MB_MAX,
    MEMORY_MB_DEFAULT,
    MEMORY_MB_MAX,
    RESERVED_VARIABLES,
    RETENTION_DAYS_DEFAULT,
    TIMEOUT_SECONDS_DEFAULT,
    TIMEOUT_SECONDS_MAX,
)
from perdure.protocol.runtimes import Runtime
from perdure.protocol.setting_words import (
    ApplicationLogLevel,
    Architecture,
    LogFormat,
    PackageType,
    SnapStartApplyOn,
    SnapStartOptimizationStatus,
    SystemLogLevel,
    TracingMode,
)
from perdure.protocol.wire import encode, members

__all__ = ["RUNTIMES", "config_sha256", "created", "updated"]

RUNTIMES: Final = (
    Runtime.PYTHON3_11,
    Runtime.PYTHON3_12,
    Runtime.PYTHON3_13,
    Runtime.PYTHON3_14,
    Runtime.NODEJS22_X,
    Runtime.NODEJS24_X,
    Runtime.PROVIDED_AL2023,
)

_UNSUPPORTED: Final = {
    "accelerator_config",
    "code_signing_config_arn",
    "file_system_configs",
    "image_config",
    "kms_key_arn",
    "layers",
    "publish_to",
    "runtime_config",
}


def created(request: CreateFunctionRequest, *, name: str, arn: str) -> FunctionConfiguration:
    """Return the configuration of a new function: what was asked for, else the defaults.

    Its code, revision and time are not filled in.

    Raises:
        InvalidParameterValue: something cannot be had.
    """
    _refuse_unsupported(request)
    package_type = request.package_type or PackageType.ZIP
    if package_type is PackageType.ZIP and (request.runtime is None or not request.handler):
        raise InvalidParameterValue(
            "Runtime and Handler are mandatory parameters for functions created with deployment"
            " packages."
        )
    configuration = FunctionConfiguration(
        function_name=name,
        function_arn=arn,
        version="$LATEST",
        runtime=request.runtime,
        role=request.role,
        handler=request.handler,
        description=request.description or "",
        timeout=request.timeout or TIMEOUT_SECONDS_DEFAULT,
        memory_size=request.memory_size or MEMORY_MB_DEFAULT,
        package_type=package_type,
        architectures=request.architectures or (Architecture.X86_64,),
        ephemeral_storage=request.ephemeral_storage
        or EphemeralStorage(size=EPHEMERAL_STORAGE_MB_DEFAULT),
        tracing_config=_tracing(request.tracing_config),
        tenancy_config=request.tenancy_config,
        snap_start=_snap_start(request.snap_start),
        logging_config=_logging(request.logging_config, f"/aws/lambda/{name}"),
        environment=_environment(request.environment),
        vpc_config=_vpc(request.vpc_config),
        dead_letter_config=request.dead_letter_config,
        durable_config=_durable(request.durable_config),
        capacity_provider_config=_capacity(request.capacity_provider_config),
        state=State.ACTIVE,
        last_update_status=LastUpdateStatus.SUCCESSFUL,
    )
    _check(configuration)
    return configuration


def updated(
    current: FunctionConfiguration, request: UpdateFunctionConfigurationRequest
) -> FunctionConfiguration:
    """Return the configuration with the changes that were asked for.

    Raises:
        InvalidParameterValue: something cannot be had, or the function is not durable and the
            request would make it so: that is decided when a function is created.
    """
    _refuse_unsupported(request)
    plain = {
        attribute: value
        for attribute in (
            "role",
            "handler",
            "description",
            "timeout",
            "memory_size",
            "runtime",
            "dead_letter_config",
            "ephemeral_storage",
        )
        if (value := getattr(request, attribute)) is not None
    }
    configuration = replace(current, **plain)
    if request.environment is not None:
        configuration = replace(configuration, environment=_environment(request.environment))
    if request.vpc_config is not None:
        configuration = replace(configuration, vpc_config=_vpc(request.vpc_config))
    if request.tracing_config is not None:
        configuration = replace(configuration, tracing_config=_tracing(request.tracing_config))
    if request.snap_start is not None:
        configuration = replace(configuration, snap_start=_snap_start(request.snap_start))
    if request.logging_config is not None:
        group = current.logging_config.log_group if current.logging_config else None
        logging = _logging(request.logging_config, group or "")
        configuration = replace(configuration, logging_config=logging)
    if request.capacity_provider_config is not None:
        capacity = _capacity(request.capacity_provider_config)
        configuration = replace(configuration, capacity_provider_config=capacity)
    if request.durable_config is not None:
        durable = _changed_durable(current.durable_config, request.durable_config)
        configuration = replace(configuration, durable_config=durable)
    _check(configuration)
    return configuration


def config_sha256(configuration: FunctionConfiguration) -> str:
    """Return a hash of all that decides how a version runs, apart from its code."""
    settings = encode(
        replace(
            configuration,
            config_sha256=None,
            code_sha256=None,
            code_size=None,
            function_arn=None,
            last_modified=None,
            revision_id=None,
            version=None,
        )
    )
    digest = hashlib.sha256(msgspec.json.encode(settings, order="sorted")).digest()
    return base64.b64encode(digest).decode()


def _refuse_unsupported(
    request: CreateFunctionRequest | UpdateFunctionConfigurationRequest,
) -> None:
    for member in members(type(request)):
        if member.attribute in _UNSUPPORTED and getattr(request, member.attribute):
            raise InvalidParameterValue(f"{member.wire} is not supported by Perdure")


def _check(configuration: FunctionConfiguration) -> None:
    """Hold what the model allows, and AWS does not for ordinary functions."""
    if configuration.package_type is PackageType.IMAGE:
        _check_endpoint(configuration)
    elif configuration.runtime not in RUNTIMES:
        raise InvalidParameterValue(
            f"Runtime {configuration.runtime} is not supported by Perdure;"
            f" supported are {', '.join(RUNTIMES)}"
        )
    storage = configuration.ephemeral_storage
    for member, value, limit in (
        ("Timeout", configuration.timeout, TIMEOUT_SECONDS_MAX),
        ("MemorySize", configuration.memory_size, MEMORY_MB_MAX),
        ("EphemeralStorage.Size", storage.size if storage else 0, EPHEMERAL_STORAGE_MB_MAX),
    ):
        if (value or 0) > limit:
            raise InvalidParameterValue(f"{member} is above the limit, {limit:,} (value: {value})")


def _check_endpoint(configuration: FunctionConfiguration) -> None:
    """Refuse what decides how a worker runs: an endpoint has its own."""
    if configuration.runtime or configuration.handler:
        raise InvalidParameterValue(
            "Please don't provide Runtime or Handler or Layer when the intent is to create a"
            " function with a container image."
        )
    if configuration.capacity_provider_config is not None:
        raise InvalidParameterValue(
            "CapacityProviderConfig cannot be set for a function at an endpoint: how many"
            " invocations a process runs at once is for whoever serves it to say"
        )
    if configuration.environment is not None and configuration.environment.variables:
        raise InvalidParameterValue(
            "Environment.Variables cannot be set for a function at an endpoint: its variables are"
            " those of the process that serves it"
        )


def _environment(asked: Environment | None) -> EnvironmentResponse | None:
    if asked is None or asked.variables is None:
        return None
    reserved = sorted(RESERVED_VARIABLES & asked.variables.keys())
    if reserved:
        raise InvalidParameterValue(
            "Environment.Variables contains reserved keys that cannot be set:"
            f" {', '.join(reserved)}"
        )
    for name, value in asked.variables.items():
        if "\0" in value:
            raise InvalidParameterValue(f"Environment.Variables.{name} contains a NUL character")
    size = len(msgspec.json.encode(asked.variables))
    if size > ENVIRONMENT_BYTES_MAX:
        raise InvalidParameterValue(
            f"Environment.Variables is {size:,} bytes of JSON; the limit is"
            f" {ENVIRONMENT_BYTES_MAX:,}"
        )
    return EnvironmentResponse(variables=asked.variables)


def _vpc(asked: VpcConfig | None) -> VpcConfigResponse | None:
    if asked is None or not (asked.subnet_ids or asked.security_group_ids):
        return None
    return VpcConfigResponse(
        subnet_ids=asked.subnet_ids or (),
        security_group_ids=asked.security_group_ids or (),
        vpc_id="",
        ipv6_allowed_for_dual_stack=asked.ipv6_allowed_for_dual_stack or False,
    )


def _tracing(asked: TracingConfig | None) -> TracingConfig:
    return TracingConfig(mode=(asked and asked.mode) or TracingMode.PASS_THROUGH)


def _snap_start(asked: SnapStart | None) -> SnapStartResponse:
    return SnapStartResponse(
        apply_on=(asked and asked.apply_on) or SnapStartApplyOn.NONE,
        optimization_status=SnapStartOptimizationStatus.OFF,
    )


def _logging(asked: LoggingConfig | None, default_group: str) -> LoggingConfig:
    asked = asked or LoggingConfig()
    log_group = asked.log_group or default_group
    if asked.log_format is LogFormat.JSON:
        return LoggingConfig(
            log_format=LogFormat.JSON,
            application_log_level=asked.application_log_level or ApplicationLogLevel.INFO,
            system_log_level=asked.system_log_level or SystemLogLevel.INFO,
            log_group=log_group,
        )
    if asked.application_log_level or asked.system_log_level:
        raise InvalidParameterValue("log levels can only be set with LoggingConfig.LogFormat JSON")
    return LoggingConfig(log_format=LogFormat.TEXT, log_group=log_group)


def _durable(asked: DurableConfig | None) -> DurableConfig | None:
    if asked is None:
        return None
    if asked.execution_timeout is None:
        raise InvalidParameterValue("DurableConfig.ExecutionTimeout is required")
    if asked.kms_key_arn:
        raise InvalidParameterValue("DurableConfig.KMSKeyArn is not supported by Perdure")
    return DurableConfig(
        execution_timeout=asked.execution_timeout,
        retention_period_in_days=asked.retention_period_in_days or RETENTION_DAYS_DEFAULT,
    )


def _capacity(asked: CapacityProviderConfig | None) -> CapacityProviderConfig | None:
    """Take how many runs may share a worker; the provider is a name: every node is its capacity."""
    if asked is None:
        return None
    if asked.lambda_managed_instances_capacity_provider_config.memory_gib_per_vcpu is not None:
        raise InvalidParameterValue(
            "CapacityProviderConfig.LambdaManagedInstancesCapacityProviderConfig"
            ".ExecutionEnvironmentMemoryGiBPerVCpu is not supported by Perdure: workers have no"
            " processors of their own"
        )
    return asked


def _changed_durable(current: DurableConfig | None, asked: DurableConfig) -> DurableConfig:
    if current is None:
        raise InvalidParameterValue(
            "DurableConfig can only be enabled when a function is created, not on an existing one"
        )
    changed = _durable(
        DurableConfig(
            kms_key_arn=asked.kms_key_arn,
            execution_timeout=asked.execution_timeout or current.execution_timeout,
            retention_period_in_days=asked.retention_period_in_days
            or current.retention_period_in_days,
        )
    )
    assert changed is not None, "what was asked for is there"
    return changed
